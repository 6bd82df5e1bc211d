//! What `cargo xtask bench` does: builds, measures, writes the page.

use super::{Size, cargo};
use crate::invocation::Invocation;
use crate::packages::{NGINX, POSTGRES, REDIS};
use crate::stage::{Stage, Step};

/// Whether other middleware is measured as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peers {
    None,
    Too,
}

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bench {
    pub(crate) size: Size,
    pub(crate) peers: Peers,
    /// One part of the page instead of all.
    pub(crate) only: Option<Part>,
    /// One size of the curves instead of all; that is not published.
    pub(crate) sessions: Option<u64>,
}

/// A part of docs/benchmarks.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Servers beside a bare one, and the pieces of a request
    SideBySide,
    /// Decisions of the gateway, beside an empty answer and behind a real nginx
    Gateway,
    /// Durable writes beside bare storage engines; with --peers also redb and SQLite
    Durable,
    /// What the embedded store costs with 1,000 to 10,000,000 sessions
    Curves,
    /// Redis and PostgreSQL, with and without this node's memory before them, beside a bare server
    Shared,
}

/// Every measurement, or one, each of which writes its part of the page. Built as it is shipped.
pub(crate) fn bench(bench: Bench) -> Vec<Stage> {
    let Bench { size, peers, only, sessions } = bench;
    let packages = "--package counterfoil-benches --package counterfoil-gateway-benches \
                    --package counterfoil-shared-benches --package counterfoil-cli";
    let build = cargo(&format!("build --profile dist --locked {packages} --bins"));
    let mut stages = vec![Stage::new("build", vec![build]).or_stop()];
    if peers == Peers::Too {
        stages.push(build_peers());
    }
    for part in Part::ALL.into_iter().filter(|part| only.is_none_or(|only| only == *part)) {
        if part == Part::SideBySide {
            stages.push(Stage::new("pieces", vec![pieces(size)]).or_stop());
        }
        if part == Part::Gateway {
            stages.push(Stage::new("nginx", vec![Step::InstallPackage(NGINX)]).or_stop());
        }
        if part == Part::Shared {
            let servers = [REDIS, POSTGRES].map(Step::InstallPackage);
            stages.push(Stage::new("redis and postgresql", servers.into()).or_stop());
        }
        let measure = Invocation::program(part.program(), size.flags_of_bench(sessions));
        let measure = match (part, peers) {
            (Part::SideBySide, Peers::Too) => measure.arguments(["--peers"]),
            _ => measure,
        };
        let measure = match (part, sessions) {
            (Part::Curves, Some(sessions)) => measure.arguments(["--sessions".to_owned(), sessions.to_string()]),
            _ => measure,
        };
        stages.push(Stage::new(part.name(), vec![Step::Run(measure)]));
    }
    stages
}

fn pieces(size: Size) -> Step {
    let criterion = match size {
        Size::Short => "--warm-up-time 0.5 --measurement-time 1 --noplot",
        Size::Full => "--noplot",
    };
    cargo(&format!("bench --profile dist --locked --package counterfoil-benches --bench pieces -- {criterion}"))
}

/// In a workspace of their own, so that what they need is not in our lock file. Where one cannot be built or installed,
/// its row says so.
fn build_peers() -> Stage {
    let native = "build --profile dist --locked --manifest-path benches/peers/Cargo.toml --target-dir target/peers";
    let node = Invocation::program("npm", "ci --no-audit --no-fund --prefix benches/peers/express");
    Stage::new("peers", vec![cargo(native), Step::Run(node)])
}

impl Part {
    pub(super) const ALL: [Self; 5] = [Self::SideBySide, Self::Gateway, Self::Durable, Self::Curves, Self::Shared];

    const fn name(self) -> &'static str {
        match self {
            Self::SideBySide => "side by side",
            Self::Gateway => "gateway",
            Self::Durable => "durable writes",
            Self::Curves => "curves",
            Self::Shared => "shared stores",
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::SideBySide => "target/dist/side-by-side",
            Self::Durable => "target/dist/durable",
            Self::Curves => "target/dist/curves",
            Self::Gateway => "target/dist/gateway-costs",
            Self::Shared => "target/dist/shared-costs",
        }
    }
}

impl Size {
    fn flags_of_bench(self, sessions: Option<u64>) -> &'static str {
        match (self, sessions) {
            (Self::Short, _) => "--short",
            (Self::Full, None) => "--write docs/benchmarks.md",
            (Self::Full, Some(_)) => "",
        }
    }
}
