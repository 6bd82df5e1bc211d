//! What the engine makes of a request from elsewhere: what it writes, whom it holds back, and until when.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;
use http::{HeaderMap, HeaderValue, Method, header};
use parking_lot::Mutex;

use super::*;
use crate::address::Places;
use crate::cookie::HeaderJoin;
use crate::event::Event;
use crate::id::Subject;
use crate::keys::{GeneratedKeys, SharedRing};
use crate::memory::MemoryStore;
use crate::moment::{FakeClock, Moment};
use crate::policy::{GradeSetting, Policy, PolicySettings, Preset};
use crate::rules::{Amr, EndReason, Signal, Spot};
use crate::seam::{Denial, RequestView, Route};
use crate::store::{Loaded, Store as _};
use crate::testing::{Hook, Hooked, Jar, Verb};

const HOME: &str = "198.51.100.7";
const ABROAD: &str = "203.0.113.7";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SENSITIVE: Route = Route { care: Care::Sensitive, ..USUAL };
const USUAL: Route = Route {
    csrf: crate::csrf::RouteFlags { changes_state: false, sign_in: false, sensitive: false },
    public: false,
    quiet: false,
    care: Care::Usual,
};

/// A site, what it told, and how many verbs reached its store.
struct Site {
    engine: Engine,
    clock: FakeClock,
    told: Arc<Mutex<Vec<EventKind>>>,
    verbs: Arc<Mutex<Vec<Verb>>>,
}

/// Notes each verb.
struct Noted(Arc<Mutex<Vec<Verb>>>);

impl Hook for Noted {
    async fn pass<T: Send>(
        &self,
        verb: Verb,
        work: impl Future<Output = Result<T, crate::store::StoreError>> + Send,
    ) -> Result<T, crate::store::StoreError> {
        self.0.lock().push(verb);
        work.await
    }

    fn peeks(&self) -> bool {
        true
    }
}

/// Half of the world is in Berlin, the other half in Lima.
struct TwoCities;

impl Places for TwoCities {
    fn locate(&self, address: IpAddr) -> Place {
        let (country, latitude, longitude) =
            if address.to_string() == ABROAD { (*b"PE", -12.0, -77.0) } else { (*b"DE", 52.5, 13.4) };
        Place { country: Some(country), spot: Spot::new(latitude, longitude, Some(20)), ..Place::UNKNOWN }
    }
}

impl Site {
    fn new(alter: impl FnOnce(&mut PolicySettings)) -> Self {
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
        engine.locate_by(TwoCities);
        Self { engine, clock, told, verbs }
    }

    /// A request; its answer's cookie goes into the jar.
    fn send<T>(&self, jar: &mut Jar, from: &str, route: Route, act: impl AsyncFnOnce(&Exchange) -> T) -> T {
        let mut headers = HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_static(FIREFOX))]);
        headers.extend(jar.header(self.engine.now()).map(|cookies| (header::COOKIE, cookies)));
        let exchange = self.receive(&headers, from, route);
        let answer = block_on(act(&exchange));
        if let Some(cookie) = block_on(exchange.conclude()).set_cookie {
            jar.take(cookie.as_str(), self.engine.now()).unwrap();
        }
        answer
    }

    fn receive(&self, headers: &HeaderMap, from: &str, route: Route) -> Exchange {
        let view = RequestView {
            method: &Method::GET,
            authority: None,
            target: "/",
            headers,
            peer: Some(from.parse().unwrap()),
            websocket: false,
            may_set_cookie: true,
            cookie_join: HeaderJoin::Standard,
        };
        self.engine.receive(&view, route)
    }

    /// Somebody who signed in at home and was seen there once.
    fn member(&self) -> Jar {
        let mut jar = Jar::default();
        self.send(&mut jar, HOME, USUAL, async |exchange| {
            let attempt = exchange.begin(Subject::new("ada").unwrap()).await.unwrap();
            exchange
                .complete(exchange.verified(attempt, Amr::Pwd), crate::engine::SignInOptions::default())
                .await
                .unwrap();
        });
        self.look(&mut jar, HOME, USUAL).unwrap();
        self.told.lock().clear();
        self.verbs.lock().clear();
        jar
    }

    fn look(&self, jar: &mut Jar, from: &str, route: Route) -> Result<(), Denial> {
        self.send(jar, from, route, async |exchange| exchange.require_signed_in().await.map(drop))
    }

    fn signals(&self) -> Vec<(Signal, Decision)> {
        let told = std::mem::take(&mut *self.told.lock());
        let signal = |kind: EventKind| match kind {
            EventKind::Signalled { signal, decision, .. } => Some((signal, decision)),
            _ => None,
        };
        told.into_iter().filter_map(signal).collect()
    }

    fn verbs(&self) -> Vec<Verb> {
        std::mem::take(&mut *self.verbs.lock())
    }
}

