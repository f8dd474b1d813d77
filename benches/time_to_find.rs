//! How long a campaign takes to find each defect when its defence is off: the harness's own kill rate.
//!
//! Median wall seconds on one core over 20 campaigns, each from a block of seeds of its own, until the property of the
//! defect's row in `spec/defences.toml` breaks: guided beside plain, and plain under madsim. The three take turns, so that
//! other work on the machine hits all of them; a search by the event loop is over in milliseconds, so of three times the
//! shortest counts.
//!
//! Arguments are criterion's, passed to every bench: with `--quick` there are five campaigns, and without `--bench`, or with
//! `--test`, each search is only shown to work.

use failproof::campaign::{Campaign, Outside};
use failproof::defence::{self, Defence};
use failproof::engine::Engine;
use failproof::options::Options;
use failproof::plan::Plan;
use failproof_benches::ENGINES;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// From one campaign's first seed to the next one's: so many blocks that they never meet.
const APART: u64 = 1_000_000;

/// A search that takes longer counts as that long.
const SEEDS_MAX: u64 = 20_000;

fn main() {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    let campaigns = match (has("--bench") && !has("--test"), has("--quick")) {
        (true, false) => 20,
        (true, true) => 5,
        (false, _) => 1,
    };
    println!("\nmedian seconds to find a defect when its defence is off, {campaigns} campaigns on one core");
    println!("{:<5}{:<26}{:>10}{:>10}{:>16}{:>10}", "", "property", "plain", "guided", "guided / plain", "madsim");
    let (mut sooner, mut late) = (0, 0);
    for defence in defence::all() {
        let (mut plain, mut guided, mut madsim) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..campaigns {
            let mut shortest = [f64::INFINITY; 2];
            for _ in 0..3 {
                for (shortest, guided) in shortest.iter_mut().zip([false, true]) {
                    *shortest = shortest.min(seconds_to_find(defence, number, Engine::Fast, guided));
                }
            }
            plain.push(shortest[0]);
            guided.push(shortest[1]);
            if ENGINES.contains(&Engine::Madsim) {
                madsim.push(seconds_to_find(defence, number, Engine::Madsim, false));
            }
        }
        let (plain, guided) = (median(plain), median(guided));
        sooner += u32::from(guided < plain);
        late += u32::from(guided > 2.0 * plain);
        let madsim = if madsim.is_empty() { "-".to_owned() } else { format!("{:.4}", median(madsim)) };
        println!(
            "{:<5}{:<26}{plain:>10.4}{guided:>10.4}{:>14.2} x{madsim:>10}",
            defence.id,
            defence.property,
            guided / plain
        );
    }
    println!(
        "\nguided is sooner for {sooner} of {}, and takes more than twice as long for {late}\n",
        defence::all().len()
    );
}

/// How long one campaign takes until the property of `defence` breaks.
fn seconds_to_find(defence: &Defence, number: u64, engine: Engine, guided: bool) -> f64 {
    let usual = Options::usual(&defence.protocol).unwrap_or_else(|problem| panic!("{}: {problem}", defence.id));
    let options = defence.removed_from(usual);
    let first = number * APART;
    let campaign = Campaign { engine, guided, ..Campaign::plain(options, first..first + SEEDS_MAX) };
    let found = AtomicBool::new(false);
    let runner = |engine: Engine, plan: &Arc<Plan>, record: bool| {
        let ran = engine.run(plan, record);
        if let Ok((report, _)) = &ran
            && report.violations.iter().any(|violation| violation.property == defence.property)
        {
            found.store(true, Ordering::Relaxed);
        }
        ran
    };
    let began = Instant::now();
    let outside = Outside { runner: &runner, stop: &found, progress: &|_| (), keep: &|_| true, checks: false };
    let _ = campaign.run_on(&outside);
    began.elapsed().as_secs_f64()
}

/// The middle one, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    f64::midpoint(values[middle], values[(values.len() - 1) / 2])
}
