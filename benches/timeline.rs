//! How long the timeline of a run of 200,000 events takes, and how large its page is.
//!
//! Context routing under published rules for 25 simulated minutes, a pause and some loss: what the page leaves out, it says.
//!
//! Arguments are criterion's, passed to every bench; without `--bench`, or with `--test`, it is written once. How long a
//! browser takes to draw such a page is printed by the test `the_page_of_a_long_run_is_drawn`.

use failproof::engine::Engine;
use failproof::timeline::Timeline;
use failproof::timeline::html::html;
use failproof::timeline::text::TimelineText;
use failproof_benches::many_events;
use std::hint::black_box;
use std::time::Instant;

fn main() {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    let rounds = if has("--bench") && !has("--test") { 10 } else { 1 };
    let plan = many_events();
    let (report, records) = Engine::Fast.run(&plan, true).unwrap_or_else(|panicked| panic!("{}", panicked.message));
    assert!(records.len() > 200_000, "{} events are not many", records.len());
    let timeline = Timeline::new(&plan, &records, []);
    let page = html(&timeline);
    println!("\nthe timeline of {} events, the shortest of {rounds} rounds", report.events);
    println!("{:<28}{:>10.3} s", "the run, recorded", shortest(rounds, || Engine::Fast.run(&plan, true)));
    println!("{:<28}{:>10.3} s", "what happened", shortest(rounds, || Timeline::new(&plan, &records, [])));
    println!("{:<28}{:>10.3} s, {:.1} kB", "as a page", shortest(rounds, || html(&timeline)), page.len() as f64 / 1e3);
    let text = TimelineText(&timeline).to_string().len() as f64 / 1e3;
    println!("{:<28}{:>10.3} s, {text:.1} kB", "as text", shortest(rounds, || TimelineText(&timeline).to_string()));
    println!();
}

/// The wall seconds of the shortest of some rounds.
fn shortest<T>(rounds: u32, mut work: impl FnMut() -> T) -> f64 {
    let one = |_| {
        let began = Instant::now();
        black_box(work());
        began.elapsed().as_secs_f64()
    };
    (0..rounds).map(one).fold(f64::INFINITY, f64::min)
}
