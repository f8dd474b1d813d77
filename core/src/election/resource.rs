//! What a primary writes to: the thing that fencing protects.

use super::message::Message;
use super::rules::Fencing;
use crate::id::{Epoch, Utype};
use alloc::vec;
use alloc::vec::Vec;

/// How an operation or a seal landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Landing {
    /// The kind of leader it came from.
    pub utype: Utype,
    /// Its epoch.
    pub epoch: Epoch,
    /// Whether it took effect.
    pub accepted: bool,
}

/// One resource per kind of leader, each with the highest epoch that it has seen.
///
/// Spec: `Accept` in `Lease.tla`; the highest epoch is what `token` is relative to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Resource {
    fencing: Fencing,
    kinds: Vec<Kind>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Kind {
    highest: Epoch,
    last: u64,
}

impl Resource {
    /// A fresh resource for the kinds `0..utypes`.
    #[must_use]
    pub fn new(utypes: usize, fencing: Fencing) -> Self {
        Self { fencing, kinds: vec![Kind::default(); utypes] }
    }

    /// The highest epoch that took effect for `utype`, whether or not older ones are refused.
    #[must_use]
    pub fn highest(&self, utype: Utype) -> Epoch {
        self.kinds[utype.index()].highest
    }

    /// Serves an operation or a seal; anything else is not for a resource and does nothing. Returns how it landed and
    /// the answer to send, if any: operations that take effect are not answered.
    pub fn serve(&mut self, message: &Message) -> (Option<Landing>, Option<Message>) {
        match *message {
            Message::Seal { utype, epoch } => {
                let landing = self.land(utype, epoch);
                let last = self.kinds[utype.index()].last;
                let answer = match landing.accepted {
                    true => Message::Sealed { utype, epoch, last },
                    false => Message::Refused { utype, epoch },
                };
                (Some(landing), Some(answer))
            }
            Message::Operate { utype, epoch, number } => {
                let landing = self.land(utype, epoch);
                if landing.accepted {
                    self.kinds[utype.index()].last = epoch.as_u64() ^ u64::from(number);
                    return (Some(landing), None);
                }
                (Some(landing), Some(Message::Refused { utype, epoch }))
            }
            _ => (None, None),
        }
    }

    fn land(&mut self, utype: Utype, epoch: Epoch) -> Landing {
        let kind = &mut self.kinds[utype.index()];
        let accepted = match self.fencing {
            Fencing::None => true,
            Fencing::Epoch => epoch >= kind.highest,
        };
        if accepted {
            kind.highest = kind.highest.max(epoch);
        }
        Landing { utype, epoch, accepted }
    }
}
