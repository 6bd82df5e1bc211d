//! Clocks that are off, set and read late, over a store that answers as told.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Loaded, Page};
use counterfoil_core::testing::{Hook, Hooked, Jar, Verb, sign_in};
use counterfoil_core::{Change, Engine, MemoryStore, Policy, Record, SessionId, Subject};

use super::*;

/// A clock that goes with the test's own time, off by so many milliseconds.
#[derive(Clone)]
struct Ticking(Arc<(Instant, AtomicI64)>);

impl Ticking {
    fn off(millis: i64) -> Self {
        Self(Arc::new((Instant::now(), AtomicI64::new(millis))))
    }

    /// Sets it so much forward or back.
    fn set(&self, millis: i64) {
        self.0.1.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for Ticking {
    fn now(&self) -> Moment {
        let now = START + self.0.0.elapsed();
        Moment::from_unix_millis(now.unix_millis().saturating_add_signed(self.0.1.load(Ordering::Relaxed)))
    }
}

/// How the store answers when it is asked for the time.
#[derive(Debug, Clone, Copy)]
enum Answers {
    /// After so much, half of it on either way.
    Within(Duration),
    Never,
    Error,
    WithoutClock,
}

/// A store with a clock, which counts what it was asked.
struct Server {
    clock: Ticking,
    answers: Mutex<Answers>,
    looked: AtomicUsize,
    verbs: AtomicUsize,
}

#[derive(Clone)]
struct Shared(Arc<Server>);

impl Hook for Shared {
    async fn pass<T: Send>(
        &self,
        _: Verb,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.0.verbs.fetch_add(1, Ordering::Relaxed);
        work.await
    }

    fn peeks(&self) -> bool {
        true
    }

    async fn time(
        &self,
        _: impl Future<Output = Result<Option<Moment>, StoreError>> + Send,
    ) -> Result<Option<Moment>, StoreError> {
        self.0.looked.fetch_add(1, Ordering::Relaxed);
        let answers = *self.0.answers.lock();
        match answers {
            Answers::Within(span) => {
                sleep(span / 2).await;
                let now = self.0.clock.now();
                sleep(span / 2).await;
                Ok(Some(now))
            }
            Answers::Never => std::future::pending().await,
            Answers::Error => Err(StoreError::Unavailable("it does not say".into())),
            Answers::WithoutClock => Ok(None),
        }
    }
}

struct Node {
    clock: Ticking,
    server: Arc<Server>,
    time: StoreTime,
    store: Arc<dyn DynStore>,
}

impl Node {
    fn new(off: i64, answers: Answers) -> Self {
        let (looked, verbs) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let server = Server { clock: Ticking::off(0), answers: Mutex::new(answers), looked, verbs };
        let (server, clock) = (Arc::new(server), Ticking::off(off));
        let hooked = Hooked::new(Arc::new(MemoryStore::new()), Shared(Arc::clone(&server)));
        let time = StoreTime::of(Arc::new(hooked), clock.clone());
        Self { clock, server, store: time.store(), time }
    }

    fn answer(&self, answers: Answers) {
        *self.server.answers.lock() = answers;
    }

    /// What a request that arrives now is told.
    async fn serves(&self) -> Result<(), String> {
        self.serves_at(self.time.now()).await
    }

    /// The same for one that arrived at `now` by this node's clock then.
    async fn serves_at(&self, now: Moment) -> Result<(), String> {
        let before = self.server.verbs.load(Ordering::Relaxed);
        let loaded = self.store.load(SessionId::from_bytes([7; SessionId::LENGTH]), now, None).await;
        let asked = self.server.verbs.load(Ordering::Relaxed) > before;
        assert_eq!(loaded.is_ok(), asked, "a store that is not to be believed was asked, or its answer made up");
        loaded.map(drop).map_err(|error| match error {
            StoreError::Unavailable(cause) => cause.to_string(),
            other => other.to_string(),
        })
    }

    fn looked(&self) -> usize {
        self.server.looked.load(Ordering::Relaxed)
    }

    /// How far its time is from the store's, in milliseconds.
    fn off_by(&self) -> u64 {
        self.time.now().unix_millis().abs_diff(self.server.clock.now().unix_millis())
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_is_corrected_up_to_five_seconds_and_refused_beyond() {
    let ahead = "this node's clock is 30s ahead of the session store's, and 5s is the most: run an NTP client on both";
    let behind =
        "this node's clock is 5.002s behind the session store's, and 5s is the most: run an NTP client on both";
    #[rustfmt::skip]
    let rows = [
        //  off      then it says
        (0,          Ok(())),
        (4_000,      Ok(())),
        (-4_990,     Ok(())),
        (30_000,     Err(ahead.to_owned())),
        (-5_002,     Err(behind.to_owned())),
    ];
    for (off, expected) in rows {
        let node = Node::new(off, AT_ONCE);
        assert_eq!(node.serves().await, expected, "{off}");
        assert_eq!(node.time.refusal().map(|refused| refused.to_string()), expected.clone().err(), "{off}");
        assert_eq!(node.time.correction().map(Correction::millis), Some(-off), "{off}");
        if expected.is_ok() {
            assert!(node.off_by() <= 1, "{off}: {} ms off", node.off_by());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_verb_that_judges_by_time_is_refused_and_what_does_not_is_answered() {
    let node = Node::new(0, AT_ONCE);
    let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
    let policy = Policy::aal2("https://shop.example").unwrap();
    let engine = Engine::new(policy, ring, Arc::clone(&node.store), node.time.clone(), ());
    let ada = Subject::new("ada").unwrap();
    sign_in(&engine, &mut Jar::default(), &ada).await.unwrap();
    let reference = engine.reference(&ada);
    let (store, now) = (&node.store, node.time.now());
    let id = store.list(reference, Page { skip: 0, take: 1 }, now).await.unwrap()[0].id;
    let Loaded::Live(live) = store.load(id, now, None).await.unwrap() else { panic!() };
    assert!(store.peek(id, now, None).is_some());

    node.clock.set(-30_000);
    let (now, reason, record) = (node.time.now(), EndReason::Admin, || Record::clone(&live.record));
    #[rustfmt::skip]
    let refused = [
        ("load",        store.load(id, now, None).await.is_err()),
        ("peek",        store.peek(id, now, None).is_none()),
        ("insert",      store.insert(record(), None, now).await.is_err()),
        ("replace",     store.replace(id, live.revision, record(), None, now).await.is_err()),
        ("commit",      store.commit(id, live.revision, Change::default(), now).await.is_err()),
        ("end",         store.end(id, None, reason, now).await.is_err()),
        ("end_subject", store.end_subject(reference, None, reason, now).await.is_err()),
        ("end_all",     store.end_all(reason, now).await.is_err()),
        ("list",        store.list(reference, Page { skip: 0, take: 1 }, now).await.is_err()),
        ("sweep",       store.sweep(9, now).await.is_err()),
    ];
    for (verb, refused) in refused {
        assert!(refused, "{verb}");
    }
    assert!(store.epochs(Some(reference)).await.is_ok());
    assert!(store.resolve("saml", "x").await.is_ok());
    node.clock.set(30_000);
    sleep(EVERY).await;
    let loaded = store.load(id, node.time.now(), None).await.unwrap();
    assert!(
        matches!(loaded, Loaded::Live(again) if again.revision == live.revision),
        "something was done all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn a_clock_does_not_tremble_with_the_network() {
    let node = Node::new(3_000, AT_ONCE);
    assert_eq!(node.serves().await, Ok(()));
    node.clock.set(50);
    node.answer(Answers::Within(Duration::from_millis(400)));
    assert!(node.time.look().await);
    assert_eq!(node.time.correction(), Some(Correction::from_millis(-3_000)), "the reading does not contradict it");
    node.answer(AT_ONCE);
    assert!(node.time.look().await);
    assert_eq!(node.time.correction(), Some(Correction::from_millis(-3_050)), "this one does");
}

#[tokio::test(start_paused = true)]
async fn a_reading_is_as_good_as_its_round_trip_and_a_slow_one_is_not_used() {
    let node = Node::new(3_000, Answers::Within(Duration::from_millis(400)));
    assert_eq!(node.serves().await, Ok(()));
    assert!(node.off_by() <= 201, "{} ms off", node.off_by());

    for answers in [Answers::Within(Duration::from_millis(1_002)), Answers::Never, Answers::Error] {
        let slow = Node::new(0, answers);
        let first = slow.serves().await.unwrap_err();
        assert!(first.contains("`time`") || first == "it does not say", "{first}");
        assert_eq!(slow.serves().await.unwrap_err(), "the session store's clock could not be read yet");
        assert_eq!(slow.looked(), 1, "requests do not queue up for a store that is slow");
        assert_eq!(slow.time.refusal(), Some(ClockRefused::Unread));
        slow.answer(AT_ONCE);
        sleep(EVERY).await;
        assert_eq!(slow.serves().await, Ok(()), "once it answers, the next request finds out");

        slow.answer(answers);
        assert!(slow.time.look().await, "{answers:?}");
        assert_eq!(slow.serves().await, Ok(()), "what was known counts on");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_without_a_clock_is_asked_for_it_once() {
    let node = Node::new(-1_000_000_000, Answers::WithoutClock);
    for _ in 0..3 {
        assert_eq!(node.serves().await, Ok(()));
    }
    node.time.keep().await;
    assert_eq!((node.looked(), node.time.refusal(), node.time.correction()), (2, None, None));
    node.clock.set(500_000);
    assert_eq!(node.serves().await, Ok(()));
    assert_eq!(node.time.now(), node.clock.now());
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_counts_no_longer_and_is_read_again_by_the_next_request() {
    #[rustfmt::skip]
    let rows = [
        // first  set by     looks served
        (0,       900,       0,    true),    // the next look is soon enough
        (0,       -900,      0,    true),
        (0,       4_000,     1,    true),
        (0,       -4_000,    1,    true),
        (4_000,   -8_000,    1,    true),
        (0,       30_000,    1,    false),
        (0,       -86_400_000, 1,  false),
        (30_000,  -30_000,   0,    false),   // it was looked at a moment ago
    ];
    for (first, by, looks, served) in rows {
        let node = Node::new(first, AT_ONCE);
        let _ = node.serves().await;
        let before = node.looked();
        node.clock.set(by);
        let permitted = node.time.0.permits(node.time.now());
        assert_eq!(permitted, looks == 0 && served, "{first} {by}");
        assert_eq!((node.serves().await.is_ok(), node.looked() - before), (served, looks), "{first} {by}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_moment_that_was_read_off_a_clock_too_far_ahead_judges_nothing() {
    let node = Node::new(0, AT_ONCE);
    assert_eq!(node.serves().await, Ok(()));
    node.clock.set(3_600_000);
    let arrived = node.time.now();
    node.clock.set(-3_600_000);
    assert_eq!(node.serves_at(arrived).await, Err(ClockRefused::JustSet.to_string()), "all would seem over to it");
    assert_eq!(node.serves().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_right_again_serves_by_itself() {
    let node = Node::new(30_000, AT_ONCE);
    let keeping = tokio::spawn({
        let time = node.time.clone();
        async move { time.keep().await }
    });
    sleep(EVERY / 2).await;
    assert!(node.serves().await.is_err());
    node.clock.set(-29_000);
    sleep(EVERY).await;
    assert_eq!((node.serves().await, node.time.refusal()), (Ok(()), None));
    assert!(node.off_by() <= 1);

    // The store's clock changes, as in a failover: this node's own has not, and counts until the next look.
    node.server.clock.set(3_600_000);
    assert_eq!(node.serves().await, Ok(()));
    sleep(EVERY).await;
    assert!(node.serves().await.is_err());
    keeping.abort();
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_let_go_of_leaves_the_next_one_free() {
    let node = Node::new(0, Answers::Never);
    let half_way = timeout(Duration::from_millis(10), node.serves()).await;
    assert!(half_way.is_err());
    node.answer(AT_ONCE);
    assert_eq!(node.serves().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_while_the_store_is_asked_is_read_again() {
    let node = Node::new(0, Answers::Within(Duration::from_millis(200)));
    let (clock, time) = (node.clock.clone(), node.time.clone());
    let looking = tokio::spawn(async move { time.look().await });
    sleep(Duration::from_millis(100)).await;
    clock.set(4_000);
    assert!(looking.await.unwrap());
    assert_eq!(node.time.refusal(), Some(ClockRefused::JustSet));
    assert_eq!(node.serves_at(START).await, Ok(()));
    assert!(node.off_by() <= 101, "{} ms off", node.off_by());
}

const START: Moment = Moment::from_unix_seconds(1_800_000_000);
const AT_ONCE: Answers = Answers::Within(Duration::ZERO);
