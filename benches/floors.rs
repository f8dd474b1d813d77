//! One table: each floor of the project, what was measured, and whether it held.
//!
//! Engines take turns within a round, and a ratio is taken within its round, so that other work on the machine hits both
//! sides; a row shows the median of three rounds. A figure in absolute time still falls on a machine that is not idle.
//!
//! Arguments are criterion's, passed to every bench: `--quick` measures less, and without `--bench`, or with `--test`, each row
//! is only shown to work.

use failproof::campaign::Campaign;
use failproof::election::Options;
use failproof::engine::Engine;
use failproof::plan::Plan;
use failproof_benches::{AT_WORK, ENGINES, HAID_60, HOUR_US, PRIMARY, calm, haid_keys, one_hour, oracle_at_work, run};
use failproof_core::election::Rules;
use failproof_core::routing::Codec;
use failproof_spec::Action;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How much is run for each row.
struct Effort {
    /// Whether the figures are long enough to be held against a floor.
    judged: bool,
    rounds: usize,
    /// Simulated hours in one round.
    fast_hours: u64,
    madsim_hours: u64,
    /// Simulated hours over which memory may grow, ten minutes a run.
    memory_hours: u64,
    /// Guided seeds over which memory may grow.
    campaign_seeds: u64,
    /// Seeds of ten simulated minutes each.
    fast_seeds: u64,
    madsim_seeds: u64,
    oracle_steps: u64,
    haids: u64,
    /// Simulated time in microseconds, shared among the nodes.
    node_us: u64,
}

impl Effort {
    fn from_arguments() -> Self {
        let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
        let usual = Self {
            judged: true,
            rounds: 3,
            fast_hours: 200,
            madsim_hours: 10,
            memory_hours: 1_000,
            campaign_seeds: 8_000,
            fast_seeds: 2_000,
            madsim_seeds: 60,
            oracle_steps: 5_000_000,
            haids: 20_000_000,
            node_us: 50 * HOUR_US,
        };
        let quick = Self {
            fast_hours: 40,
            madsim_hours: 2,
            memory_hours: 20,
            campaign_seeds: 2_000,
            fast_seeds: 400,
            madsim_seeds: 12,
            oracle_steps: 1_000_000,
            haids: 4_000_000,
            node_us: 10 * HOUR_US,
            ..usual
        };
        let shown = Self {
            judged: false,
            rounds: 1,
            fast_hours: 1,
            madsim_hours: 1,
            memory_hours: 1,
            campaign_seeds: 2,
            fast_seeds: 4,
            madsim_seeds: 2,
            oracle_steps: 1_000,
            haids: 1_000,
            node_us: HOUR_US / 2,
        };
        if has("--test") || !has("--bench") {
            shown
        } else if has("--quick") {
            quick
        } else {
            usual
        }
    }
}

/// What a measured value is held against.
#[derive(Clone, Copy)]
enum Floor {
    AtLeast(f64),
    AtMost(f64),
    /// It is only printed.
    None,
}

struct Table {
    judged: bool,
    rows: u32,
    missed: u32,
}

impl Table {
    fn begin(judged: bool) -> Self {
        println!("\n{:<64} {:>12}  {:<12} {:<10}", "what", "measured", "floor", "goal");
        Self { judged, rows: 0, missed: 0 }
    }

    /// Prints a row at once: the rows after it take their time.
    fn row(&mut self, what: &str, measured: Option<f64>, unit: &str, floor: Floor, goal: &str) {
        let number = |value: f64| match value {
            _ if value == 0.0 => "0".to_owned(),
            _ if value.abs() >= 1_000_000.0 => format!("{:.2} M", value / 1e6),
            _ if value.abs() >= 100.0 => format!("{value:.0}"),
            _ if value.abs() >= 0.01 => format!("{value:.2}"),
            _ => format!("{value:.1e}"),
        };
        let (limit, held) = match floor {
            Floor::AtLeast(limit) => (format!(">= {}", number(limit)), measured.map(|value| value >= limit)),
            Floor::AtMost(limit) => (format!("<= {}", number(limit)), measured.map(|value| value <= limit)),
            Floor::None => (String::new(), None),
        };
        let verdict = match (measured, held) {
            (None, _) => "not measured",
            (_, None) => "",
            (_, Some(_)) if !self.judged => "too short",
            (_, Some(true)) => "held",
            (_, Some(false)) => "missed",
        };
        self.rows += u32::from(!matches!(floor, Floor::None));
        self.missed += u32::from(held == Some(false));
        let shown = measured.map_or("-".to_owned(), |value| format!("{} {unit}", number(value)).trim_end().to_owned());
        println!("{what:<64} {shown:>12}  {limit:<12} {goal:<10} {verdict}");
    }

    fn end(self) {
        if self.judged {
            println!("\n{} of {} floors missed\n", self.missed, self.rows);
        } else {
            println!("\nonly shown to work: `cargo bench` measures\n");
        }
    }
}

