//! Which requests a detector is asked about, what its answer does to them, and to whom else.

mod meanwhile;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_executor::block_on;
use http::{HeaderMap, HeaderValue, Method, header};
use parking_lot::Mutex;

use super::*;
use crate::cookie::HeaderJoin;
use crate::csrf::RouteFlags;
use crate::detector::{NoVerdict, OnSilence, SignalName, Verdict as Said};
use crate::engine::{SignInOptions, SignedInNow};
use crate::event::Event;
use crate::id::Subject;
use crate::keys::{GeneratedKeys, SharedRing};
use crate::memory::MemoryStore;
use crate::moment::{FakeClock, Moment};
use crate::policy::{GradeSetting, Policy, PolicySettings};
use crate::record::Change;
use crate::rules::{Amr, EndReason};
use crate::seam::{Care, Denial, RequestView, Route};
use crate::store::{Loaded, Page, StoreError};
use crate::testing::{Hook, Hooked, Jar, Verb};

const HOME: &str = "198.51.100.7";
const ELSEWHERE: &str = "203.0.113.7";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15";
const USUAL: Route = Route {
    csrf: RouteFlags { changes_state: false, sign_in: false, sensitive: false },
    public: false,
    quiet: false,
    care: Care::Usual,
};
const SENSITIVE: Route = Route { care: Care::Sensitive, ..USUAL };

/// What the detector does.
#[derive(Clone, Copy)]
enum Mood {
    Says(Decision),
    Fails,
    Hangs,
    /// Changes the session while it is asked about it, and has nothing to say.
    Meddles,
}

/// Notes what it is asked.
#[derive(Clone)]
struct Fake {
    mood: Arc<Mutex<Mood>>,
    asked: Arc<Mutex<Vec<Question>>>,
    engine: Arc<OnceLock<Engine>>,
}

impl Detector for Fake {
    async fn judge(&self, question: Question) -> Result<Said, NoVerdict> {
        self.asked.lock().push(question);
        let mood = *self.mood.lock();
        match mood {
            Mood::Says(decision) => Ok(Said::NOTHING.with(own(), decision)?),
            Mood::Fails => Err(NoVerdict::Failed("no".into())),
            Mood::Hangs => std::future::pending().await,
            Mood::Meddles => {
                let engine = self.engine.get().unwrap();
                let (id, now) = (question.session.unwrap(), engine.now());
                let Loaded::Live(live) = engine.store().load(id, now, None).await.unwrap() else { panic!() };
                let change = Change { label: Some("renamed".into()), ..Change::default() };
                engine.store().commit(id, live.revision, change, now).await.unwrap();
                Ok(Said::NOTHING)
            }
        }
    }
}

fn own() -> SignalName {
    "known_bot".parse().unwrap()
}

/// Notes each verb.
struct Noted(Arc<Mutex<Vec<Verb>>>);

impl Hook for Noted {
    async fn pass<T: Send>(
        &self,
        verb: Verb,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.0.lock().push(verb);
        work.await
    }

    fn peeks(&self) -> bool {
        true
    }
}

struct Site {
    engine: Engine,
    clock: FakeClock,
    fake: Fake,
    told: Arc<Mutex<Vec<EventKind>>>,
    verbs: Arc<Mutex<Vec<Verb>>>,
}

/// Where a request comes from, and by what.
#[derive(Clone, Copy)]
struct From(&'static str, &'static str);

const AT_HOME: From = From(HOME, FIREFOX);
const THIEF: From = From(ELSEWHERE, SAFARI);
/// Another network, and nothing that our rules would remark on.
const MOVED: From = From(ELSEWHERE, FIREFOX);

impl Site {
    fn new(on: &[Occasion], on_silence: OnSilence, alter: impl FnOnce(&mut PolicySettings)) -> Self {
        let mut settings = PolicySettings::aal2("https://app.example");
        alter(&mut settings);
        let (told, verbs) = (Arc::<Mutex<Vec<EventKind>>>::default(), Arc::<Mutex<Vec<Verb>>>::default());
        let clock = FakeClock::at(Moment::from_unix_seconds(1_795_000_000));
        let store = Arc::new(Hooked::new(MemoryStore::new().into(), Noted(Arc::clone(&verbs))));
        let events = {
            let told = Arc::clone(&told);
            move |event: &Event| told.lock().push(event.kind)
        };
        let keys = SharedRing::from_source(&GeneratedKeys).unwrap();
        let engine = Engine::new(Policy::try_from(settings).unwrap(), keys, store, clock.clone(), events);
        let mood = Arc::new(Mutex::new(Mood::Says(Decision::None)));
        let fake = Fake { mood, asked: Arc::default(), engine: Arc::default() };
        fake.engine.set(engine.clone()).unwrap();
        engine.detect_by(fake.clone(), Asking { on: on.iter().copied().collect(), on_silence });
        Self { engine, clock, fake, told, verbs }
    }

