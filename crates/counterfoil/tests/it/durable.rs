//! Sites whose sessions and keys are in a folder, for the tests that take the folder away or the keys out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use counterfoil::keys::{FileKeys, KeyFile, RetireError, SharedRing};
use counterfoil::stores::embedded::{Archive, EmbeddedStore, Sealer, Settings};
use counterfoil::testing::Site;
use counterfoil::{Clock as _, Counterfoil, FakeClock, KeyError, Moment, Policy, Subject, SystemEntropy};
use counterfoil_core::testing::{Jar, Request, sign_in};

/// A folder with keys and sessions, and the time there.
pub(crate) struct House {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: FakeClock,
}

impl House {
    /// With keys for sessions of a day, and no session yet.
    pub(crate) fn new() -> Self {
        let house = Self { folder: tempfile::tempdir().unwrap(), clock: FakeClock::at(START) };
        let file = KeyFile::generate(house.clock.now(), DAY, &SystemEntropy).unwrap();
        house.keys().create(&file).unwrap();
        house
    }

    pub(crate) fn keys(&self) -> FileKeys {
        FileKeys::at(self.folder.path().join("keys")).clock(self.clock.clone())
    }

    pub(crate) fn sessions(&self) -> PathBuf {
        self.folder.path().join("sessions")
    }

    /// The site that works in the folder.
    pub(crate) fn open(&self) -> Counterfoil {
        let ring = SharedRing::from_source(&self.keys()).unwrap();
        let store = EmbeddedStore::open(self.sessions(), Sealer::new(ring.clone()), Settings::default()).unwrap();
        let policy = Policy::aal2(Site::ORIGIN).unwrap();
        Counterfoil::with_ring(policy, ring, store).unwrap().clock(self.clock.clone()).events(()).build()
    }

    /// The folder for maintenance, with the keys that are in the file now.
    pub(crate) fn archive(&self, folder: &Path) -> Archive {
        Archive::open(folder, self.sealer()).unwrap()
    }

    pub(crate) fn sealer(&self) -> Sealer {
        Sealer::new(SharedRing::from_source(&self.keys()).unwrap())
    }
}

/// Whom the session in `jar` belongs to.
pub(crate) fn who(site: &Counterfoil, jar: &mut Jar) -> Option<Subject> {
    let identity = run(Request::new(site.engine(), jar).send(async |exchange| exchange.identity().await));
    identity.unwrap().map(|identity| identity.subject().clone())
}

/// Waits for it, in this thread.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn keys_rotate_for_days_under_load_and_each_goes_at_its_end() {
    let house = House::new();
    let site = Arc::new(house.open());
    let first = house.keys().read().unwrap().entries().next().unwrap().id;
    let mut jars: Vec<_> = (0..USERS).map(|_| Jar::default()).collect();
    let (mut asked, mut signed_in, mut gone) = (0, 0, 0);
    for step in 0..STEPS {
        if step % STEPS_OF_A_KEY == STEPS_OF_A_KEY - 1 {
            rotate(&house);
        }
        let users: Vec<_> = jars
            .into_iter()
            .enumerate()
            .map(|(user, jar)| {
                let (site, due) = (Arc::clone(&site), step % STEPS_OF_A_SESSION == user);
                thread::spawn(move || one_user(&site, user, jar, due))
            })
            .collect();
        // In the middle of their requests.
        site.exchange_keys(&house.keys()).unwrap();
        jars = users.into_iter().map(|user| user.join().unwrap()).collect();
        asked += USERS * ASKED;
        signed_in += usize::from(step % STEPS_OF_A_SESSION < USERS);
        gone += retire_what_has_ended(&house);
        run(site.engine().sweep(10_000)).unwrap();
        house.clock.advance(STEP);
    }
    let keys = house.keys().read().unwrap();
    println!("{asked} requests of {USERS} users, {signed_in} sign-ins, {gone} keys retired: 0 errors, 0 sign-outs");
    assert!(keys.entries().all(|key| key.id != first) && gone >= 2, "the first key is gone");
    drop(site);
    let found = house.archive(&house.sessions()).check(&mut |_| {}).unwrap();
    assert_eq!(found.findings, [], "nothing is left that needs a key which is gone");
}

/// What one user does in a step: signs in if it is time, and uses the session, which has to be good.
fn one_user(site: &Counterfoil, user: usize, mut jar: Jar, due: bool) -> Jar {
    let name = Subject::new(format!("user-{user}")).unwrap();
    if due || jar.names().next().is_none() {
        run(sign_in(site.engine(), &mut jar, &name)).unwrap();
    }
    for request in 0..ASKED {
        assert_eq!(who(site, &mut jar).as_ref(), Some(&name), "request {request} of user {user}");
    }
    jar
}

fn rotate(house: &House) {
    let rotated = house.keys().change(|file| {
        file.rotate(house.clock.now(), Duration::ZERO, &SystemEntropy).unwrap();
        Ok::<_, KeyError>(())
    });
    rotated.unwrap();
}

/// Tries to take out every key but the one that signs: those whose end has come go, the others are refused. How many went.
fn retire_what_has_ended(house: &House) -> usize {
    let (now, keys) = (house.clock.now(), house.keys());
    let mut gone = 0;
    for key in keys.read().unwrap().entries().collect::<Vec<_>>() {
        let Some(until) = key.until else { continue };
        let mut retired = None;
        keys.change(|file| {
            retired = Some(file.retire(key.id, now, false));
            Ok::<_, KeyError>(())
        })
        .unwrap();
        match retired.unwrap() {
            Ok(_) => {
                assert!(until <= now, "sessions may rest on {}", key.id);
                gone += 1;
            }
            Err(refused) => assert!(matches!(refused, RetireError::Needed { .. }) && now < until, "{refused}"),
        }
    }
    gone
}

const START: Moment = Moment::from_unix_seconds(1_795_000_000);
const DAY: Duration = Duration::from_hours(24);
const USERS: usize = 8;
/// Requests of each user in each step.
const ASKED: usize = 5;
/// Shorter than the idle limit.
const STEP: Duration = Duration::from_mins(30);
/// A day and a half.
const STEPS: usize = 72;
/// A new key every four hours.
const STEPS_OF_A_KEY: usize = 8;
/// Everybody signs in anew after twenty hours, before the absolute limit.
const STEPS_OF_A_SESSION: usize = 40;