#[test]
fn whoever_stays_where_they_are_costs_nothing_and_whoever_moves_costs_one_write() {
    let site = Site::new(|_| {});
    let mut jar = site.member();
    for _ in 0..3 {
        site.look(&mut jar, HOME, USUAL).unwrap();
    }
    assert_eq!(site.verbs(), [], "memory answers");
    site.look(&mut jar, "192.0.2.1", USUAL).unwrap();
    assert_eq!(site.verbs(), [Verb::Load, Verb::Commit], "where it was is written");
    site.look(&mut jar, "192.0.2.200", USUAL).unwrap();
    assert_eq!(
        (site.verbs(), site.signals()),
        (vec![], vec![]),
        "the same network, and one operator's for all we know"
    );
}

#[test]
fn a_sensitive_request_from_abroad_waits_for_a_step_up_and_whoever_steps_up_there_is_believed() {
    let site = Site::new(|_| {});
    let mut jar = site.member();
    site.clock.advance(Duration::from_hours(1).saturating_sub(Duration::from_mins(5)));
    site.look(&mut jar, ABROAD, USUAL).unwrap();
    assert_eq!(
        site.signals(),
        [(Signal::CountryChanged, Decision::Notify), (Signal::ImpossibleTravel, Decision::Notify)],
        "it is told once, and reading goes on"
    );
    for _ in 0..2 {
        let denied = site.look(&mut jar, ABROAD, SENSITIVE);
        assert!(matches!(denied, Err(Denial::StepUpRequired { .. })), "{denied:?}");
    }
    assert_eq!(site.signals(), [], "it was told");
    site.look(&mut jar, HOME, SENSITIVE).unwrap();
    site.send(&mut jar, ABROAD, USUAL, async |exchange| exchange.step_up(Amr::Otp).await).unwrap();
    site.look(&mut jar, ABROAD, SENSITIVE).unwrap();
}

#[test]
fn a_step_up_at_home_says_nothing_about_whoever_is_abroad() {
    let site = Site::new(|_| {});
    let mut jar = site.member();
    let mut copy = jar.clone();
    assert!(site.look(&mut copy, ABROAD, SENSITIVE).is_err());
    site.send(&mut jar, HOME, USUAL, async |exchange| exchange.step_up(Amr::Otp).await).unwrap();
    let mut copy = jar.clone();
    assert!(site.look(&mut copy, ABROAD, SENSITIVE).is_err(), "not even with the cookie of the step-up");
    site.look(&mut jar, HOME, SENSITIVE).unwrap();
}

#[test]
fn requests_that_arrive_together_are_one_journey_and_it_took_as_long_as_nobody_was_seen() {
    for (hours, too_fast) in [(1, true), (10, true), (12, false), (100, false)] {
        let site = Site::new(|settings| settings.preset = Preset::Aal1);
        let mut jar = site.member();
        let tab = jar.clone();
        site.clock.advance(Duration::from_hours(hours));
        site.send(&mut jar, ABROAD, USUAL, async |first| {
            let headers = HeaderMap::from_iter([
                (header::USER_AGENT, HeaderValue::from_static(FIREFOX)),
                (header::COOKIE, tab.header(site.engine.now()).unwrap()),
            ]);
            site.receive(&headers, ABROAD, USUAL).open().await.unwrap();
            first.open().await.unwrap();
        });
        let mut expected = vec![(Signal::CountryChanged, Decision::Notify)];
        expected.extend(too_fast.then_some((Signal::ImpossibleTravel, Decision::Notify)));
        assert_eq!(site.signals(), expected, "11,000 km in {hours} hours");
    }
}

