//! What guidance goes by: the moments at which runs of a block reached something that no run before them had.

use crate::chance::Stream;
use crate::mutate::Moment;
use crate::plan::Plan;
use failproof_spec::{Landmark, Marks};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The moments worth trying something beside, in the order in which they were learnt.
///
/// Shape: at most one moment for each landmark; landmarks are finitely many for a number of nodes, so its memory is
/// bounded.
#[derive(Debug, Default)]
pub(super) struct Corpus {
    seen: BTreeSet<Landmark>,
    moments: Vec<Known>,
}

/// A moment, and from which run on it is known.
#[derive(Clone, Debug)]
struct Known {
    after: u64,
    plan: Arc<Plan>,
    at_us: u64,
    closeness: Option<u32>,
}

/// What a child is made from.
#[derive(Clone, Debug)]
pub(super) struct Parents {
    of: [(Arc<Plan>, u64); 2],
}

impl Corpus {
    /// Learns from the run at `place` of its block, which comes after all runs learnt from before.
    pub(super) fn learn(&mut self, place: u64, plan: &Arc<Plan>, marks: &Marks) {
        let mut new: Vec<_> = marks.iter().filter(|mark| self.seen.insert(mark.landmark)).collect();
        new.sort_by_key(|mark| mark.at_us);
        let mut last_us = None;
        for mark in new {
            let closeness = mark.landmark.as_closeness();
            // One step can reach several landmarks; it is one moment, unless it came close to the limit.
            if closeness.is_some() || last_us != Some(mark.at_us) {
                self.moments.push(Known { after: place, plan: Arc::clone(plan), at_us: mark.at_us, closeness });
            }
            last_us = Some(mark.at_us);
        }
    }

    /// Draws two moments among those that the first `known` runs of the block reached. `None` if there are none.
    pub(super) fn draw(&self, known: u64, stream: &mut Stream) -> Option<Parents> {
        let known = &self.moments[..self.moments.partition_point(|moment| moment.after < known)];
        let closest = known.iter().filter(|moment| moment.closeness.is_some()).min_by_key(|moment| moment.closeness);
        let mut pick = || {
            // What was found later is rarer.
            let later = stream.below(known.len() as u64).max(stream.below(known.len() as u64));
            let moment = match closest {
                Some(closest) if stream.below(2) == 0 => closest,
                _ => &known[later as usize],
            };
            (Arc::clone(&moment.plan), moment.at_us)
        };
        (!known.is_empty()).then(|| Parents { of: [pick(), pick()] })
    }
}

impl Parents {
    /// Whose scene the child begins with, and who may lend it some of its own.
    pub(super) fn moments(&self) -> [Moment<'_>; 2] {
        self.of.each_ref().map(|(plan, at_us)| Moment { plan, at_us: *at_us })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Concern;
    use crate::election::Options;

    fn marks(margins_us: &[u64]) -> Marks {
        let mut marks = Marks::default();
        margins_us.iter().for_each(|margin_us| marks.reach(Landmark::closeness(*margin_us), *margin_us + 1));
        marks
    }

    #[test]
    fn only_what_is_new_is_learnt_and_only_what_is_known_is_drawn() {
        let plan = Arc::new(Plan::calm(Options::default()));
        let mut corpus = Corpus::default();
        corpus.learn(0, &plan, &marks(&[1_000, 5_000]));
        corpus.learn(1, &plan, &marks(&[1_000, 5_000]));
        assert_eq!(corpus.moments.len(), 2);
        corpus.learn(7, &plan, &marks(&[10]));
        let mut stream = Stream::new(1, Concern::Child, 0, 0);
        assert!(corpus.draw(0, &mut stream).is_none());
        let mut drawn = |known| {
            (0..200).map(|_| corpus.draw(known, &mut stream).unwrap().moments()[0].at_us).collect::<BTreeSet<_>>()
        };
        assert_eq!(drawn(7), BTreeSet::from([1_001, 5_001]), "the run at 7 is not known yet");
        assert_eq!(drawn(8), BTreeSet::from([11, 1_001, 5_001]));
    }
}
