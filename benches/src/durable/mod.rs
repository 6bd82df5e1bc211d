//! Durable writes: the embedded store beside bare storage engines that write the same, each run in a process of its own.

mod page;
mod store;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use counterfoil_core::keys::{KeyRing, SharedRing};
use counterfoil_core::rules::EndReason;
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::Live;
use counterfoil_core::stored::{self, Tombstone};
use indicatif::ProgressBar;

pub use self::page::section;
pub use self::store::{bare_fjall, store};
use crate::site::FixedKeys;
use crate::waiting::{Outcome, Run, Work};
use crate::{Failed, records};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Runs of everything.
    pub rounds: usize,
    /// Of each run.
    pub span: Duration,
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contender {
    /// As it stands in the table.
    pub name: &'static str,
    program: Program,
}

/// What is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    /// This program, with a word.
    Own(&'static str),
    /// One of the peers' workspace.
    Peer(&'static str),
}

/// All runs of one work with so many waiting, by all contenders.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was done.
    pub work: Work,
    /// By how many at once.
    pub waiting: u64,
    /// In the order of [`CONTENDERS`]; none where it was not built.
    pub outcomes: [Vec<Outcome>; 4],
}

/// Ours, then what it is to be compared with. The last two are built where peers are.
pub const CONTENDERS: [Contender; 4] = [
    Contender { name: "Counterfoil", program: Program::Own("store") },
    Contender { name: "raw fjall", program: Program::Own("fjall") },
    Contender { name: "redb 4", program: Program::Peer("redb") },
    Contender { name: "SQLite 3", program: Program::Peer("sqlite") },
];

/// How many wait at once.
pub const WAITING: [u64; 3] = [1, 16, 256];

/// Runs everything in turn, so that whatever else the machine and its disk do falls on all of them. Works in `folder`, which
/// is gone afterwards. From the workspace's folder, where `cargo xtask bench` starts this.
///
/// # Errors
/// If a contender fails.
pub fn measure(folder: &Path, size: Size, bar: &ProgressBar) -> Result<Vec<Row>, Failed> {
    let rows = Work::ALL.into_iter().flat_map(|work| WAITING.map(|waiting| (work, waiting)));
    let mut rows: Vec<_> = rows.map(|(work, waiting)| Row { work, waiting, outcomes: Default::default() }).collect();
    let bytes = Bytes::look()?;
    for _ in 0..size.rounds {
        for row in &mut rows {
            let run = bytes.run(row.work, row.waiting, size.span, folder.join("engine"));
            for (contender, outcomes) in CONTENDERS.iter().zip(&mut row.outcomes) {
                if let Some(program) = contender.command()? {
                    outcomes.push(contender.run(program, &run)?);
                }
                bar.inc(1);
            }
        }
    }
    std::fs::remove_dir_all(folder)?;
    Ok(rows)
}

impl Contender {
    /// What starts it, if it was built. Peers are looked for where they are built as this program was.
    fn command(&self) -> Result<Option<Command>, Failed> {
        let own = std::env::current_exe()?;
        let (program, word) = match self.program {
            Program::Own(word) => (own, Some(word)),
            Program::Peer(name) => {
                let profile = own.parent().and_then(Path::file_name).ok_or("no folder")?;
                (Path::new("target/peers").join(profile).join(name), None)
            }
        };
        if !program.exists() {
            return Ok(None);
        }
        let mut command = Command::new(program);
        command.args(word.iter().flat_map(|word| ["contend", *word]));
        Ok(Some(command))
    }

    /// In an empty folder each time.
    fn run(&self, mut program: Command, run: &Run) -> Result<Outcome, Failed> {
        if run.folder.exists() {
            std::fs::remove_dir_all(&run.folder)?;
        }
        std::fs::create_dir_all(&run.folder)?;
        let output = program.args(run.arguments()).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if output.status.success() {
            return text.parse();
        }
        Err(format!("{}: {}", self.name, String::from_utf8_lossy(&output.stderr)).into())
    }
}

/// What the store writes, in bytes: so that the engines write as much.
#[derive(Debug, Clone, Copy)]
struct Bytes {
    anonymous: usize,
    signed_in: usize,
    stone: usize,
}

impl Bytes {
    fn look() -> Result<Self, Failed> {
        let ring = KeyRing::from_source(&FixedKeys)?;
        let sealer = Sealer::new(SharedRing::from_source(&FixedKeys)?);
        let signed_in = records::signed_in(&ring, BEFORE)?;
        let stone = Tombstone { id: signed_in.id, reason: EndReason::Superseded, forget_at: signed_in.forget_at() };
        Ok(Self {
            anonymous: stored::encode(&Live::born(records::anonymous(0)), &sealer)?.len(),
            signed_in: stored::encode(&Live::born(signed_in), &sealer)?.len(),
            stone: stone.to_bytes(&sealer).len(),
        })
    }

    fn run(self, work: Work, waiting: u64, span: Duration, folder: PathBuf) -> Run {
        let Self { anonymous, signed_in, stone } = self;
        let seconds = span.as_secs().max(1);
        let (before, old) = match work {
            Work::Insert => (0, 0),
            Work::SignIn => (seconds * waiting.saturating_mul(PER_WAITING).min(MOST), anonymous),
            Work::Change => (BEFORE, signed_in),
        };
        Run { work, waiting, span, before, old, record: signed_in, stone, folder }
    }
}

/// Sessions whose data is changed in turn.
const BEFORE: u64 = 20_000;
/// Sign-ins a second: more than anybody did with so many waiting. A run in which they are used up ends early.
const PER_WAITING: u64 = 10_000;
const MOST: u64 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_write_as_much_as_the_store() {
        let bytes = Bytes::look().unwrap();
        assert!(bytes.signed_in > records::DATA_BYTES && bytes.anonymous > records::DATA_BYTES, "{bytes:?}");
        assert!(bytes.stone < 100, "{bytes:?}");
    }
}
