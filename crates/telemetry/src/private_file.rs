//! Files with secrets of receivers in them: small, and their owner's alone.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// A file that settings name cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unread {
    /// It is not there, or not for us.
    #[error("{}: cannot be read", file.display())]
    Io {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A secret that others may read is none.
    #[error("{}: others may read it (mode {mode:o}): `chmod 600` it, and exchange the secret if they are not trusted", file.display())]
    ForOthers {
        /// Which.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is no file of the kind that was meant.
    #[error("{}: is larger than {most} bytes, or not text", file.display())]
    NotText {
        /// Which.
        file: PathBuf,
        /// How much is read.
        most: u64,
    },
}

/// A secret: text of up to 8 kB, in a file that nobody but its owner may read.
///
/// # Errors
/// [`Unread`] names the file, and says what is wrong with it.
pub fn read_secret(path: &Path) -> Result<Zeroizing<String>, Unread> {
    let bytes = Zeroizing::new(read(path, MOST_SECRET, Audience::Owner)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| Unread::NotText { file: path.to_owned(), most: MOST_SECRET })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// What anybody may know, up to so many bytes.
///
/// # Errors
/// As [`read_secret`].
pub fn read_public(path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
    read(path, most, Audience::Anybody)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    Owner,
    Anybody,
}

fn read(path: &Path, most: u64, whose: Audience) -> Result<Vec<u8>, Unread> {
    let failed = |source| Unread::Io { file: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    // Of what was opened, not of whatever has that name by now.
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if whose == Audience::Owner && mode & 0o077 != 0 {
        return Err(Unread::ForOthers { file: path.to_owned(), mode });
    }
    // With room for all of it, so that no copy is left behind in growing.
    let mut bytes = Vec::with_capacity(usize::try_from(most).unwrap_or(0).saturating_add(1));
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(Unread::NotText { file: path.to_owned(), most });
    }
    Ok(bytes)
}

/// More than any secret or list of fields for a collector.
const MOST_SECRET: u64 = 8 * 1024;

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_read_where_it_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let read = || read_secret(&path).map(|text| text.to_string()).map_err(|error| error.to_string());
        assert!(read().unwrap_err().ends_with("secret: cannot be read"));
        write(&path, "whsec_\n").unwrap();
        for mode in [0o640, 0o604, 0o610, 0o644] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = read().unwrap_err();
            assert!(error.contains(&format!("(mode {mode:o}): `chmod 600` it")), "{error}");
        }
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read().as_deref(), Ok("whsec_\n"));
        for content in [vec![b'a'; 8 * 1024 + 1], vec![0xff]] {
            write(&path, content).unwrap();
            assert!(read().unwrap_err().ends_with("is larger than 8192 bytes, or not text"));
        }
    }

    #[test]
    fn what_anybody_may_know_may_be_read_by_anybody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authorities.pem");
        write(&path, "----").unwrap();
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(read_public(&path, 4).unwrap(), b"----");
        assert!(matches!(read_public(&path, 3), Err(Unread::NotText { most: 3, .. })));
    }
}
