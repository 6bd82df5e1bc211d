//! Which crate may depend on which, what must not be in a crate's tree, and that `core` keeps time, environment and
//! I/O out. Reads cargo's metadata and the sources.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod graph;
mod sources;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use graph::Graph;
use sources::{Source, Tokens};

/// Every crate there may be, and the crates of this workspace it builds on. A crate that is missing here does not
/// belong: it must buy a dependency ban, a heavy dependency others need not build, or independence of judgement.
#[rustfmt::skip]
const ARROWS: &[(&str, &[&str])] = &[
    ("counterfoil-core",    &[]),
    ("counterfoil-derive",  &[]),
    ("counterfoil-stores",  &["counterfoil-core"]),
    ("counterfoil",         &["counterfoil-core", "counterfoil-derive", "counterfoil-stores"]),
    ("counterfoil-serve",   &["counterfoil", "counterfoil-core", "counterfoil-telemetry"]),
    ("counterfoil-gateway", &["counterfoil", "counterfoil-core", "counterfoil-serve", "counterfoil-telemetry"]),
    ("counterfoil-demo",    &["counterfoil", "counterfoil-serve", "counterfoil-telemetry"]),
    // It must not inherit our parser's blind spots.
    ("counterfoil-audit",   &[]),
    ("counterfoil-client",  &[]),
    ("counterfoil-replay",  &["counterfoil-core"]),
    ("counterfoil-telemetry", &["counterfoil-core"]),
    ("counterfoil-cli",     &["counterfoil", "counterfoil-gateway", "counterfoil-demo", "counterfoil-serve", "counterfoil-audit", "counterfoil-replay", "counterfoil-telemetry", "counterfoil-client"]),
    // Outside the default members.
    ("counterfoil-crash",   &["counterfoil-core", "counterfoil-stores"]),
    ("counterfoil-crash-shim", &[]),
    ("counterfoil-e2e",     &[]),
    ("counterfoil-audit-corpus", &[]),
    ("counterfoil-sightings", &[]),
    ("counterfoil-audit-apps", &[]),
    ("counterfoil-browser", &[]),
    ("counterfoil-proxies", &[]),
    ("counterfoil-servers", &[]),
    ("counterfoil-nodes",   &["counterfoil-servers"]),
    ("counterfoil-retrofit", &["counterfoil-browser", "counterfoil-proxies"]),
    ("counterfoil-journeys", &["counterfoil-browser", "counterfoil-proxies"]),
    ("counterfoil-model",   &["counterfoil-core"]),
    ("counterfoil-benches", &["counterfoil", "counterfoil-core", "counterfoil-stores", "counterfoil-telemetry"]),
    ("counterfoil-gateway-benches", &["counterfoil-benches", "counterfoil-core", "counterfoil-gateway", "counterfoil-proxies", "counterfoil-serve"]),
    ("counterfoil-shared-benches", &["counterfoil", "counterfoil-benches", "counterfoil-core", "counterfoil-servers", "counterfoil-stores"]),
    ("counterfoil-simulation", &["counterfoil-core", "counterfoil-stores"]),
    ("counterfoil-fuzz",    &["counterfoil-core"]),
    ("xtask",               &[]),
    ("example-moved",       &["counterfoil"]),
    ("example-notes",       &[]),
    ("example-plain-axum",  &[]),
    ("example-plain-axum-signed-in", &["counterfoil"]),
];

/// What must not be anywhere below a crate, optional features included.
#[rustfmt::skip]
const BANNED: &[(&str, &[&str])] = &[
    ("counterfoil-core",   &["axum", "axum-core", "hyper", "hyper-util", "tower", "tower-service", "redis", "sqlx", "sqlx-core",
                             "fjall", "tokio", "async-std", "smol", "async-io", "mio", "socket2", "reqwest", "rustls", "tracing",
                             "time", "chrono", "jiff", "dotenvy", "config"]),
    ("counterfoil-derive", &["tokio", "axum", "serde"]),
    ("counterfoil",        &["sqlx", "sqlx-core", "reqwest", "openidconnect", "opentelemetry", "tonic"]),
    ("counterfoil-client", &["axum", "tower-http"]),
    ("xtask",              &["tokio"]),
];

/// What must not be named in a crate's own manifest: what it may reach only through the crate below it.
#[rustfmt::skip]
const NOT_DIRECT: &[(&str, &[&str])] = &[
    ("counterfoil",         &["hyper", "hyper-util", "aws-lc-rs", "getrandom", "redis"]),
    ("counterfoil-stores",  &["axum", "hyper", "aws-lc-rs"]),
    ("counterfoil-cli",     &["axum", "hyper", "hyper-util", "rustls", "tokio-rustls", "serde_json", "http"]),
];

/// What any crate's tests may build on.
const FOR_TESTS: [&str; 2] = ["counterfoil-servers", "counterfoil-sightings"];

