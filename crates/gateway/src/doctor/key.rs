//! The key of one examination: a file in the data folder, there only as long as the doctor works.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::{hmac, rand};

/// A key that was put there; dropping it takes it away.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    pub(super) key: hmac::Key,
}

/// The door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The folder is not the gateway's, or not ours to write to: run the doctor on the gateway's machine, as its user or root.
    #[error("{0}: the doctor must be able to write to the gateway's data folder")]
    Folder(PathBuf, #[source] io::Error),
    /// There is no randomness.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

impl KeyFile {
    /// Puts a new key into `folder`, readable by who owns the folder. One that was left there is replaced.
    ///
    /// # Errors
    /// [`KeyFileError`]
    pub fn open(folder: &Path) -> Result<Self, KeyFileError> {
        let mut bytes = [0; LENGTH];
        rand::fill(&mut bytes).map_err(|_| KeyFileError::NoRandomness)?;
        let path = folder.join(NAME);
        put(folder, &path, &bytes).map_err(|error| KeyFileError::Folder(folder.to_owned(), error))?;
        Ok(Self { path, key: hmac::Key::new(hmac::HMAC_SHA256, &bytes) })
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        // Somebody may have taken it away; if not, it is too old in ten minutes.
        let _ = fs::remove_file(&self.path);
    }
}

fn put(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let owner = fs::metadata(folder)?;
    let beside = folder.join(format!("{NAME}.new"));
    // Left by one that was killed.
    let _ = fs::remove_file(&beside);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    if file.metadata()?.uid() != owner.uid() {
        chown(&beside, Some(owner.uid()), Some(owner.gid()))?;
    }
    fs::rename(&beside, path)
}

/// The key in `folder`, if a doctor is at work.
pub(super) fn read(folder: &Path) -> Option<hmac::Key> {
    let mut file = File::open(folder.join(NAME)).ok()?;
    let metadata = file.metadata().ok()?;
    if is_old(&metadata) || metadata.mode() & 0o077 != 0 {
        return None;
    }
    let mut bytes = [0; LENGTH];
    file.read_exact(&mut bytes).ok()?;
    Some(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// Whether it was left by a doctor that was killed.
fn is_old(metadata: &Metadata) -> bool {
    metadata.modified().ok().and_then(|at| at.elapsed().ok()).is_none_or(|age| age > LONGEST)
}

const NAME: &str = "doctor-key";
const LENGTH: usize = 32;
/// Longer than any examination takes.
const LONGEST: Duration = Duration::from_mins(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_there_while_the_doctor_works_and_no_longer() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).is_none());
        let first = KeyFile::open(folder.path()).unwrap();
        assert_eq!(fs::metadata(folder.path().join(NAME)).unwrap().mode() & 0o777, 0o600);
        assert!(read(folder.path()).is_some());
        drop(first);
        assert!(read(folder.path()).is_none());
    }

    #[test]
    fn a_key_that_others_may_read_or_that_was_left_behind_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let _key = KeyFile::open(folder.path()).unwrap();
        let path = folder.path().join(NAME);
        let file = File::options().write(true).open(&path).unwrap();
        let fresh = std::time::SystemTime::now();
        file.set_modified(fresh - LONGEST - Duration::from_secs(5)).unwrap();
        assert!(read(folder.path()).is_none());
        file.set_modified(fresh).unwrap();
        assert!(read(folder.path()).is_some());
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
        assert!(read(folder.path()).is_none());
    }
}
