//! The file itself: what is written reads back, and what is damaged lets nobody in.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_file_reads_back_as_it_was_printed(
        accounts in proptest::collection::vec(("[a-z0-9][a-z0-9._+@-]{0,63}", any::<[u32; 4]>(), any::<[bool; 2]>(), any::<Vec<u8>>(), 0..=i64::MAX as u64), 0..6),
    ) {
        let password = hash(OLD);
        let book: Book = accounts.into_iter().map(|(text, times, [disabled, totp], sealed, used)| {
            let [created, changed, since, off] = times.map(|time| at(time.into()));
            let totp = totp.then(|| Totp { sealed: sealed.clone(), since, used });
            (name(&text), Account { password: password.clone(), created, changed, disabled: disabled.then_some(off), totp })
        }).collect();
        prop_assert_eq!(format::read(&format::print(&book).unwrap()).unwrap(), book);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _ = format::read(&text);
        let _ = note::Note::read(&text);
    }
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused() {
    let mut book = Book::default();
    for text in ["ada", "grace"] {
        book.add(name(text), hash(OLD), at(1)).unwrap();
        book.set_totp(&name(text), vec![1, 2, 3], 7, at(2)).unwrap();
    }
    let whole = format::print(&book).unwrap();
    assert_eq!(format::read(&whole).unwrap(), book);
    // Without its last line break it is whole.
    for end in 0..whole.len() - 1 {
        assert!(format::read(&whole[..end]).is_err(), "cut at {end}: {}", &whole[..end]);
    }
}

#[test]
fn what_is_wrong_with_a_file_is_named() {
    let good = format::print(&[(name("ada"), account())].into_iter().collect()).unwrap();
    #[rustfmt::skip]
    let table = [
        ("a newer format",     good.replace("format = 1", "format = 2\nkeys = []"), "newer version (format 2; this one reads 1)"),
        ("no format",          good.replace("format = 1", ""),                 "missing field `format`"),
        ("an account missing", good.replace("accounts = 1", "accounts = 2"),   "holds 1 accounts and says 2"),
        ("an unknown key",     good.replace("created =", "admin = true\ncreated ="), "unknown field `admin`"),
        ("a bad name",         good.replace("account.ada", "account.Ada"),     "`Ada` cannot be the name of an account"),
        ("a plain password",   good.replace("$argon2id$", "$plain$"),          "account `ada`: its `password`: not an argon2id hash"),
        ("a bad time",         good.replace("created = \"", "created = \"x"),  "account `ada`: its `created` is not a time"),
        ("a bad secret",       good.replace("sealed = \"", "sealed = \"*"),    "account `ada`: its `totp.sealed`"),
        ("twice",              good.replace("[end]", "[account.ada]\n[end]"),  "duplicate key"),
        ("empty",              String::new(),                                  "missing field `format`"),
    ];
    for (what, text, says) in table {
        let error = format::read(&text).unwrap_err();
        let mut said = error.to_string();
        if let Some(source) = std::error::Error::source(&error) {
            said = format!("{said}: {source}");
        }
        assert!(said.contains(says), "{what}: {said}");
    }
}

fn account() -> Account {
    let totp = Some(Totp { sealed: vec![1, 2, 3], since: at(2), used: 7 });
    Account { password: hash(OLD), created: at(1), changed: at(1), disabled: None, totp }
}

#[test]
fn a_file_is_its_owners_alone_and_refused_otherwise() {
    let place = Place::new();
    let file = place.path("accounts.toml");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    place.folder().change(Some((&name("ada"), AccountChange::PasswordReset)), |_| Ok(())).unwrap();
    assert_eq!((mode(&file), mode(&place.path("changes")), mode(&place.path("accounts.lock"))), (0o600, 0o700, 0o600));
    for open in [0o640, 0o604, 0o660] {
        fs::set_permissions(&file, fs::Permissions::from_mode(open)).unwrap();
        let error = place.folder().read().unwrap_err();
        assert!(error.path.ends_with("accounts.toml") && error.problem.to_string().contains("chmod 600"), "{error:?}");
    }
}

#[test]
fn what_is_no_file_of_accounts_is_said() {
    let place = Place::new();
    fs::remove_file(place.path("accounts.toml")).unwrap();
    assert!(place.folder().read().unwrap().is_empty(), "none yet is fine");
    fs::create_dir(place.path("accounts.toml")).unwrap();
    assert_eq!(place.folder().read().unwrap_err().problem.to_string(), "is not a file");
    let nowhere = Folder::at(place.path("no/such/folder"));
    let error = nowhere.change(None, |_| Ok(())).unwrap_err();
    assert!(
        matches!(error, ChangeFailed::Files(AccountsError { problem: AccountsProblem::NoFolder, .. })),
        "{error:?}"
    );
}

#[test]
fn of_two_changes_at_once_both_are_kept() {
    let place = Place::new();
    let folder = place.folder();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let folder = folder.clone();
            let password = hash(OLD);
            scope.spawn(move || folder.change(None, |book| book.add(name(&format!("user{number}")), password, at(1))));
        }
    });
    assert_eq!(folder.read().unwrap().len(), 9);
}

#[test]
fn a_draft_that_a_crash_left_is_in_nobodys_way() {
    let place = Place::new();
    fs::write(place.path("accounts.toml.new"), "half of a f").unwrap();
    place.folder().change(None, |book| book.disable(&name("ada"), at(5))).unwrap();
    assert_eq!(place.folder().read().unwrap().get(&name("ada")).unwrap().disabled, Some(at(5)));
    assert!(!place.path("accounts.toml.new").exists());
}
