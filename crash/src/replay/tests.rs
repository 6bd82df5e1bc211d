//! Tables: what was done, and what a power cut leaves.

use std::path::PathBuf;

use super::*;

fn event(kind: Kind, handle: u32, number: u64, name: &str, rest: &[u8]) -> Event {
    Event { kind, handle, number, name: PathBuf::from(name), rest: rest.to_vec() }
}

fn open(handle: u32, name: &str) -> Event {
    event(Kind::Open, handle, 0, name, b"")
}

fn write(handle: u32, at: u64, bytes: &[u8]) -> Event {
    event(Kind::Write, handle, at, "", bytes)
}

/// Asked for and answered at once, where it is played.
fn sync(handle: u32) -> Event {
    event(Kind::Synced, handle, 0, "", b"")
}

fn folder(name: &str) -> Event {
    event(Kind::MakeFolder, 0, 0, name, b"")
}

fn rename(from: &str, to: &str) -> Event {
    event(Kind::Rename, 0, 0, from, to.as_bytes())
}

fn unlink(name: &str) -> Event {
    event(Kind::Unlink, 0, 0, name, b"")
}

const HONEST: Rules = Rules { sync: Sync::Honest, names: NamesLast::Folder };

fn played(rules: Rules, events: &[Event]) -> Disk {
    let mut disk = Disk::of(&Tree::default(), rules);
    for event in events {
        if *event == sync(event.handle) {
            disk.play(&Event { kind: Kind::SyncAsked, ..event.clone() }).unwrap();
        }
        disk.play(event).unwrap();
    }
    disk
}

/// The files of a tree with their text, zeros as `.`.
fn shown(tree: &Tree) -> String {
    let folder = tempfile::tempdir().unwrap();
    tree.put(folder.path()).unwrap();
    let files = tree.0.iter().map(|(name, item)| match item {
        Item::Folder => format!("{}/", name.display()),
        Item::File(_) => {
            let text = std::fs::read(folder.path().join(name)).unwrap();
            format!("{}={}", name.display(), String::from_utf8(text).unwrap().replace('\0', "."))
        }
    });
    files.collect::<Vec<_>>().join(" ")
}