fn main() {
    let effort = Effort::from_arguments();
    let mut table = Table::begin(effort.judged);
    engines(&effort, &mut table);
    memory(&effort, &mut table);
    cores(&effort, &mut table);
    oracle(&effort, &mut table);
    haids(&effort, &mut table);
    allocations(&mut table);
    nodes(&effort, &mut table);
    lengths(&effort, &mut table);
    table.end();
}

/// Simulated hours per second of both engines, in turns.
fn engines(effort: &Effort, table: &mut Table) {
    let plan = one_hour();
    let hours_per_second = |engine: Engine, hours: u64| {
        let took = timed(|| (0..hours).for_each(|_| drop(black_box(run(engine, &plan)))));
        hours as f64 / took.as_secs_f64()
    };
    let events = run(Engine::Fast, &plan).events;
    let (mut fast, mut slow, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        fast.push(hours_per_second(Engine::Fast, effort.fast_hours));
        if ENGINES.contains(&Engine::Madsim) {
            slow.push(hours_per_second(Engine::Madsim, effort.madsim_hours));
            ratio.push(fast[fast.len() - 1] / slow[slow.len() - 1]);
        }
    }
    let fast = median(fast);
    let what = format!("fast engine, simulated hours per second ({} runs of 1 h)", effort.fast_hours);
    table.row(&what, fast, "", Floor::AtLeast(300.0), "500");
    let what = format!("fast engine, events per second ({events} in 1 h)");
    table.row(&what, fast.map(|fast| fast * events as f64), "", Floor::None, "");
    let what = format!("madsim engine, simulated hours per second ({} runs of 1 h)", effort.madsim_hours);
    table.row(&what, median(slow), "", Floor::AtLeast(8.0), "10");
    table.row("fast engine / madsim engine", median(ratio), "x", Floor::AtLeast(20.0), "25");
}

/// By how much the process grows over many runs.
fn memory(effort: &Effort, table: &mut Table) {
    /// Lets pools, thread stacks and the allocator reach their size.
    const WARM_UP: u64 = 12;
    /// Of ten simulated minutes.
    const RUNS_PER_HOUR: u64 = 6;
    let plan = calm(Options::default().nodes, HOUR_US / RUNS_PER_HOUR);
    for engine in ENGINES {
        let runs = effort.memory_hours * RUNS_PER_HOUR;
        let repeat = |count: u64| (0..count).for_each(|_| drop(black_box(run(*engine, &plan))));
        repeat(WARM_UP);
        let before = resident_mb();
        repeat(runs);
        let grown = before.zip(resident_mb()).map(|(before, after)| (after - before).max(0.0));
        let what = format!("{engine} engine, memory growth over {} simulated hours ({runs} runs)", effort.memory_hours);
        // The floor is one for 1,000 hours.
        let limit = 10.0 * effort.memory_hours as f64 / 1_000.0;
        table.row(&what, grown, "MB", Floor::AtMost(limit), "flat");
    }
    // Published rules, so that there are findings to keep.
    let options = Options { rules: Rules::published(), time_us: HOUR_US / 60, ..Options::default() };
    let campaign = |seeds| Campaign { guided: true, jobs: 2, ..Campaign::plain(options.clone(), 0..seeds) }.run();
    campaign(effort.campaign_seeds / 4);
    let before = resident_mb();
    let runs = campaign(effort.campaign_seeds).runs;
    let grown = before.zip(resident_mb()).map(|(before, after)| (after - before).max(0.0));
    let what = format!("campaign, memory growth with four times as many seeds ({runs} runs)");
    table.row(&what, grown, "MB", Floor::AtMost(10.0), "flat");
}

/// The same seeds on several threads and on one. A guided campaign also learns and mutates.
fn cores(effort: &Effort, table: &mut Table) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let fast = Campaign::plain(Options::default(), 0..effort.fast_seeds);
    let mut campaigns = vec![
        ("fast engine", fast.clone()),
        ("fast engine, guided", Campaign { guided: true, seeds: 0..effort.fast_seeds / 4, ..fast.clone() }),
    ];
    if ENGINES.contains(&Engine::Madsim) {
        let madsim = Campaign { engine: Engine::Madsim, seeds: 0..effort.madsim_seeds, ..fast };
        campaigns.push(("madsim engine", madsim));
    }
    for (what, campaign) in campaigns {
        let took = |jobs: usize| {
            let campaign = Campaign { jobs, ..campaign.clone() };
            timed(|| drop(black_box(campaign.run()))).as_secs_f64()
        };
        for jobs in [2, 4, 8, 16].into_iter().filter(|jobs| *jobs <= cores.max(2)) {
            let ratios = (0..effort.rounds).filter(|_| cores >= jobs).map(|_| took(1) / took(jobs)).collect();
            let what = format!("{what}, seeds on {jobs} cores / on one ({} seeds, swarm)", campaign.seeds.end);
            table.row(
                &what,
                median(ratios),
                "x",
                Floor::AtLeast(0.9 * jobs as f64),
                &format!("{:.2}", 0.975 * jobs as f64),
            );
        }
    }
}

