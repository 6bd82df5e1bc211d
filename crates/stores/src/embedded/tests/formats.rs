//! Folders that an earlier program made: what is written in them, before and after an operator raises it.

use std::fs;
use std::path::Path;

use counterfoil_core::SessionId;
use counterfoil_core::rules::Presented;
use counterfoil_core::store::{Activity, Loaded, Revision, Store};
use counterfoil_core::stored::Format;
use futures_executor::block_on;

use super::records::{Keys, NOW, data, insert, load};
use crate::embedded::disk::Space;
use crate::embedded::{Archive, EmbeddedStore, OpenError, Sessions, Settings, import};

/// A folder as the program that knew format 1 alone made it.
fn earlier(keys: &Keys, folder: &Path) {
    drop(keys.open(folder));
    say(folder, "format = 2", "format = 1");
    let store = keys.open(folder);
    for number in 1..=3 {
        insert(&store, &keys.member("ada", number));
    }
}

fn say(folder: &Path, from: &str, to: &str) {
    let (file, text) = (folder.join("COUNTERFOIL"), description(folder));
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replace(from, to)).unwrap();
}

fn description(folder: &Path) -> String {
    fs::read_to_string(folder.join("COUNTERFOIL")).unwrap()
}

/// The first byte of what lies there.
fn version(store: &EmbeddedStore, id: SessionId) -> u8 {
    store.shared.disk().unwrap().get(Space::Sessions, id.as_bytes()).unwrap().unwrap()[0]
}

fn is_live(store: &EmbeddedStore, id: SessionId) -> bool {
    matches!(load(store, id), Loaded::Live(_))
}

#[test]
fn a_folder_is_written_in_its_format_until_an_operator_raises_it() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let path = folder.path();
    let ids = [1, 2, 3, 4, 5].map(|number| keys.member("ada", number).id);
    earlier(&keys, path);
    let store = keys.open(path);
    assert_eq!(store.format(), Format::One);
    insert(&store, &keys.member("ada", 4));
    block_on(Store::commit(&store, ids[0], Revision(0), data(b"new"), NOW)).unwrap();
    assert_eq!(ids[..4].iter().map(|id| version(&store, *id)).collect::<Vec<_>>(), [1, 1, 1, 1]);
    drop(store);

    let (archive, before) = (Archive::open(path, keys.sealer()).unwrap(), description(path));
    assert_eq!(archive.format(), Format::One);
    assert!(archive.migrate().unwrap());
    assert_eq!(description(path), before.replace("format = 1", "format = 2"));
    assert_eq!((archive.format(), archive.migrate().unwrap()), (Format::Two, false), "once");
    let stats = archive.stats(&mut |_| {}).unwrap();
    assert_eq!((stats.sessions, stats.earlier, stats.unreadable), (4, 4, 0), "nothing is written anew by it");
    drop(archive);

    let store = keys.open(path);
    assert!(ids[..4].iter().all(|id| is_live(&store, *id)));
    insert(&store, &keys.member("ada", 5));
    block_on(Store::commit(&store, ids[0], Revision(1), data(b"newer"), NOW)).unwrap();
    let member = keys.member("ada", 2);
    let later = NOW + member.limits.touch_step();
    let token = Presented { generation: 0, hash: member.family.current };
    let activity = Activity { token: Some(token), limits: member.limits };
    block_on(Store::load(&store, ids[1], later, Some(activity))).unwrap();
    drop(store);
    let store = keys.open(path);
    assert_eq!(ids.map(|id| version(&store, id)), [2, 1, 1, 1, 2], "changed, touched, left alone twice, new");
    assert!(matches!(load(&store, ids[0]), Loaded::Live(live) if live.record.data.as_bytes() == b"newer"));
    assert!(matches!(load(&store, ids[1]), Loaded::Live(live) if live.seen_at == later));
    drop(store);

    let archive = Archive::open(path, keys.sealer()).unwrap();
    assert_eq!(archive.stats(&mut |_| {}).unwrap().earlier, 3);
    let resealed = archive.reseal(&mut |_| {}).unwrap();
    assert_eq!((resealed.renewed, resealed.current), (3, 2), "those that are written as they should be are left alone");
    assert_eq!(archive.stats(&mut |_| {}).unwrap().earlier, 0);
    assert_eq!(archive.check(&mut |_| {}).unwrap().findings, []);
}

#[test]
fn what_is_made_of_a_folder_has_its_format_and_what_is_new_the_latest() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let into = |name: &str| folder.path().join(name);
    earlier(&keys, &into("earlier"));
    drop(keys.open(&into("new")));
    for (from, expected) in [("earlier", Format::One), ("new", Format::Two)] {
        let of = |what: &str| into(&format!("{what} of {from}"));
        let archive = Archive::open(into(from), keys.sealer()).unwrap();
        archive.back_up(of("backup"), &mut |_| {}).unwrap();
        let mut lines = Vec::new();
        archive.export(&mut lines, &mut |_| {}).unwrap();
        drop(archive);
        keys.open(&into(from)).back_up(of("copy"), &mut |_| {}).unwrap();
        for backup in ["backup", "copy"] {
            let (backup, restored) = (of(backup), of(&format!("restored {backup}")));
            Archive::open(backup, keys.sealer()).unwrap().restore(&restored, Sessions::End, NOW, &mut |_| {}).unwrap();
            assert_eq!(keys.open(&restored).format(), expected, "{}", restored.display());
        }
        import(&mut &lines[..], of("import"), &keys.sealer(), Sessions::End, NOW, &mut |_| {}).unwrap();
        assert_eq!(keys.open(&of("import")).format(), expected);
        assert_eq!(keys.open(&into(from)).format(), expected);
    }
}

#[test]
fn a_migration_that_was_cut_short_leaves_the_folder_as_it_was_and_a_newer_one_is_refused() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let path = folder.path();
    earlier(&keys, path);
    fs::write(path.join("COUNTERFOIL.new"), "Counterfoil sess").unwrap();
    assert_eq!(keys.open(path).format(), Format::One);
    Archive::open(path, keys.sealer()).unwrap().migrate().unwrap();
    let sealer = keys.sealer();
    let opened = EmbeddedStore::open(path, sealer.clone(), Settings::default()).unwrap().format();
    assert_eq!(
        (opened, sealer.format()),
        (Format::Two, Format::One),
        "what others do with the same keys is their affair"
    );
    // As the program before this one sees a folder of format 2.
    say(path, "format = 2", "format = 3");
    let error = EmbeddedStore::open(path, keys.sealer(), Settings::default()).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { found: 3, known: 2, .. }), "{error:?}");
}
