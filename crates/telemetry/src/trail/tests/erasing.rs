//! What is gone of somebody, what stays of others, and that the trail says so.

use super::*;

/// Ada signs in, works, signs out; Bob signs in at the same browser.
fn a_day(trail: &mut Trail) {
    let created = |previous| EventKind::SessionCreated { previous };
    let all = [
        (None, 1, created(None)),
        (Some(ADA), 2, created(Some(session(1)))),
        (None, 2, EventKind::TokenRolledBack),
        (None, 7, EventKind::TokenForged),
        (Some(ADA), 2, EventKind::SteppedUp),
        (None, 1, EventKind::WriteDropped),
        (Some(BOB), 3, created(Some(session(2)))),
        (None, 3, EventKind::TokenRolledBack),
        (Some(BOB), 3, EventKind::SteppedUp),
    ];
    for (second, (subject, number, kind)) in (0..).zip(all) {
        trail.take(&told(second, subject, Some(session(number)), kind));
    }
    trail.rest();
}

fn erased(folder: &Path) -> Vec<u64> {
    let entries = read(folder, Filter::default()).unwrap().map(Result::unwrap);
    entries.filter(|entry| matches!(entry.content, Content::Erased { .. })).map(|entry| entry.number).collect()
}

#[test]
fn all_that_is_about_somebody_goes_and_nothing_else() {
    //  who   entries that go
    for (who, gone) in [(ADA, vec![1, 2, 3, 5, 6]), (BOB, vec![7, 8, 9]), (SubjectRef::from_bytes([5; 16]), vec![])] {
        let folder = tempfile::tempdir().unwrap();
        let mut trail = open(folder.path());
        a_day(&mut trail);
        let before = verify(folder.path(), None).unwrap();
        let result = erase(folder.path(), who, Moment::from_unix_seconds(100)).unwrap();
        assert_eq!((erased(folder.path()), result.entries), (gone.clone(), gone.len() as u64), "{who}");
        let after = verify(folder.path(), before.head).unwrap();
        assert_eq!((after.erased, after.unfinished), (result.entries, 0), "and what was noted before is still in it");
        let text = all_text(folder.path());
        assert!(!text.contains(&format!(r#""user.hash":"{who}""#)));
        assert_eq!(
            erase(folder.path(), who, Moment::from_unix_seconds(101)).unwrap().entries,
            0,
            "a second time there is nothing"
        );
        tell(&mut trail, [200]);
        assert_eq!(verify(folder.path(), None).unwrap().entries, after.entries + 1, "and whoever writes goes on");
    }
}

#[test]
fn neither_event_nor_salt_is_left_anywhere_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    a_day(&mut open(folder.path()));
    let before = all_text(folder.path());
    let secret = |line: &str| line.split_once(r#""salt":""#).unwrap().1[..22].to_owned();
    let salts: Vec<_> = [0, 1, 2, 4, 5].map(|line| secret(before.lines().nth(line).unwrap())).into();
    erase(folder.path(), ADA, Moment::from_unix_seconds(100)).unwrap();
    for file in fs::read_dir(folder.path()).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(salts.iter().all(|salt| !text.contains(salt)));
        assert!(!text.contains(&session(1).to_string()));
    }
}

#[test]
fn who_erases_without_saying_so_is_found() {
    let folder = tempfile::tempdir().unwrap();
    a_day(&mut open(folder.path()));
    erase(folder.path(), ADA, Moment::from_unix_seconds(100)).unwrap();
    let [path] = segments(folder.path()).try_into().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    // Bob's last, in the manner of an erased one.
    let note = lines[0].split_once(r#","erased""#).unwrap().1.to_owned();
    let kept = lines[8].split_once(r#","salt""#).unwrap().0.to_owned();
    lines[8] = format!(r#"{kept},"erased"{note}"#);
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    let found = verify(folder.path(), None).unwrap_err().to_string();
    assert_eq!(found, "trail-000000000001.jsonl, line 9: the event was removed, and no erasure is recorded");
}

#[test]
fn an_erasure_that_was_stopped_shows_and_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    a_day(&mut open(folder.path()));
    let [path] = segments(folder.path()).try_into().unwrap();
    let before = fs::read_to_string(&path).unwrap();
    erase(folder.path(), ADA, Moment::from_unix_seconds(100)).unwrap();
    // Said, and not done.
    let record = fs::read_to_string(&path).unwrap().lines().last().unwrap().to_owned() + "\n";
    fs::write(&path, before + &record).unwrap();
    fs::write(folder.path().join("erasing.tmp"), "half of it").unwrap();
    assert_eq!(verify(folder.path(), None).unwrap().unfinished, 5);
    erase(folder.path(), ADA, Moment::from_unix_seconds(200)).unwrap();
    let found = verify(folder.path(), None).unwrap();
    assert_eq!((found.unfinished, found.erased), (0, 5));
    assert!(!folder.path().join("erasing.tmp").exists());
}

#[test]
fn somebody_with_many_entries_among_others_is_erased_and_recorded_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let mut trail = open(folder.path());
    for second in 0..2_500 {
        trail.take(&told(second, Some(ADA), None, EventKind::SteppedUp));
        trail.take(&told(second, Some(BOB), None, EventKind::SteppedUp));
    }
    trail.rest();
    assert_eq!(erase(folder.path(), ADA, Moment::from_unix_seconds(9_000)).unwrap().entries, 2_500);
    let found = verify(folder.path(), None).unwrap();
    assert_eq!((found.entries, found.erased, found.unfinished), (5_003, 2_500, 0));
    assert!(all_text(folder.path()).lines().all(|line| line.len() < 16_000));
}

#[test]
fn a_program_writes_on_while_somebody_is_erased() {
    let folder = tempfile::tempdir().unwrap();
    let mut trail = open(folder.path());
    a_day(&mut trail);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            (100..300).for_each(|second| tell(&mut trail, [second, second * DAY / 50]));
            trail.lost().count()
        });
        while !writing.is_finished() {
            erase(folder.path(), ADA, Moment::from_unix_seconds(100)).unwrap();
            erase(folder.path(), SubjectRef::from_bytes([8; 16]), Moment::from_unix_seconds(100)).unwrap();
        }
        assert_eq!(writing.join().unwrap(), 0);
    });
    let found = verify(folder.path(), None).unwrap();
    assert_eq!((found.entries, found.erased), (9 + 1 + 400, 5));
}

