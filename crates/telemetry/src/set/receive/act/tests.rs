//! Whose sessions end by which token, and what is told of it.

use std::sync::Arc;

use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::rules::Trigger;
use counterfoil_core::store::Page;
use counterfoil_core::testing::{Fault, FaultyStore, Jar, Verb, sign_in};
use counterfoil_core::{Event, FakeClock, MemoryStore, Moment, Policy};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::super::tests::{NOW, Signing, claims, header, posted, receiver};
use super::*;

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

/// What happened, and on whose word.
type Told = (Event, Option<Arc<str>>);
/// Whom a token is about, given a session of Ada's.
type About = Box<dyn Fn(&Site, SessionId) -> Value>;

/// Sessions, and what was told of them.
struct Site {
    engine: Engine,
    store: Arc<FaultyStore<MemoryStore>>,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Site {
    fn new() -> Self {
        let told = Arc::<Mutex<Vec<Told>>>::default();
        let events = {
            let told = Arc::clone(&told);
            move |event: &Event| told.lock().push((*event, Cause::of_now().map(|cause| Arc::clone(&cause.issuer))))
        };
        let store = Arc::new(FaultyStore::around(MemoryStore::new()));
        let keys = SharedRing::from_source(&GeneratedKeys).unwrap();
        let clock = FakeClock::at(Moment::from_unix_seconds(NOW));
        let policy = Policy::aal2("https://us.example").unwrap();
        let engine = Engine::new(policy, keys, Arc::clone(&store) as _, clock, events);
        Self { engine, store, told }
    }

    async fn signed_in(&self, subject: &str) -> SessionId {
        sign_in(&self.engine, &mut Jar::default(), &named(subject)).await.unwrap();
        self.sessions(subject).await[0]
    }

    async fn sessions(&self, subject: &str) -> Vec<SessionId> {
        let found = self.engine.sessions_of(&named(subject), Page::FIRST).await.unwrap();
        found.into_iter().map(|summary| summary.id).collect()
    }

    /// What is told from here on.
    async fn hearing(&self, event: &str, body: Value, about: Value) -> Result<Acted, StoreError> {
        let (signing, mut claims) = (Signing::new(), claims());
        (claims["events"], claims["sub_id"]) = (json!({ event: body }), about);
        let token = signing.sign(&header("ES256", "ec"), &claims.to_string());
        let (receiver, _) = receiver(&signing, |settings| settings.accepts = What::NAMES.map(str::to_owned).into());
        let news = receiver.receive(&posted(), token.as_bytes()).await.unwrap().unwrap();
        self.told.lock().clear();
        news.act(&self.engine).await
    }
}

/// Our reference of Ada.
fn user(site: &Site) -> Value {
    json!({ "format": "opaque", "id": site.engine.reference(&named("ada@example.com")).to_string() })
}

fn session(id: SessionId) -> Value {
    json!({ "format": "opaque", "id": id.to_string() })
}

fn named(subject: &str) -> Subject {
    Subject::new(subject).unwrap()
}

#[tokio::test]
async fn each_token_ends_what_it_names_and_nothing_else() {
    let revoked = format!("{CAEP}session-revoked");
    let site = Site::new();
    // Whom the token is about, and how many of Ada's two sessions and Bob's one are left.
    let rows: [(&str, About, usize, usize); 10] = [
        ("ours", Box::new(|_, id| session(id)), 1, 1),
        (
            "ours, with its user",
            Box::new(|site, id| json!({ "format": "complex", "session": session(id), "user": user(site) })),
            1,
            1,
        ),
        ("our reference", Box::new(|site, _| user(site)), 0, 1),
        ("her address", Box::new(|_, _| json!({ "format": "email", "email": "ada@example.com" })), 0, 1),
        (
            "her id there",
            Box::new(|_, _| json!({ "format": "iss_sub", "iss": "https://idp.example", "sub": "ada@example.com" })),
            0,
            1,
        ),
        ("somebody unknown", Box::new(|_, _| json!({ "format": "email", "email": "eve@example.com" })), 2, 1),
        ("a session that is theirs", Box::new(|_, _| json!({ "format": "opaque", "id": "theirs" })), 2, 1),
        (
            "a session that is theirs, with its user",
            Box::new(|site, _| {
                let session = json!({ "format": "opaque", "id": "theirs" });
                json!({ "format": "complex", "session": session, "user": user(site) })
            }),
            2,
            1,
        ),
        (
            "a device",
            Box::new(|_, _| json!({ "format": "complex", "device": { "format": "opaque", "id": "d" } })),
            2,
            1,
        ),
        ("a name that is none", Box::new(|_, _| json!({ "format": "email", "email": "x".repeat(1_000) })), 2, 1),
    ];
    for (words, about, adas, bobs) in rows {
        site.engine.end_all(EndReason::Admin).await.unwrap();
        site.signed_in("bob@example.com").await;
        site.signed_in("ada@example.com").await;
        let id = site.signed_in("ada@example.com").await;
        let acted = site.hearing(&revoked, json!({}), about(&site, id)).await.unwrap();
        let left = (site.sessions("ada@example.com").await.len(), site.sessions("bob@example.com").await.len());
        assert_eq!(left, (adas, bobs), "{words}: {acted:?}");
    }
}

#[tokio::test]
async fn each_kind_of_news_does_what_the_document_says_and_every_event_says_on_whose_word() {
    let ada = json!({ "format": "email", "email": "ada@example.com" });
    let (revoked, changed) = (Some(EndReason::SharedSignal), Some(Trigger::PasswordChanged));
    let credential = json!({ "credential_type": "password", "change_type": "update" });
    let created = json!({ "credential_type": "password", "change_type": "create" });
    let risk = json!({ "current_level": "HIGH" });
    #[rustfmt::skip]
    let rows = [
        (format!("{CAEP}session-revoked"),                      json!({}),   revoked, None),
        (format!("{RISC}sessions-revoked"),                     json!({}),   revoked, None),
        (format!("{CAEP}credential-change"),                    credential,  None,    changed),
        (format!("{RISC}credential-compromise"),                json!({}),   None,    Some(Trigger::PasswordReset)),
        (format!("{RISC}account-disabled"),                     json!({}),   None,    Some(Trigger::AccountDisabled)),
        (format!("{RISC}identifier-changed"),                   json!({}),   None,    Some(Trigger::EmailChanged)),
        (format!("{CAEP}token-claims-change"),                  json!({}),   None,    Some(Trigger::RoleChanged)),
        (format!("{CAEP}credential-change"),                    created,     None,    None),
        (format!("{RISC}account-enabled"),                      json!({}),   None,    None),
        (format!("{CAEP}risk-level-change"),                    risk,        None,    None),
    ];
    let site = Site::new();
    for (event, body, reason, trigger) in rows {
        site.signed_in("ada@example.com").await;
        site.hearing(&event, body, ada.clone()).await.unwrap();
        let told = std::mem::take(&mut *site.told.lock());
        let ended = told.iter().find_map(|(event, _)| match event.kind {
            EventKind::SubjectEnded { reason } => Some(reason),
            _ => None,
        });
        let changed = told.iter().find_map(|(event, _)| match event.kind {
            EventKind::AccountChanged { trigger, .. } => Some(trigger),
            _ => None,
        });
        assert_eq!((ended, changed), (reason.or(trigger.map(Trigger::end_reason)), trigger), "{event}");
        let last = &told.last().unwrap().0;
        assert!(matches!(last.kind, EventKind::SignalReceived { .. }) && last.subject.is_some(), "{event}: {told:?}");
        assert!(told.iter().all(|(_, issuer)| issuer.as_deref() == Some("https://idp.example")), "{event}: {told:?}");
        assert_eq!(site.sessions("ada@example.com").await.is_empty(), ended.is_some(), "{event}");
        site.engine.end_all(EndReason::Admin).await.unwrap();
    }
}

#[tokio::test]
async fn the_session_that_is_spared_goes_on() {
    let site = Site::new();
    site.signed_in("ada@example.com").await;
    let spared = site.signed_in("ada@example.com").await;
    let body = json!({ "except_session": { "format": "opaque", "id": spared.to_string() } });
    let about = json!({ "format": "email", "email": "ada@example.com" });
    site.hearing(&format!("{CAEP}session-revoked"), body, about).await.unwrap();
    assert_eq!(site.sessions("ada@example.com").await, [spared]);
}

#[tokio::test]
async fn a_token_that_the_store_did_not_take_is_news_when_it_is_sent_again() {
    let (site, signing) = (Site::new(), Signing::new());
    site.signed_in("ada@example.com").await;
    let token = signing.sign(&header("ES256", "ec"), &claims().to_string());
    let (receiver, _) = receiver(&signing, |_| ());
    let receive = async || receiver.receive(&posted(), token.as_bytes()).await.unwrap();
    for fault in [Fault::Before, Fault::After] {
        site.store.faults().on(Verb::EndSubject, fault);
        assert!(receive().await.unwrap().act(&site.engine).await.is_err());
    }
    site.store.faults().heal();
    let reference = site.engine.reference(&named("ada@example.com"));
    assert_eq!(receive().await.unwrap().act(&site.engine).await.unwrap(), Acted::User(reference));
    assert_eq!(site.sessions("ada@example.com").await, []);
    assert!(receive().await.is_none(), "it was dealt with");
}
