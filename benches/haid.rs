//! What reading and writing a HAID of 60 bytes costs.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use failproof_benches::{HAID_60, haid_keys};
use failproof_core::routing::{Codec, HaidText};
use std::hint::black_box;

fn decode(c: &mut Criterion) {
    let tagged = Codec::tagged(haid_keys());
    let plain = Codec::HARDENED.decode(HAID_60.as_bytes()).expect("a HAID");
    let with_tag = tagged.encode(plain.main, plain.backup, plain.id).expect("a HAID");
    let mut group = c.benchmark_group("Codec::decode, 60 bytes");
    group.throughput(Throughput::Elements(1));
    for (name, codec, haid) in [
        ("published", &Codec::PUBLISHED, HAID_60),
        ("hardened", &Codec::HARDENED, HAID_60),
        ("hardened, and its tag", &tagged, &with_tag),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| codec.decode(black_box(haid.as_bytes())).expect("a HAID").id.len());
        });
    }
    group.finish();
}

fn encode(c: &mut Criterion) {
    c.bench_function("Codec::encode_into, 14 bytes", |bencher| {
        bencher.iter(|| {
            let mut text = HaidText::default();
            Codec::HARDENED.encode_into(&mut text, black_box("cs-1"), "cs-2", "7").expect("room");
            text
        });
    });
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
