//! What `counterfoil store` does with a store that nodes share, and what to use instead where it does nothing.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use counterfoil::stores::embedded::Sealer;
use counterfoil_serve::place::{NoPlace, Place};
use counterfoil_serve::upkeep::{self, UpkeepFailed};

use super::migration::Written;

/// What an argument names.
pub(super) enum Named {
    Folder(PathBuf),
    Server(Place),
}

/// What cannot be done with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Count,
    BackUp,
    Restore,
    Move,
}

/// An error of a server's, with its name and without its password.
#[derive(Debug)]
struct At(Place, Box<dyn Error>);

impl Named {
    /// A folder, unless it begins as the address of a server does.
    pub(super) fn of(text: &OsStr) -> Result<Self, Box<dyn Error>> {
        let folder = Self::Folder(PathBuf::from(text));
        let Some(text) = text.to_str() else { return Ok(folder) };
        match text.parse() {
            Ok(Place::Embedded(folder)) => Ok(Self::Folder(folder)),
            Ok(place @ (Place::Redis(_) | Place::Postgres(_))) => Ok(Self::Server(place)),
            Ok(Place::Memory) => Ok(folder),
            Err(NoPlace::Unknown) if !text.contains("://") => Ok(folder),
            // The text is not repeated: it may have a password in it.
            Err(why) => Err(format!("the argument {why}").into()),
        }
    }

    /// The folder that `deed` is done with.
    pub(super) fn folder(self, deed: Deed) -> Result<PathBuf, Box<dyn Error>> {
        match self {
            Self::Folder(folder) => Ok(folder),
            Self::Server(place) => {
                let instead = deed.instead(&place);
                Err(At(place, instead.into()).into())
            }
        }
    }
}

/// Refuses what would make a folder of the name of an address.
pub(super) fn no_server(into: &Path, deed: Deed) -> Result<(), Box<dyn Error>> {
    Named::of(into.as_os_str())?.folder(deed).map(drop)
}

/// Whether a node could start there.
pub(super) fn check(place: &Place, sealer: Sealer) -> Result<bool, Box<dyn Error>> {
    let checked = wait(place, upkeep::check(place, sealer))?;
    let correction = checked.correction;
    let clock = match correction.millis() {
        0 => "its clock shows what this machine's does".to_owned(),
        millis if millis > 0 => format!("its clock is {:?} ahead of this machine's", correction.size()),
        _ => format!("its clock is {:?} behind this machine's", correction.size()),
    };
    println!("{place}: a node with these keys can start on it; {clock}");
    println!("{place}: {}", Written(checked.format));
    Ok(true)
}

pub(super) fn wait<T>(
    place: &Place,
    upkeep: impl Future<Output = Result<T, UpkeepFailed>>,
) -> Result<T, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(upkeep).map_err(|error| At(place.clone(), error.into()).into())
}

impl Deed {
    fn instead(self, place: &Place) -> &'static str {
        match (self, place) {
            (Self::Count, Place::Postgres(_)) => {
                "ask the server: `SELECT count(*) FROM counterfoil.sessions` counts those that are over and not swept yet too"
            }
            (Self::Count, _) => "ask the server: `redis-cli INFO keyspace` and `INFO memory`",
            (Self::BackUp, Place::Postgres(_)) => {
                "the server's own tools back it up: `pg_dump --schema=counterfoil`. A dump that is put back signs everybody out"
            }
            (Self::BackUp, _) => {
                "the server's own files are its backup. After one was put back, end all sessions: it cannot tell who signed out \
                 since"
            }
            (Self::Restore, _) => {
                "a backup of a folder becomes a folder; a server's own backup is put back with its own tools"
            }
            (Self::Move, _) => {
                "sessions do not move between a folder and a server: point the nodes there, and people sign in again"
            }
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.0, self.1)
    }
}

impl Error for At {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.source()
    }
}
