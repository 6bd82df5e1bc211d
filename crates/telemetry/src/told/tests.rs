//! What stands in the object, for each kind of event.

use std::collections::BTreeSet;
use std::time::Duration;

use counterfoil_core::agent::{Browser, Platform};
use counterfoil_core::rules::{EndReason, Place, Reaction, Trigger};
use counterfoil_core::{SubjectRef, agent::Agent};
use serde_json::Value;

use super::*;

const SESSION: SessionId = SessionId::from_bytes([7; 18]);
const SUBJECT: SubjectRef = SubjectRef::from_bytes([9; 16]);

fn evidence() -> Evidence {
    let place = |country: &[u8; 2], asn| Place { country: Some(*country), asn: Some(asn), ..Place::UNKNOWN };
    let agent = Agent { platform: Platform::Linux, browser: Browser::Firefox };
    let curl = Agent { platform: Platform::Other, browser: Browser::Curl };
    Evidence {
        seen: Glimpse { agent: curl, place: place(b"BR", 2) },
        expected: Some(Glimpse { agent, place: place(b"DE", 1) }),
        gap_km: Some(9_000),
        after: Some(Duration::from_mins(1)),
    }
}

fn kinds() -> Vec<EventKind> {
    vec![
        EventKind::SessionCreated { previous: Some(SESSION) },
        EventKind::SessionAdopted { previous: None },
        EventKind::AdoptionRefused { reason: "unknown" },
        EventKind::SessionRotated,
        EventKind::SessionEnded { reason: EndReason::SignOut },
        EventKind::SubjectEnded { reason: EndReason::Admin },
        EventKind::AllEnded { reason: EndReason::Admin },
        EventKind::AccountChanged { trigger: Trigger::PasswordChanged, reaction: Reaction::EndAll },
        EventKind::SteppedUp,
        EventKind::StepUpRequired,
        EventKind::SignInAgainRequired,
        EventKind::SignInOvertaken,
        EventKind::LimitReached,
        EventKind::TokenReused { ended: true },
        EventKind::TokenRolledBack,
        EventKind::TokenForgotten,
        EventKind::DeadToken { reason: EndReason::SignOut },
        EventKind::DeadToken { reason: EndReason::Idle },
        EventKind::TokenForged,
        EventKind::CookieTossing,
        EventKind::TokenMisplaced,
        EventKind::CsrfDenied { reason: "cross_site", enforced: true },
        EventKind::CsrfDenied { reason: "cross_site", enforced: false },
        EventKind::CspViolated { directive: "script-src", blocked: "inline", enforced: true },
        EventKind::LimitHit { act: Act::SignIn, per: Per::Address },
        EventKind::SignalReceived { what: "session_revoked" },
        EventKind::WriteDropped,
        EventKind::Signalled {
            signal: Signal::ImpossibleTravel,
            decision: Decision::StepUp,
            evidence: Some(evidence()),
            own: None,
        },
        EventKind::Signalled {
            signal: Signal::Detector,
            decision: Decision::Shorten,
            evidence: Some(evidence()),
            own: Some("known_bot".parse().unwrap()),
        },
        EventKind::Signalled { signal: Signal::CsrfFailures, decision: Decision::Notify, evidence: None, own: None },
    ]
}

fn told(kind: EventKind) -> Told {
    let event =
        Event { at: Moment::from_unix_millis(1_700_000_000_123), session: Some(SESSION), subject: Some(SUBJECT), kind };
    Told::new(EventId::from_bytes([1; 16]), Some("wiki".into()), event)
}

#[test]
fn each_event_is_one_line_that_says_all_of_it() {
    let lines: Vec<_> = kinds().into_iter().map(|kind| told(kind).json().to_string()).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_line_is_an_object_with_a_version_an_id_a_time_a_name_and_a_severity() {
    for kind in kinds() {
        let told = told(kind);
        let object: Value = serde_json::from_str(told.json()).unwrap();
        assert_eq!(object["version"], 1);
        assert_eq!(object["id"], told.id.to_string());
        assert_eq!(object["time"], "2023-11-14T22:13:20.123Z", "{object}");
        assert_eq!(object["event"], kind.name());
        assert_eq!(object["severity"], told.severity().as_str());
        assert_eq!(object["session.id"], SESSION.to_string());
        assert_eq!(object["user.hash"], SUBJECT.to_string());
    }
}

#[test]
fn the_manual_has_every_event_with_its_severity_its_own_members_and_its_class() {
    let manual = include_str!("../../../../docs/events.md");
    let (events, classes) = manual.split_once("## In OCSF").unwrap();
    let row = |text: &'static str, name: &str| {
        let start = format!("| `{name}` |");
        text.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{name} has no row"))
    };
    for kind in kinds() {
        let told = told(kind);
        let row_of_it = row(events, kind.name());
        let cells: Vec<_> = row_of_it.trim_matches('|').split(" | ").collect();
        assert!(cells[2].contains(told.severity().as_str()), "{}: {row_of_it}", told.severity().as_str());
        let object: Value = serde_json::from_str(told.json()).unwrap();
        for member in object.as_object().unwrap().keys() {
            let everybody = row_exists(events, member);
            assert!(everybody || cells[3].contains(&format!("`{member}`")), "{member}: {row_of_it}");
        }
        assert!(row(classes, kind.name()).split(" | ").count() == 4, "{}", kind.name());
    }
}

