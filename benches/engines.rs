//! Both engines on the same work: what one simulated hour costs.
//!
//! The clock is read around [`failproof::engine::Engine::run`], never inside: madsim shows simulated time to whoever asks
//! on its own thread.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use failproof::engine::Engine;
use failproof_benches::{ENGINES, one_hour, run, ten_minutes_of_routing};
use std::time::Duration;

fn one_simulated_hour(c: &mut Criterion) {
    let plan = one_hour();
    let reports: Vec<_> = ENGINES.iter().map(|engine| run(*engine, &plan)).collect();
    for (engine, report) in ENGINES.iter().zip(&reports) {
        assert_eq!(report.trace_hash, reports[0].trace_hash, "{engine} took other steps: it did other work");
    }
    // The same runs twice: criterion prints one throughput for each, first simulated hours, then events per second.
    let units = [("simulated hours", 1), ("events", reports[0].events)];
    for (unit, elements) in units {
        let mut group = c.benchmark_group(unit);
        group.sample_size(10).warm_up_time(Duration::from_secs(1)).throughput(Throughput::Elements(elements));
        for engine in ENGINES {
            group.bench_function(engine.to_string(), |bencher| bencher.iter(|| run(*engine, &plan)));
        }
        group.finish();
    }
}

/// One throughput: events per second.
fn ten_minutes_of_context_routing(c: &mut Criterion) {
    let plan = ten_minutes_of_routing();
    let mut group = c.benchmark_group("events of routing");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(run(Engine::Fast, &plan).events));
    for engine in ENGINES {
        group.bench_function(engine.to_string(), |bencher| bencher.iter(|| run(*engine, &plan)));
    }
    group.finish();
}

criterion_group!(benches, one_simulated_hour, ten_minutes_of_context_routing);
criterion_main!(benches);
