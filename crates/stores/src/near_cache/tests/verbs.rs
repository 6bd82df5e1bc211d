//! What a verb of this node does to its memory, and who listens.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{BoxFuture, Committed, Loaded, Notice, Notices, Revision, Store, StoreError, Watch};
use counterfoil_core::testing::{Hook, Hooked, Verb};
use counterfoil_core::{Change, FakeClock, MemoryStore};
use futures_executor::{LocalPool, block_on};
use futures_util::FutureExt as _;
use futures_util::task::LocalSpawnExt as _;
use parking_lot::Mutex;

use super::records::{NOW, activity, after, bucket, data, id, record, subject};
use crate::near_cache::{NearCache, Settings};

/// A store whose notices come when the test says so, and whose answers get lost when it says so.
#[derive(Clone, Default)]
struct Controlled {
    notices: Arc<Notices>,
    loses: Arc<Mutex<Option<Verb>>>,
}

impl Hook for Controlled {
    async fn pass<T: Send>(
        &self,
        verb: Verb,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let answer = work.await;
        let lost = *self.loses.lock() == Some(verb);
        if lost { std::future::pending().await } else { answer }
    }

    fn watch(&self, _: Watch) -> Watch {
        self.notices.watch()
    }
}

/// A node with a warm cache, and what it stands on.
struct Node {
    near: NearCache<Hooked<MemoryStore, Controlled>>,
    control: Controlled,
    pool: LocalPool,
}

impl Node {
    /// Two sessions of subject 1 and one of subject 2 are in memory.
    fn warm() -> Self {
        let (control, pool) = (Controlled::default(), LocalPool::new());
        let store = Hooked::new(Arc::new(MemoryStore::new()), control.clone());
        let spawn = |task: BoxFuture<'static, ()>| pool.spawner().spawn_local(task).unwrap();
        let near = NearCache::new(store, FakeClock::at(NOW), Settings::default(), spawn).unwrap();
        let mut node = Self { near, control, pool };
        node.told(Notice::UpTo(NOW));
        for (letter, number) in [(1, 1), (1, 2), (2, 3)] {
            block_on(node.near.inner().insert(record(letter, number), None, NOW)).unwrap();
        }
        for (letter, number) in [(1, 1), (1, 2), (2, 3)] {
            assert!(node.peeks(letter, number).is_none());
            block_on(node.near.load(id(letter, number), NOW, Some(activity(number)))).unwrap();
            assert!(node.peeks(letter, number).is_some());
        }
        node
    }

    fn peeks(&self, letter: u8, number: u8) -> Option<Loaded> {
        self.near.peek(id(letter, number), NOW, Some(activity(number)))
    }

    /// Which of the three are in memory.
    fn in_memory(&self) -> [bool; 3] {
        [(1, 1), (1, 2), (2, 3)].map(|(letter, number)| self.peeks(letter, number).is_some())
    }

    fn told(&mut self, notice: Notice) {
        self.control.notices.tell(notice);
        self.pool.run_until_stalled();
    }
}

type Asked = fn(&NearCache<Hooked<MemoryStore, Controlled>>) -> BoxFuture<'_, bool>;

