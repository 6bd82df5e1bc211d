//! The measurement: runs of every mode in turn, so that whatever else the machine does falls on all of them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use indicatif::ProgressBar;

use crate::Failed;
use crate::load::Load;
use crate::modes::{BARE, MODES, Mode, READ, Served};
use crate::peers::{PEERS, Peer};
use crate::server::Server;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Runs of each mode.
    pub runs: usize,
    /// Requests of each run.
    pub requests: usize,
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// How many were sent.
    pub requests: usize,
    elapsed: Duration,
    cpu: Duration,
}

/// All runs of one mode, beside the bare server's.
#[derive(Debug, Clone)]
pub struct Compared {
    /// Which.
    pub mode: Mode,
    /// In the order of the rounds.
    pub runs: Vec<Run>,
    /// The bare server's runs in the same rounds.
    pub bare: Vec<Run>,
}

/// A peer, and how it did, or why it was not measured.
#[derive(Debug, Clone)]
pub struct Contender {
    /// Who.
    pub peer: Peer,
    /// Its runs.
    pub outcome: Result<Compared, &'static str>,
}

/// Where things run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Server and load on a core each.
    Apart,
    /// Wherever the system puts them: there is only one core, or they cannot be pinned.
    Anywhere,
}

impl Run {
    /// Requests per second.
    pub fn rate(&self) -> f64 {
        count(self.requests) / self.elapsed.as_secs_f64()
    }

    /// The server's CPU time for one request, in microseconds.
    pub fn cpu_each(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / count(self.requests)
    }

    /// How much of a core the server used. Well below 1, the load was the bottleneck, and the ratio flatters.
    pub fn busy(&self) -> f64 {
        self.cpu.as_secs_f64() / self.elapsed.as_secs_f64()
    }
}

#[cfg(test)]
impl Run {
    /// So many requests in one second, each of so many microseconds of CPU.
    pub(crate) fn of(requests: usize, cpu_each: u64) -> Self {
        let cpu = Duration::from_micros(cpu_each * requests as u64);
        Self { requests, elapsed: Duration::from_secs(1), cpu }
    }
}

impl Compared {
    /// Requests per second relative to the bare server, round by round.
    pub fn ratios(&self) -> Vec<f64> {
        self.runs.iter().zip(&self.bare).map(|(run, bare)| run.rate() / bare.rate()).collect()
    }

    /// Microseconds of CPU that a request costs more than with the bare server, round by round.
    pub fn added(&self) -> Vec<f64> {
        self.runs.iter().zip(&self.bare).map(|(run, bare)| run.cpu_each() - bare.cpu_each()).collect()
    }
}

/// Runs everything, with the servers in `programs`. Sessions on the disk are in a folder below `target`.
///
/// # Errors
/// If a server does not start, or does not answer as it should.
pub fn measure(programs: &Path, size: Size, placement: Placement, bar: &ProgressBar) -> Result<Vec<Compared>, Failed> {
    let core = (placement == Placement::Apart).then_some(0);
    let mut bare_server = Server::start(Command::new(programs.join("bare")), core)?;
    let mut sessions = Server::start(Command::new(programs.join("sessions")), core)?;
    let folder = Path::new("target/bench/side-by-side");
    remove(folder)?;
    let mut on_disk = Command::new(programs.join("sessions"));
    on_disk.arg(folder.join("store"));
    std::fs::create_dir_all(folder)?;
    let mut embedded = Server::start(on_disk, core)?;
    let mut least = Server::start(Command::new(programs.join("least")), core)?;
    let mut all = MODES.map(|mode| Compared { mode, runs: Vec::new(), bare: Vec::new() });
    for _ in 0..size.runs {
        let bare = run(&mut bare_server, BARE, size.requests)?;
        bar.inc(1);
        for compared in &mut all {
            let server = match compared.mode.served {
                Served::Bare => &mut bare_server,
                Served::WithSessions => &mut sessions,
                Served::Embedded => &mut embedded,
                Served::Least => &mut least,
            };
            compared.runs.push(run(server, compared.mode, size.requests)?);
            compared.bare.push(bare);
            bar.inc(1);
        }
    }
    drop(embedded);
    remove(folder)?;
    Ok(all.into())
}

fn remove(folder: &Path) -> Result<(), Failed> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// Runs every peer that is there beside the bare server of its runtime, in turn.
///
/// # Errors
/// As [`measure`].
pub fn measure_peers(
    workspace: &Path,
    size: Size,
    placement: Placement,
    bar: &ProgressBar,
) -> Result<Vec<Contender>, Failed> {
    let core = (placement == Placement::Apart).then_some(0);
    let mut contenders = PEERS.map(|peer| match peer.missing(workspace) {
        Some(reason) => Contender { peer, outcome: Err(reason) },
        None => Contender { peer, outcome: Ok(Compared { mode: READ, runs: Vec::new(), bare: Vec::new() }) },
    });
    for _ in 0..size.runs {
        for Contender { peer, outcome } in &mut contenders {
            if let Ok(compared) = outcome {
                compared.bare.push(run(&mut Server::start(peer.bare(workspace), core)?, BARE, size.requests)?);
                compared.runs.push(run(&mut Server::start(peer.server(workspace), core)?, READ, size.requests)?);
            }
            bar.inc(1);
        }
    }
    Ok(contenders.into())
}

/// One run: everything that is not the request itself happens before its CPU time is taken.
///
/// # Errors
/// If an answer is not what it should be.
pub fn run(server: &mut Server, mode: Mode, requests: usize) -> Result<Run, Failed> {
    run_between(server, mode, requests, || Ok(()))
}

/// One run, and `look` right before it and right after.
///
/// # Errors
/// As [`run`], and what `look` says.
pub fn run_between(
    server: &mut Server,
    mode: Mode,
    requests: usize,
    mut look: impl FnMut() -> Result<(), Failed>,
) -> Result<Run, Failed> {
    let requests = requests / mode.share;
    let mut load = Load::open(server.address(), mode.scripts(server.address())?)?;
    load.run(requests / 10)?;
    look()?;
    let before = server.cpu()?;
    let (requests, elapsed) = load.run(requests)?;
    let cpu = server.cpu()?.saturating_sub(before);
    look()?;
    Ok(Run { requests, elapsed, cpu })
}

/// The middle value; of an even number, the lower of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
fn count(requests: usize) -> f64 {
    requests as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_of_any_order() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 3.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_run_is_compared_with_the_bare_run_of_its_round() {
        let run = |millis, micros| Run {
            requests: 1000,
            elapsed: Duration::from_millis(millis),
            cpu: Duration::from_micros(micros),
        };
        let compared = Compared { mode: BARE, runs: vec![run(10, 6_000)], bare: vec![run(8, 5_000)] };
        assert!((median(&compared.ratios()) - 0.8).abs() < 1e-9);
        assert!((median(&compared.added()) - 1.0).abs() < 1e-9);
        assert!((run(10, 6_000).busy() - 0.6).abs() < 1e-9);
    }
}
