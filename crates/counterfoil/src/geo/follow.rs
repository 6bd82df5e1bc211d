//! Files that are replaced while the program runs.

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use super::database::Database;
use super::error::{GeoError, GeoFile, GeoProblem};
use super::networks::{self, Networks};
use super::settings::GeoSettings;
use super::{Databases, Known, Shared};

/// The files, and what they were when they were read last, for good or ill.
pub(super) struct Sources(Vec<Source>);

struct Source {
    file: GeoFile,
    path: PathBuf,
    last: Last,
}

/// How a file was found.
#[derive(PartialEq, Eq)]
enum Last {
    Never,
    Absent,
    Seen(u64, Option<SystemTime>),
}

impl Sources {
    pub(super) fn new(settings: &GeoSettings) -> Self {
        let named =
            [(GeoFile::City, &settings.city), (GeoFile::Asn, &settings.asn), (GeoFile::Networks, &settings.networks)];
        let source =
            |(file, path): (GeoFile, &Option<PathBuf>)| Some(Source { file, path: path.clone()?, last: Last::Never });
        Self(named.into_iter().filter_map(source).collect())
    }

    /// Reads what is other than before into `known`. A file that was bad is not read again until it changes.
    pub(super) fn look(&mut self, known: &mut Known) -> Vec<Result<GeoFile, GeoError>> {
        self.0.iter_mut().filter_map(|source| source.look(known)).collect()
    }
}

impl Source {
    fn look(&mut self, known: &mut Known) -> Option<Result<GeoFile, GeoError>> {
        let now = fs::metadata(&self.path).map_or(Last::Absent, |metadata| seen(&metadata));
        if now == self.last {
            return None;
        }
        let read = self.read(known);
        // What changes under our hands is looked at again, however it looks then.
        let again = matches!(read, Err(GeoProblem::Changing));
        self.last = if again { Last::Never } else { now };
        Some(match read {
            Ok(()) => Ok(self.file),
            Err(problem) => Err(GeoError { file: self.file, path: self.path.clone(), problem }),
        })
    }

    fn read(&self, known: &mut Known) -> Result<(), GeoProblem> {
        match self.file {
            GeoFile::City => {
                known.city = Some(Arc::new(Database::new(self.file, bytes(&self.path, Databases::LARGEST)?)?));
            }
            GeoFile::Asn => {
                known.asn = Some(Arc::new(Database::new(self.file, bytes(&self.path, Databases::LARGEST)?)?));
            }
            GeoFile::Networks => {
                let text = String::from_utf8(bytes(&self.path, networks::LARGEST)?).map_err(|_| GeoProblem::NoText)?;
                known.networks = Arc::new(text.parse::<Networks>()?);
            }
        }
        Ok(())
    }
}

/// All of a file, unless it is too much or not the same at the end.
fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, GeoProblem> {
    let refused = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => GeoProblem::Missing,
        _ => GeoProblem::Unreadable(error),
    };
    // Looked at before it is opened: opening a pipe would wait for whoever writes to it.
    if !fs::metadata(path).map_err(refused)?.is_file() {
        return Err(GeoProblem::NoFile);
    }
    let mut file = File::open(path).map_err(refused)?;
    let before = file.metadata().map_err(refused)?;
    if before.len() > most {
        return Err(GeoProblem::TooLarge { bytes: before.len(), most });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or_default());
    file.by_ref().take(most).read_to_end(&mut bytes).map_err(refused)?;
    let after = file.metadata().map_err(refused)?;
    if seen(&before) == seen(&after) { Ok(bytes) } else { Err(GeoProblem::Changing) }
}

fn seen(metadata: &Metadata) -> Last {
    Last::Seen(metadata.len(), metadata.modified().ok())
}

/// Looks again and again until the last of the databases is dropped.
pub(super) fn begin(shared: &Arc<Shared>, ended: Receiver<()>, every: Duration) {
    let databases = Arc::downgrade(shared);
    let goes_on = move || {
        while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            let Some(shared) = databases.upgrade() else { return };
            Databases(shared).look().into_iter().for_each(tell);
        }
    };
    // Without a thread the program is as it was started, which is no reason to stop it.
    if let Err(error) = std::thread::Builder::new().name("counterfoil-geo".to_owned()).spawn(goes_on) {
        tracing::error!(%error, "the databases of places are not looked at again");
    }
}

fn tell(looked: Result<GeoFile, GeoError>) {
    match looked {
        Ok(file) => tracing::info!(rule = "geo", "geo.{} was read again", file.key()),
        Err(error) => tracing::error!(rule = "geo", %error, "places are told as before; a file cannot be used"),
    }
}