#[test]
fn the_arrows_are_those_of_the_layout() {
    let graph = Graph::load();
    let members = graph.members();
    let unknown = members.iter().filter(|member| of_layout(member).is_none());
    let mut wrong: Vec<_> = unknown.map(|member| format!("{member} is not in the layout")).collect();
    for member in &members {
        let allowed = of_layout(member).unwrap_or_default();
        let expected: BTreeSet<_> = members.iter().filter(|name| allowed.contains(&name.as_str())).cloned().collect();
        let (found, of_tests) = (graph.arrows(member), graph.arrows_of_tests(member));
        wrong.extend(found.difference(&expected).map(|name| format!("{member} ─► {name} must not be")));
        wrong.extend(expected.difference(&found).map(|name| format!("{member} ─► {name} is missing")));
        let beyond =
            of_tests.difference(&expected).filter(|name| *name != member && !FOR_TESTS.contains(&name.as_str()));
        wrong.extend(beyond.map(|name| format!("tests of {member} ─► {name} must not be")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_banned_is_nowhere_below() {
    let graph = Graph::load();
    for (member, banned) in BANNED.iter().filter(|(member, _)| graph.members().contains(*member)) {
        for (name, by) in graph.tree(member) {
            assert!(!banned.contains(&name.as_str()), "{member} ─► … ─► {by} ─► {name}");
        }
    }
}

#[test]
fn a_crate_does_not_reach_past_the_one_below_it() {
    let graph = Graph::load();
    for (member, banned) in NOT_DIRECT {
        let direct = graph.direct(member);
        let named: Vec<_> = banned.iter().filter(|name| direct.contains(**name)).collect();
        assert!(named.is_empty(), "{member} names {named:?}");
    }
}

#[test]
fn every_file_says_its_subject_first_and_expects_instead_of_allowing() {
    for source in sources::all(&root()) {
        let first = source.text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! "), "{}: begins with {first:?}", source.path);
        assert!(!source.tokens().allows(), "{}: `allow` instead of `expect`", source.path);
    }
}

#[test]
fn only_what_is_preloaded_may_be_unsafe_and_keeps_every_other_lint() {
    let lints = |path: &str| {
        let text = read(path).replace("[workspace.lints.", "[lints.");
        let lines =
            text.lines().skip_while(|line| *line != "[lints.rust]").take_while(|line| !line.starts_with("[profile"));
        let lines = lines.filter(|line| line.contains('=') && !line.starts_with('#'));
        lines.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let (all, shim) = (lints("Cargo.toml"), lints("crash/shim/Cargo.toml"));
    let missing: Vec<_> = all.difference(&shim).collect();
    assert_eq!(missing, ["unsafe_code = \"forbid\""]);
    for source in sources::all(&root()).iter().filter(|source| !source.path.starts_with("crash/shim/")) {
        let found = source.tokens().find(|word| word == "unsafe");
        assert_eq!(found, None, "{}", source.path);
    }
}

#[test]
fn core_asks_no_clock_and_no_environment() {
    for source in core("src") {
        // `env` however it is imported, and as a macro.
        let found = source.tokens().find(|word| ["SystemTime", "Instant", "env", "option_env"].contains(&word));
        assert_eq!(found, None, "{}", source.path);
    }
}

#[test]
fn core_does_no_io_and_has_no_runtime() {
    const BANNED: [&str; 9] =
        ["tokio", "fs", "TcpStream", "TcpListener", "UdpSocket", "UnixStream", "stdout", "thread", "process"];
    for source in core("src").filter(|source| !source.is_test()) {
        let found = source.tokens().without_tests().find(|word| BANNED.contains(&word));
        assert_eq!(found, None, "{}", source.path);
    }
}

#[test]
fn the_rules_are_not_asynchronous_and_know_no_store() {
    const BANNED: [&str; 8] = ["async", "await", "Future", "Store", "DynStore", "store", "Engine", "engine"];
    let mut files = 0;
    for source in core("src/rules") {
        let found = source.tokens().find(|word| BANNED.contains(&word));
        assert_eq!(found, None, "{}", source.path);
        files += 1;
    }
    assert!(files >= 4, "only {files} files of rules were found");
}

#[test]
fn cores_clippy_settings_repeat_those_of_the_workspace() {
    let (all, core) = (read("clippy.toml"), read("crates/core/clippy.toml"));
    for line in all.lines() {
        assert!(core.contains(line), "crates/core/clippy.toml lacks: {line}");
    }
    for call in ["SystemTime::now", "Instant::now", "env::var"] {
        assert!(core.contains(&format!("::{call}\"")), "{call} is not banned");
    }
}

fn of_layout(member: &str) -> Option<&'static [&'static str]> {
    ARROWS.iter().find(|(name, _)| *name == member).map(|(_, allowed)| *allowed)
}

fn core(folder: &str) -> impl Iterator<Item = Source> {
    sources::below(&root(), &root().join("crates/core").join(folder)).into_iter()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The checks, tried on text that must be found and text that must not.
#[test]
fn the_checks_see_code_and_nothing_but_code() {
    let tokens = |text| Tokens::of(text);
    assert!(tokens("#[allow(dead_code)] fn x() {}").allows());
    assert!(tokens("#![cfg_attr(test, allow(clippy::unwrap_used))]").allows());
    assert!(!tokens("// #[allow(x)]\nfn allow(x: u8) {} const TEXT: &str = \"#[allow(x)]\";").allows());
    assert!(tokens("async fn x() {}").find(|word| word == "async").is_some());
    assert!(tokens("/// async\nfn x() { \"async\"; } // async").find(|word| word == "async").is_none());
    let inline = "#[cfg(test)] mod tests { use std::thread; } fn after() {}";
    assert!(tokens(inline).find(|word| word == "thread").is_some());
    assert!(tokens(inline).without_tests().find(|word| word == "thread").is_none());
    assert!(tokens(inline).without_tests().find(|word| word == "after").is_some());
}
