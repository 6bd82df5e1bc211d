//! Events as JSON lines in a file, which whoever keeps logs may move away.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::hub::Sink;
use crate::losses::{Losses, Lost};
use crate::only::Only;
use crate::told::Told;

/// A file to which each event is a line more.
///
/// It is created with mode 0600. When it is moved or removed (as logrotate does it), a new one is begun with the next events.
/// While it cannot be written, events are lost for this sink alone, counted, and told of once a minute; it goes on by itself.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    only: Only,
    out: Option<Out>,
    waiting: Vec<u8>,
    losses: Losses,
}

/// Where lines go, as it is written in configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonLinesSettings {
    /// The file.
    pub file: PathBuf,
    /// Which events [default: all].
    #[serde(default)]
    pub events: Only,
}

#[derive(Debug)]
struct Out {
    file: File,
    identity: Identity,
    tail: Tail,
}

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// How the file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Whole,
    /// With half a line, which the next one must not be glued to.
    Torn,
}

impl JsonLines {
    /// Opens the file, or creates it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(settings: &JsonLinesSettings) -> io::Result<Self> {
        let JsonLinesSettings { file, events } = settings.clone();
        let out = Some(Out::open(&file)?);
        Ok(Self { path: file, only: events, out, waiting: Vec::new(), losses: Losses::default() })
    }

    /// How many events were lost for this file.
    pub fn lost(&self) -> Lost {
        self.losses.lost.clone()
    }

    fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let lines = std::mem::take(&mut self.waiting);
        let (written, result) = self.out().map_or_else(|error| (0, Err(error)), |out| out.put(&lines));
        match result {
            Ok(()) => {
                if let Some(untold) = self.losses.over() {
                    tracing::info!(rule = "events_file", lost = untold, "the file of events is written again");
                }
            }
            Err(error) => {
                let all = breaks(&lines);
                let lost = u64::try_from(all.saturating_sub(written)).unwrap_or(u64::MAX);
                if let Some(lost) = self.losses.lose(lost, Instant::now()) {
                    tracing::error!(rule = "events_file", lost, %error, "events were lost: their file cannot be written");
                }
            }
        }
        self.waiting = lines;
        self.waiting.clear();
    }

    /// The file of that name: another one, if the one before was moved away.
    fn out(&mut self) -> io::Result<&mut Out> {
        let found = fs::metadata(&self.path).map(|metadata| Identity::of(&metadata)).ok();
        match &mut self.out {
            Some(out) if Some(out.identity) == found => {}
            moved => *moved = Some(Out::open(&self.path)?),
        }
        self.out.as_mut().ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl Sink for JsonLines {
    fn take(&mut self, told: &Told) {
        if !self.only.means(told) {
            return;
        }
        self.waiting.extend_from_slice(told.json().as_bytes());
        self.waiting.push(b'\n');
        if self.waiting.len() >= MOST_WAITING {
            self.flush();
        }
    }

    fn rest(&mut self) {
        self.flush();
    }
}

impl Drop for JsonLines {
    fn drop(&mut self) {
        self.flush();
    }
}

impl Out {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        let identity = Identity::of(&file.metadata()?);
        let tail = Tail::of(&mut file).unwrap_or(Tail::Whole);
        Ok(Self { file, identity, tail })
    }

    fn put(&mut self, lines: &[u8]) -> (usize, io::Result<()>) {
        put(&mut self.file, &mut self.tail, lines)
    }
}

/// Writes lines. How many of them stand there whole; also if it could not be all.
fn put(out: &mut impl Write, tail: &mut Tail, lines: &[u8]) -> (usize, io::Result<()>) {
    if *tail == Tail::Torn
        && let Err(error) = out.write_all(b"\n")
    {
        return (0, Err(error));
    }
    *tail = Tail::Whole;
    let mut written = 0;
    let result = loop {
        match lines.get(written..) {
            None | Some([]) => break Ok(()),
            Some(rest) => match out.write(rest) {
                Ok(0) => break Err(ErrorKind::WriteZero.into()),
                Ok(more) => written += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            },
        }
    };
    let there = lines.get(..written).unwrap_or(lines);
    if there.last().is_some_and(|last| *last != b'\n') {
        *tail = Tail::Torn;
    }
    (breaks(there), result)
}

fn breaks(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count() - 1
}

impl Tail {
    /// What somebody left behind who was stopped in the middle.
    fn of(file: &mut File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self::Whole);
        }
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        Ok(if last == *b"\n" { Self::Whole } else { Self::Torn })
    }
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// A batch larger than this is written in pieces.
const MOST_WAITING: usize = 256 * 1024;

#[cfg(test)]
mod tests;