/// Every verb, and which of the three it leaves in memory if it is let go of.
#[rustfmt::skip]
const VERBS: [(&str, Verb, Asked, [bool; 3]); 14] = [
    ("an insert",              Verb::Insert,     |near| done(near.insert(record(1, 9), None, NOW)),                                 [false, false, true]),
    ("a replace",              Verb::Replace,    |near| done(near.replace(id(1, 1), Revision(0), record(1, 9), None, NOW)),         [false, false, true]),
    ("a replace elsewhere",    Verb::Replace,    |near| done(near.replace(id(1, 1), Revision(0), record(2, 9), None, NOW)),         [false, true, false]),
    ("a change",               Verb::Commit,     |near| done(near.commit(id(1, 1), Revision(0), data(b"new"), NOW)),                [false, true, true]),
    ("a change that lost",     Verb::Commit,     |near| done(near.commit(id(1, 1), Revision(9), data(b"new"), NOW)),                [false, true, true]),
    ("a first use",            Verb::Commit,     |near| done(near.commit(id(1, 1), Revision(0), first_use(), NOW)),                 [false, false, true]),
    ("an end",                 Verb::End,        |near| done(near.end(id(1, 1), None, EndReason::SignOut, NOW)),                    [false, true, true]),
    ("the end of a subject's", Verb::EndSubject, |near| done(near.end_subject(subject(1), Some(id(1, 1)), EndReason::Admin, NOW)),  [false, false, true]),
    ("the end of all",         Verb::EndAll,     |near| done(near.end_all(EndReason::Admin, NOW)),                                  [false, false, false]),
    ("a load",                 Verb::Load,       |near| done(near.load(id(1, 1), NOW, None)),                                       [true, true, true]),
    ("epochs",                 Verb::Epochs,     |near| done(near.epochs(Some(subject(1)))),                                        [true, true, true]),
    ("resolve",                Verb::Resolve,    |near| done(near.resolve("oidc.sid", "1")),                                        [true, true, true]),
    ("list",                   Verb::List,       |near| done(near.list(subject(1), counterfoil_core::store::Page::FIRST, NOW)),     [true, true, true]),
    ("sweep",                  Verb::Sweep,      |near| done(near.sweep(9, NOW)),                                                   [true, true, true]),
];

/// Those whose answer says what the first of the three has become.
const KEPT: [&str; 2] = ["a change", "a first use"];

fn done<'a, T>(verb: impl Future<Output = Result<T, StoreError>> + Send + 'a) -> BoxFuture<'a, bool> {
    verb.map(|answer| answer.is_ok()).boxed()
}

fn first_use() -> Change {
    let limit = counterfoil_core::store::Limit {
        max: std::num::NonZeroU32::MIN,
        over: counterfoil_core::store::OverLimit::EndOldest,
    };
    Change { first_use: Some(Some(limit)), ..Change::default() }
}

#[test]
fn what_this_node_wrote_is_forgotten_before_it_is_answered_or_known_as_the_answer_leaves_it() {
    for (name, _, ask, mut left) in VERBS {
        let node = Node::warm();
        assert!(block_on(ask(&node.near)), "{name}");
        if KEPT.contains(&name) {
            left[0] = true;
            let Some(Loaded::Live(known)) = node.peeks(1, 1) else { panic!("{name}") };
            let Ok(Loaded::Live(stored)) = block_on(node.near.inner().load(id(1, 1), NOW, None)) else { panic!() };
            assert_eq!(format!("{known:?}"), format!("{stored:?}"), "{name}");
        }
        assert_eq!(node.in_memory(), left, "{name}");
    }
}

#[test]
fn it_is_forgotten_when_the_caller_lets_go_of_a_verb_that_the_store_has_done() {
    for (name, verb, ask, left) in VERBS {
        let node = Node::warm();
        *node.control.loses.lock() = Some(verb);
        {
            let mut asked = pin!(ask(&node.near));
            assert!(asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "{name}");
        }
        assert_eq!(node.in_memory(), left, "{name}");
    }
}

#[test]
fn a_load_asks_the_store_whatever_memory_holds() {
    let node = Node::warm();
    let elsewhere = node.near.inner().clone();
    block_on(elsewhere.end(id(1, 1), None, EndReason::SignOut, NOW)).unwrap();
    assert!(node.peeks(1, 1).is_some(), "nothing was heard yet");
    assert!(matches!(block_on(node.near.load(id(1, 1), NOW, None)), Ok(Loaded::Ended(EndReason::SignOut))));
    assert!(node.peeks(1, 1).is_none(), "what was found over is answered from memory");
}

