//! Which thread runs what next.
//!
//! Threads take runs from the first block that has one to give, and open another block only when none has. What blocks
//! have to tell is added up in their order, so that findings are kept, checked and written in the order of their runs.

use super::block::{Block, Draft, Outcome};
use super::check::{Check, Checked};
use super::{Campaign, CampaignReport, Ending, Outside, Tally, on_threads};
use crate::plan::Plan;
use crate::run_id::{block_of, seeds_of};
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub(super) struct Schedule<'a> {
    campaign: &'a Campaign,
    outside: &'a Outside<'a>,
    began: Instant,
    state: Mutex<State>,
    /// A run or a check is over.
    over: Condvar,
}

struct State {
    /// Blocks under way, in their order. At most one for each thread, and one more.
    open: VecDeque<Block>,
    next_block: u64,
    checks: VecDeque<Check>,
    /// Runs and checks that threads have in hand.
    in_hand: usize,
    tally: Tally,
    whole: CampaignReport,
    ending: Ending,
    /// Whether runs or checks were left out.
    cut_short: bool,
}

enum Job {
    Run(Draft),
    Check(Check),
}

impl<'a> Schedule<'a> {
    pub(super) fn new(campaign: &'a Campaign, outside: &'a Outside<'a>) -> Self {
        let state = State {
            open: VecDeque::new(),
            next_block: block_of(campaign.seeds.start),
            checks: VecDeque::new(),
            in_hand: 0,
            tally: Tally::default(),
            whole: CampaignReport::default(),
            ending: Ending::Complete,
            cut_short: false,
        };
        Self { campaign, outside, began: Instant::now(), state: Mutex::new(state), over: Condvar::new() }
    }

    pub(super) fn run(self) -> CampaignReport {
        on_threads(self.campaign.jobs, &|| self.work());
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let asked = self.campaign.seeds.end - self.campaign.seeds.start;
        let all_opened = seeds_of(state.next_block, &self.campaign.seeds).is_empty();
        let ending = match state.ending {
            Ending::Unwritable => Ending::Unwritable,
            // What came to its end all the same was not ended early.
            _ if all_opened && !state.cut_short => Ending::Complete,
            ending => ending,
        };
        CampaignReport { asked, ending, ..state.whole }
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            let in_hand = InHand(self);
            match job {
                Job::Run(draft) => {
                    let (block, place) = (draft.block, draft.place);
                    let plan = Arc::new(draft.plan(self.campaign));
                    let outcome = (self.outside.runner)(self.campaign.engine, &plan, false).map(|(report, _)| report);
                    let tally = self.ran(block, place, plan, outcome);
                    (self.outside.progress)(tally);
                }
                Job::Check(check) => self.checked(check.carry_out(self.campaign.engine, self.outside)),
            }
            drop(in_hand);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something to do. `None` when nothing is left.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            self.look_at_the_clock(&mut state);
            if let Some(job) = self.take(&mut state) {
                state.in_hand += 1;
                if !state.checks.is_empty() {
                    self.over.notify_all();
                }
                return Some(job);
            }
            if state.in_hand == 0 {
                self.over.notify_all();
                return None;
            }
            state = self.over.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn look_at_the_clock(&self, state: &mut State) {
        if self.outside.stop.load(Ordering::Relaxed) {
            state.ending = state.ending.max(Ending::Interrupted);
        } else if self.campaign.limit.is_some_and(|limit| self.began.elapsed() >= limit) {
            state.ending = state.ending.max(Ending::TimeUp);
        }
    }

    fn take(&self, state: &mut State) -> Option<Job> {
        if state.ending != Ending::Complete && state.in_hand == 0 {
            // What was under way is over; the rest of the open blocks is not run.
            state.settle(true);
        }
        if let Some(check) = state.checks.pop_front() {
            return Some(Job::Check(check));
        }
        if state.ending != Ending::Complete {
            return None;
        }
        loop {
            if let Some(draft) = state.open.iter_mut().find_map(Block::next) {
                return Some(Job::Run(draft));
            }
            // A block can end with places that have nothing to run.
            state.settle(false);
            let seeds = seeds_of(state.next_block, &self.campaign.seeds);
            // Who wants the first finding wants the first seeds first.
            let waits = self.campaign.until_first && !state.open.is_empty();
            if seeds.is_empty() || waits || state.open.len() > self.campaign.jobs {
                return state.checks.pop_front().map(Job::Check);
            }
            let guided = self.campaign.guided && !self.campaign.classes.is_empty();
            state.open.push_back(Block::new(state.next_block, seeds, guided));
            state.next_block += 1;
        }
    }

    fn ran(&self, block: u64, place: u64, plan: Arc<Plan>, outcome: Outcome) -> Tally {
        let mut state = self.lock();
        state.tally.runs += 1;
        state.tally.seeds += u64::from(plan.child.is_none());
        if let Some(block) = state.open.iter_mut().find(|open| open.number() == block) {
            let before = block.report.findings();
            block.add(place, Some((plan, outcome)));
            let found = block.report.findings() - before;
            state.tally.findings += found;
            if found > 0 && self.campaign.until_first {
                state.ending = state.ending.max(Ending::Found);
            }
        }
        state.settle(false);
        state.tally
    }

    fn checked(&self, checked: Checked) {
        let mut state = self.lock();
        state.cut_short |= checked.skipped;
        if !checked.kept {
            state.ending = state.ending.max(Ending::Unwritable);
        }
        for (property, run, finding) in checked.findings {
            state.whole.checked(property, run, finding);
        }
    }
}

/// A run or a check that a thread has in hand, until it is over, or the thread panics. Then the others end what they have
/// in hand, and the panic goes on from [`on_threads`].
struct InHand<'a>(&'a Schedule<'a>);

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.in_hand -= 1;
        if std::thread::panicking() {
            state.ending = Ending::Interrupted;
        }
        self.0.over.notify_all();
    }
}

impl State {
    /// Adds up the blocks that are done, as far as no block before them is under way, and has their findings checked.
    /// `all`: those that will never be done too.
    fn settle(&mut self, all: bool) {
        while self.open.front().is_some_and(|block| all || block.is_done())
            && let Some(block) = self.open.pop_front()
        {
            self.cut_short |= !block.is_done();
            let before: Vec<_> = self.whole.kept().map(|finding| (finding.run, finding.property)).collect();
            self.whole.merge(block.report);
            let mut new: Vec<_> =
                self.whole.kept().filter(|kept| !before.contains(&(kept.run, kept.property))).cloned().collect();
            new.sort_by_key(|finding| finding.run);
            for of_one_run in new.chunk_by(|a, b| a.run == b.run) {
                self.checks.push_back(Check { findings: of_one_run.to_vec() });
            }
        }
    }
}
