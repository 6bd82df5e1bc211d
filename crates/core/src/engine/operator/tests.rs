//! What an operator sees of sessions at each point of their lives, and who is told when one is ended.

use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use http::{HeaderMap, HeaderValue, header};
use parking_lot::Mutex;

use super::*;
use crate::data::Key;
use crate::event::Event;
use crate::keys::{GeneratedKeys, SharedRing};
use crate::memory::MemoryStore;
use crate::moment::FakeClock;
use crate::policy::{Policy, PolicySettings};
use crate::rules::Amr;
use crate::testing::{Fault, FaultyStore, Jar, Request, sign_in, step_up};
use crate::token::{Token, TokenKind};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const NOTE: Key<u8> = Key::new("note");

struct Site {
    engine: Engine,
    store: Arc<FaultyStore<MemoryStore>>,
    clock: FakeClock,
    told: Arc<Mutex<Vec<Event>>>,
}

impl Site {
    fn new() -> Self {
        let told = Arc::<Mutex<Vec<Event>>>::default();
        let clock = FakeClock::at(Moment::from_unix_seconds(1_795_000_000));
        let events = {
            let told = Arc::clone(&told);
            move |event: &Event| told.lock().push(*event)
        };
        let store = Arc::new(FaultyStore::around(MemoryStore::new()));
        let policy = Policy::try_from(PolicySettings::aal2("https://app.example")).unwrap();
        let keys = SharedRing::from_source(&GeneratedKeys).unwrap();
        let engine = Engine::new(policy, keys, Arc::clone(&store) as _, clock.clone(), events);
        Self { engine, store, clock, told }
    }

    fn signed_in(&self, subject: &str) -> (Jar, SessionId) {
        let mut jar = Jar::default();
        block_on(sign_in(&self.engine, &mut jar, &named(subject))).unwrap();
        let newest = block_on(self.engine.sessions_of(&named(subject), Page::FIRST)).unwrap();
        (jar, newest[0].id)
    }

    fn look(&self, id: SessionId) -> Inspection {
        block_on(self.engine.inspect(id)).unwrap()
    }

    fn live(&self, id: SessionId) -> Inspected {
        match self.look(id) {
            Inspection::Live(found) => *found,
            other => panic!("{other:?}"),
        }
    }
}

fn named(subject: &str) -> Subject {
    Subject::new(subject).unwrap()
}

#[test]
fn each_subject_has_the_sessions_that_began_with_it_newest_first() {
    let site = Site::new();
    let (_, first) = site.signed_in("ada");
    site.clock.advance(Duration::from_secs(5));
    let (_, second) = site.signed_in("ada");
    site.signed_in("bob");
    let ids = |page| -> Vec<_> {
        let found = block_on(site.engine.sessions_of(&named("ada"), page)).unwrap();
        found.iter().map(|summary| summary.id).collect()
    };
    assert_eq!(ids(Page::FIRST), [second, first]);
    assert_eq!(ids(Page { skip: 1, take: 1 }), [first]);
    assert_eq!(block_on(site.engine.sessions_of(&named("nobody"), Page::FIRST)).unwrap(), []);
}

#[test]
fn a_session_is_shown_as_it_is_and_looking_is_no_activity() {
    let site = Site::new();
    let (mut jar, id) = site.signed_in("ada");
    let began = site.engine.now();
    site.clock.advance(Duration::from_mins(10));
    let found = site.live(id);
    assert_eq!(
        (found.subject.as_ref(), found.reference),
        (Some(&named("ada")), Some(site.engine.reference(&named("ada"))))
    );
    assert_eq!((found.created_at, found.seen_at, found.presented, found.remembered), (began, began, true, false));
    assert_eq!(found.expires_at, began + site.engine.policy().limits().idle);
    assert_eq!(found.ends_at, began + site.engine.policy().limits().absolute);
    assert_eq!(found.factors.iter().map(|factor| factor.amr).collect::<Vec<_>>(), [Amr::Pwd]);
    assert_eq!((found.elevated_until, found.signing_in_until), (None, None));

    block_on(step_up(&site.engine, &mut jar)).unwrap();
    let now = site.engine.now();
    let found = site.live(id);
    assert_eq!(found.elevated_until, Some(now + site.engine.policy().elevated_for()));
    assert!(found.factors.iter().any(|factor| factor.amr == Amr::Otp), "{:?}", found.factors);
    site.clock.advance(site.engine.policy().elevated_for());
    assert_eq!(site.live(id).elevated_until, None, "it is over");
}

