//! Keys from what a command prints: a secret store's own client, for example.

use std::ffi::OsString;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use counterfoil_core::Clock;
use counterfoil_core::keys::{KeyError, KeyFile, KeyMaterial, KeySource, SourceProblem};
use zeroize::Zeroizing;

use super::file::read_text;
use super::{at, refused};
use crate::SystemClock;

/// Root keys from a command that prints a [`KeyFile`].
///
/// # Security
/// The command is started directly, without a shell. It has 30 seconds; what it writes to standard error goes where this
/// program's does. Nothing is kept on disk.
///
/// # Examples
/// ```no_run
/// use counterfoil::keys::CommandKeys;
/// use counterfoil::{Counterfoil, MemoryStore, Policy};
///
/// let keys = CommandKeys::new("/usr/bin/secret-tool").argument("lookup").argument("site").argument("shop");
/// let site = Counterfoil::new(Policy::aal2("https://shop.example")?, &keys, MemoryStore::new())?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CommandKeys {
    program: OsString,
    arguments: Vec<OsString>,
    limit: Duration,
    clock: Arc<dyn Clock>,
}

impl CommandKeys {
    /// How long a command may take: the time a secret store behind a slow network needs, and no more than somebody waits
    /// who watches a start.
    pub const LIMIT: Duration = Duration::from_secs(30);

    /// The keys that `program` prints.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), limit: Self::LIMIT, clock: Arc::new(SystemClock) }
    }

    /// One more argument for the command.
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Gives the command this long instead of [`LIMIT`](Self::LIMIT).
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Judges by `clock` which key signs and which has ended.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    fn text(&self) -> Result<Zeroizing<String>, SourceProblem> {
        let deadline = Instant::now() + self.limit;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = Running(command.spawn().map_err(refused("cannot be started"))?);
        let mut output = child.0.stdout.take().ok_or(SourceProblem::NotText)?;
        let (tell, told) = mpsc::channel();
        // A thread of its own, because reading cannot be given up.
        std::thread::spawn(move || tell.send(read_text(&mut output)));
        let timed_out = |_| SourceProblem::TimedOut { limit: self.limit };
        let text = told.recv_timeout(self.limit).map_err(timed_out)?;
        // Nobody reads on, so the command is stopped by that: how it ends says nothing.
        if let Err(problem @ SourceProblem::TooLarge { .. }) = text {
            return Err(problem);
        }
        let status = child.wait_until(deadline).ok_or(SourceProblem::TimedOut { limit: self.limit })?;
        if !status.success() {
            return Err(SourceProblem::Failed { status: status.to_string().into() });
        }
        text
    }

    fn error(&self, problem: SourceProblem) -> KeyError {
        at(format_args!("the command {}", self.program.display()), problem)
    }
}

impl KeySource for CommandKeys {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        let file = self.text().and_then(|text| Ok(KeyFile::parse(&text)?));
        let material = file.and_then(|file| Ok(file.material(self.clock.now())?));
        material.map_err(|problem| self.error(problem))
    }
}

impl std::fmt::Debug for CommandKeys {
    /// Without the arguments: they may hold a secret of another service.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("CommandKeys").field(&self.program).finish()
    }
}

/// A command that does not outlive whoever waits for it.
struct Running(Child);

impl Running {
    /// How it ended. It has said all by now, so this is a matter of moments.
    fn wait_until(&mut self, deadline: Instant) -> Option<ExitStatus> {
        while Instant::now() < deadline {
            match self.0.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                Err(_) => return None,
            }
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, or must not go on; either way it is waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
