//! What is left of plans that fail when they are shrunk, and how long that takes.
//!
//! The first hundred seeds whose run breaks a property, under published rules and faults of all kinds, five nodes for ten
//! simulated minutes: median, 90th percentile and largest of what each plan has before and after, and of the runs and the
//! wall time that it took on one core, with the usual budget. Once for whichever property a run reports first, and once for
//! two primaries at work, which takes more to show.
//!
//! Arguments are criterion's, passed to every bench: with `--quick` there are twenty plans, and without `--bench`, or with
//! `--test`, two are shown to shrink.

use failproof::engine::{Engine, Panicked};
use failproof::fault::FaultClass;
use failproof::generate::generate;
use failproof::options::Options;
use failproof::plan::Plan;
use failproof::report::RunReport;
use failproof::shrink::{Budget, Goal, Shrunk, Size, shrink};
use failproof::trace::Record;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// How much of something a plan has.
type Measure = fn(&Plan) -> f64;

/// One plan, what became of it, and how many seconds that took.
struct Case {
    before: Arc<Plan>,
    shrunk: Shrunk,
    seconds: f64,
}

fn main() {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    let plans = match (has("--bench") && !has("--test"), has("--quick")) {
        (true, false) => 100,
        (true, true) => 20,
        (false, _) => 2,
    };
    println!("\nwhat shrinking leaves of {plans} plans that fail under published rules, on one core");
    table(plans, None);
    table(plans, Some("AtMostOneWorkingPrimary"));
}

/// Shrinks so many plans whose run breaks `property`, or any if it is absent, and prints what they were and are.
fn table(plans: usize, property: Option<&str>) {
    let options = Options::usual("election").unwrap_or_else(|problem| panic!("{problem}")).decided_by("published");
    let failing = (0..).filter_map(|seed| {
        let plan = Arc::new(generate(seed, &options, &FaultClass::ALL));
        Goal::find(&plan, property, &run).map(|goal| (plan, goal))
    });
    let cases: Vec<_> = failing.take(plans).map(|(plan, goal)| smallest(plan, &goal)).collect();
    println!("\n{:<26}{:^19}{:^33}", property.unwrap_or("any property"), "before", "after");
    println!("{:<18}{:>9}{:>9}{:>9}{:>15}{:>9}{:>9}", "", "median", "p90", "max", "median", "p90", "max");
    let sizes: [(&str, Measure); 6] = [
        ("faults", |plan| plan.faults.len() as f64),
        ("tasks", |plan| plan.workload.len() as f64),
        ("message fates", |plan| plan.fates.len() as f64),
        ("nodes", |plan| plan.options.sizes().iter().map(|(number, _)| *number as f64).sum()),
        ("sources of noise", |plan| f64::from(Size::of(plan).noise)),
        ("simulated seconds", |plan| plan.options.time_us() as f64 / 1e6),
    ];
    for (name, size) in sizes {
        let before = spread(cases.iter().map(|case| size(&case.before)));
        let after = spread(cases.iter().map(|case| size(&case.shrunk.plan)));
        println!(
            "{name:<18}{:>9}{:>9}{:>9}{:>15}{:>9}{:>9}",
            before[0], before[1], before[2], after[0], after[1], after[2]
        );
    }
    let runs = spread(cases.iter().map(|case| case.shrunk.runs as f64));
    println!("{:<18}{:>42}{:>9}{:>9}", "runs", runs[0], runs[1], runs[2]);
    let seconds = spread(cases.iter().map(|case| case.seconds));
    println!("{:<18}{:>42.2}{:>9.2}{:>9.2}", "wall seconds", seconds[0], seconds[1], seconds[2]);
    let complete = cases.iter().filter(|case| case.shrunk.complete).count();
    println!("{complete} of {plans} until no step made them smaller; the others spent their budget");
}

fn run(plan: &Arc<Plan>, record: bool) -> Result<(RunReport, Vec<Record>), Panicked> {
    Engine::Fast.run(plan, record)
}

fn smallest(before: Arc<Plan>, goal: &Goal) -> Case {
    let began = Instant::now();
    let shrunk = shrink(&before, goal, Budget::default(), &run, &AtomicBool::new(false));
    Case { before, shrunk, seconds: began.elapsed().as_secs_f64() }
}

/// The median, the 90th percentile and the largest of some values: of those that are there, the one at or above the rank.
fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    [50, 90, 100].map(|percent| values[(values.len() * percent).div_ceil(100) - 1])
}
