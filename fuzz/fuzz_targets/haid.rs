//! Any bytes keep the laws of HAID codecs, which the test binary checks on random bytes: here they are led by coverage.
#![no_main]

#[path = "../../tests/src/haid_laws.rs"]
mod haid_laws;

use haid_laws::{Codecs, judge};
use std::sync::LazyLock;

static CODECS: LazyLock<Codecs> = LazyLock::new(Codecs::default);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(broken) = judge(&CODECS, bytes) {
        panic!("{broken}");
    }
});
