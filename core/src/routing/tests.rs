//! Small facts, each on its own: messages go in by hand, outputs are looked at.

mod backup;
