//! Job distribution as it is simulated.

mod resources;