/// All that a hundred cuts leave, each once.
fn cuts(rules: Rules, events: &[Event]) -> Vec<String> {
    let disk = played(rules, events);
    let mut found: Vec<_> = (0..200).map(|seed| shown(&disk.cut(&mut fastrand::Rng::with_seed(seed)))).collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn a_cut_leaves_what_was_synchronised_and_some_of_the_rest() {
    let made = || vec![open(1, "a"), write(1, 0, b"one"), sync(1), open(9, ""), sync(9)];
    let with = |more: &[Event]| [made(), more.to_vec()].concat();
    #[rustfmt::skip]
    let rows: [(&str, Vec<Event>, Vec<&str>); 9] = [
        ("all synchronised",               with(&[]),                                         vec!["a=one"]),
        ("a write under way",              with(&[write(1, 3, b"two")]),                      vec!["a=one", "a=one...", "a=onetwo"]),
        ("written over",                   with(&[write(1, 0, b"two")]),                      vec!["a=one", "a=two"]),
        ("a name nobody synchronised",     vec![open(1, "a"), write(1, 0, b"one"), sync(1)],  vec!["", "a=one"]),
        ("a name without its bytes",       vec![open(1, "a"), write(1, 0, b"one"), open(9, ""), sync(9)], vec!["a=", "a=...", "a=one"]),
        ("renamed",                        with(&[rename("a", "b")]),                         vec!["a=one", "b=one"]),
        ("removed",                        with(&[unlink("a")]),                              vec!["", "a=one"]),
        ("one after the other",            with(&[unlink("a"), open(2, "b")]),                vec!["", "a=one", "b="]),
        ("removed, but still written",     with(&[unlink("a"), sync(9), write(1, 0, b"x")]),  vec![""]),
    ];
    for (name, events, expected) in rows {
        assert_eq!(cuts(HONEST, &events), expected, "{name}");
    }
}

#[test]
fn what_is_written_while_it_synchronises_is_not_synchronised() {
    let asked = |number| event(Kind::SyncAsked, 1, number, "", b"");
    let synced = |number| event(Kind::Synced, 1, number, "", b"");
    let begin = || vec![open(1, "a"), open(9, ""), sync(9), write(1, 0, b"one")];
    let with = |more: &[Event]| [begin(), more.to_vec()].concat();
    #[rustfmt::skip]
    let rows: [(&str, Vec<Event>, Vec<&str>); 4] = [
        ("not answered yet",      with(&[asked(1)]),                                                    vec!["a=", "a=...", "a=one"]),
        ("written meanwhile",     with(&[asked(1), write(1, 0, b"two"), synced(1)]),                    vec!["a=one", "a=two"]),
        ("asked twice",           with(&[asked(1), write(1, 0, b"two"), asked(2), synced(2), synced(1)]), vec!["a=two"]),
        ("the older is answered", with(&[asked(1), write(1, 0, b"two"), asked(2), synced(1)]),          vec!["a=one", "a=two"]),
    ];
    for (name, events, expected) in rows {
        assert_eq!(cuts(HONEST, &events), expected, "{name}");
    }
}

#[test]
fn a_folder_is_lost_with_all_that_is_in_it() {
    let inside = [folder("d"), open(1, "d/a"), write(1, 0, b"one"), sync(1), open(2, "d"), sync(2)];
    assert_eq!(cuts(HONEST, &inside), ["", "d/ d/a=one"]);
    let journal = Rules { names: NamesLast::Journal, ..HONEST };
    assert_eq!(cuts(journal, &inside), ["d/ d/a=one"]);
}

#[test]
fn with_a_journal_names_come_in_order() {
    let journal = Rules { names: NamesLast::Journal, ..HONEST };
    let two = [folder("c"), folder("d"), open(1, "c/a"), open(2, "d/b"), rename("c/a", "c/e")];
    let found = cuts(journal, &two);
    assert_eq!(found, ["", "c/", "c/ c/a= d/", "c/ c/a= d/ d/b=", "c/ c/e= d/ d/b=", "c/ d/"]);
    assert!(cuts(HONEST, &two).contains(&"c/ d/ d/b=".to_owned()));
}

#[test]
fn a_disk_that_lies_keeps_nothing_for_sure() {
    let lying = Rules { sync: Sync::Lying, ..HONEST };
    let events = [open(1, "a"), write(1, 0, b"one"), sync(1), open(9, ""), sync(9)];
    assert!(cuts(lying, &events).contains(&String::new()));
    assert_eq!(cuts(HONEST, &events), ["a=one"]);
}

#[test]
fn a_long_write_is_torn_between_sectors() {
    let mut events = vec![open(1, "a"), sync(1), open(9, ""), sync(9), write(1, 10, &[b'x'; 1_500])];
    let disk = played(HONEST, &events);
    let Some(Node::File(content)) = disk.nodes.get(1) else { panic!("no file") };
    #[rustfmt::skip]
    let rows = [
        (Kept::Nothing,                         0),
        (Kept::First { edits: 0, sectors: 0 },  0),
        (Kept::First { edits: 0, sectors: 1 },  512),
        (Kept::First { edits: 0, sectors: 2 },  1_024),
        (Kept::First { edits: 0, sectors: 9 },  1_510),
        (Kept::First { edits: 1, sectors: 0 },  1_510),
        (Kept::Everything,                      1_510),
    ];
    for (kept, length) in rows {
        assert_eq!(content.left(&kept).length(), length, "{kept:?}");
    }
    events.push(sync(1));
    let found = cuts(HONEST, &events);
    assert_eq!(found.len(), 1);
}

#[test]
fn a_sector_is_never_older_in_one_half_than_in_the_other() {
    let first = [open(1, "a"), sync(1), open(9, ""), sync(9)];
    let events = [&first[..], &[write(1, 0, b"aa"), write(1, 2, b"bb")]].concat();
    let found = cuts(HONEST, &events);
    assert!(found.contains(&"a=aabb".to_owned()) && found.contains(&"a=aa..".to_owned()));
    assert!(!found.iter().any(|text| text.contains("..bb")), "{found:?}");
}

#[test]
fn without_a_cut_everything_is_there() {
    let events = [
        folder("d"),
        open(1, "d/a"),
        write(1, 0, b"one"),
        event(Kind::Length, 1, 5, "", b""),
        rename("d/a", "d/b"),
        open(2, "d/b"),
        write(2, 0, b"t"),
        folder("e"),
        event(Kind::RemoveFolder, 0, 0, "e", b""),
        event(Kind::Open, 3, 1, "c", b""),
    ];
    assert_eq!(shown(&played(HONEST, &events).live()), "c= d/ d/b=tne..");
}

#[test]
fn what_cannot_be_is_refused() {
    #[rustfmt::skip]
    let rows = [
        ("a handle nobody opened",      vec![write(7, 0, b"x")]),
        ("a folder that is not there",  vec![open(1, "d/a")]),
        ("a file that is not there",    vec![unlink("a")]),
        ("into another folder",         vec![folder("d"), open(1, "a"), rename("a", "d/a")]),
    ];
    for (name, events) in rows {
        let mut disk = Disk::of(&Tree::default(), HONEST);
        assert!(events.iter().any(|event| disk.play(event).is_err()), "{name}");
    }
}

#[test]
fn a_recording_goes_on_where_a_folder_was() {
    let before = played(HONEST, &[folder("d"), open(1, "d/a"), write(1, 0, b"one")]).live();
    let mut disk = Disk::of(&before, HONEST);
    disk.play(&open(1, "d/a")).unwrap();
    disk.play(&write(1, 0, b"t")).unwrap();
    assert_eq!(shown(&disk.live()), "d/ d/a=tne");
    assert_eq!(disk.live().difference(&before), Some(Path::new("d/a")));
}