    /// As most have it.
    fn usual(mood: Mood) -> (Self, Jar) {
        let site = Self::new(&[Occasion::SignIn, Occasion::NewContext, Occasion::Signal], OnSilence::Open, |_| {});
        let jar = site.member();
        site.is(mood);
        (site, jar)
    }

    fn is(&self, mood: Mood) {
        *self.fake.mood.lock() = mood;
    }

    fn asked(&self) -> Vec<Question> {
        std::mem::take(&mut *self.fake.asked.lock())
    }

    fn receive(&self, jar: &Jar, From(address, agent): From, route: Route, method: &Method) -> Exchange {
        let mut headers = HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_static(agent))]);
        headers.extend(jar.header(self.engine.now()).map(|cookies| (header::COOKIE, cookies)));
        let view = RequestView {
            method,
            authority: None,
            target: "/",
            headers: &headers,
            peer: Some(address.parse::<IpAddr>().unwrap()),
            websocket: false,
            may_set_cookie: true,
            cookie_join: HeaderJoin::Standard,
        };
        self.engine.receive(&view, route)
    }

    fn send<T>(&self, jar: &mut Jar, from: From, route: Route, act: impl AsyncFnOnce(&Exchange) -> T) -> T {
        self.send_by(&Method::GET, jar, from, route, act)
    }

    fn send_by<T>(
        &self,
        method: &Method,
        jar: &mut Jar,
        from: From,
        route: Route,
        act: impl AsyncFnOnce(&Exchange) -> T,
    ) -> T {
        let exchange = self.receive(jar, from, route, method);
        let answer = block_on(act(&exchange));
        if let Some(cookie) = block_on(exchange.conclude()).set_cookie {
            jar.take(cookie.as_str(), self.engine.now()).unwrap();
        }
        answer
    }

    fn sign_in(&self, jar: &mut Jar, from: From) -> Result<SignedInNow, SignInError> {
        self.send(jar, from, USUAL, async |exchange| {
            let attempt = exchange.begin(Subject::new("ada").unwrap()).await?;
            exchange.complete(exchange.verified(attempt, Amr::Pwd), SignInOptions::default()).await
        })
    }

    /// Somebody who signed in at home and was seen there once. What was asked until then is forgotten.
    fn member(&self) -> Jar {
        let mut jar = Jar::default();
        self.sign_in(&mut jar, AT_HOME).unwrap();
        self.look(&mut jar, AT_HOME, USUAL).unwrap();
        self.told.lock().clear();
        self.verbs.lock().clear();
        self.asked();
        jar
    }

    fn look(&self, jar: &mut Jar, from: From, route: Route) -> Result<(), Denial> {
        self.send(jar, from, route, async |exchange| exchange.require_signed_in().await.map(drop))
    }

    fn step_up(&self, jar: &mut Jar, from: From) {
        self.send(jar, from, USUAL, async |exchange| exchange.step_up(Amr::Otp).await).unwrap();
    }

    /// The signals that were told of the detector's.
    fn signals(&self) -> Vec<(Signal, Decision, Option<SignalName>)> {
        let told = std::mem::take(&mut *self.told.lock());
        let signal = |kind: EventKind| match kind {
            EventKind::Signalled { signal: Signal::UserAgentChanged | Signal::TwoContexts, .. } => None,
            EventKind::Signalled { signal, decision, evidence, own } => {
                assert!(evidence.is_some());
                Some((signal, decision, own))
            }
            _ => None,
        };
        told.into_iter().filter_map(signal).collect()
    }
}

fn waits(found: &Result<(), Denial>) -> bool {
    matches!(found, Err(Denial::StepUpRequired { .. }))
}

type Row = (&'static str, From, Route, Method, &'static [Occasion]);

