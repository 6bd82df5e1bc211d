//! What programs of others say of what operators and receivers are told: Prometheus of the alert rules, libraries of signed
//! events.

use super::ignored;
use crate::invocation::Invocation;
use crate::packages::PROMETHEUS;
use crate::stage::{Stage, Step};

/// All of them, after installing them.
pub(crate) fn judges() -> Vec<Stage> {
    vec![judged().or_stop()]
}

/// Each rule is read, and tried where it fires and where it does not. Then the tests that ask libraries, of the whole workspace:
/// for one package alone its dependencies would be built with other features.
pub(super) fn judged() -> Stage {
    let promtool = PROMETHEUS.program();
    let rules = |words: &str, file: &str| {
        Step::Run(Invocation::program(promtool.clone(), words).arguments([format!("packaging/prometheus/{file}")]))
    };
    let make = Invocation::program("python3", "-m venv target/judges");
    let install = "-m pip install --quiet --disable-pip-version-check --only-binary :all: -r";
    let install = Invocation::program("target/judges/bin/python", install).arguments([LIBRARIES]);
    let steps = vec![
        Step::InstallPackage(PROMETHEUS),
        rules("check rules", "counterfoil.rules.yml"),
        rules("test rules", "counterfoil.rules.test.yml"),
        Step::Run(make),
        Step::Run(install),
        Step::Count(ignored("package(counterfoil-telemetry)")),
    ];
    Stage::new("judges", steps)
}

/// The versions that were tried.
const LIBRARIES: &str = "crates/telemetry/tests/third_party/requirements.txt";
