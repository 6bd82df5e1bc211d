//! The cargo commands that the tests need beside the toolchain, installed where they are missing.

use std::io;
use std::time::Duration;

use crate::invocation::Invocation;

/// A cargo command from the registry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    package: &'static str,
    version: &'static str,
    /// What tells whether it is there.
    probe: &'static str,
}

/// Runs each test in a process of its own.
pub(crate) const NEXTEST: Tool = Tool { package: "cargo-nextest", version: "0.9.143", probe: "nextest --version" };

/// Checks licences, bans, sources and advisories.
pub(crate) const DENY: Tool = Tool { package: "cargo-deny", version: "0.20.2", probe: "deny --version" };

/// Writes which crates, versions and licences a program is made of, as CycloneDX.
pub(crate) const CYCLONEDX: Tool = Tool { package: "cargo-cyclonedx", version: "0.5.9", probe: "cyclonedx --version" };

impl Tool {
    /// Makes sure the tool is there. One that is there is taken as it is, whatever its version.
    pub(crate) fn install(self) -> io::Result<bool> {
        let probe = Invocation::cargo(self.probe).run_within(Duration::from_mins(1))?;
        if let Some(heard) = probe.filter(|heard| heard.succeeded) {
            println!("{}: already there", heard.text.lines().next().unwrap_or(self.package));
            return Ok(true);
        }
        self.installation().run()
    }

    /// The command that installs it. Lightly optimised: these tools run for seconds, and building them takes minutes.
    pub(crate) fn installation(self) -> Invocation {
        Invocation::cargo("install --locked")
            .arguments([format!("{}@{}", self.package, self.version)])
            .environment("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .environment("CARGO_PROFILE_RELEASE_LTO", "off")
            .environment("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
    }
}