/// Whether this is a member that every event has.
fn row_exists(text: &str, member: &str) -> bool {
    text.lines().any(|line| line.starts_with(&format!("| `{member}` |")))
}

#[test]
fn what_others_told_of_says_who_and_where_it_began() {
    let (id, began) = (EventId::from_bytes([1; 16]), EventId::from_bytes([2; 16]));
    let event = Event { at: Moment::EPOCH, session: None, subject: None, kind: EventKind::TokenForged };
    let issuer: Arc<str> = "https://idp.example".into();
    for (txn, expected) in [(Some(began), began), (None, id)] {
        let told = Told::caused(id, None, event, Some(Arc::new(Cause { issuer: Arc::clone(&issuer), txn })));
        assert_eq!(told.transaction(), expected);
        let object: Value = serde_json::from_str(told.json()).unwrap();
        assert_eq!(object["told_by"], "https://idp.example");
        assert_eq!(object.get("txn"), txn.map(|txn| Value::from(txn.to_string())).as_ref());
    }
    assert_eq!(Told::new(id, None, event).transaction(), id);
    let manual = include_str!("../../../../docs/events.md");
    assert!(row_exists(manual, "told_by") && row_exists(manual, "txn"));
}

#[test]
fn an_event_id_is_read_as_it_is_written_and_in_no_other_way() {
    let id = EventId::from_bytes([0xab; 16]);
    assert_eq!(id.to_string().parse(), Ok(id));
    let good = id.to_string();
    for bad in
        ["", "evt_", &good[1..], &good[..35], &format!("{good}0"), &good.to_uppercase(), &good.replace("ab", "+b")]
    {
        assert_eq!(bad.parse::<EventId>(), Err(NotAnEventId), "{bad}");
    }
}

#[test]
fn what_is_not_known_is_not_there() {
    let event = Event { at: Moment::EPOCH, session: None, subject: None, kind: EventKind::TokenForged };
    let told = Told::new(EventId::from_bytes([0; 16]), None, event);
    let expected = r#"{"version":1,"id":"evt_00000000000000000000000000000000","time":"1970-01-01T00:00:00.000Z","event":"token.forged","severity":"warning"}"#;
    assert_eq!(&**told.json(), expected);
}

#[test]
fn a_pattern_is_a_name_or_the_beginning_of_some() {
    //  pattern           session.ended  session.created  risk.signal
    let table = [
        ("session.ended", [true, false, false]),
        ("session.*", [true, true, false]),
        ("risk.*", [false, false, true]),
        ("*", [true, true, true]),
        ("session", [false, false, false]),
        ("", [false, false, false]),
    ];
    let ended = told(EventKind::SessionEnded { reason: EndReason::SignOut });
    let created = told(EventKind::SessionCreated { previous: None });
    let signal =
        told(EventKind::Signalled { signal: Signal::NewDevice, decision: Decision::Note, evidence: None, own: None });
    for (pattern, means) in table {
        assert_eq!([&ended, &created, &signal].map(|told| told.is_any_of(&[pattern])), means, "{pattern}");
    }
    assert!(ended.is_any_of(&["risk.*", "session.ended"]));
    assert!(!ended.is_any_of(&[""; 0]));
}

#[test]
fn ids_differ_and_sort_by_time() {
    let at = |millis| EventId::fresh(Moment::from_unix_millis(millis));
    let ids: BTreeSet<_> = (0..1_000).map(|_| at(5)).collect();
    assert_eq!(ids.len(), 1_000);
    assert!(ids.iter().all(|id| *id < at(6) && *id > at(4)));
    assert_eq!(at(1).to_string().len(), "evt_".len() + 32);
}
