//! How the suites are run, from whichever tree they were built in.

use super::{PYTHON, Size};
use crate::invocation::Invocation;
use crate::overheard;
use crate::stage::Step;

/// Where what is run was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tree {
    /// With the tests: hardly optimised, and with the assertions that only developers get.
    Tests,
    /// As it is used.
    Optimised,
}

impl Tree {
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Tests => "target/debug",
            Self::Optimised => "target/release",
        }
    }

    pub(super) fn program(self, name: &str, words: &str) -> Invocation {
        Invocation::program(format!("{}/{name}", self.folder()), words)
    }

    /// A suite, and the program that it tries: what that logs is kept.
    pub(super) fn at_counterfoil(self, name: &str) -> Invocation {
        self.program(name, &format!("--bin {}", overheard::listening(self.folder())))
    }
}

pub(super) fn run_model(tree: Tree, size: Size, arguments: impl IntoIterator<Item = String>) -> Step {
    let flag = match size {
        Size::Short => "",
        Size::Full => "--full",
    };
    Step::Run(tree.program("model", flag).arguments(arguments))
}

pub(super) fn run_simulation(tree: Tree, arguments: impl IntoIterator<Item = String>) -> Step {
    Step::Run(tree.program("simulation", "").arguments(arguments))
}

pub(super) fn run_races(tree: Tree, arguments: impl IntoIterator<Item = String>) -> Step {
    let races = tree.at_counterfoil("races");
    Step::Run(races.arguments(arguments))
}

pub(super) fn run_crash(tree: Tree, arguments: impl IntoIterator<Item = String>) -> Step {
    Step::Run(tree.program("crash", "").arguments(arguments))
}

pub(super) fn run_nodes(tree: Tree, arguments: impl IntoIterator<Item = String>) -> Step {
    // How soon something is known is measured: nobody listens.
    let nodes = tree.program("nodes", &format!("--bin {}/counterfoil", tree.folder()));
    Step::Run(nodes.arguments(arguments))
}

pub(super) fn run_browser(tree: Tree, arguments: impl IntoIterator<Item = String>) -> Step {
    let browser = tree.at_counterfoil("browser");
    Step::Run(browser.arguments(arguments))
}

pub(super) fn run_journeys(tree: Tree, arguments: impl IntoIterator<Item = String>) -> Step {
    let journeys = tree.at_counterfoil("journeys");
    Step::Run(journeys.arguments(arguments))
}

pub(super) fn try_apps(words: &str) -> Invocation {
    Invocation::program(PYTHON, "examples/apps/test.py").arguments(words.split_whitespace())
}
