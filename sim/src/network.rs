//! The fate of messages: whether one arrives, when, and how often.

use crate::chance::{Concern, Stream};
use crate::event::ActorId;
use crate::fault::{Direction, FaultKind, Place};
use crate::plan::{Fate, Noise};
use std::collections::BTreeMap;

/// What becomes of one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Its number on the link, even; a second copy takes the next one.
    pub counter: u32,
    /// How long until it arrives; `None` if it is lost.
    pub after_us: Option<u64>,
    /// How long until a second copy arrives.
    pub again_after_us: Option<u64>,
    /// Whether it is lost because no way leads there.
    pub cut: bool,
}

/// All links.
#[derive(Debug)]
pub struct Network {
    noise: Noise,
    calm_from_us: u64,
    /// By actor.
    places: Vec<Place>,
    index: Vec<u32>,
    links: Vec<Link>,
    faults: Vec<(u32, FaultKind)>,
    /// By link and number.
    fates: BTreeMap<(Place, Place, u32), Fate>,
}

#[derive(Debug)]
struct Link {
    stream: Stream,
    sent: u32,
}

/// The index of a link that nothing was sent over yet.
const NEW: u32 = u32::MAX;

impl Network {
    /// A network between actors at these places. Loss and duplication by noise end at `calm_from_us`.
    #[must_use]
    pub fn new(places: Vec<Place>, noise: Noise, calm_from_us: u64, fates: &[Fate]) -> Self {
        Self {
            noise,
            calm_from_us,
            index: vec![NEW; places.len() * places.len()],
            places,
            links: Vec::new(),
            faults: Vec::new(),
            fates: fates.iter().rev().map(|fate| ((fate.from, fate.to, fate.which), *fate)).collect(),
        }
    }

    /// Lets a network fault begin.
    pub fn begin(&mut self, id: u32, kind: FaultKind) {
        self.faults.push((id, kind));
    }

    /// Lets it end.
    pub fn end(&mut self, id: u32) {
        self.faults.retain(|(other, _)| *other != id);
    }

    /// Whether no way leads from one machine to another now.
    #[must_use]
    pub fn is_cut(&self, source: Place, target: Place) -> bool {
        self.faults.iter().any(|(_, kind)| cuts(kind, source, target))
    }

    fn link(&mut self, source: ActorId, target: ActorId) -> &mut Link {
        let at = usize::from(source) * self.places.len() + usize::from(target);
        let link = match self.index[at] {
            NEW => self.add_link(at, source, target),
            link => link,
        };
        &mut self.links[link as usize]
    }

    #[cold]
    fn add_link(&mut self, at: usize, source: ActorId, target: ActorId) -> u32 {
        let stream = Stream::new(self.noise.seed, Concern::Link, source, target);
        self.index[at] = self.links.len() as u32;
        self.links.push(Link { stream, sent: 0 });
        self.index[at]
    }

    /// Decides about one message sent at `at_us`. Takes one word from the link's stream.
    #[inline(always)]
    pub fn deliver(&mut self, at_us: u64, source: ActorId, target: ActorId) -> Delivery {
        let noise = self.noise;
        let calm = at_us >= self.calm_from_us;
        let link = self.link(source, target);
        let which = link.sent;
        link.sent += 1;
        let word = link.stream.word();
        // Four parts of one word: latency, loss, duplication, and (mixed from all of it) how late a late one is.
        let latency = noise.latency_us_min + part(word >> 40, noise.latency_us_max - noise.latency_us_min + 1);
        let (loss, duplicate) = ((word >> 20) & 0xf_ffff, word & 0xf_ffff);
        let spread = word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let mut delivery = Delivery { counter: which * 2, after_us: Some(latency), again_after_us: None, cut: false };
        if !calm && below(loss, noise.loss_ppm) {
            delivery.after_us = None;
        }
        if !calm && below(duplicate, noise.duplicate_ppm) {
            delivery.again_after_us = Some(latency + part(spread, latency) + 1);
        }
        let places = || (self.places[usize::from(source)], self.places[usize::from(target)]);
        if !self.faults.is_empty() {
            self.weather(&mut delivery, places(), loss, duplicate, spread);
        }
        if !self.fates.is_empty() {
            self.single(&mut delivery, places(), which);
        }
        delivery
    }

    fn weather(
        &self,
        delivery: &mut Delivery,
        (source, target): (Place, Place),
        loss: u64,
        duplicate: u64,
        spread: u64,
    ) {
        for (_, kind) in &self.faults {
            match kind {
                FaultKind::Lossy { ppm } if below(loss, *ppm) => delivery.after_us = None,
                FaultKind::Duplicate { ppm, spread_us } if below(duplicate, *ppm) => {
                    delivery.again_after_us = delivery.after_us.map(|after| after + part(spread, *spread_us) + 1);
                }
                FaultKind::Reorder { spread_us } => add(delivery, part(spread, *spread_us)),
                FaultKind::Delay { node, direction, by_us } if hits(*node, *direction, source, target) => {
                    add(delivery, *by_us);
                }
                kind if cuts(kind, source, target) => {
                    lose(delivery);
                    delivery.cut = true;
                }
                _ => {}
            }
        }
    }

    fn single(&self, delivery: &mut Delivery, (from, to): (Place, Place), which: u32) {
        match self.fates.get(&(from, to, which)) {
            Some(Fate { delay_us: Some(by_us), again_us, .. }) => {
                add(delivery, *by_us);
                if let Some(again_us) = again_us {
                    delivery.again_after_us = delivery.after_us.map(|after| after + again_us);
                }
            }
            Some(Fate { delay_us: None, .. }) => lose(delivery),
            None => {}
        }
    }
}

fn lose(delivery: &mut Delivery) {
    delivery.after_us = None;
    delivery.again_after_us = None;
}

fn add(delivery: &mut Delivery, by_us: u64) {
    for copy in [&mut delivery.after_us, &mut delivery.again_after_us] {
        *copy = copy.map(|after| after + by_us);
    }
}

/// Whether a fault loses all messages from one machine to another.
fn cuts(kind: &FaultKind, source: Place, target: Place) -> bool {
    match kind {
        FaultKind::Isolate { node, direction } => hits(*node, *direction, source, target),
        FaultKind::Cut { from, to } => (*from, *to) == (source, target),
        FaultKind::Partition { side } => side.contains(&source) != side.contains(&target),
        _ => false,
    }
}

fn hits(node: Place, direction: Direction, source: Place, target: Place) -> bool {
    let (inward, outward) = (target == node, source == node);
    match direction {
        Direction::In => inward,
        Direction::Out => outward,
        Direction::Both => inward || outward,
    }
}

/// Whether a 20-bit draw falls below `ppm` of a million.
const fn below(draw: u64, ppm: u32) -> bool {
    draw * 1_000_000 < (ppm as u64) << 20
}

/// The share of `span` that a 24-bit draw names.
const fn part(draw: u64, span: u64) -> u64 {
    ((draw as u128 * span as u128) >> 24) as u64
}
