//! The workload that every bench runs, so that their figures can be compared.
//!
//! Five nodes, I = 1 s, T = 5 s, hardened rules, a network that delays by 1 µs to 50 ms and loses nothing, the oracle on
//! every step: [`Options::default`] without faults. One run is one simulated hour. And the HAID that the codec is measured on.
#![forbid(unsafe_code)]

use failproof::election::Options;
use failproof::engine::Engine;
use failproof::fault::{FaultKind, Place};
use failproof::plan::Plan;
use failproof::report::RunReport;
use failproof::routing;
use failproof_core::Duration;
use failproof_core::routing::{Key, Keyring, Rules};
use failproof_spec::context::{Cache, ContextAction, ContextOracle, ContextState, Seat, Write};
use failproof_spec::{Action, ActorId, Change, LeaseOracle, Token};
use std::sync::Arc;

/// One simulated hour in true microseconds.
pub const HOUR_US: u64 = 3_600_000_000;

/// The engines of this build: madsim only under its flag.
pub const ENGINES: &[Engine] = &[
    Engine::Fast,
    #[cfg(madsim)]
    Engine::Madsim,
];

/// A calm run of `time_us` with `nodes` nodes, whose primary operates on its resource every four seconds: with five nodes
/// about 55,000 events an hour.
#[must_use]
pub fn calm(nodes: u16, time_us: u64) -> Arc<Plan> {
    let mut options = Options { nodes, time_us, ..Options::default() };
    options.work.every_us = Duration::from_secs(4);
    let plan = Plan::calm(options);
    plan.check().expect("the workload is a valid plan");
    Arc::new(plan)
}

/// The fixed workload: one simulated hour.
#[must_use]
pub fn one_hour() -> Arc<Plan> {
    calm(Options::default().nodes, HOUR_US)
}

/// Ten calm minutes of context routing, with as many gateways, servers, clients and contexts as usual: about 90,000 events.
#[must_use]
pub fn ten_minutes_of_routing() -> Arc<Plan> {
    let plan = Plan::calm(routing::Options::default());
    plan.check().expect("the workload is a valid plan");
    Arc::new(plan)
}

/// 25 minutes of context routing under published rules, with a pause and some loss: more than 200,000 events.
#[must_use]
pub fn many_events() -> Arc<Plan> {
    let options = routing::Options { time_us: 1_500_000_000, rules: Rules::published(), ..routing::Options::default() };
    let plan = Plan::calm(options).fault(FaultKind::Pause { node: Place::Primary }, 300_000_000, 8_000_000).fault(
        FaultKind::Lossy { ppm: 100_000 },
        400_000_000,
        50_000_000,
    );
    plan.check().expect("the workload is a valid plan");
    Arc::new(plan)
}

/// Runs `plan` without records, as a campaign does.
///
/// # Panics
/// When the run panics or breaks a property: the workload is calm.
#[must_use]
pub fn run(engine: Engine, plan: &Arc<Plan>) -> RunReport {
    let (report, _) = engine.run(plan, false).unwrap_or_else(|panicked| panic!("{engine}: {}", panicked.message));
    assert!(report.violations.is_empty(), "{engine}: a calm run broke {:?}", report.violations);
    report
}

/// The primary of [`oracle_at_work`].
pub const PRIMARY: ActorId = ActorId(2);
/// Who was primary before, if anybody was.
pub const RIVAL: ActorId = ActorId(1);

/// What the resource's acceptance of one more operation of [`PRIMARY`] looks like: the state stays as it is.
pub const AT_WORK: Change<'static> =
    Change { owner: Some(PRIMARY), works: true, doubted: false, running: true, stained: false, tokens: &[] };

/// An oracle in front of which [`PRIMARY`] works, beside a former primary with a fenced token if `rival`.
///
/// # Panics
/// When the contract refuses a step on the way there.
#[must_use]
pub fn oracle_at_work(rival: bool) -> LeaseOracle {
    let mut oracle = LeaseOracle::new();
    let mut findings = Vec::new();
    let mut step = |action, actor, change| oracle.step(action, actor, change, 0, &mut findings);
    if rival {
        step(Action::Grant, Some(RIVAL), Change { tokens: &[(RIVAL, Token::Open)], ..Change::idle(Some(RIVAL)) });
        step(Action::Accept, Some(RIVAL), Change::idle(Some(RIVAL)));
        step(Action::Leave, None, Change::idle(None));
    }
    step(Action::Grant, Some(PRIMARY), Change { tokens: &[(PRIMARY, Token::Open)], ..Change::idle(Some(PRIMARY)) });
    let tokens: &[_] = if rival { &[(RIVAL, Token::Fenced)] } else { &[] };
    step(Action::Accept, Some(PRIMARY), Change { tokens, ..Change::idle(Some(PRIMARY)) });
    step(Action::StepUp, Some(PRIMARY), AT_WORK);
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(oracle.active(), 1 + usize::from(rival));
    oracle
}

/// A HAID of 60 bytes.
pub const HAID_60: &str = "22-22--cs_1_prod.example:9116cs_2_prod.example:9116123456789";

/// One key that tags HAIDs.
///
/// # Panics
/// Never: the key is a valid one.
#[must_use]
pub fn haid_keys() -> Keyring {
    Keyring::new(vec![Key::new("k1", &[7; 32]).expect("a key")]).expect("a keyring")
}

/// An oracle that follows one context of five servers, and the state of that context: server 0 owns it and serves it from
/// its cache, a change was acknowledged. A read leaves it as it is.
///
/// # Panics
/// When the contract refuses a step on the way there.
#[must_use]
pub fn context_at_work() -> (ContextOracle, ContextState) {
    let mut oracle = ContextOracle::new(1, 5);
    let mut findings = Vec::new();
    let mut state = ContextState { main: Some(0), backup: Some(1), ..ContextState::default() };
    let mut step = |action, change: &dyn Fn(&mut ContextState)| {
        change(&mut state);
        oracle.step(action, 0, Some(0), state, 0, &mut findings);
    };
    step(ContextAction::Create, &|state| state.seats[0].token = Token::Open);
    step(ContextAction::Load, &|state| state.seats[0].cache = Cache::Current);
    step(ContextAction::Apply, &|state| (state.write, state.wrote) = (Write::Applied, Some(0)));
    step(ContextAction::Ack, &|state| state.write = Write::Acked);
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(state.seats[0], Seat { token: Token::Open, cache: Cache::Current, doubted: false });
    (oracle, state)
}
