//! Workers as processes: started, watched by the shim or not, killed, heard.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::recording::{NOTES, RECORDING, WATCH};
use crate::says::Says;

/// How to start a worker.
#[derive(Debug, Clone)]
pub(crate) struct Job<'a> {
    pub(crate) place: &'a Place,
    pub(crate) seed: u64,
    /// How many deeds; without, until it is told.
    pub(crate) deeds: Option<u64>,
    pub(crate) ballast: usize,
    /// The shim, and where its recording goes.
    pub(crate) recorded: Option<(&'a Path, &'a Path)>,
}

/// A folder of the harness's own with a store and its notes.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// What the power is cut under: the folder above the store, so that the store's own name is at stake too.
    pub(crate) watched: PathBuf,
    pub(crate) store: PathBuf,
    pub(crate) notes: PathBuf,
}

/// A worker that runs.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    /// What it printed beside its lines, as when it panicked.
    errors: File,
}

/// A worker that ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) says: Vec<Says>,
    pub(crate) status: ExitStatus,
    pub(crate) errors: String,
    pub(crate) in_time: bool,
}

impl Place {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let watched = folder.join("disk");
        Self { store: watched.join("store"), watched, notes: folder.join("notes") }
    }
}

impl Job<'_> {
    pub(crate) fn start(&self) -> io::Result<Worker> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("worker").arg("--folder").arg(&self.place.store).arg("--notes").arg(&self.place.notes);
        command.arg("--seed").arg(self.seed.to_string()).arg("--ballast").arg(self.ballast.to_string());
        if let Some(deeds) = self.deeds {
            command.arg("--deeds").arg(deeds.to_string());
        }
        if let Some((shim, recording)) = self.recorded {
            command.env("LD_PRELOAD", shim).env(RECORDING, recording);
            command.env(WATCH, &self.place.watched).env(NOTES, &self.place.notes);
        }
        let errors = tempfile::tempfile()?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors.try_clone()?);
        Ok(Worker { child: command.spawn()?, errors })
    }

    /// Starts it and waits for its end.
    pub(crate) fn run(&self) -> io::Result<Ended> {
        self.start()?.wait()
    }
}

impl Worker {
    /// Ends it at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }

    /// Has it end by itself.
    pub(crate) fn tell(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Whether it has ended already.
    pub(crate) fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Waits for its end; one that does not come to an end is killed.
    pub(crate) fn wait(mut self) -> io::Result<Ended> {
        let mut out = self.child.stdout.take();
        let listener = std::thread::spawn(move || {
            let mut text = String::new();
            // What cannot be read is missing below, where an end is expected.
            let _ = out.as_mut().map(|out| out.read_to_string(&mut text));
            text
        });
        let (deadline, mut in_time) = (Instant::now() + PATIENCE, true);
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if Instant::now() > deadline && in_time {
                in_time = false;
                self.child.kill()?;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let text = listener.join().unwrap_or_default();
        let mut errors = String::new();
        std::io::Seek::rewind(&mut self.errors)?;
        self.errors.read_to_string(&mut errors)?;
        Ok(Ended { says: text.lines().map(Says::read).collect(), status, errors, in_time })
    }
}

impl Ended {
    /// What went wrong, in words. A worker that was killed has not gone wrong by that.
    pub(crate) fn wrongs(&self, killed: bool) -> Vec<String> {
        let mut wrongs: Vec<_> = self.says.iter().filter(|says| says.is_wrong()).map(Says::to_string).collect();
        if !self.in_time {
            wrongs.push(format!("did not come to an end within {} s", PATIENCE.as_secs()));
        }
        let by_us = killed && self.status.signal() == Some(9);
        let said_why = !wrongs.is_empty() && self.status.code() == Some(1);
        if !(self.status.success() || by_us || said_why) {
            let first = self.errors.lines().take(4).collect::<Vec<_>>().join(" | ");
            wrongs.push(format!("ended with {}: {first}", self.status));
        }
        wrongs
    }

    pub(crate) fn refused(&self) -> Option<&str> {
        self.says.iter().find_map(|says| if let Says::Refused { text } = says { Some(text.as_str()) } else { None })
    }

    /// How many starts succeeded.
    pub(crate) fn starts(&self) -> u64 {
        self.says.iter().filter(|says| matches!(says, Says::Looked { .. })).count() as u64
    }

    /// How many violations it found.
    pub(crate) fn violations(&self) -> u64 {
        self.says.iter().filter(|says| matches!(says, Says::Violation { .. })).count() as u64
    }
}

const PATIENCE: Duration = Duration::from_mins(2);
