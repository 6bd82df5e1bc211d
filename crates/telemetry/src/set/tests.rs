//! What others are told of each event, whom it is about, and who can check it.

use std::collections::BTreeSet;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use counterfoil_core::rules::{Decision, EndReason, Reaction, Signal, Trigger};
use counterfoil_core::{Event, EventKind, SessionId};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::Jwk};

use super::*;
use crate::only::Only;

pub(super) const SESSION: SessionId = SessionId::from_bytes([7; 18]);
pub(super) const SUBJECT: SubjectRef = SubjectRef::from_bytes([9; 16]);
pub(super) const NOW: Moment = Moment::from_unix_millis(1_700_000_005_900);
const ENDED: EventKind = EventKind::SessionEnded { reason: EndReason::SignOut };

pub(super) fn event(session: Option<SessionId>, subject: Option<SubjectRef>, kind: EventKind) -> Event {
    Event { at: Moment::from_unix_millis(1_700_000_000_123), session, subject, kind }
}

pub(super) fn told(event: Event) -> Told {
    Told::new(EventId::from_bytes([1; 16]), None, event)
}

pub(super) fn settings() -> StreamSettings {
    StreamSettings {
        id: "mail".to_owned(),
        issuer: "https://login.example".to_owned(),
        audience: "https://mail.example".to_owned(),
        events: Only::default(),
    }
}

pub(super) fn eddsa(id: &str) -> SigningKey {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    SigningKey::eddsa(id, pkcs8.as_ref()).unwrap()
}

pub(super) fn es256(id: &str) -> SigningKey {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    SigningKey::es256(id, pkcs8.as_ref()).unwrap()
}

pub(super) fn writer(settings: StreamSettings) -> Writer {
    Writer::new(Stream::try_from(settings).unwrap(), Arc::new(eddsa("k")), None)
}

/// What the stream is told of it, with the ids that every token has left out.
fn claims(event: Event) -> Option<Value> {
    writer(settings()).claims(&told(event), NOW)
}

/// For each kind of event: in our words, the event, and the last part of the type that it becomes.
fn kinds() -> Vec<(&'static str, Event, Option<&'static str>)> {
    let known = |kind| event(Some(SESSION), Some(SUBJECT), kind);
    let anonymous = |kind| event(Some(SESSION), None, kind);
    let account = |trigger| known(EventKind::AccountChanged { trigger, reaction: Reaction::EndAll });
    let signal = |decision| {
        known(EventKind::Signalled { signal: Signal::ImpossibleTravel, decision, evidence: None, own: None })
    };
    let began = EventKind::SessionCreated { previous: None };
    let admin = EndReason::Admin;
    vec![
        ("`session.created`, signed in", known(began), Some("session-established")),
        ("`session.created`, anonymous", anonymous(began), None),
        ("`session.adopted`", known(EventKind::SessionAdopted { previous: None }), Some("session-established")),
        ("`session.ended`", known(ENDED), Some("session-revoked")),
        ("`session.ended`, anonymous", anonymous(ENDED), None),
        (
            "`session.ended` by its id, whosever it was",
            anonymous(EventKind::SessionEnded { reason: admin }),
            Some("session-revoked"),
        ),
        ("`subject.ended`", known(EventKind::SubjectEnded { reason: admin }), Some("session-revoked")),
        ("`all.ended`", event(None, None, EventKind::AllEnded { reason: admin }), Some("session-revoked")),
        ("`account.changed`: `password_changed`", account(Trigger::PasswordChanged), Some("credential-change")),
        ("`account.changed`: `password_reset`", account(Trigger::PasswordReset), Some("credential-change")),
        ("`account.changed`: `mfa_changed`", account(Trigger::MfaChanged), Some("credential-change")),
        ("`account.changed`: `email_changed`", account(Trigger::EmailChanged), Some("recovery-information-changed")),
        ("`account.changed`: `account_disabled`", account(Trigger::AccountDisabled), Some("account-disabled")),
        ("`account.changed`: `role_changed`", account(Trigger::RoleChanged), None),
        ("`step_up.done`", known(EventKind::SteppedUp), Some("assurance-level-change")),
        ("`token.reused`", known(EventKind::TokenReused { ended: true }), Some("risk-level-change")),
        ("`token.misplaced`", known(EventKind::TokenMisplaced), Some("risk-level-change")),
        ("`risk.signal`, at least `notify`", signal(Decision::Notify), Some("risk-level-change")),
        ("`risk.signal`, `note` or nothing", signal(Decision::Note), None),
        ("everything else", known(EventKind::SessionRotated), None),
    ]
}

