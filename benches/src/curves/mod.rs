//! What the embedded store costs by how many sessions live in it. Each size in processes of its own: one fills a folder, one
//! opens it again and works with it.

mod filled;
mod page;
mod plot;
mod used;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use counterfoil_core::keys::SharedRing;
use counterfoil_core::seal::Sealer;
use counterfoil_stores::embedded::{EmbeddedStore, Settings};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::filled::{Filled, fill};
pub use self::page::section;
pub use self::plot::svg;
pub use self::used::{Used, work};
use crate::Failed;
use crate::site::FixedKeys;

/// What was measured at one size.
#[derive(Debug, Clone)]
pub struct Point {
    /// Live sessions, each of a subject of its own.
    pub sessions: u64,
    /// While they were made.
    pub filled: Filled,
    /// Once they were there.
    pub used: Used,
}

/// Reads while something else goes on, in nanoseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Reads {
    /// How many there were.
    pub count: u64,
    /// Half of them took no longer.
    pub median: u64,
    /// One in ten thousand took longer.
    pub slow: u64,
    /// The longest.
    pub longest: u64,
}

/// How much of each is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// As much as gives figures to publish.
    Full,
    /// As much as shows that it works.
    Short,
}

/// One size, by processes of this program. Works in `folder`, which is gone afterwards.
///
/// # Errors
/// If anything is not done.
pub fn measure(sessions: u64, folder: &Path, effort: Effort) -> Result<Point, Failed> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    let filled = child("fill", sessions, folder, effort)?;
    let used = child("work", sessions, folder, effort)?;
    std::fs::remove_dir_all(folder)?;
    Ok(Point { sessions, filled, used })
}

fn child<T: DeserializeOwned>(step: &str, sessions: u64, folder: &Path, effort: Effort) -> Result<T, Failed> {
    let mut program = Command::new(std::env::current_exe()?);
    program.args(["one", step, &sessions.to_string()]).arg(folder);
    if effort == Effort::Short {
        program.arg("--short");
    }
    let output = program.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{step} with {sessions} sessions failed").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

impl Reads {
    /// From how long each took.
    fn of(mut nanoseconds: Vec<u64>) -> Self {
        nanoseconds.sort_unstable();
        let last = nanoseconds.len().saturating_sub(1);
        let at = |index: usize| nanoseconds.get(index).copied().unwrap_or_default();
        let (median, slow, longest) = (at(last / 2), at(last - last / 10_000), at(last));
        Self { count: nanoseconds.len() as u64, median, slow, longest }
    }
}

/// The store as everybody opens it.
fn open(folder: &Path, keys: &SharedRing) -> Result<EmbeddedStore, Failed> {
    Ok(EmbeddedStore::open(folder.join("store"), Sealer::new(keys.clone()), Settings::default())?)
}

fn keys() -> Result<SharedRing, Failed> {
    Ok(SharedRing::from_source(&FixedKeys)?)
}

/// Bytes that the files below `folder` take on the disk.
fn bytes_below(folder: &Path) -> Result<u64, Failed> {
    use std::os::unix::fs::MetadataExt as _;
    let (mut bytes, mut folders) = (0, vec![PathBuf::from(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let (path, about) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            if about.is_dir() {
                folders.push(path);
            } else {
                bytes += about.blocks() * 512;
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_reads_the_longest_is_not_lost() {
        let reads = Reads::of((1..=20_000).rev().collect());
        assert_eq!((reads.count, reads.median, reads.slow, reads.longest), (20_000, 10_000, 19_999, 20_000));
        assert_eq!(Reads::of(Vec::new()).longest, 0);
    }

    #[test]
    fn a_store_is_filled_and_worked_with() {
        let folder = tempfile::tempdir().unwrap();
        let filled = fill(300, folder.path(), Effort::Short).unwrap();
        assert!(filled.disk_bytes > 300 * 250 && filled.seconds > 0.0, "{filled:?}");
        let used = work(300, folder.path(), Effort::Short).unwrap();
        let Used { cold, peek, request, touch, list, insert, change, idle_sweep, sweep, .. } = used;
        let all = [cold, peek, request, touch, list, insert, change, idle_sweep, sweep];
        assert!(all.iter().all(|time| time.is_finite() && *time > 0.0), "{used:?}");
    }
}