#[test]
fn a_revocation_that_overtakes_a_reading_or_a_change_of_its_session_is_not_forgotten_by_it() {
    let mut node = Node::warm();
    let store = MemoryStore::new();
    let clock = FakeClock::at(NOW);
    let held = Held { gate: Arc::default(), notices: Arc::default() };
    let spawner = node.pool.spawner();
    let spawn = |task: BoxFuture<'static, ()>| spawner.spawn_local(task).unwrap();
    let near = NearCache::new(Hooked::new(store.into(), held.clone()), clock, Settings::default(), spawn).unwrap();
    held.notices.tell(Notice::UpTo(NOW));
    node.pool.run_until_stalled();
    block_on(near.inner().insert(record(1, 1), None, NOW)).unwrap();

    *held.gate.lock() = true;
    let mut reading = pin!(near.load(id(1, 1), NOW, Some(activity(1))));
    let mut context = Context::from_waker(Waker::noop());
    assert!(reading.as_mut().poll(&mut context).is_pending(), "the store has read, its answer is on the way");
    *held.gate.lock() = false;
    held.notices.tell(Notice::Ended(id(1, 1)));
    node.pool.run_until_stalled();
    assert!(matches!(reading.as_mut().poll(&mut context), Poll::Ready(Ok(Loaded::Live(_)))));
    assert!(near.peek(id(1, 1), NOW, Some(activity(1))).is_none(), "memory admits what was revoked");
    assert_eq!(near.figures().overtaken, 1);

    // The same with a change, whose own notice comes before its answer, too.
    block_on(near.load(id(1, 1), NOW, Some(activity(1)))).unwrap();
    assert!(near.peek(id(1, 1), NOW, Some(activity(1))).is_some());
    *held.gate.lock() = true;
    let mut changing = pin!(near.commit(id(1, 1), Revision(0), data(b"new"), NOW));
    assert!(changing.as_mut().poll(&mut context).is_pending(), "the store has changed it, its answer is on the way");
    *held.gate.lock() = false;
    held.notices.tell(Notice::Changed(id(1, 1), Revision(1)));
    held.notices.tell(Notice::Ended(id(1, 1)));
    node.pool.run_until_stalled();
    assert!(matches!(changing.as_mut().poll(&mut context), Poll::Ready(Ok(Committed::Done(Revision(1), _)))));
    assert!(near.peek(id(1, 1), NOW, Some(activity(1))).is_none(), "memory admits what was revoked");
    assert_eq!((near.figures().overtaken, near.figures().kept), (2, 0));
}

/// A store that has done its work and keeps the answer until the gate is opened.
#[derive(Clone)]
struct Held {
    gate: Arc<Mutex<bool>>,
    notices: Arc<Notices>,
}

impl Hook for Held {
    async fn pass<T: Send>(
        &self,
        _: Verb,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let answer = work.await;
        std::future::poll_fn(|_| if *self.gate.lock() { Poll::Pending } else { Poll::Ready(()) }).await;
        answer
    }

    fn watch(&self, _: Watch) -> Watch {
        self.notices.watch()
    }
}

#[test]
fn notices_are_passed_on_after_memory_heard_them() {
    let mut node = Node::warm();
    let mut watch = node.near.watch();
    let mut context = Context::from_waker(Waker::noop());
    for notice in [Notice::Ended(id(1, 1)), Notice::SubjectEnded(subject(2)), Notice::Gap, Notice::UpTo(after(1))] {
        node.told(notice);
        let next = std::pin::Pin::new(&mut watch);
        assert_eq!(futures_util::Stream::poll_next(next, &mut context), Poll::Ready(Some(notice)));
    }
    assert_eq!(node.in_memory(), [false, false, false]);
}

#[test]
fn nobody_listens_once_the_cache_is_gone() {
    let mut node = Node::warm();
    assert!(!node.pool.try_run_one(), "the task ended though the cache is in use");
    drop(node.near);
    assert!(node.pool.try_run_one(), "the task waits for notices that nobody needs");
}

#[test]
fn what_it_did_is_counted_and_nothing_of_a_session_is_printed() {
    let mut node = Node::warm();
    let before = node.near.figures();
    assert_eq!((before.hits, before.misses, before.sessions), (3, 3, 3));
    node.told(Notice::SubjectEnded(subject(1)));
    node.told(Notice::UpTo(after(9)));
    node.in_memory();
    let figures = node.near.figures();
    assert_eq!((figures.dropped, figures.sessions, figures.bypassed), (2, 1, 3));
    assert_eq!(bucket(1), id(1, 1).bucket());
    let printed = format!("{:?}", node.near);
    for secret in ["ada", "Firefox", "secret", "TokenHash", "ses_"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