#[test]
fn a_reader_gets_the_entries_that_it_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    a_day(&mut open(folder.path()));
    let numbers =
        |filter| -> Vec<_> { read(folder.path(), filter).unwrap().map(|entry| entry.unwrap().number).collect() };
    let second = Moment::from_unix_seconds;
    //  filter                                                                        entries
    let table = [
        (Filter::default(), vec![1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (Filter { subject: Some(ADA), ..Filter::default() }, vec![2, 5]),
        (Filter { session: Some(session(2)), ..Filter::default() }, vec![2, 3, 5, 7]),
        (Filter { events: vec!["session.created".into()], ..Filter::default() }, vec![1, 2, 7]),
        (Filter { events: vec!["token.*".into()], subject: Some(BOB), ..Filter::default() }, vec![]),
        (Filter { from: Some(second(3)), until: Some(second(5)), ..Filter::default() }, vec![4, 5]),
    ];
    for (filter, expected) in table {
        assert_eq!(numbers(filter.clone()), expected, "{filter:?}");
    }
    let [path] = segments(folder.path()).try_into().unwrap();
    let text = fs::read_to_string(&path).unwrap().replacen(r#""lost":0"#, r#""lost":7"#, 1);
    fs::write(&path, text).unwrap();
    let all: Vec<_> = read(folder.path(), Filter::default()).unwrap().collect();
    assert_eq!(
        (all.iter().filter(|one| one.is_err()).count(), all.len()),
        (1, 9),
        "what was changed is said in its place"
    );
}
