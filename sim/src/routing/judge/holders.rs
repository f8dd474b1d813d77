//! Who holds which alias, by each server's own belief, and how long.

use crate::doubt::Grounds;
use failproof_core::routing::Alias;

/// What is known of a server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Holder {
    pub(super) grounds: Grounds,
    pub(super) life: u32,
    /// Whether it believes that it holds its alias, and which that is.
    pub(super) holds: bool,
    pub(super) alias: Alias,
    pub(super) doubted: bool,
    /// Whether its clock is a reason: only that excuses what it answers.
    pub(super) clock_doubted: bool,
    /// When its term ended last, while it was trusted, in true microseconds.
    pub(super) term_ended_us: Option<u64>,
    /// Since when `holds` and `doubted` are as they are.
    since_us: u64,
}

/// Times that servers held their aliases, in true microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    pub(super) trusted_us: u64,
    pub(super) doubted_us: u64,
    pub(super) unheld_us: u64,
}

impl Holder {
    /// It is configured for the alias of its own number.
    pub(super) fn new(server: u16) -> Self {
        Self { alias: Alias(server as u8), ..Self::default() }
    }

    /// Whether it is one of those that an alias must not have two of.
    pub(super) const fn is_trusted(&self) -> bool {
        self.holds && !self.doubted
    }
}

impl Held {
    /// Counts the time in which a server's hold on its alias stayed as it was.
    pub(super) fn account(&mut self, holder: &mut Holder, at_us: u64) {
        let passed_us = at_us - std::mem::replace(&mut holder.since_us, at_us);
        let sum = match (holder.holds, holder.doubted) {
            (false, _) => &mut self.unheld_us,
            (true, false) => &mut self.trusted_us,
            (true, true) => &mut self.doubted_us,
        };
        *sum += passed_us;
    }
}
