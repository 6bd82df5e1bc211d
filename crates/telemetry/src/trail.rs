//! The audit trail: what happened, in a chain in which nothing can be changed, left out or added unseen, and in which a
//! person's entries can still be erased.
//!
//! A folder of segments, one a day or 16 MB. Each entry carries the link of the one before and a commitment to its event: the
//! hash of the event and a random salt. The links go over commitments alone. So whoever erases an event and its salt leaves
//! a chain that verifies, and nobody can find out by trying what the event was. The format: `docs/decisions/0039`.
//!
//! # Security
//! The chain shows changes to whoever has noted its [`Head`] elsewhere. Somebody who may write to the folder can rewrite all
//! that came after the last noted head, or cut it off: the trail has no secret that they would lack.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use counterfoil_core::Moment;
use serde::{Deserialize, Serialize};

use crate::hub::Sink;
use crate::losses::{Losses, Lost};
use crate::only::Only;
use crate::told::Told;

mod entry;
mod erase;
mod folder;
mod read;
mod scan;
mod verify;
mod writer;

use self::folder::Folder;
use self::writer::Writer;

pub use self::entry::{Flaw, Head, Link, NotALink};
pub use self::erase::{Erased, erase};
pub use self::read::{Content, Entries, Entry, Filter, read};
pub use self::verify::{Broken, Verified, VerifyError, verify};

/// Adds each event to the trail, and sees to it that it lies on the disk at every pause.
///
/// Several may write to one folder, also from several processes, as when a program hands over to its successor.
#[derive(Debug)]
pub struct Trail {
    only: Only,
    writer: Writer,
    waiting: Vec<Waiting>,
    losses: Losses,
}

/// The trail, as it is written in configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrailSettings {
    /// The folder, which is created with mode 0700.
    pub folder: PathBuf,
    /// Which events [default: all].
    #[serde(default)]
    pub events: Only,
    /// After how many days a segment goes [default: 365].
    #[serde(default = "a_year")]
    pub retain_days: u32,
    /// How large a segment becomes before the day is over [default: 16].
    #[serde(default = "sixteen")]
    pub segment_mb: u32,
}

/// The trail cannot be begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrailError {
    /// A setting that would keep nothing.
    #[error("{0} (0) must be at least 1")]
    Zero(&'static str),
    /// The folder cannot be written.
    #[error("the folder of the audit trail cannot be written")]
    Folder(#[from] io::Error),
}

#[derive(Debug)]
struct Waiting {
    at: Moment,
    json: Arc<str>,
}

impl TrailSettings {
    /// Whether they keep anything.
    ///
    /// # Errors
    /// [`TrailError::Zero`]: they do not.
    pub const fn check(&self) -> Result<(), TrailError> {
        match (self.retain_days, self.segment_mb) {
            (0, _) => Err(TrailError::Zero("retain_days")),
            (_, 0) => Err(TrailError::Zero("segment_mb")),
            _ => Ok(()),
        }
    }
}

impl Trail {
    /// Goes on where the trail in this folder ends, or begins one.
    ///
    /// Half an entry at its end, as a crash leaves it, is cut off. If the last segment does not verify, this is logged as an error
    /// and a new segment says so; nothing is deleted.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn open(settings: &TrailSettings) -> Result<Self, TrailError> {
        settings.check()?;
        let TrailSettings { folder, events, retain_days, segment_mb } = settings;
        let retain = Duration::from_secs(u64::from(*retain_days) * 24 * 60 * 60);
        let writer = Writer::open(Folder::create(folder)?, retain, u64::from(*segment_mb) * 1_000_000)?;
        Ok(Self { only: events.clone(), writer, waiting: Vec::new(), losses: Losses::default() })
    }

    /// How many events were lost for the trail. The next entry says how many were lost before it.
    pub fn lost(&self) -> Lost {
        self.losses.lost.clone()
    }

    fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let all = std::mem::take(&mut self.waiting);
        let (written, result) = self.writer.append(all.iter().map(|one| (one.at, &*one.json)));
        match result {
            Ok(()) => {
                if let Some(untold) = self.losses.over() {
                    tracing::info!(rule = "trail", lost = untold, "the audit trail is written again");
                }
            }
            Err(error) => {
                let lost = (all.len() as u64).saturating_sub(written);
                if let Some(lost) = self.losses.lose(lost, Instant::now()) {
                    tracing::error!(rule = "trail", lost, %error, "events were lost: the audit trail cannot be written");
                }
            }
        }
    }
}

impl Sink for Trail {
    fn take(&mut self, told: &Told) {
        if !self.only.means(told) {
            return;
        }
        self.waiting.push(Waiting { at: told.event.at, json: Arc::clone(told.json()) });
        if self.waiting.len() >= MOST_WAITING {
            self.flush();
        }
    }

    fn rest(&mut self) {
        self.flush();
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.flush();
    }
}

const fn a_year() -> u32 {
    365
}

const fn sixteen() -> u32 {
    16
}

/// Written together, and then forced to the disk.
const MOST_WAITING: usize = 4_096;

#[cfg(test)]
mod tests;
