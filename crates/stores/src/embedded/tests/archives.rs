//! Backups under load, restores, exports and imports, and what a check finds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Loaded, Store};
use futures_executor::block_on;

use super::records::{Keys, NOW, insert, load, visitor};
use crate::embedded::{Archive, EmbeddedStore, ImportError, OpenError, Sessions, import};

/// A store with a bit of everything, closed.
fn filled(keys: &Keys, folder: &std::path::Path) {
    let store = keys.open(folder);
    for number in 1..=50 {
        insert(&store, &keys.member("ada", number));
    }
    block_on(async {
        Store::end(&store, keys.member("ada", 1).id, None, EndReason::SignOut, NOW).await.unwrap();
        Store::end_subject(&store, keys.subject("grace"), None, EndReason::Admin, NOW).await.unwrap();
    });
}

#[test]
fn a_backup_taken_under_load_is_sound_and_ends_everybody() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let store = Arc::new(keys.open(&folder.path().join("store")));
    let done = Arc::new(AtomicBool::new(false));
    insert(&store, &keys.member("ada", 1));
    let (loaded, until) = (Arc::clone(&store), Arc::clone(&done));
    let load_on = std::thread::spawn(move || {
        let mut number = 0_u64;
        while !until.load(Ordering::SeqCst) {
            let mut record = visitor(9);
            let mut id = [0; 18];
            id[..8].copy_from_slice(&number.to_le_bytes());
            record.id = counterfoil_core::SessionId::from_bytes(id);
            insert(&loaded, &record);
            number += 1;
        }
        number
    });
    let copied = store.back_up(folder.path().join("backup"), &mut |_| {}).unwrap();
    done.store(true, Ordering::SeqCst);
    let written = load_on.join().unwrap();
    assert!(copied >= 2 && copied <= written + 2, "{copied} of {written}");
    let into = |name| folder.path().join(name);
    let refused = EmbeddedStore::open(into("backup"), keys.sealer(), crate::embedded::Settings::default());
    assert!(matches!(refused, Err(OpenError::IsBackup { .. })));
    let backup = Archive::open(into("backup"), keys.sealer()).unwrap();
    assert_eq!(backup.check(&mut |_| {}).unwrap().findings, []);
    for (name, sessions) in [("ended", Sessions::End), ("kept", Sessions::KeepAlthoughSignOutsAreForgotten)] {
        let restored = backup.restore(into(name), sessions, NOW, &mut |_| {}).unwrap();
        assert_eq!(restored, copied);
        let found = load(&keys.open(&into(name)), keys.member("ada", 1).id);
        match sessions {
            Sessions::End => assert!(matches!(found, Loaded::Ended(EndReason::Admin)), "{found:?}"),
            Sessions::KeepAlthoughSignOutsAreForgotten => assert!(matches!(found, Loaded::Live(_)), "{found:?}"),
        }
        let again = backup.restore(into(name), sessions, NOW, &mut |_| {});
        assert!(matches!(again, Err(OpenError::NotEmpty { .. })), "a restore overwrites nothing");
    }
}

#[test]
fn an_export_comes_back_as_it_was_and_nobody_is_signed_in() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    filled(&keys, &folder.path().join("store"));
    let archive = Archive::open(folder.path().join("store"), keys.sealer()).unwrap();
    let (before, mut lines) = (archive.stats(&mut |_| {}).unwrap(), Vec::new());
    archive.export(&mut lines, &mut |_| {}).unwrap();
    drop(archive);
    let label = "Firefox on Linux";
    let clear = String::from_utf8_lossy(&lines).lines().any(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let value = line.get("value").and_then(|value| STANDARD.decode(value.as_str()?).ok()).unwrap_or_default();
        memchr::memmem::find(&value, label.as_bytes()).is_some()
    });
    assert!(!clear, "an export holds what is to be sealed");
    let live = block_on(Store::load(&keys.open(&folder.path().join("store")), keys.member("ada", 2).id, NOW, None));
    assert!(matches!(live, Ok(Loaded::Live(live)) if live.record.member().unwrap().label.as_ref() == label));
    let into = folder.path().join("imported");
    import(&mut &lines[..], &into, &keys.sealer(), Sessions::End, NOW, &mut |_| {}).unwrap();
    let after = Archive::open(&into, keys.sealer()).unwrap().stats(&mut |_| {}).unwrap();
    assert_eq!(
        (after.sessions, after.tombstones, after.references),
        (before.sessions, before.tombstones, before.references)
    );
    assert!(matches!(load(&keys.open(&into), keys.member("ada", 2).id), Loaded::Ended(EndReason::Admin)));
}

