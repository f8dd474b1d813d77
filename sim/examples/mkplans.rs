#![allow(missing_docs)]
use failproof::defence::with;
use failproof::engine::Engine;
use failproof::fault::*;
use failproof::options::Options;
use failproof::plan::*;
use failproof_core::Duration;
use failproof_core::election::*;
use std::sync::Arc;
fn broken(plan: &Plan, rules: Rules) -> Vec<(String, u64)> {
    let mut p = plan.clone(); p.options.rules = rules; p.check().unwrap();
    let (r, _) = Engine::Fast.run(&Arc::new(p), false).unwrap();
    r.violations.iter().map(|v| (v.property.to_string(), v.at_us)).collect()
}
fn main() {
    let mut o = Options::default();
    o.nodes = 3; o.time_us = 40_000_000; o.rules = Rules::published();
    o.bounds.latency_us_max = Duration::from_millis(5);
    o.bounds.drift_ppm = 0;
    let base = || { let mut p = Plan::calm(o.clone()); p.noise.latency_us_min = 5_000; p };
    let p = Place::Primary;
    type F<'a> = Box<dyn Fn(u64) -> Plan + 'a>;
    let s = 1_000_000u64;
    let list: Vec<(&str, &str, &str, Vec<&str>, F<'_>)> = vec![
        ("E2", "NoStaleEffect", "fencing", vec![], Box::new(|t| base().fault(FaultKind::Pause { node: p }, 8 * s + t, 10 * s))),
        ("E3", "ForeignAnswerStops", "recheck_on_reply", vec![], Box::new(|t| base().fault(FaultKind::ClockStep { node: Place::Store, by_us: 6_000_000 }, 8 * s + t, 1))),
        ("E4", "AtMostOneWorkingPrimary", "age", vec![], Box::new(|t| base().fault(FaultKind::ClockStep { node: Place::Store, by_us: -90_000_000 }, 8 * s + t, 1))),
        ("E5", "AtMostOneWorkingPrimary", "fresh_incarnation", vec![], Box::new(|t| base().fault(FaultKind::Clone { node: Place::Node((t / 10_000 % 3) as u16), of: p }, 8 * s + t, s / 10))),
        ("E6", "EmptyAnswerIsFinal", "empty_is_final", vec![], Box::new(|t| base().fault(FaultKind::Refuse { node: None, access: Access::Write }, 8 * s, 4 * s + t))),
        ("E7", "OwnerIsNotStarved", "renew_by_seq", vec![], Box::new(|t| { let mut q = base(); q.noise.latency_us_min = 1; q.noise.seed = t; q.options.nodes = 2; q })),
        ("E8", "AtMostOneWorkingPrimary", "grace", vec![], Box::new(|t| base().fault(FaultKind::Wipe {}, 8 * s + t, s / 100))),
        ("E9", "AtMostOneWorkingPrimary", "term_in_row", vec![], Box::new(|t| base().fault(FaultKind::Retune { node: Place::Store, timeout_us: 2_100_000 }, 8 * s, 10 * s).fault(FaultKind::Isolate { node: p, direction: Direction::Both }, 9 * s + t, 8 * s))),
        ("E11", "AtMostOneWorkingPrimary", "grace_on_promotion", vec![], Box::new(|t| base().fault(FaultKind::Rollback { by_us: 7_000_000 }, 12 * s + t, 1))),
        ("E12", "AtMostOneWorkingPrimary", "suspend_aware_clock", vec![], Box::new(|t| base().fault(FaultKind::Suspend { node: p }, 8 * s + t, 10 * s))),
        ("E13", "AtMostOneWorkingPrimary", "resign_by_epoch", vec!["fresh_incarnation"], Box::new(|t| { let mut q = base(); q.workload.push(Task { at_us: 8 * s, node: p, utype: 0, what: TaskKind::Resign }); q.fault(FaultKind::Delay { node: p, direction: Direction::Out, by_us: 9 * s + t }, 8 * s - 1, 2) })),
        ("E14", "AtMostOneWorkingPrimary", "validate_reply", vec![], Box::new(|t| base().fault(FaultKind::Corrupt { node: Some(Place::Node((t / 10_000 % 3) as u16)), access: Access::Read }, 8 * s + t, s))),
        ("E10", "RunsOnlyWhereItsTypeRuns", "affinity_in_transaction", vec!["term_in_row"], Box::new(|t| { let mut q = base(); q.options.utypes = 2; q.options.affinity = vec![(1, 0)]; q.workload.push(Task { at_us: 8 * s + t, node: p, utype: 0, what: TaskKind::Resign }); q })),
    ];
    for (id, property, switch, requires, make) in list {
        let mut best: Option<(u64, Plan, u64)> = None;
        let (mut nb, mut nh, mut ns, mut hb) = (0, 0, 0, vec![]);
        for k in 0..200u64 {
            let t = k * 10_000;
            let mut plan = make(t);
            let bad = broken(&plan, Rules::published());
            let Some((_, at)) = bad.iter().find(|(n, _)| n == property) else { continue };
            nb += 1;
            let h = broken(&plan, Rules::hardened());
            if !h.is_empty() { nh += 1; hb = h; continue; }
            let mut without = Rules::published();
            for r in &requires { without = with(without, r, true); }
            if !broken(&plan, without).iter().any(|(n, _)| n == property) { continue; }
            let mut only = with(Rules::published(), switch, true);
            for r in &requires { only = with(only, r, true); }
            if broken(&plan, only).iter().any(|(n, _)| n == property) { ns += 1; continue; }
            plan.found = None;
            if best.is_none() { best = Some((t, plan, *at)); }
        }
        match best {
            Some((t, plan, at)) => {
                println!("{id} ok t={t} at={at} broken {nb} hardenedbad {nh} switchbad {ns} {hb:?}");
                std::fs::write(format!("tests/plans/{id}.json"), serde_json::to_string_pretty(&plan).unwrap() + "\n").unwrap();
            }
            None => println!("{id} NONE broken {nb} hardenedbad {nh} switchbad {ns} {hb:?}"),
        }
    }
}
