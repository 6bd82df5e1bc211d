//! Folders that are refused, each with what is wrong and what to do.

use std::fs;
use std::path::Path;

use counterfoil_core::keys::SharedRing;
use counterfoil_core::seal::Sealer;

use super::records::{Keys, OtherKeys, insert, visitor};
use crate::embedded::{EmbeddedStore, OpenError, Settings};

fn refused(folder: &Path, sealer: Sealer) -> OpenError {
    EmbeddedStore::open(folder, sealer, Settings::default()).unwrap_err()
}

#[test]
fn a_second_process_is_told_who_holds_the_folder() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let store = keys.open(folder.path());
    let error = refused(folder.path(), keys.sealer());
    assert!(matches!(&error, OpenError::InUse { pid: Some(pid), .. } if *pid == std::process::id()), "{error}");
    let text = error.to_string();
    assert!(text.contains(&folder.path().display().to_string()) && text.contains("stop that process"), "{text}");
    drop(store);
    keys.open(folder.path());
}

type Spoil = fn(&Path);
type Is = fn(&OpenError) -> bool;

#[test]
fn folders_that_are_no_store_of_ours_are_refused() {
    fn edit(file: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).unwrap();
    }
    #[rustfmt::skip]
    let rows: [(&str, Spoil, Is, &str); 6] = [
        ("files of somebody else",
            |folder| { fs::remove_dir_all(folder).unwrap(); fs::create_dir(folder).unwrap(); fs::write(folder.join("notes"), "x").unwrap() },
            |error| matches!(error, OpenError::NotAStore { .. }), "neither empty nor a session store"),
        ("a newer format",
            |folder| edit(&folder.join("COUNTERFOIL"), "format = 2", "format = 9"),
            |error| matches!(error, OpenError::NewerFormat { found: 9, known: 2, .. }), "format 9"),
        ("a description that is none",
            |folder| edit(&folder.join("COUNTERFOIL"), "kind = store", "kind = barn"),
            |error| matches!(error, OpenError::Description { line: 3, .. }), "line 3"),
        ("an empty description",
            |folder| fs::write(folder.join("COUNTERFOIL"), "").unwrap(),
            |error| matches!(error, OpenError::Description { line: 1, .. }), "line 1"),
        ("the sessions taken away",
            |folder| fs::remove_dir_all(folder.join("engine")).unwrap(),
            |error| matches!(error, OpenError::EngineMissing { .. }), "restore a backup"),
        ("a backup in its place",
            |folder| edit(&folder.join("COUNTERFOIL"), "kind = store", "kind = backup"),
            |error| matches!(error, OpenError::IsBackup { .. }), "store restore"),
    ];
    for (name, spoil, is, says) in rows {
        let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
        insert(&keys.open(folder.path()), &visitor(1));
        spoil(folder.path());
        let before = listing(folder.path());
        let error = refused(folder.path(), keys.sealer());
        assert!(is(&error), "{name}: {error:?}");
        assert!(error.to_string().contains(says), "{name}: {error}");
        assert_eq!(listing(folder.path()), before, "{name}: something was changed");
    }
}

#[cfg(unix)]
#[test]
fn a_new_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let path = folder.path().join("sessions");
    drop(keys.open(&path));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn another_reference_key_is_refused() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    drop(keys.open(folder.path()));
    let other = Sealer::new(SharedRing::from_source(&OtherKeys).unwrap());
    assert!(matches!(refused(folder.path(), other), OpenError::OtherReferenceKey { .. }));
}

#[test]
fn a_beginning_that_was_cut_short_begins_again() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    drop(keys.open(folder.path()));
    fs::rename(folder.path().join("COUNTERFOIL"), folder.path().join("COUNTERFOIL.begun")).unwrap();
    fs::remove_file(folder.path().join("engine/version")).unwrap();
    insert(&keys.open(folder.path()), &visitor(1));
    assert!(folder.path().join("COUNTERFOIL").exists());
}

fn listing(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.filter(|name| name != "lock").collect();
    names.sort();
    names
}
