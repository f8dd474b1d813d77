//! failproof
use failproof::election::Election;
fn main() {
    let mut plan = failproof::plan::Plan::calm(Default::default());
    plan.options.time_us = 3_600_000_000 * 100;
    let t = std::time::Instant::now();
    let (r, _) = failproof::engine::fast::run::<Election>(std::sync::Arc::new(plan), false);
    println!(
        "{:?} events/h {} h/s {} ns/ev {}",
        r,
        r.events / 100,
        100.0 / t.elapsed().as_secs_f64(),
        t.elapsed().as_nanos() as u64 / r.events
    );
}