#[test]
fn each_event_becomes_the_type_that_the_table_says_and_the_document_says_the_same() {
    let document = include_str!("../../../../docs/shared-signals.md");
    for (words, event, expected) in kinds() {
        let claims = claims(event);
        let events = claims.as_ref().map(|claims| claims["events"].as_object().unwrap());
        let uris: Vec<_> = events.into_iter().flatten().map(|(uri, _)| uri.clone()).collect();
        assert!(uris.len() <= 1, "{words}");
        let short = uris.first().and_then(|uri| uri.rsplit('/').next());
        assert_eq!(short, expected, "{words}");
        let family = uris.first().map_or("", |uri| if uri.contains("/risc/") { "RISC " } else { "CAEP " });
        let row = match expected {
            Some(name) => format!("| {words} | {family}`{name}` |"),
            None => format!("| {words} | nothing |"),
        };
        assert!(document.contains(&row), "docs/shared-signals.md lacks: {row}");
    }
}

#[test]
fn a_token_says_who_tells_whom_what_about_whom_and_when() {
    let all: Vec<_> = kinds().into_iter().filter_map(|(_, event, _)| claims(event)).collect();
    let text: Vec<_> = all.iter().map(|claims| serde_json::to_string_pretty(claims).unwrap()).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn no_token_has_a_claim_that_makes_it_another_kind_of_token() {
    for claims in kinds().into_iter().filter_map(|(_, event, _)| claims(event)) {
        let names: BTreeSet<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
        // SSF 1.0, sections 4.1.2, 4.1.6: neither `sub` nor `exp`.
        assert_eq!(names, BTreeSet::from(["aud", "events", "iat", "iss", "jti", "sub_id", "toe", "txn"]));
    }
}

#[test]
fn every_reason_says_who_and_why_in_words() {
    use EndReason::*;
    #[rustfmt::skip]
    let rows = [
        (SignOut, "user"), (Superseded, "user"), (EndedByUser, "user"), (Admin, "admin"),
        (Idle, "policy"), (Absolute, "policy"), (NeverUsed, "policy"), (Reuse, "policy"), (Limit, "policy"), (Suspicion, "policy"),
        (CredentialChanged, "system"), (AccountChanged, "system"), (AccountDisabled, "system"), (SharedSignal, "system"),
    ];
    let mut whys = BTreeSet::new();
    for (reason, entity) in rows {
        let Says { body, .. } = says(&event(Some(SESSION), Some(SUBJECT), EventKind::SessionEnded { reason })).unwrap();
        assert_eq!(body["initiating_entity"], entity, "{reason:?}");
        whys.insert(body["reason_admin"]["en"].as_str().unwrap().to_owned());
    }
    assert_eq!(whys.len(), rows.len(), "each has words of its own");
}

#[test]
fn a_user_is_a_keyed_reference_unless_the_operator_hands_over_names() {
    let hash = SUBJECT.to_string();
    let opaque = json!({ "format": "opaque", "id": hash });
    let known = told(event(Some(SESSION), Some(SUBJECT), ENDED));
    let user = |names| {
        let writer = Writer::new(Stream::try_from(settings()).unwrap(), Arc::new(eddsa("k")), names);
        writer.claims(&known, NOW).unwrap()["sub_id"]["user"].clone()
    };
    assert_eq!(user(None), opaque);
    let ada: Names = Arc::new(|subject| (subject == SUBJECT).then(|| "ada".to_owned()));
    assert_eq!(user(Some(ada)), json!({ "format": "iss_sub", "iss": "https://login.example", "sub": "ada" }));
    assert_eq!(user(Some(Arc::new(|_| None))), opaque, "whose name is not known");
}

#[test]
fn whom_an_event_is_about_is_never_wider_than_what_happened() {
    let about = |site: Option<&str>, event: Event| {
        let told = Told::new(EventId::from_bytes([1; 16]), site.map(Into::into), event);
        let claims = writer(settings()).claims(&told, NOW)?;
        let about = claims["sub_id"].as_object().unwrap();
        assert_eq!(about["format"], "complex");
        Some(about.keys().filter(|name| *name != "format").cloned().collect::<Vec<_>>().join(" "))
    };
    let subject_ended = EventKind::SubjectEnded { reason: EndReason::Admin };
    let all_ended = EventKind::AllEnded { reason: EndReason::Admin };
    let disabled = EventKind::AccountChanged { trigger: Trigger::AccountDisabled, reaction: Reaction::EndAll };
    let (some, user) = (Some(SESSION), Some(SUBJECT));
    #[rustfmt::skip]
    let rows = [
        ("one session",                  None,         event(some, user, ENDED),         Some("session user")),
        ("one session of a site",        Some("wiki"), event(some, user, ENDED),         Some("application session user")),
        ("all of a user but one",        None,         event(some, user, subject_ended), Some("user")),
        ("all of a user at a site",      Some("wiki"), event(None, user, subject_ended), Some("application user")),
        ("all of nobody",                Some("wiki"), event(some, None, subject_ended), None),
        ("all of a site",                Some("wiki"), event(None, None, all_ended),     Some("application")),
        ("all of the only site",         None,         event(None, None, all_ended),     Some("application")),
        ("an account, by a session",     None,         event(some, user, disabled),      Some("user")),
        ("an account that nobody knows", Some("wiki"), event(some, None, disabled),      None),
        ("a step-up of nobody",          None,         event(None, None, EventKind::SteppedUp), None),
    ];
    for (name, site, event, expected) in rows {
        assert_eq!(about(site, event).as_deref(), expected, "{name}");
    }
}

#[test]
fn the_session_that_goes_on_is_named_where_all_others_end() {
    let ended =
        |session| event(session, Some(SUBJECT), EventKind::SubjectEnded { reason: EndReason::CredentialChanged });
    let body = |session| says(&ended(session)).unwrap().body;
    assert_eq!(body(Some(SESSION))["except_session"], json!({ "format": "opaque", "id": SESSION.to_string() }));
    assert!(!body(None).contains_key("except_session"));
}

#[test]
fn a_stream_is_told_only_what_it_is_configured_for() {
    let ended = told(event(Some(SESSION), Some(SUBJECT), ENDED));
    let tells = |patterns: &[&str]| {
        let events = Only::new(patterns.iter().copied()).unwrap();
        writer(StreamSettings { events, ..settings() }).write(&ended, NOW).unwrap().is_some()
    };
    assert!(tells(&["session.*"]) && tells(&["risk.signal", "session.ended"]) && tells(&["*"]));
    assert!(!tells(&["session.created"]) && !tells(&[]));
}

#[test]
fn whoever_has_the_public_key_can_check_a_token_and_nobody_else_can_make_one() {
    let ended = told(event(Some(SESSION), Some(SUBJECT), ENDED));
    for (key, other, algorithm) in
        [(es256("a"), es256("b"), Algorithm::ES256), (eddsa("a"), eddsa("b"), Algorithm::EdDSA)]
    {
        let decoding =
            |key: &SigningKey| DecodingKey::from_jwk(&serde_json::from_value::<Jwk>(key.jwk()).unwrap()).unwrap();
        let (right, wrong) = (decoding(&key), decoding(&other));
        let writer = Writer::new(Stream::try_from(settings()).unwrap(), Arc::new(key), None);
        let token = writer.write(&ended, NOW).unwrap().unwrap();
        let mut validation = Validation::new(algorithm);
        validation.set_required_spec_claims(&["iss", "aud"]);
        validation.validate_exp = false;
        validation.set_audience(&["https://mail.example"]);
        let read = jsonwebtoken::decode::<Value>(token.as_str(), &right, &validation).unwrap();
        assert_eq!((read.header.typ.as_deref(), read.header.kid.as_deref()), (Some("secevent+jwt"), Some("a")));
        assert_eq!(Some(read.claims), writer.claims(&ended, NOW));
        assert!(jsonwebtoken::decode::<Value>(token.as_str(), &wrong, &validation).is_err());
        let [header, payload, signature] = token.as_str().split('.').collect::<Vec<_>>()[..] else { panic!() };
        let changed = String::from_utf8(BASE64.decode(payload).unwrap()).unwrap().replace("ses_", "sex_");
        let forged = format!("{header}.{}.{signature}", BASE64.encode(changed));
        assert!(jsonwebtoken::decode::<Value>(forged, &right, &validation).is_err());
    }
}

#[test]
fn a_verification_says_that_the_stream_works_and_gives_back_the_state() {
    let writer = writer(settings());
    let payload = |token: Token| {
        let payload = token.as_str().split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice::<Value>(&BASE64.decode(payload).unwrap()).unwrap()
    };
    let asked = payload(writer.verification(Some("abc"), NOW).unwrap());
    assert_eq!(asked["events"], json!({ EventType::Verification.uri(): { "state": "abc" } }));
    assert_eq!(asked["sub_id"], json!({ "format": "opaque", "id": "mail" }));
    let unasked = payload(writer.verification(None, NOW).unwrap());
    assert_eq!(unasked["events"], json!({ EventType::Verification.uri(): {} }));
    assert_ne!(asked["jti"], unasked["jti"]);
}

#[test]
fn neither_a_token_nor_a_key_is_seen_in_what_is_printed() {
    let token = writer(settings()).write(&told(event(Some(SESSION), Some(SUBJECT), ENDED)), NOW).unwrap().unwrap();
    let printed = format!("{token:?} {:?} {:?}", writer(settings()), eddsa("k"));
    let parts = token.as_str().split('.');
    assert!(parts.into_iter().all(|part| !printed.contains(part)), "{printed}");
}

#[test]
fn receivers_find_who_we_are_by_which_keys_and_which_members_they_must_understand() {
    let found = configuration("https://login.example", "https://login.example/jwks.json");
    assert_eq!((&found["spec_version"], &found["issuer"]), (&json!("1_0"), &json!("https://login.example")));
    assert_eq!(found["jwks_uri"], "https://login.example/jwks.json");
    let critical: BTreeSet<_> =
        found["critical_subject_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    // Every member that narrows a user down; without them an event would be about more than happened.
    for claims in kinds().into_iter().filter_map(|(_, event, _)| claims(event)) {
        let members = claims["sub_id"].as_object().unwrap().keys().map(String::as_str);
        assert!(members.filter(|name| !["format", "user"].contains(name)).all(|name| critical.contains(name)));
    }
}
