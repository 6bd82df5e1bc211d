//! One target under libFuzzer: that which `COUNTERFOIL_FUZZ_TARGET` names.
#![no_main]

use std::sync::LazyLock;

use counterfoil_fuzz::{Target, find};

libfuzzer_sys::fuzz_target!(|input: &[u8]| (TARGET.check)(input));

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("COUNTERFOIL_FUZZ_TARGET").unwrap_or_default();
    find(&name).unwrap_or_else(|| {
        eprintln!("COUNTERFOIL_FUZZ_TARGET is {name:?}, which is no target; `cargo xtask fuzz` sets it");
        std::process::exit(2)
    })
});
