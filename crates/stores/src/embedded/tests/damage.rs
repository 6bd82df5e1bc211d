//! Files of the engine that were cut or changed: refused or harmless, never another answer.

use std::fs;
use std::path::{Path, PathBuf};

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Loaded, Store, StoreError};
use futures_executor::block_on;

use super::records::{Keys, NOW, insert};
use crate::embedded::disk::{Fjall, Opener as _};
use crate::embedded::{EmbeddedStore, Settings};

#[test]
fn a_damaged_file_is_refused_or_harmless() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let sound = folder.path().join("sound");
    {
        let store = keys.open(&sound);
        for number in 1..=30 {
            insert(&store, &keys.member("ada", number));
        }
        for number in 1..=10 {
            let id = keys.member("ada", number).id;
            block_on(Store::end(&store, id, None, EndReason::SignOut, NOW)).unwrap();
        }
    }
    // One more write, whose loss is not looked at: a damaged last one cannot be told from a torn one.
    insert(&keys.open(&sound), &keys.member("grace", 99));
    // Once more opened, so that there is more than a journal.
    drop(Fjall::new(&sound.join("engine"), &Settings::default()).open().unwrap().bytes());
    let (mut refused, mut harmless) = (0, 0);
    for file in files(&sound.join("engine")) {
        let length = fs::metadata(&file).unwrap().len();
        for place in [0, length / 3, length / 2, length.saturating_sub(1)] {
            for damage in [Damage::Flip(place), Damage::Cut(place)] {
                let damaged = folder.path().join("damaged");
                copy(&sound, &damaged);
                damage.apply(&damaged.join(file.strip_prefix(&sound).unwrap()));
                match EmbeddedStore::open(&damaged, keys.sealer(), Settings::default()) {
                    Err(_) => refused += 1,
                    Ok(store) => {
                        harmless += 1;
                        // A journal without its end is what a power cut leaves before anything was answered; nothing tells
                        // it from one whose end was taken away.
                        let shorter = file.extension().is_some_and(|kind| kind == "jnl") && damage.is_cut();
                        assert_no_other_answer(&keys, &store, shorter, &format!("{} {damage:?}", file.display()));
                    }
                }
                fs::remove_dir_all(&damaged).unwrap();
            }
        }
    }
    assert!(refused > 0 && harmless > 0, "{refused} refused, {harmless} harmless");
}

/// What ended is not live; what lives is as it was, or an error. A `shorter` history may end before the end.
fn assert_no_other_answer(keys: &Keys, store: &EmbeddedStore, shorter: bool, what: &str) {
    for number in 1..=30 {
        let record = keys.member("ada", number);
        match block_on(Store::load(store, record.id, NOW, None)) {
            Ok(Loaded::Live(live)) => {
                assert!(number > 10 || shorter, "{what}: session {number} lives again");
                assert_eq!(*live.record, record, "{what}");
            }
            Ok(Loaded::Ended(reason)) => assert_eq!((number <= 10, reason), (true, EndReason::SignOut), "{what}"),
            Ok(Loaded::Absent) => assert!(shorter, "{what}: session {number} is absent"),
            Err(StoreError::Corrupt { .. } | StoreError::Unavailable(_)) => {}
            Err(other) => panic!("{what}: {other}"),
        }
    }
}

#[derive(Debug)]
enum Damage {
    Flip(u64),
    Cut(u64),
}

impl Damage {
    const fn is_cut(&self) -> bool {
        matches!(self, Self::Cut(_))
    }

    fn apply(&self, file: &Path) {
        let mut bytes = fs::read(file).unwrap();
        match *self {
            Self::Flip(place) => {
                if let Some(byte) = bytes.get_mut(usize::try_from(place).unwrap()) {
                    *byte ^= 1;
                }
            }
            Self::Cut(place) => bytes.truncate(usize::try_from(place).unwrap()),
        }
        fs::write(file, bytes).unwrap();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copy(from: &Path, into: &Path) {
    fs::create_dir_all(into).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = into.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &name);
        } else {
            let _ = fs::copy(&path, &name).unwrap();
        }
    }
}
