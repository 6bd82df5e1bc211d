//! What whoever operates a running program asks it, by way of a socket in its data folder: which sessions there are, that
//! some end, and what happens.
//!
//! # Security
//! The socket belongs to whoever runs the program: its mode is 0600, and who asks must be the same user, or root. Nothing that
//! is told authenticates anybody. Browsers cannot reach it.

mod answer;
mod caller;
mod shown;
#[cfg(test)]
mod tests;

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::serve::Listener;
use counterfoil_core::Engine;
use counterfoil_telemetry::Telemetry;
use nix::unistd::geteuid;
use tokio::net::{UnixListener, UnixStream, unix};

pub use self::caller::{Caller, Heard, NoAnswer, Tail};
pub use self::shown::{Answer, Context, Ended, Entry, Found, Kept, Problem, Reached};

/// What is operated. Cheap to clone.
#[derive(Clone)]
pub struct Operated {
    engine: Arc<dyn Fn() -> Engine + Send + Sync>,
    telemetry: Telemetry,
}

/// The socket of a running program, which is removed when it ends.
#[derive(Debug)]
pub struct Control {
    path: PathBuf,
    /// Which file it is: by now its name may be another's.
    identity: Option<(u64, u64)>,
    listener: Guarded,
}

/// A socket that lets in nobody but this program's user and root.
#[derive(Debug)]
struct Guarded(UnixListener);

impl Operated {
    /// Sessions of this engine, which may be another for each question, and events of this telemetry.
    pub fn new(engine: impl Fn() -> Engine + Send + Sync + 'static, telemetry: Telemetry) -> Self {
        Self { engine: Arc::new(engine), telemetry }
    }
}

impl Control {
    /// The socket's name in a data folder.
    pub const NAME: &'static str = "control";

    /// Listens in this folder. Where an earlier program left its socket, or still has it, it is this one's from now on.
    ///
    /// # Errors
    /// The folder cannot be written, or its name is too long for a socket's (some 100 bytes).
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join(Self::NAME);
        match fs::symlink_metadata(&path) {
            // Only ever what a program like this one left.
            Ok(found) if is_socket(&found) => fs::remove_file(&path)?,
            Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of this name")),
            Err(_) => {}
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let identity = identity(&path);
        Ok(Self { path, identity, listener: Guarded(listener) })
    }

    /// Answers until this is dropped or aborted.
    pub async fn answer(self, operated: Operated) {
        let Self { listener, path, identity } = self;
        let _removed = Removed { path, identity };
        // It ends by being dropped only.
        let _ = axum::serve(listener, answer::router(operated)).await;
    }
}

struct Removed {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl Drop for Removed {
    fn drop(&mut self) {
        if identity(&self.path) == self.identity {
            // Whoever comes next replaces it anyway.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn is_socket(found: &fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_socket(&found.file_type())
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

impl Listener for Guarded {
    type Io = UnixStream;
    type Addr = unix::SocketAddr;

    async fn accept(&mut self) -> (UnixStream, unix::SocketAddr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.0).await;
            let ours = |peer: unix::UCred| [0, geteuid().as_raw()].contains(&peer.uid());
            if stream.peer_cred().is_ok_and(ours) {
                return (stream, address);
            }
            tracing::warn!(rule = "control", "somebody else than this program's user asked, and was not heard");
        }
    }

    fn local_addr(&self) -> io::Result<unix::SocketAddr> {
        self.0.local_addr()
    }
}

impl std::fmt::Debug for Operated {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Operated").finish_non_exhaustive()
    }
}