#[test]
fn a_detector_is_asked_on_its_occasions_and_on_no_others() {
    use Occasion::{EveryRequest, NewContext, SensitiveRoute, SignIn, Signal, Write};
    let shop = Route { csrf: RouteFlags { changes_state: true, ..USUAL.csrf }, ..USUAL };
    let ask_store = Route { care: Care::AskStore, ..USUAL };
    #[rustfmt::skip]
    let rows: [Row; 7] = [
        // a request                          from     route      by            is asked about on
        ("a read where one always is",        AT_HOME, USUAL,     Method::GET,  &[EveryRequest]),
        ("one that the store answers",        AT_HOME, ask_store, Method::GET,  &[EveryRequest]),
        ("a sensitive one",                   AT_HOME, SENSITIVE, Method::GET,  &[SensitiveRoute, EveryRequest]),
        ("a form",                            AT_HOME, USUAL,     Method::POST, &[Write, EveryRequest]),
        ("a read that changes something",     AT_HOME, shop,      Method::GET,  &[Write, EveryRequest]),
        ("from another network",              MOVED,   USUAL,     Method::GET,  &[NewContext, EveryRequest]),
        ("by another browser elsewhere",      THIEF,   USUAL,     Method::GET,  &[NewContext, Signal, EveryRequest]),
    ];
    for (name, from, route, method, expected) in rows {
        for on in Occasion::ALL {
            let site = Site::new(&[on], OnSilence::Open, |_| {});
            let mut jar = site.member();
            site.send_by(&method, &mut jar, from, route, async |exchange| {
                exchange.identity().await.unwrap().unwrap();
                exchange.require_recent(Duration::from_secs(1)).await.unwrap_err();
            });
            let asked: Vec<Vec<_>> = site.asked().iter().map(|asked| asked.asked_on.iter().collect()).collect();
            let expected = if expected.contains(&on) { vec![vec![on]] } else { vec![] };
            assert_eq!(asked, expected, "{name}, asked on {on:?}: once, and on nothing else");
        }
    }
    for on in Occasion::ALL {
        let site = Site::new(&[on], OnSilence::Open, |_| {});
        let _ = site.member();
        let mut jar = Jar::default();
        site.sign_in(&mut jar, AT_HOME).unwrap();
        let known = site.asked().len();
        site.sign_in(&mut Jar::default(), THIEF).unwrap();
        let expected = (usize::from(on == SignIn), usize::from([SignIn, NewContext, Signal].contains(&on)));
        assert_eq!(
            (known, site.asked().len()),
            expected,
            "signing in by a known device and by another, asked on {on:?}"
        );
    }
}

#[test]
fn a_read_that_nobody_asks_about_costs_what_it_did() {
    let (site, mut jar) = Site::usual(Mood::Hangs);
    let exchange = site.receive(&jar, AT_HOME, USUAL, &Method::GET);
    assert!(exchange.open_at_once());
    for _ in 0..3 {
        site.look(&mut jar, AT_HOME, USUAL).unwrap();
    }
    assert_eq!((site.asked(), std::mem::take(&mut *site.verbs.lock())), (vec![], vec![]), "memory answers");
    let every = Site::new(&[Occasion::EveryRequest], OnSilence::Open, |_| {});
    let jar = every.member();
    assert!(!every.receive(&jar, AT_HOME, USUAL, &Method::GET).open_at_once(), "whoever wants to be asked is");
}

#[test]
fn a_question_says_what_our_rules_found_and_whom_it_is_about_by_a_hash() {
    let (site, mut jar) = Site::usual(Mood::Says(Decision::None));
    site.look(&mut jar, THIEF, SENSITIVE).unwrap_err();
    let asked = site.asked();
    let [question] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(question.subject, site.engine.reference(&Subject::new("ada").unwrap()));
    assert!(question.session.is_some() && !question.changes_state && !question.navigation);
    assert_eq!(question.sensitivity, Sensitivity::Sensitive);
    let expected = Signals::NONE.with(Signal::UserAgentChanged).with(Signal::TwoContexts);
    assert_eq!((question.signals, question.decision), (expected, Decision::StepUp));
    let (seen, expected) = (question.evidence.seen.agent, question.evidence.expected.unwrap().agent);
    assert_ne!((seen.platform, seen.browser), (expected.platform, expected.browser));
    for address in [HOME, ELSEWHERE] {
        assert!(!format!("{question:?}").contains(address), "no address");
    }
}

