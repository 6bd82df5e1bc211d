//! The workspace's dependency graph, as cargo resolves it with all features on.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// The graph.
pub(crate) struct Graph(Metadata);

impl Graph {
    pub(crate) fn load() -> Self {
        let mut command = MetadataCommand::new();
        command.manifest_path(super::root().join("Cargo.toml"));
        let only_here = ["--locked", "--all-features", "--filter-platform", "x86_64-unknown-linux-gnu"];
        command.other_options(only_here.map(str::to_owned).to_vec());
        Self(command.exec().unwrap())
    }

    /// The crates of this workspace.
    pub(crate) fn members(&self) -> BTreeSet<String> {
        self.0.workspace_packages().iter().map(|package| package.name.to_string()).collect()
    }

    /// The crates of this workspace that `member` builds on.
    pub(crate) fn arrows(&self, member: &str) -> BTreeSet<String> {
        let members = self.members();
        let named = self.named(member, |kind| kind != DependencyKind::Development);
        named.intersection(&members).cloned().collect()
    }

    /// The crates of this workspace that only the tests of `member` build on.
    pub(crate) fn arrows_of_tests(&self, member: &str) -> BTreeSet<String> {
        let members = self.members();
        let named = self.named(member, |kind| kind == DependencyKind::Development);
        named.intersection(&members).cloned().collect()
    }

    /// Whatever `member` names in its manifest, but for tests.
    pub(crate) fn direct(&self, member: &str) -> BTreeSet<String> {
        self.named(member, |kind| kind != DependencyKind::Development)
    }

    /// Whatever is built below `member`, each with one crate that asks for it. Tests are left out.
    pub(crate) fn tree(&self, member: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut waiting: Vec<&PackageId> = self.package(member).map(|package| &package.id).into_iter().collect();
        while let Some(id) = waiting.pop() {
            let node = self.0.resolve.as_ref().unwrap().nodes.iter().find(|node| node.id == *id).unwrap();
            for dependency in &node.deps {
                let kinds = &dependency.dep_kinds;
                let (name, by) = (self.name(&dependency.pkg), self.name(id));
                let built = kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
                if built && !found.contains_key(&name) {
                    found.insert(name, by);
                    waiting.push(&dependency.pkg);
                }
            }
        }
        found
    }

    fn named(&self, member: &str, wanted: impl Fn(DependencyKind) -> bool) -> BTreeSet<String> {
        let dependencies = self.package(member).into_iter().flat_map(|package| &package.dependencies);
        dependencies.filter(|dependency| wanted(dependency.kind)).map(|dependency| dependency.name.clone()).collect()
    }

    fn package(&self, member: &str) -> Option<&Package> {
        self.0.workspace_packages().into_iter().find(|package| package.name.as_str() == member)
    }

    fn name(&self, id: &PackageId) -> String {
        self.0.packages.iter().find(|package| package.id == *id).unwrap().name.to_string()
    }
}
