//! What a running gateway makes of the file, of notes, and of people's own changes; a crash loses nothing.

use super::*;

#[tokio::test]
async fn a_name_and_its_password_belong_together_for_one_hash_either_way() {
    let place = Place::new();
    place.folder().change(None, |book| book.add(name("grace"), hash(NEW), at(1))).unwrap();
    place.folder().change(None, |book| book.disable(&name("grace"), at(1))).unwrap();
    let accounts = place.accounts();
    let long = "x".repeat(100_000);
    #[rustfmt::skip]
    let table = [
        ("the right one",       Some(name("ada")),     OLD,            true),
        ("a wrong one",         Some(name("ada")),     NEW,            false),
        ("none",                Some(name("ada")),     "",             false),
        ("one that is too long", Some(name("ada")),    long.as_str(),  false),
        ("nobody's name",       Some(name("mallory")), OLD,            false),
        ("no name at all",      None,                  OLD,            false),
        ("what nobody has",     None, "nobody has this password",      false),
        ("a disabled account",  Some(name("grace")),   NEW,            false),
    ];
    for (count, (what, name, password, right)) in (1..).zip(table) {
        let verified = accounts.verify(name.as_ref(), Password::new(password)).await.unwrap();
        let expected =
            if right { Verified::Yes { name: super::tests::name("ada"), takes_a_code: false } } else { Verified::No };
        assert_eq!((verified, accounts.passwords_checked()), (expected, count), "{what}");
    }
}

#[tokio::test]
async fn what_an_operator_changes_is_in_force_and_told_once() {
    let place = Place::new();
    let (accounts, gateway) = (place.accounts(), place.gateway());
    assert_eq!(settle(&accounts, &gateway).await.unwrap(), 0);
    let told = Some((&name("ada"), AccountChange::PasswordReset));
    place.folder().change(told, |book| book.set_password(&name("ada"), hash(NEW), at(9))).unwrap();
    assert!(knows(&accounts, OLD).await, "not yet looked at");
    assert_eq!(settle(&accounts, &gateway).await.unwrap(), 1);
    assert!(knows(&accounts, NEW).await && !knows(&accounts, OLD).await);
    assert_eq!((settle(&accounts, &gateway).await.unwrap(), place.notes()), (0, 0));
    let told = Some((&name("ada"), AccountChange::AccountDisabled));
    place.folder().change(told, |book| book.disable(&name("ada"), at(9))).unwrap();
    assert_eq!(settle(&accounts, &gateway).await.unwrap(), 1);
    assert!(!knows(&accounts, NEW).await);
    place.folder().change(None, |book| book.enable(&name("ada"))).unwrap();
    assert_eq!(settle(&accounts, &gateway).await.unwrap(), 0);
    assert!(knows(&accounts, NEW).await, "a change that tells no session is seen as well");
    assert_eq!(place.triggers(), [Trigger::PasswordReset, Trigger::AccountDisabled]);
}

#[tokio::test]
async fn a_change_made_while_the_gateway_was_down_is_told_by_the_next_one() {
    let place = Place::new();
    let told = Some((&name("ada"), AccountChange::MfaChanged));
    place.folder().change(told, |_| Ok(())).unwrap();
    let (accounts, gateway) = (place.accounts(), place.gateway());
    assert_eq!(settle(&accounts, &gateway).await.unwrap(), 1);
    assert_eq!(place.triggers(), [Trigger::MfaChanged]);
}

/// Wherever a change is cut short, its note is there if the file says what the note is about: sessions end once too often
/// at most, and never go on with an account that was changed.
#[tokio::test]
async fn a_crash_anywhere_repeats_and_never_loses() {
    for (crash, changed, told) in [
        ("before the note", false, 0),
        ("in the note", false, 0),
        ("after the note", false, 1),
        ("in the file", false, 1),
        ("after the file", true, 1),
        ("after the sessions were told", true, 1),
    ] {
        let place = Place::new();
        let (accounts, gateway) = (place.accounts(), place.gateway());
        let locked = place.folder().lock().unwrap();
        let mut book = place.folder().read().unwrap();
        book.set_password(&name("ada"), hash(NEW), at(9)).unwrap();
        let leave = || locked.leave(&name("ada"), AccountChange::PasswordReset).unwrap();
        match crash {
            "before the note" => {}
            "in the note" => {
                let left = leave();
                fs::rename(&left.path, left.path.with_extension("new")).unwrap();
            }
            "after the note" => drop(leave()),
            "in the file" => {
                drop(leave());
                fs::write(place.path("accounts.toml.new"), "half").unwrap();
            }
            _ => {
                drop(leave());
                locked.write(&book).unwrap();
            }
        }
        assert_eq!(settle(&accounts, &gateway).await.unwrap(), 0, "{crash}: not while it is under way");
        drop(locked);
        if crash == "after the sessions were told" {
            let copy: Vec<_> =
                fs::read_dir(place.path("changes")).unwrap().map(|entry| entry.unwrap().path()).collect();
            let text = fs::read_to_string(&copy[0]).unwrap();
            settle(&accounts, &gateway).await.unwrap();
            private::replace(&copy[0], &text).unwrap();
        }
        let before = place.triggers().len();
        assert_eq!(settle(&accounts, &gateway).await.unwrap(), told, "{crash}");
        assert_eq!(place.triggers().len() - before, told, "{crash}");
        assert_eq!((knows(&accounts, NEW).await, knows(&accounts, OLD).await), (changed, !changed), "{crash}");
        assert_eq!(place.notes(), 0, "{crash}");
    }
}

