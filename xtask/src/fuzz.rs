//! How the fuzz targets are built and run: libFuzzer, on the stable toolchain.

use crate::invocation::Invocation;
use crate::stage::{Stage, Step};

/// One target, or all one after another, `seconds` each.
pub(crate) fn run(target: Option<String>, seconds: u32) -> Vec<Stage> {
    let targets = target.map_or_else(|| TARGETS.map(str::to_owned).into(), |target| vec![target]);
    let mut stages = vec![Stage::new("build", vec![Step::Run(libfuzzer("build"))]).or_stop()];
    stages.extend(targets.iter().map(|target| Stage::new("fuzz", vec![Step::Run(one(target, seconds))])));
    stages
}

/// New inputs and findings stay below `target`; what is worth keeping is copied to `fuzz/corpus` by hand.
fn one(target: &str, seconds: u32) -> Invocation {
    let run = libfuzzer("run").environment("COUNTERFOIL_FUZZ_TARGET", target);
    run.arguments([
        "--".to_owned(),
        format!("-max_total_time={seconds}"),
        "-max_len=8192".to_owned(),
        "-timeout=10".to_owned(),
        "-create_missing_dirs=1".to_owned(),
        "-print_final_stats=1".to_owned(),
        format!("-artifact_prefix=target/libfuzzer/findings/{target}/"),
        format!("target/libfuzzer/corpus/{target}"),
        format!("fuzz/corpus/{target}"),
    ])
}

fn libfuzzer(verb: &str) -> Invocation {
    // A target is named so that build scripts are built without the instrumentation.
    let words = "--manifest-path fuzz/libfuzzer/Cargo.toml --target-dir target/libfuzzer --target host-tuple --release --locked";
    Invocation::cargo(verb).arguments(words.split_whitespace()).environment("RUSTFLAGS", INSTRUMENTED)
}

/// The files of `fuzz/src` with a target; a test compares.
const TARGETS: [&str; 9] = ["address", "cookie", "csrf", "headers", "origin", "payload", "record", "request", "token"];

/// What libFuzzer needs to see which branches an input takes. These are the flags behind `-Z sanitizer`'s coverage, and
/// stable as codegen options.
const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_corpus_is_fuzzed() {
        let folder = crate::root().join("fuzz/corpus");
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, TARGETS);
    }

    #[test]
    fn one_target_is_run_alone_and_for_as_long_as_was_said() {
        let stages = run(Some("cookie".to_owned()), 60);
        let commands: Vec<_> = stages.iter().flat_map(|stage| stage.steps.iter().map(Step::to_string)).collect();
        assert_eq!(commands.len(), 2);
        assert!(commands[1].contains("COUNTERFOIL_FUZZ_TARGET=cookie") && commands[1].contains("-max_total_time=60 "));
        assert_eq!(run(None, 60).len(), 1 + TARGETS.len());
    }
}
