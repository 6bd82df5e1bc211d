//! What is done with the auditor: over its corpus, over published applications, with a browser.

use super::run::Tree;
use super::{build_optimised, environment, environments_of_retrofit, ignored};
use crate::invocation::Invocation;
use crate::packages::{DOKUWIKI, MARIADB, NPM, PHP, PHP_MYSQL, PHPMYADMIN, WORDPRESS};
use crate::stage::{Stage, Step};

/// The auditor over its corpus, built and measured: all of it unless told otherwise.
pub(crate) fn audit(arguments: Vec<String>) -> Vec<Stage> {
    vec![build_optimised().or_stop(), at_the_corpus(Tree::Optimised, arguments)]
}

/// Our auditor over published applications, built and run: all of them unless told otherwise.
pub(crate) fn audit_apps(arguments: Vec<String>) -> Vec<Stage> {
    vec![build_optimised().or_stop(), Stage::new("audit-apps", audited(arguments)).or_stop()]
}

/// Two of the applications are those of the retrofit.
pub(super) fn audited(arguments: impl IntoIterator<Item = String>) -> Vec<Step> {
    let run = Tree::Optimised.program("audit-apps", "").arguments(arguments);
    let packages = [PHP, DOKUWIKI, PHP_MYSQL, MARIADB, PHPMYADMIN, WORDPRESS, NPM];
    let mut steps = Vec::from(packages.map(Step::InstallPackage));
    steps.extend(environments_of_retrofit());
    steps.extend(environment("audit-apps", "django", "target/audit-apps/django/bin/pip"));
    let modules = "ci --no-audit --no-fund --ignore-scripts --prefix e2e/audit-apps/npm";
    steps.push(Step::Run(Invocation::program("npm", modules)));
    steps.push(Step::Run(run));
    steps
}

/// The auditor over sites with planted flaws and their twins without, and over odd ones.
pub(super) fn at_the_corpus(tree: Tree, arguments: impl IntoIterator<Item = String>) -> Stage {
    let corpus = |words: &str| tree.program("corpus", words);
    let measure = corpus(&format!("measure --counterfoil {}/counterfoil", tree.folder()));
    let more: Vec<_> = arguments.into_iter().collect();
    let mut steps = Vec::from([PHP, NPM].map(Step::InstallPackage));
    steps.push(Step::Run(corpus("install")));
    if more.is_empty() {
        let (twins, odd) = (measure.clone().arguments(["--runs", "2", "--least"]), measure.arguments(["--odd"]));
        steps.extend([corpus("check"), twins, odd].map(Step::Run));
    } else {
        steps.push(Step::Run(measure.arguments(more)));
    }
    Stage::new("audit", steps).or_stop()
}

/// The auditor's tests that take a browser. Of the whole workspace, as before: for one package alone its dependencies would be
/// built with other features.
pub(super) fn audit_in_browser() -> Step {
    Step::Count(ignored("package(counterfoil-audit)&test(browser::tests)"))
}
