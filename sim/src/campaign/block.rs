//! One block of a campaign: its seeds, the children that guidance puts between them, and what they had to tell.
//!
//! The runs of a block have an order: each seed is followed by its children. What a child is made from is decided by
//! runs that come well before it in that order, not by those that happen to be over. So a block is the same on any
//! number of threads, and still most of its runs can be under way at once.

use super::corpus::{Corpus, Parents};
use super::{Campaign, CampaignReport};
use crate::chance::{Concern, Stream};
use crate::engine::Panicked;
use crate::generate::generate;
use crate::mutate::mutate;
use crate::plan::Plan;
use crate::report::RunReport;
use crate::run_id::{BLOCK, CHILDREN, ChildId};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// What a run had to tell.
pub(super) type Outcome = Result<RunReport, Panicked>;

/// A block under way.
#[derive(Debug)]
pub(super) struct Block {
    number: u64,
    seeds: Range<u64>,
    /// Runs for each seed: itself and its children.
    each: u64,
    /// How many runs of the order were handed out.
    given: u64,
    /// How many, from the first, were learnt from.
    learnt: u64,
    /// Those that are over and wait for one before them. `None`: there was nothing to run.
    over: BTreeMap<u64, Option<(Arc<Plan>, Outcome)>>,
    corpus: Corpus,
    pub(super) report: CampaignReport,
}

/// A run to be done: its place in the order of its block, and what its plan is made from.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) block: u64,
    pub(super) place: u64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Seed(u64),
    Child { k: u32, parents: Parents, stream: Box<Stream> },
}

/// How many runs of the order must have been learnt from before the run at `place` is drawn.
const fn known_at(place: u64) -> u64 {
    // Three quarters: soon guided at the beginning, and later on room for many threads.
    match place * 3 / 4 {
        0 if place > 0 => 1,
        known => known,
    }
}

impl Block {
    pub(super) fn new(number: u64, seeds: Range<u64>, guided: bool) -> Self {
        Self {
            number,
            seeds,
            each: if guided { 1 + CHILDREN } else { 1 },
            given: 0,
            learnt: 0,
            over: BTreeMap::new(),
            corpus: Corpus::default(),
            report: CampaignReport::default(),
        }
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    fn runs(&self) -> u64 {
        (self.seeds.end - self.seeds.start) * self.each
    }

    /// Whether all its runs are over.
    pub(super) fn is_done(&self) -> bool {
        self.learnt == self.runs()
    }

    /// The next run, if one is left and enough is known for it.
    pub(super) fn next(&mut self) -> Option<Draft> {
        while self.given < self.runs() && (self.each == 1 || self.learnt >= known_at(self.given)) {
            let place = self.given;
            self.given += 1;
            match self.draw(place) {
                Some(kind) => return Some(Draft { block: self.number, place, kind }),
                None => self.add(place, None),
            }
        }
        None
    }

    fn draw(&self, place: u64) -> Option<Kind> {
        let (seed, among) = (place / self.each, place % self.each);
        if among == 0 {
            return Some(Kind::Seed(self.seeds.start + seed));
        }
        // Counted from the beginning of the block, wherever its part begins.
        let k = ((self.seeds.start + seed) % BLOCK * CHILDREN + among - 1) as u32;
        let mut stream = Box::new(Stream::new(self.number, Concern::Child, k as u16, 0));
        let parents = self.corpus.draw(known_at(place), &mut stream)?;
        Some(Kind::Child { k, parents, stream })
    }

    /// Takes in what the run at `place` had to tell, and learns from all runs that are over without a gap.
    pub(super) fn add(&mut self, place: u64, run: Option<(Arc<Plan>, Outcome)>) {
        self.over.insert(place, run);
        while let Some(run) = self.over.remove(&self.learnt) {
            if let Some((plan, outcome)) = run {
                self.report.add(&plan, &outcome);
                if let (Ok(report), true) = (&outcome, self.each > 1) {
                    self.corpus.learn(self.learnt, &plan, &report.marks);
                }
            }
            self.learnt += 1;
        }
    }
}

impl Draft {
    /// Draws the plan.
    pub(super) fn plan(self, campaign: &Campaign) -> Plan {
        let Campaign { options, classes, .. } = campaign;
        match self.kind {
            Kind::Seed(seed) => generate(seed, options, classes),
            Kind::Child { k, parents, stream } => {
                let [parent, mate] = parents.moments();
                let mut plan = mutate(parent, mate, options, classes, *stream);
                plan.child = Some(ChildId { block: self.block, k });
                plan
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_drawn_from_runs_before_it_and_some_are_always_free() {
        for place in 1..20_000 {
            assert!((1..=place).contains(&known_at(place)), "{place}");
            assert!(known_at(place) <= known_at(place + 1));
        }
        assert!((64..10_000).all(|place| place - known_at(place) >= 16), "many threads find work");
    }
}