#[tokio::test]
async fn a_note_that_cannot_be_read_holds_up_no_other_and_is_left() {
    let place = Place::new();
    let (accounts, gateway) = (place.accounts(), place.gateway());
    place.folder().change(Some((&name("ada"), AccountChange::PasswordReset)), |_| Ok(())).unwrap();
    private::replace(
        &place.path("changes/0-strange"),
        "format = 1\naccount = \"ada\"\nchange = \"renamed\"\nat = \"x\"",
    )
    .unwrap();
    private::replace(&place.path("changes/9-newer"), "format = 2\nwhat = 1").unwrap();
    let error = settle(&accounts, &gateway).await.unwrap_err();
    assert!(error.to_string().contains("0-strange"), "{error}");
    assert_eq!((place.triggers().len(), place.notes()), (1, 2));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_changes_nothing() {
    let place = Place::new();
    let (accounts, gateway) = (place.accounts(), place.gateway());
    let file = place.path("accounts.toml");
    let good = fs::read_to_string(&file).unwrap();
    for bad in ["", &good[..good.len() - 20]] {
        private::replace(&file, bad).unwrap();
        assert!(settle(&accounts, &gateway).await.is_err());
        assert!(knows(&accounts, OLD).await);
    }
    fs::remove_file(&file).unwrap();
    assert!(settle(&accounts, &gateway).await.is_ok() && knows(&accounts, OLD).await);
}

#[tokio::test]
async fn people_change_their_own_password_and_nobody_elses_change_is_lost() {
    let place = Place::new();
    let accounts = place.accounts();
    let change = |current, new| {
        let accounts = accounts.clone();
        async move { accounts.change_password(&name("ada"), Password::new(current), Password::new(new)).await }
    };
    for (current, new) in [("wrong", NEW), (OLD, "too short"), (OLD, OLD)] {
        assert!(change(current, new).await.is_err(), "{current} {new}");
    }
    assert_eq!(place.notes(), 0);
    let pending = change(OLD, NEW).await.unwrap();
    assert_eq!(place.notes(), 1);
    assert!(knows(&accounts, NEW).await && !knows(&accounts, OLD).await, "at once");
    assert!(place.folder().try_lock().unwrap().is_none(), "nobody else's turn");
    pending.undo().await.unwrap();
    assert!(knows(&accounts, OLD).await && place.notes() == 0);
    change(OLD, NEW).await.unwrap().done().await.unwrap();
    assert!(knows(&accounts, NEW).await && place.notes() == 0);

    // An operator was faster, and this gateway has not looked yet.
    place.folder().change(None, |book| book.set_password(&name("ada"), hash(OLD), at(9))).unwrap();
    let refused = change(NEW, "a third long password").await.unwrap_err();
    assert!(matches!(refused, SelfServiceRefused::WrongCurrent), "{refused}");
}

#[tokio::test]
async fn a_change_whose_sessions_were_never_told_is_told_later() {
    let place = Place::new();
    let (accounts, gateway) = (place.accounts(), place.gateway());
    drop(accounts.change_password(&name("ada"), Password::new(OLD), Password::new(NEW)).await.unwrap());
    assert_eq!(settle(&accounts, &gateway).await.unwrap(), 1);
    assert_eq!(place.triggers(), [Trigger::PasswordChanged]);
}

#[tokio::test]
async fn a_code_is_good_for_one_use_also_across_a_restart() {
    use counterfoil::accounts::TotpSecret;
    let place = Place::new();
    let accounts = place.accounts();
    let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
    let app = totp_rs::Builder::new().with_secret(*b"12345678901234567890").build().unwrap();
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(matches!(accounts.enrol(&name("ada"), secret, "000000x").await, Err(SelfServiceRefused::WrongCode)));
    let (secret, code) = (TotpSecret::from_bytes(b"12345678901234567890").unwrap(), app.generate(now()).to_string());
    accounts.enrol(&name("ada"), secret, &code).await.unwrap().done().await.unwrap();
    assert!(accounts.takes_a_code(&name("ada")));
    let next = app.generate(now() + 30).to_string();
    assert!(!accounts.accepts_code(&name("ada"), code).await.unwrap(), "the one that confirmed it");
    assert!(accounts.accepts_code(&name("ada"), next.clone()).await.unwrap());
    assert!(!place.accounts().accepts_code(&name("ada"), next).await.unwrap(), "after a restart");

    let text = fs::read_to_string(place.path("accounts.toml")).unwrap();
    assert!(!text.contains("12345678901234567890") && !text.contains("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{text}");
    let others = Sealer::new(SharedRing::from_source(&GeneratedKeys).unwrap());
    let others = Accounts::open(place.folder(), others, Cost::Test).unwrap();
    let refused = others.accepts_code(&name("ada"), "000000".to_owned()).await.unwrap_err();
    assert!(refused.to_string().contains("counterfoil user totp remove ada"), "{refused}");
    accounts.remove_totp(&name("ada")).await.unwrap().done().await.unwrap();
    assert!(matches!(accounts.remove_totp(&name("ada")).await, Err(SelfServiceRefused::None)));
}
