//! A program that runs as long as somebody holds it.

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command};

use crate::verdict::Failure;

/// One that was started here; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// [`Failure::Start`], with the program's name.
    pub(crate) fn start(mut command: Command, program: PathBuf) -> Result<Self, Failure> {
        command.spawn().map(Self).map_err(|error| Failure::Start(program, error))
    }

    /// Whether it has ended by itself.
    ///
    /// # Errors
    /// If the system does not tell.
    pub(crate) fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