#[test]
fn the_contexts_of_a_session_are_shown_without_an_address() {
    let site = Site::new();
    let (mut jar, id) = site.signed_in("ada");
    let headers = HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_static(FIREFOX))]);
    block_on(
        Request::new(&site.engine, &mut jar)
            .headers(headers)
            .send(async |exchange| exchange.require_signed_in().await.map(drop)),
    )
    .unwrap();
    let found = site.live(id);
    let clients: Vec<_> = found.contexts.iter().map(|visited| visited.glimpse.agent.to_string()).collect();
    assert_eq!(clients.len(), 2, "{clients:?}");
    assert!(clients[0].contains("Firefox"), "the one in use is first: {clients:?}");
    assert!(found.contexts[0].doubts.has(crate::rules::Signal::UserAgentChanged), "{:?}", found.contexts);
}

#[test]
fn a_session_that_is_over_says_why_and_one_that_never_was_is_absent() {
    let site = Site::new();
    let (_, idle) = site.signed_in("ada");
    site.clock.advance(site.engine.policy().limits().idle);
    assert!(matches!(site.look(idle), Inspection::Over(EndReason::Idle)));
    let (_, ended) = site.signed_in("ada");
    assert!(block_on(site.engine.end_by_id(ended, EndReason::Admin)).unwrap());
    assert!(matches!(site.look(ended), Inspection::Over(EndReason::Admin)));
    let nobodys = SessionId::from_bytes([7; SessionId::LENGTH]);
    assert!(matches!(site.look(nobodys), Inspection::Absent));
}

#[test]
fn an_anonymous_session_is_nobodys() {
    let site = Site::new();
    let mut jar = Jar::default();
    block_on(Request::new(&site.engine, &mut jar).send(async |exchange| exchange.set(NOTE, &7))).unwrap();
    let ring = site.engine.keys();
    let created = Token::parse(TokenKind::Visit, jar.value("__Host-Http-an").unwrap(), &ring).unwrap().id();
    let found = site.live(created);
    assert_eq!((found.subject, found.reference, &*found.label, found.contexts.len()), (None, None, "", 0));
    assert!(found.presented);
}

#[test]
fn whoever_is_signed_out_by_an_operator_is_told_once() {
    let site = Site::new();
    let (mut jar, id) = site.signed_in("ada");
    site.told.lock().clear();
    assert!(block_on(site.engine.end_by_id(id, EndReason::Admin)).unwrap());
    assert!(!block_on(site.engine.end_by_id(id, EndReason::Admin)).unwrap(), "it was over");
    let told = site.told.lock().clone();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].session, told[0].subject), (Some(id), Some(site.engine.reference(&named("ada")))));
    assert_eq!(told[0].kind, EventKind::SessionEnded { reason: EndReason::Admin });
    let denied = block_on(
        Request::new(&site.engine, &mut jar).send(async |exchange| exchange.require_signed_in().await.map(drop)),
    );
    assert!(denied.is_err());
}

#[test]
fn a_store_that_does_not_answer_is_not_the_absence_of_a_session() {
    let site = Site::new();
    let (_, id) = site.signed_in("ada");
    site.store.faults().on_all(Fault::Before);
    assert!(block_on(site.engine.inspect(id)).is_err());
    assert!(block_on(site.engine.end_by_id(id, EndReason::Admin)).is_err());
    assert!(block_on(site.engine.sessions_of(&named("ada"), Page::FIRST)).is_err());
}