#[test]
fn a_step_up_is_asked_of_whoever_is_there_and_of_nobody_else_until_they_prove_who_they_are() {
    let (site, mut jar) = Site::usual(Mood::Says(Decision::StepUp));
    let mut thief = jar.clone();
    assert!(waits(&site.look(&mut thief, MOVED, USUAL)), "not even reading");
    assert_eq!(site.signals(), [(Signal::Detector, Decision::StepUp, Some(own()))]);
    site.is(Mood::Hangs);
    for route in [USUAL, SENSITIVE] {
        assert!(waits(&site.look(&mut thief, MOVED, route)), "it was remembered, and is not asked again");
        site.look(&mut jar, AT_HOME, route).unwrap();
    }
    assert_eq!(site.asked().len(), 1);
    assert_eq!(site.signals(), [], "it was told");
    site.step_up(&mut jar, AT_HOME);
    assert!(waits(&site.look(&mut thief, MOVED, USUAL)), "the owner's word is for the owner's place");
    site.step_up(&mut thief, MOVED);
    site.look(&mut thief, MOVED, SENSITIVE).unwrap();
}

#[test]
fn a_weaker_verdict_leaves_alone_what_our_rules_decide() {
    for decision in [Decision::None, Decision::Note, Decision::Notify] {
        let (site, mut jar) = Site::usual(Mood::Says(decision));
        assert!(waits(&site.look(&mut jar, THIEF, SENSITIVE)), "{decision:?}");
        let told = if decision == Decision::None { vec![] } else { vec![(Signal::Detector, decision, Some(own()))] };
        assert_eq!(site.signals(), told);
        assert!(waits(&site.look(&mut jar, THIEF, SENSITIVE)), "{decision:?}");
    }
}

#[test]
fn a_detector_may_end_a_session_and_may_refuse_a_sign_in() {
    let (site, mut jar) = Site::usual(Mood::Says(Decision::Revoke));
    assert_eq!(site.look(&mut jar.clone(), MOVED, USUAL), Err(Denial::SignInRequired));
    let told = site.told.lock().clone();
    assert!(told.contains(&EventKind::SessionEnded { reason: EndReason::Suspicion }), "{told:?}");
    assert_eq!(site.signals(), [(Signal::Detector, Decision::Revoke, Some(own()))]);
    assert_eq!(site.look(&mut jar, AT_HOME, USUAL), Err(Denial::SignInRequired), "for everybody");
    site.asked();
    let mut fresh = Jar::default();
    assert!(matches!(site.sign_in(&mut fresh, AT_HOME), Err(SignInError::Refused)));
    assert!(fresh.header(site.engine.now()).is_none(), "no cookie");
    let subject = site.engine.reference(&Subject::new("ada").unwrap());
    let page = Page { skip: 0, take: 10 };
    assert_eq!(
        block_on(site.engine.store().list(subject, page, site.engine.now())).unwrap().len(),
        0,
        "and no session"
    );
    assert_eq!(site.signals(), [(Signal::Detector, Decision::Revoke, Some(own()))]);
    let [question] = site.asked().try_into().unwrap();
    assert_eq!((question.session, question.subject), (None, subject));
}

#[test]
fn a_sign_in_that_is_doubted_waits_for_a_step_up_and_its_device_is_not_known_by_it() {
    let (site, _) = Site::usual(Mood::Says(Decision::StepUp));
    let mut thief = Jar::default();
    site.sign_in(&mut thief, THIEF).unwrap();
    let news = (Signal::NewDevice, Decision::Notify, None);
    assert_eq!(site.signals(), [(Signal::Detector, Decision::StepUp, Some(own())), news]);
    assert!(waits(&site.look(&mut thief, THIEF, USUAL)));
    site.is(Mood::Says(Decision::None));
    site.sign_in(&mut Jar::default(), THIEF).unwrap();
    assert_eq!(site.signals(), [news], "still a device that nobody knows");
    site.sign_in(&mut Jar::default(), THIEF).unwrap();
    assert_eq!(site.signals(), []);
    site.step_up(&mut thief, THIEF);
    site.look(&mut thief, THIEF, SENSITIVE).unwrap();
}
