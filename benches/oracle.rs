//! What judging one step costs, and what adding it to the trace does.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use failproof_benches::{AT_WORK, PRIMARY, context_at_work, oracle_at_work};
use failproof_spec::context::ContextAction;
use failproof_spec::{Action, LeaseContract, PairCode, PairState, Side, Token, TraceHash};
use std::hint::black_box;

fn judge(c: &mut Criterion) {
    let mut group = c.benchmark_group("oracle");
    for (name, rival) in [("step, no rival", false), ("step, one rival", true)] {
        let mut oracle = oracle_at_work(rival);
        let mut findings = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| oracle.step(Action::Accept, Some(PRIMARY), black_box(AT_WORK), 0, &mut findings));
        });
        assert!(findings.is_empty(), "{findings:?}");
    }

    let mut oracle = oracle_at_work(false);
    oracle.step(Action::Accept, Some(PRIMARY), AT_WORK, 0, &mut Vec::new());
    group.bench_function("accept_again", |bencher| bencher.iter(|| oracle.accept_again(black_box(PRIMARY))));
    assert!(oracle.accept_again(PRIMARY), "the last step was the same Accept");
    group.finish();
}

fn judge_a_context(c: &mut Criterion) {
    let (mut oracle, state) = context_at_work();
    let mut findings = Vec::new();
    c.bench_function("context oracle, a read", |bencher| {
        bencher.iter(|| oracle.step(ContextAction::Read, 0, Some(0), black_box(state), 0, &mut findings));
    });
    assert!(findings.is_empty(), "{findings:?}");
}

fn look_up(c: &mut Criterion) {
    let contract = LeaseContract::strict();
    let granted = PairState { owner: Some(Side::A), token: [Token::Open, Token::Fenced], ..PairState::default() };
    let works = PairState { works: [true, false], ..granted };
    let (from, to): (PairCode, PairCode) = (granted.code(), works.code());
    assert!(contract.edge(from, to).is_some());
    c.bench_function("Contract::edge", |bencher| bencher.iter(|| contract.edge(black_box(from), black_box(to))));
}

fn hash(c: &mut Criterion) {
    let mut group = c.benchmark_group("TraceHash");
    // As many words as one step has, so that the figure per element is the one per word.
    let words = [0x0123_4567_89ab_cdef, 1, 2, 3];
    group.throughput(Throughput::Elements(words.len() as u64));
    let mut hash = TraceHash::new();
    group.bench_function("update, four words", |bencher| bencher.iter(|| hash.update(black_box(&words))));
    black_box(hash.finish());
    group.finish();
}

criterion_group!(benches, judge, judge_a_context, look_up, hash);
criterion_main!(benches);
