//! Files and commands that give keys, or do not: each message says what is wrong, where, and what to do.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::Duration;

use counterfoil_core::{FakeClock, Moment, SystemEntropy};

use super::*;

#[test]
fn a_key_file_that_cannot_be_used_is_refused_with_its_name_and_what_to_do() {
    let folder = Folder::new();
    let whole = made().print().to_string();
    let cut = whole.split(" key=").take(2).collect::<Vec<_>>().join(" key=");
    let huge = vec![b'#'; LARGEST + 1];
    #[rustfmt::skip]
    let rows: [(&str, Option<There<'_>>, &str); 9] = [
        //  name               what is there                        told
        ("missing",            None,                                "there is no such file: make it with `counterfoil keys new`"),
        ("whole",              Some((whole.as_bytes(), 0o600)),     ""),
        ("readable only",      Some((whole.as_bytes(), 0o400)),     ""),
        ("group-readable",     Some((whole.as_bytes(), 0o640)),     "(mode 0640): `chmod 600` it"),
        ("world-readable",     Some((whole.as_bytes(), 0o604)),     "(mode 0604): `chmod 600` it"),
        ("empty",              Some((b"", 0o600)),                  "line 1: the file is empty"),
        ("cut off",            Some((cut.as_bytes(), 0o600)),       "line 5: `key=` is missing: is the line cut off?"),
        ("binary",             Some((&[0xff; 300], 0o600)),         "is not text"),
        ("huge",               Some((&huge, 0o600)),                "has more than 65536 bytes"),
    ];
    for (name, there, says) in rows {
        let path = folder.path(name);
        if let Some((bytes, mode)) = there {
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let told = FileKeys::at(&path).keys().err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(told.is_empty(), says.is_empty(), "{name}: {told}");
        assert!(told.contains(says), "{name}: {told}");
        assert!(told.is_empty() || told.starts_with(&format!("{}: ", path.display())), "{name}: {told}");
    }
    let told = FileKeys::at(folder.path("")).keys().unwrap_err().to_string();
    assert!(told.contains("is not a regular file"), "{told}");
}

#[test]
fn a_new_file_is_its_owners_alone_and_never_takes_the_place_of_another() {
    let folder = Folder::new();
    let keys = FileKeys::at(folder.path("keys"));
    keys.create(&made()).unwrap();
    let mode = fs::metadata(keys.path()).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600);
    let before = fs::read(keys.path()).unwrap();
    let told = keys.create(&made()).unwrap_err().to_string();
    assert!(told.contains("exists already, and is never overwritten"), "{told}");
    assert_eq!(fs::read(keys.path()).unwrap(), before);
    assert_eq!(folder.entries(), ["keys"], "nothing is left beside it");
    let nowhere = FileKeys::at(folder.path("no/such/folder/keys")).create(&made()).unwrap_err().to_string();
    assert!(nowhere.contains("cannot be written beside it"), "{nowhere}");
}

#[test]
fn a_change_takes_the_files_place_whole_or_not_at_all() {
    let folder = Folder::new();
    let keys = FileKeys::at(folder.path("keys"));
    keys.create(&made()).unwrap();
    let before = fs::read(keys.path()).unwrap();
    let refused: Result<(), KeyError> = keys.change(|file| {
        file.rotate(at_second(9), Duration::ZERO, &SystemEntropy).unwrap();
        Err(KeyError::Derivation)
    });
    assert_eq!(refused, Err(KeyError::Derivation));
    assert_eq!((fs::read(keys.path()).unwrap(), folder.entries()), (before.clone(), vec!["keys".to_owned()]));

    // Somebody else is at it, or was killed.
    let left = folder.path("keys.new");
    fs::write(&left, "").unwrap();
    let told = rotate(&keys).unwrap_err().to_string();
    assert!(told.contains("another change is under way") && told.contains(&left.display().to_string()), "{told}");
    assert_eq!((fs::read(keys.path()).unwrap(), left.exists()), (before, true));
    fs::remove_file(left).unwrap();

    rotate(&keys).unwrap();
    assert_eq!(keys.read().unwrap().entries().count(), 2);
    assert_eq!(fs::metadata(keys.path()).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn a_link_to_a_key_file_stays_a_link() {
    let folder = Folder::new();
    FileKeys::at(folder.path("real")).create(&made()).unwrap();
    symlink(folder.path("real"), folder.path("link")).unwrap();
    let keys = FileKeys::at(folder.path("link"));
    rotate(&keys).unwrap();
    assert!(fs::symlink_metadata(keys.path()).unwrap().is_symlink());
    assert_eq!(FileKeys::at(folder.path("real")).read().unwrap().entries().count(), 2);
}

#[test]
fn the_clock_says_which_key_signs() {
    let folder = Folder::new();
    let clock = FakeClock::at(at_second(10));
    let keys = FileKeys::at(folder.path("keys")).clock(clock.clone());
    keys.create(&made()).unwrap();
    let new = keys.change(|file| Ok::<_, KeyError>(rotated(file, Duration::from_mins(10)))).unwrap().id;
    let signs = || KeyRing::from_source(&keys).unwrap().signing_id();
    assert_ne!(signs(), new);
    clock.set(at_second(610));
    assert_eq!(signs(), new);
}

#[test]
fn what_a_command_prints_is_read_as_a_file_is() {
    let whole = made().print().to_string();
    let shell =
        |script: &str| CommandKeys::new("sh").argument("-c").argument(script).argument("-").argument(whole.as_str());
    let ring = KeyRing::from_source(&shell("printf '%s' \"$1\"")).unwrap();
    assert_eq!(ring.ids().count(), 1);
    #[rustfmt::skip]
    let rows = [
        //  name           command                                             told
        ("not there",      CommandKeys::new("/no/such/command"),               "the command /no/such/command: cannot be started"),
        ("says nothing",   shell(""),                                          "the command sh: line 1: the file is empty"),
        ("fails",          shell("printf '%s' \"$1\"; exit 3"),                "the command sh: the command ended with exit status: 3"),
        ("says too much",  shell("head -c 70000 /dev/zero"),                   "has more than 65536 bytes"),
        ("does not end",   shell("exec sleep 600").limit(Duration::from_millis(100)), "did not end within 100ms"),
        ("closes, stays",  shell("exec >&-; exec sleep 600").limit(Duration::from_millis(100)), "did not end within 100ms"),
        ("prints another", shell("echo secret-of-somebody"),                   "line 1: this is not a key file"),
    ];
    for (name, keys, says) in rows {
        let told = keys.keys().unwrap_err().to_string();
        assert!(told.contains(says), "{name}: {told}");
        assert!(!told.contains("secret-of-somebody"), "{name}: {told}");
    }
    assert!(!format!("{:?}", shell("")).contains("key="), "an argument may be a secret");
}

fn rotate(keys: &FileKeys) -> Result<KeyEntry, KeyError> {
    keys.change(|file| Ok(rotated(file, Duration::ZERO)))
}

fn rotated(file: &mut KeyFile, signs_in: Duration) -> KeyEntry {
    file.rotate(at_second(10), signs_in, &SystemEntropy).unwrap()
}

/// What is in a file, and its mode.
type There<'a> = (&'a [u8], u32);

fn made() -> KeyFile {
    KeyFile::generate(at_second(0), KeyFile::SESSIONS_LAST, &SystemEntropy).unwrap()
}

const fn at_second(second: u64) -> Moment {
    Moment::from_unix_seconds(second)
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn entries(&self) -> Vec<String> {
        fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}