/// One step of a primary that works on, judged by the contract.
fn oracle(effort: &Effort, table: &mut Table) {
    for (what, rival) in [("oracle, one step, no rival", false), ("oracle, one step, one rival", true)] {
        let nanoseconds = (0..effort.rounds).map(|_| {
            let mut oracle = oracle_at_work(rival);
            let mut findings = Vec::new();
            let took = timed(|| {
                for at_us in 0..effort.oracle_steps {
                    oracle.step(Action::Accept, Some(PRIMARY), black_box(AT_WORK), at_us, &mut findings);
                }
            });
            assert!(findings.is_empty(), "{findings:?}");
            took.as_nanos() as f64 / effort.oracle_steps as f64
        });
        table.row(what, median(nanoseconds.collect()), "ns", Floor::AtMost(100.0), "40");
    }
}

/// HAIDs of 60 bytes, read by the strict grammar; the ones with a tag bear it beyond that.
fn haids(effort: &Effort, table: &mut Table) {
    let tagged = Codec::tagged(haid_keys());
    let plain = Codec::HARDENED.decode(HAID_60.as_bytes()).expect("a HAID");
    let with_tag = tagged.encode(plain.main, plain.backup, plain.id).expect("a HAID");
    for (what, codec, haid, floor, goal) in [
        ("HAIDs decoded per second", &Codec::HARDENED, HAID_60, 10e6, "10 M"),
        ("HAIDs decoded per second, with a tag", &tagged, with_tag.as_str(), 1e6, "1 M"),
    ] {
        let per_second = (0..effort.rounds).map(|_| {
            let took = timed(|| {
                for _ in 0..effort.haids {
                    black_box(codec.decode(black_box(haid.as_bytes())).expect("a HAID"));
                }
            });
            effort.haids as f64 / took.as_secs_f64()
        });
        table.row(what, median(per_second.collect()), "", Floor::AtLeast(floor), goal);
    }
}

/// What a run of two hours allocates beyond one of one hour: construction and warm-up cancel out.
fn allocations(table: &mut Table) {
    let measure = |hours: u64| {
        let plan = calm(Options::default().nodes, hours * HOUR_US);
        let mut events = 0;
        let allocations = allocation_counter::measure(|| events = run(Engine::Fast, &plan).events);
        (allocations.count_total, events)
    };
    let ((short, short_events), (long, long_events)) = (measure(1), measure(2));
    let per_event = long.saturating_sub(short) as f64 / (long_events - short_events) as f64;
    let what = format!("fast engine, allocations per event after warm-up ({short} in 1 h)");
    table.row(&what, Some(per_event), "", Floor::AtMost(0.0), "0");
}

/// What an event costs in a larger cluster: from ten nodes on, at most log n as much.
fn nodes(effort: &Effort, table: &mut Table) {
    const BASE: u16 = 10;
    const SIZES: [u16; 6] = [3, 5, BASE, 30, 100, 1_000];
    let plans = SIZES.map(|nodes| calm(nodes, effort.node_us / u64::from(nodes)));
    let costs = costs(effort, &plans);
    let base = costs[2].clone();
    for (nodes, costs) in SIZES.into_iter().zip(costs) {
        let ratios = costs.iter().zip(&base).map(|(cost, base)| cost / base).collect();
        table.row(&format!("fast engine, {nodes} nodes, one event"), median(costs), "ns", Floor::None, "");
        if nodes > BASE {
            let limit = f64::from(nodes).ln() / f64::from(BASE).ln();
            let what = format!("fast engine, {nodes} nodes / {BASE} nodes, one event");
            table.row(&what, median(ratios), "x", Floor::AtMost(limit), "log n");
        }
    }
}

/// What an event costs in a longer run: as much as in a shorter one.
fn lengths(effort: &Effort, table: &mut Table) {
    let nodes = Options::default().nodes;
    let plans = [HOUR_US / 60, HOUR_US / 6, HOUR_US, 10 * HOUR_US].map(|time_us| calm(nodes, time_us));
    for (plan, costs) in plans.iter().zip(costs(effort, &plans)) {
        let what = format!("fast engine, a run of {} min, one event", plan.options.time_us() / 60_000_000);
        table.row(&what, median(costs), "ns", Floor::None, "flat");
    }
}

/// Nanoseconds for an event of each plan, in each round. All plans take turns within a round, each for about as long.
fn costs(effort: &Effort, plans: &[Arc<Plan>]) -> Vec<Vec<f64>> {
    let mut costs = vec![Vec::new(); plans.len()];
    for _ in 0..effort.rounds {
        for (plan, costs) in plans.iter().zip(&mut costs) {
            let node_us = plan.options.time_us() * u64::from(plan.election().nodes);
            let mut events = 0;
            let took =
                timed(|| (0..=effort.node_us / (node_us + 1)).for_each(|_| events += run(Engine::Fast, plan).events));
            costs.push(took.as_nanos() as f64 / events as f64);
        }
    }
    costs
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The memory of this process that is in use, where Linux tells it.
fn resident_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
