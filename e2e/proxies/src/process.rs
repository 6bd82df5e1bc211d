//! A program that runs as long as somebody holds it.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::verdict::Failure;

/// One that was started here; dropping it ends it.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// [`Failure::Start`], with the program's name.
    pub fn start(mut command: Command, program: PathBuf) -> Result<Self, Failure> {
        command.spawn().map(Self).map_err(|error| Failure::Start(program, error))
    }

    /// Its number among the system's processes.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has ended by itself.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }
}

/// Waits until somebody listens at `address`.
///
/// # Errors
/// [`Failure::NotReady`] with what the program said, if it ended before or takes too long.
pub fn listening(
    address: SocketAddr,
    process: &mut Process,
    program: &'static str,
    said: impl FnOnce() -> String,
) -> Result<(), Failure> {
    let end = Instant::now() + START;
    while Instant::now() < end && !process.has_ended().unwrap_or(true) {
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err(Failure::NotReady { program, said: said() })
}

const START: Duration = Duration::from_secs(30);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
