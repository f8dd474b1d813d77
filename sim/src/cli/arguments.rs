//! How the values of options are written. Each error says what was expected.

use crate::fault::FaultClass;
use crate::options::Options;
use crate::protocols::{self, Known};
use crate::run_id::BLOCK;
use std::ops::Range;
use std::path::Path;

/// Fault classes, and how they were asked for.
#[derive(Clone, Debug)]
pub(super) struct FaultsArg {
    pub(super) name: String,
    pub(super) classes: Vec<FaultClass>,
}

/// Which protocols are run.
#[derive(Clone, Copy, Debug)]
pub(super) enum ProtocolArg {
    One(&'static dyn Known),
    All,
}

/// Part `index`, from 1, of `of` parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    index: u64,
    of: u64,
}

pub(super) fn protocol(text: &str) -> Result<ProtocolArg, String> {
    let expected = || protocols::names().chain(["all"]).collect::<Vec<_>>().join(" or ");
    match text {
        "all" => Ok(ProtocolArg::All),
        _ => protocols::named(text).map(ProtocolArg::One).map_err(|_| match text {
            "registry" => {
                format!("`{text}` is not simulated in this version; expected {}", expected())
            }
            _ => format!("unknown protocol; expected {}", expected()),
        }),
    }
}

impl ProtocolArg {
    /// Those that are meant, in their order.
    pub(super) fn chosen(self) -> Vec<&'static dyn Known> {
        match self {
            Self::One(known) => vec![known],
            Self::All => protocols::all().collect(),
        }
    }
}

/// Lets rules decide that are given by a name of the protocol, or as a file that holds every decision.
pub(super) fn decide_by(text: &str, options: &mut Options) -> Result<(), String> {
    if let Some(rules) = options.rules_named(text) {
        return options.set_rules(rules).map_err(|error| format!("--rules: `{text}`: {error}"));
    }
    let content = std::fs::read_to_string(Path::new(text)).map_err(|error| {
        let names = options.named_rules().into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
        format!(
            "--rules: `{text}`: no rules of protocol {} have this name, and no file can be read ({error}); expected \
             {names}, or a JSON file of rules",
            options.protocol()
        )
    })?;
    options.read_rules(&content).map_err(|error| {
        format!(
            "--rules: {text}: the file holds no rules of protocol {}: {error}; expected a JSON object with every switch, \
             as `options.rules` of a plan",
            options.protocol()
        )
    })
}

/// Sets a size by the name of its option.
pub(super) fn set_size(options: &mut Options, name: &str, size: u32) -> Result<(), String> {
    if options.set_size(name, size) {
        return Ok(());
    }
    let has_it = |known: &&dyn Known| known.usual().set_size(name, size);
    let others = protocols::all().filter(has_it).map(|known| known.name()).collect::<Vec<_>>().join(" or ");
    Err(format!("--{name}: protocol {} has no such option; expected it with --protocol {others}", options.protocol()))
}

/// Classes by name, `swarm` for all, `calm` for none.
pub(super) fn faults(text: &str) -> Result<FaultsArg, String> {
    let classes = FaultClass::parse_list(text)?;
    let name = match classes.as_slice() {
        [] => "calm".to_owned(),
        all if all == FaultClass::ALL => "swarm".to_owned(),
        some => some.iter().map(|class| class.name()).collect::<Vec<_>>().join(","),
    };
    Ok(FaultsArg { name, classes })
}

/// `a..b`, without b.
pub(super) fn seeds(text: &str) -> Result<Range<u64>, String> {
    let expected = "expected a..b with a below b; b itself is not run";
    let (first, end) = text.split_once("..").ok_or_else(|| format!("not a range; {expected}"))?;
    let number =
        |text: &str| text.trim().parse::<u64>().map_err(|error| format!("`{text}` is no seed ({error}); {expected}"));
    let (first, end) = (number(first)?, number(end)?);
    match first.cmp(&end) {
        std::cmp::Ordering::Less => Ok(first..end),
        std::cmp::Ordering::Equal => Err(format!("the range is empty; {expected}")),
        std::cmp::Ordering::Greater => Err(format!("the range is reversed; {expected}")),
    }
}

/// `i/n`, from `1/n` to `n/n`.
pub(super) fn shard(text: &str) -> Result<Shard, String> {
    let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    match numbers {
        Some((index, of)) if (1..=of).contains(&index) => Ok(Shard { index, of }),
        _ => Err("expected i/n with i from 1 to n".to_owned()),
    }
}

impl Shard {
    /// This part of the seeds: the parts lie side by side, and differ by at most one seed or, if `guided`, one block.
    pub(super) fn of(self, seeds: &Range<u64>, guided: bool) -> Result<Range<u64>, String> {
        let unit = if guided { BLOCK } else { 1 };
        let (first, end) = (seeds.start / unit, seeds.end.div_ceil(unit));
        if end - first < self.of {
            let blocks = if guided { " between blocks of 1,000, because the campaign is guided" } else { "" };
            return Err(format!(
                "--shard: {} seeds cannot be split into {} parts{blocks}; expected fewer parts, more seeds{}",
                seeds.end - seeds.start,
                self.of,
                if guided { ", or --guided false" } else { "" }
            ));
        }
        let cut = |index: u64| first + (u128::from(end - first) * u128::from(index) / u128::from(self.of)) as u64;
        let [begin, stop] = [cut(self.index - 1), cut(self.index)].map(|cut| cut.saturating_mul(unit));
        Ok(begin.max(seeds.start)..stop.min(seeds.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_lie_side_by_side() {
        for (seeds, guided, lengths) in [(5..22, false, 4..=5), (500..9_700, true, 1_500..=3_000)] {
            let mut next = seeds.start;
            for index in 1..=4 {
                let part = Shard { index, of: 4 }.of(&seeds, guided).unwrap();
                assert_eq!(part.start, next);
                assert!(lengths.contains(&(part.end - part.start)), "{part:?}");
                assert!(!guided || index == 4 || part.end.is_multiple_of(BLOCK), "{part:?}");
                next = part.end;
            }
            assert_eq!(next, seeds.end);
        }
        assert!(Shard { index: 1, of: 2 }.of(&(0..1_000), true).is_err());
        assert_eq!(Shard { index: 2, of: 2 }.of(&(0..u64::MAX), true).unwrap().end, u64::MAX);
    }

    #[test]
    fn classes_have_one_name_in_any_order() {
        assert_eq!(faults("network,store,network").unwrap().name, "network,store");
        assert_eq!(faults("clock,store,network,process").unwrap().name, "swarm");
        assert_eq!(faults("calm").unwrap().name, "calm");
    }
}