#[test]
fn what_is_sealed_anew_needs_the_old_key_no_more() {
    use counterfoil_core::keys::{KeyError, KeyId, KeyMaterial, KeyRing, KeySource, RootKey, SharedRing};
    struct Of(&'static [u8]);
    impl KeySource for Of {
        fn keys(&self) -> Result<KeyMaterial, KeyError> {
            let key = |number: u8| {
                let bytes = (0..32).map(|place| place * 7 + number).collect();
                Ok::<_, KeyError>((KeyId::new(&format!("k{number}")).unwrap(), RootKey::new("key", bytes)?))
            };
            let (signing, others) = self.0.split_first().unwrap();
            let others = others.iter().map(|number| key(*number)).collect::<Result<_, _>>()?;
            KeyMaterial::new(key(*signing)?, others, RootKey::new("reference", (100..132).collect())?)
        }
    }
    let ring = |keys| SharedRing::new(KeyRing::from_source(&Of(keys)).unwrap());
    let folder = tempfile::tempdir().unwrap();
    filled(&Keys { ring: ring(&[1]) }, folder.path());
    let both = Archive::open(folder.path(), Keys { ring: ring(&[2, 1]) }.sealer()).unwrap();
    let resealed = both.reseal(&mut |_| {}).unwrap();
    assert_eq!((resealed.renewed, resealed.current, resealed.unreadable), (50, 0, 0));
    assert_eq!(both.reseal(&mut |_| {}).unwrap().current, 50);
    drop(both);
    let new = Keys { ring: ring(&[2]) };
    assert_eq!(Archive::open(folder.path(), new.sealer()).unwrap().check(&mut |_| {}).unwrap().findings, []);
    assert!(matches!(load(&new.open(folder.path()), new.member("ada", 2).id), Loaded::Live(_)));
}

type Is = fn(&ImportError) -> bool;

#[test]
fn an_export_that_was_cut_or_changed_is_refused_with_its_line() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    filled(&keys, &folder.path().join("store"));
    let mut lines = Vec::new();
    Archive::open(folder.path().join("store"), keys.sealer()).unwrap().export(&mut lines, &mut |_| {}).unwrap();
    let text = String::from_utf8(lines).unwrap();
    let all: Vec<_> = text.lines().collect();
    let joined = |lines: &[&str]| lines.join("\n") + "\n";
    let short = joined(&all[..all.len() - 1]);
    let mid_line = short.trim_end().strip_suffix("\"}").unwrap();
    let long = format!("{}\n{{\"line\":\"{}", all[0], "x".repeat(2 * 1024 * 1024));
    let fewer = joined(&[&all[..5], &all[6..]].concat());
    // The last character before the quote carries bits of the last byte: the tag.
    let changed = text.replacen("AQ", "AR", 4);
    let swapped = {
        let mut entries: Vec<_> = all.clone();
        let value = |line: &str| line.split("\"value\":").nth(1).unwrap().to_owned();
        let key = |line: &str| line.split("\"value\":").next().unwrap().to_owned();
        let (one, two) = (
            format!("{}\"value\":{}", key(all[3]), value(all[4])),
            format!("{}\"value\":{}", key(all[4]), value(all[3])),
        );
        (entries[3], entries[4]) = (&one, &two);
        joined(&entries)
    };
    #[rustfmt::skip]
    let rows: [(&str, &str, Is); 8] = [
        ("nothing",          "",       |error| matches!(error, ImportError::Cut { line: 0 })),
        ("cut",              &short,   |error| matches!(error, ImportError::Cut { line } if *line > 50)),
        ("cut in a line",    mid_line, |error| matches!(error, ImportError::Cut { line } if *line > 50)),
        ("an endless line",  &long,    |error| matches!(error, ImportError::Line { line: 2, what: "is longer than any of an export" })),
        ("a line is missing", &fewer,  |error| matches!(error, ImportError::Line { .. } | ImportError::Damaged { .. })),
        ("a letter changed", &changed, |error| matches!(error, ImportError::Line { .. } | ImportError::Damaged { .. } | ImportError::Open(_) | ImportError::OtherReferenceKey)),
        ("values swapped",   &swapped, |error| matches!(error, ImportError::Damaged { checked } if checked.findings.len() >= 2)),
        ("no export",        "{}\n",   |error| matches!(error, ImportError::Line { line: 1, .. })),
    ];
    for (name, text, is) in rows {
        let into = folder.path().join("imported");
        let error = import(&mut text.as_bytes(), &into, &keys.sealer(), Sessions::End, NOW, &mut |_| {}).unwrap_err();
        assert!(is(&error), "{name}: {error:?}");
        let refused = Archive::open(&into, keys.sealer()).map(|_| ()).unwrap_err();
        let begun = into.exists();
        assert!(matches!(refused, OpenError::Unfinished { .. }) || !begun, "{name}: {refused}");
    }
    let other = Keys::new().sealer();
    let error = import(&mut text.as_bytes(), folder.path().join("other"), &other, Sessions::End, NOW, &mut |_| {});
    assert!(matches!(error, Err(ImportError::OtherReferenceKey)));
}

#[test]
fn a_check_names_what_is_wrong() {
    use crate::embedded::Settings;
    use crate::embedded::disk::{Batch, Fjall, Opener as _, Space};
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    filled(&keys, folder.path());
    let disk = Fjall::new(&folder.path().join("engine"), &Settings::default()).open().unwrap();
    let [one, two, three] = [2, 3, 4].map(|number| *keys.member("ada", number).id.as_bytes());
    let mut flipped = disk.get(Space::Sessions, &one).unwrap().unwrap();
    *flipped.last_mut().unwrap() ^= 1;
    let other = disk.get(Space::Sessions, &three).unwrap().unwrap();
    let mut batch = Batch::default();
    batch.put(Space::Sessions, &one, flipped);
    batch.put(Space::Sessions, &two, other);
    batch.put(Space::Subjects, &[7; 16], vec![1]);
    batch.put(Space::References, &[&[7; 16][..], &[200; 18]].concat(), Vec::new());
    disk.write(&batch).unwrap();
    drop(disk);
    let checked = Archive::open(folder.path(), keys.sealer()).unwrap().check(&mut |_| {}).unwrap();
    let mut found: Vec<_> = checked.findings.iter().map(|finding| (finding.space, &*finding.key)).collect();
    let names = [2, 3].map(|number| keys.member("ada", number).id.to_string());
    let subject = "07".repeat(16);
    let reference = format!("{subject}{}", "c8".repeat(18));
    found.sort_unstable();
    let mut expected =
        vec![("references", &*reference), ("sessions", &*names[0]), ("sessions", &*names[1]), ("subjects", &*subject)];
    expected.sort_unstable();
    assert_eq!(found, expected, "{checked:?}");
}
