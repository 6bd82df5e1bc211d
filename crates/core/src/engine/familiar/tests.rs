//! Sign-ins from devices that a subject has used, and from others.

use std::sync::Arc;

use futures_executor::block_on;
use http::{HeaderMap, HeaderValue, Method, header};
use parking_lot::Mutex;

use super::*;
use crate::cookie::HeaderJoin;
use crate::engine::SignInOptions;
use crate::event::Event;
use crate::id::Subject;
use crate::keys::{GeneratedKeys, SharedRing};
use crate::memory::MemoryStore;
use crate::moment::{FakeClock, Moment};
use crate::policy::{GradeSetting, Policy, PolicySettings};
use crate::rules::{Amr, EndReason};
use crate::seam::{RequestView, Route};
use crate::store::StoreError;
use crate::testing::{Hook, Hooked, Verb};

const LAPTOP: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const NEWER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Mobile/15E148 Safari/604.1";
const DAY: Duration = Duration::from_hours(24);

struct Site {
    engine: Engine,
    clock: FakeClock,
    told: Arc<Mutex<Vec<EventKind>>>,
    verbs: Arc<Mutex<Vec<Verb>>>,
}

/// Notes each verb, and fails where nothing is in its way but devices.
struct Noted(Arc<Mutex<Vec<Verb>>>, bool);

impl Hook for Noted {
    async fn pass<T: Send>(
        &self,
        verb: Verb,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.0.lock().push(verb);
        match verb {
            Verb::Load if self.1 => Err(StoreError::Unavailable("not now".into())),
            _ => work.await,
        }
    }
}

impl Site {
    fn new(alter: impl FnOnce(&mut PolicySettings), fails: bool) -> Self {
        let mut settings = PolicySettings::aal2("https://app.example");
        alter(&mut settings);
        let (told, verbs) = (Arc::<Mutex<Vec<EventKind>>>::default(), Arc::<Mutex<Vec<Verb>>>::default());
        let clock = FakeClock::at(Moment::from_unix_seconds(1_795_000_000));
        let store = Arc::new(Hooked::new(MemoryStore::new().into(), Noted(Arc::clone(&verbs), fails)));
        let events = {
            let told = Arc::clone(&told);
            move |event: &Event| told.lock().push(event.kind)
        };
        let keys = SharedRing::from_source(&GeneratedKeys).unwrap();
        let engine = Engine::new(Policy::try_from(settings).unwrap(), keys, store, clock.clone(), events);
        Self { engine, clock, told, verbs }
    }

    /// Signs in with nothing but this user agent, and says which signals that raised.
    fn sign_in(&self, who: &str, agent: &'static str) -> Vec<Signal> {
        let headers = HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_static(agent))]);
        let view = RequestView {
            method: &Method::POST,
            authority: None,
            target: "/",
            headers: &headers,
            peer: Some("192.0.2.7".parse().unwrap()),
            websocket: false,
            may_set_cookie: true,
            cookie_join: HeaderJoin::Standard,
        };
        let exchange = self.engine.receive(&view, Route::default());
        let signed_in = block_on(async {
            let attempt = exchange.begin(Subject::new(who).unwrap()).await.unwrap();
            exchange.complete(exchange.verified(attempt, Amr::Pwd), SignInOptions::default()).await
        });
        signed_in.unwrap();
        let told = std::mem::take(&mut *self.told.lock());
        told.iter().filter_map(EventKind::signal).collect()
    }

    fn verbs(&self) -> Vec<Verb> {
        std::mem::take(&mut *self.verbs.lock())
    }
}

#[test]
fn a_first_sign_in_is_no_news_another_device_is_and_then_it_is_known() {
    let site = Site::new(|_| {}, false);
    let new = vec![Signal::NewDevice];
    #[rustfmt::skip]
    let rows = [
        ("the first",                    "ada", LAPTOP, Duration::ZERO, vec![]),
        ("again",                        "ada", LAPTOP, DAY,            vec![]),
        ("a phone",                      "ada", PHONE,  Duration::ZERO, new.clone()),
        ("the phone again",              "ada", PHONE,  DAY,            vec![]),
        ("a new version",                "ada", NEWER,  DAY,            vec![]),
        ("somebody else's first",        "bob", PHONE,  Duration::ZERO, vec![]),
        ("somebody else's other device", "bob", LAPTOP, DAY,            new.clone()),
        ("both after three weeks",       "ada", PHONE,  21 * DAY,       vec![]),
        ("the laptop, too",              "ada", LAPTOP, Duration::ZERO, vec![]),
        ("the phone after a month, while the laptop was used", "ada", LAPTOP, 20 * DAY, vec![]),
        ("it is forgotten by then",      "ada", PHONE,  11 * DAY,       new),
        ("after a year nothing is news", "ada", LAPTOP, 365 * DAY,      vec![]),
    ];
    for (name, who, agent, later, expected) in rows {
        site.clock.advance(later);
        assert_eq!(site.sign_in(who, agent), expected, "{name}");
    }
}

#[test]
fn who_is_known_costs_one_look_and_a_write_a_day() {
    use Verb::{Commit, Epochs, Insert, Load};
    let site = Site::new(|_| {}, false);
    site.sign_in("ada", LAPTOP);
    assert_eq!(site.verbs(), [Epochs, Load, Load, Insert, Epochs, Insert], "two looks, and the record is made");
    site.sign_in("ada", LAPTOP);
    assert_eq!(site.verbs(), [Epochs, Load, Insert]);
    site.clock.advance(DAY);
    site.sign_in("ada", LAPTOP);
    assert_eq!(site.verbs(), [Epochs, Load, Insert, Commit], "it was used today, too");
    let nothing = |settings: &mut PolicySettings| {
        settings.detection.decisions.insert(Signal::NewDevice, GradeSetting::Everywhere(Decision::None));
    };
    let off = Site::new(nothing, false);
    off.sign_in("ada", LAPTOP);
    assert_eq!(off.verbs(), [Epochs, Insert], "nothing is kept where nobody wants to know");
}

#[test]
fn nobody_is_kept_out_because_devices_cannot_be_looked_up() {
    let site = Site::new(|_| {}, true);
    assert_eq!(site.sign_in("ada", LAPTOP), []);
    assert_eq!(site.sign_in("ada", PHONE), []);
}

#[test]
fn devices_are_known_anew_once_everybody_was_signed_out_and_not_forgotten_when_one_is() {
    let site = Site::new(|_| {}, false);
    site.sign_in("ada", LAPTOP);
    block_on(site.engine.end_subject(&Subject::new("ada").unwrap(), EndReason::Admin)).unwrap();
    assert_eq!(site.sign_in("ada", PHONE), [Signal::NewDevice]);
    site.clock.advance(Duration::from_secs(1));
    block_on(site.engine.end_all(EndReason::Admin)).unwrap();
    assert_eq!(site.sign_in("ada", LAPTOP), [], "no news after a new start");
    assert_eq!(site.sign_in("ada", PHONE), [Signal::NewDevice]);
}
