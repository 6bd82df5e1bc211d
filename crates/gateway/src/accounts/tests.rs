//! The accounts file and its spool: what is written reads back, what is damaged lets nobody in, and a crash loses nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use counterfoil::accounts::{Cost, Hasher, Password, PasswordHash};
use counterfoil::keys::SharedRing;
use counterfoil::{Event, EventKind, GeneratedKeys, MemoryStore, Moment, Policy, Trigger};
use counterfoil_core::seal::Sealer;
use parking_lot::Mutex;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::app::AppConfig;
use crate::gateway::Gateway;
use crate::rules::Rules;

fn name(text: &str) -> AccountName {
    text.parse().unwrap()
}

fn hash(password: &str) -> PasswordHash {
    Hasher::new(Cost::Test).unwrap().hash_now(&Password::new(password)).unwrap()
}

fn at(seconds: u64) -> Moment {
    Moment::from_unix_seconds(seconds)
}

const OLD: &str = "the first long password";
const NEW: &str = "the other long password";

/// A folder with the account `ada`, and what runs on it.
struct Place {
    folder: TempDir,
    ring: SharedRing,
    events: Arc<Mutex<Vec<EventKind>>>,
}

impl Place {
    fn new() -> Self {
        let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
        let place = Self { folder: tempfile::tempdir().unwrap(), ring, events: Arc::default() };
        place.folder().change(None, |book| book.add(name("ada"), hash(OLD), at(1))).unwrap();
        place
    }

    fn folder(&self) -> Folder {
        Folder::at(self.folder.path())
    }

    fn accounts(&self) -> Accounts {
        Accounts::open(self.folder(), Sealer::new(self.ring.clone()), Cost::Test).unwrap()
    }

    fn gateway(&self) -> Gateway {
        let app = AppConfig {
            name: "wiki".parse().unwrap(),
            proxy: crate::app::Proxy::Nginx,
            policy: Policy::aal2("https://wiki.example").unwrap(),
            rules: Rules::default(),
            cookie_return: crate::app::CookieReturn::One,
            assertion: crate::app::Algorithm::Es256,
            app_cookies: crate::app_cookies::AppCookies::default(),
            upstream: None,
        };
        let told = Arc::clone(&self.events);
        let gateway = Gateway::builder(self.ring.clone(), Arc::new(MemoryStore::new()));
        gateway.events(move |event: &Event| told.lock().push(event.kind)).build(&[app]).unwrap()
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.folder.path().join(file)
    }

    fn notes(&self) -> usize {
        fs::read_dir(self.path("changes")).map_or(0, Iterator::count)
    }

    fn triggers(&self) -> Vec<Trigger> {
        let triggers = self.events.lock().clone().into_iter().filter_map(|kind| match kind {
            EventKind::AccountChanged { trigger, .. } => Some(trigger),
            _ => None,
        });
        triggers.collect()
    }
}

async fn knows(accounts: &Accounts, password: &str) -> bool {
    accounts.verify(Some(&name("ada")), Password::new(password)).await.unwrap() != Verified::No
}

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