#[test]
fn a_policy_may_end_sessions_on_a_signal_and_may_leave_it_alone() {
    let everywhere = |decision| {
        move |settings: &mut PolicySettings| {
            for signal in [Signal::CountryChanged, Signal::ImpossibleTravel] {
                settings.detection.decisions.insert(signal, GradeSetting::Everywhere(decision));
            }
        }
    };
    let site = Site::new(everywhere(Decision::Revoke));
    let mut jar = site.member();
    assert_eq!(site.look(&mut jar, ABROAD, USUAL), Err(Denial::SignInRequired));
    assert!(site.told.lock().contains(&EventKind::SessionEnded { reason: EndReason::Suspicion }));
    assert_eq!(site.look(&mut jar, HOME, USUAL), Err(Denial::SignInRequired), "for everybody");

    let site = Site::new(everywhere(Decision::None));
    let mut jar = site.member();
    site.look(&mut jar, ABROAD, SENSITIVE).unwrap();
    assert_eq!(site.signals(), []);
}

#[test]
fn a_policy_may_tighten_the_limits_of_a_session_and_they_stay_tight() {
    let site = Site::new(|settings| {
        settings.timeouts.remember_for = Some(Duration::from_hours(1_000).into());
        settings.detection.decisions.insert(Signal::CountryChanged, GradeSetting::Everywhere(Decision::Shorten));
        settings.detection.decisions.insert(Signal::ImpossibleTravel, GradeSetting::Everywhere(Decision::Notify));
    });
    let mut jar = site.member();
    let ends = |jar: &mut Jar, from| {
        let identity = site.send(jar, from, USUAL, async |exchange| exchange.identity().await.unwrap());
        identity.map(|identity| (identity.expires_in.as_secs() / 60, identity.ends_in.as_secs() / 60))
    };
    assert_eq!(ends(&mut jar, HOME), Some((60, 24 * 60)));
    assert_eq!(ends(&mut jar, ABROAD), Some((15, 60)));
    site.clock.advance(Duration::from_mins(14));
    assert_eq!(ends(&mut jar, HOME), Some((15, 46)), "also at home");
    site.clock.advance(Duration::from_mins(15));
    assert_eq!(ends(&mut jar, HOME), None, "and nobody is remembered");
}

#[test]
fn a_session_of_a_format_without_a_history_is_left_alone() {
    let site = Site::new(|_| {});
    let mut jar = site.member();
    let id = site.send(&mut jar, HOME, USUAL, async |exchange| exchange.identity().await.unwrap().unwrap().session);
    let store = MemoryStore::new();
    let Loaded::Live(live) = block_on(site.engine.store().load(id, site.engine.now(), None)).unwrap() else {
        panic!("it lives")
    };
    let mut record = Record::clone(&live.record);
    if let crate::record::Holder::Member(member) = &mut record.holder {
        Arc::make_mut(member).history = None;
    }
    block_on(store.insert(record.clone(), None, site.engine.now())).unwrap();
    let engine =
        Engine::new(site.engine.policy().clone(), site.engine.ring().clone(), Arc::new(store), site.clock.clone(), ());
    let old = Site { engine, ..site };
    old.look(&mut jar, ABROAD, SENSITIVE).unwrap();
    let Loaded::Live(after) = block_on(old.engine.store().load(id, old.engine.now(), None)).unwrap() else {
        panic!("it lives")
    };
    assert_eq!(*after.record, record, "nothing is written");
}
