//! Which event counts where, and that nobody can make a series.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use counterfoil_core::agent::{Agent, Browser, Platform};
use counterfoil_core::rules::{Evidence, Glimpse, Place};
use counterfoil_core::{Moment, SessionId, SubjectRef};
use prometheus_client::encoding::text::encode;

use super::*;

fn meters() -> (Registry, EventMeters) {
    let mut registry = Registry::with_prefix("counterfoil");
    let meters = EventMeters::in_registry(&mut registry);
    (registry, meters)
}

fn lines(registry: &Registry) -> Vec<String> {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// Names and labels.
fn series(registry: &Registry) -> BTreeSet<String> {
    lines(registry).iter().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

/// What is not zero.
fn counted(registry: &Registry) -> BTreeSet<String> {
    lines(registry).into_iter().filter(|line| !line.ends_with(" 0")).collect()
}

/// Every event there can be, with everything a client has a say in as hostile as it gets.
fn hostile() -> Vec<EventKind> {
    let session = |byte| Some(SessionId::from_bytes([byte; SessionId::LENGTH]));
    let mut all = vec![
        EventKind::SessionRotated,
        EventKind::SteppedUp,
        EventKind::StepUpRequired,
        EventKind::SignInAgainRequired,
        EventKind::SignInOvertaken,
        EventKind::LimitReached,
        EventKind::TokenReused { ended: true },
        EventKind::TokenReused { ended: false },
        EventKind::TokenRolledBack,
        EventKind::TokenForgotten,
        EventKind::TokenForged,
        EventKind::CookieTossing,
        EventKind::TokenMisplaced,
        EventKind::SignalReceived { what: "any word" },
        EventKind::WriteDropped,
        EventKind::AdoptionRefused { reason: "any word" },
        EventKind::CspViolated { directive: "any directive", blocked: "any kind", enforced: true },
    ];
    for byte in 0..=255 {
        let previous = session(byte);
        all.extend([EventKind::SessionCreated { previous }, EventKind::SessionAdopted { previous }]);
    }
    for reason in EndReason::ALL {
        all.extend([EventKind::SessionEnded { reason }, EventKind::SubjectEnded { reason }]);
        all.extend([EventKind::AllEnded { reason }, EventKind::DeadToken { reason }]);
    }
    all.extend(
        pairs(DenyReason::ALL, [true, false])
            .map(|(reason, enforced)| EventKind::CsrfDenied { reason: reason.as_str(), enforced }),
    );
    all.extend(pairs(Act::ALL, Per::ALL).map(|(act, per)| EventKind::LimitHit { act, per }));
    all.extend(
        pairs(Trigger::ALL, Reaction::ALL).map(|(trigger, reaction)| EventKind::AccountChanged { trigger, reaction }),
    );
    for (number, (signal, decision)) in (0..20).flat_map(|_| pairs(Signal::ALL, Decision::ALL)).enumerate() {
        all.push(EventKind::Signalled { signal, decision, evidence: Some(evidence(number)), own: None });
    }
    all
}

/// Another place, client and distance each time.
fn evidence(number: usize) -> Evidence {
    let letter = |number: usize| b'A' + u8::try_from(number % 26).unwrap();
    let place = Place {
        country: Some([letter(number), letter(number / 26)]),
        asn: Some(u32::try_from(number).unwrap()),
        ..Place::UNKNOWN
    };
    let agent = Agent { platform: Platform::Other, browser: Browser::Curl };
    let glimpse = Glimpse { agent, place };
    let after = Some(Duration::from_secs(number as u64));
    Evidence { seen: glimpse, expected: Some(glimpse), gap_km: u32::try_from(number).ok(), after }
}

#[test]
fn nothing_that_anybody_sends_makes_a_series() {
    let (registry, meters) = meters();
    let sites = [meters.begin("wiki"), meters.begin("shop")];
    let before = series(&registry);
    assert_eq!(before.len(), 2 * SERIES_PER_SITE);
    let names: BTreeSet<_> = hostile().iter().map(EventKind::name).collect();
    assert!(names.iter().eq(NAMES), "every event is tried: {names:?}");
    for (number, kind) in hostile().into_iter().enumerate() {
        let byte = u8::try_from(number % 256).unwrap();
        let session = Some(SessionId::from_bytes([byte; SessionId::LENGTH]));
        let subject = Some(SubjectRef::from_bytes([byte; 16]));
        sites[number % 2].emit(&Event { at: Moment::EPOCH, session, subject, kind });
    }
    assert_eq!(series(&registry), before);
    meters.begin("wiki").happened(&EventKind::TokenForged);
    assert_eq!(series(&registry), before, "and a reload begins none anew");
}

#[test]
fn each_event_counts_where_alerts_look_for_it() {
    //  what                                          where, beside `events_total`
    #[rustfmt::skip]
    let table: [(EventKind, &[&str]); 13] = [
        (EventKind::SessionCreated { previous: None },                 &["sessions_created_total{app=\"wiki\"}"]),
        (EventKind::SessionAdopted { previous: None },                 &[]),
        (EventKind::SessionEnded { reason: EndReason::Suspicion },     &["sessions_ended_total{app=\"wiki\",reason=\"suspicion\"}"]),
        (EventKind::SubjectEnded { reason: EndReason::Admin },         &[]),
        (EventKind::SessionRotated,                                    &["rotations_total{app=\"wiki\",outcome=\"rotated\"}"]),
        (EventKind::TokenReused { ended: true },                       &["rotations_total{app=\"wiki\",outcome=\"reused\"}", "signals_total{app=\"wiki\",signal=\"token_reused\",decision=\"revoke\"}"]),
        (EventKind::TokenReused { ended: false },                      &["rotations_total{app=\"wiki\",outcome=\"reused\"}", "signals_total{app=\"wiki\",signal=\"token_reused\",decision=\"note\"}"]),
        (EventKind::TokenRolledBack,                                   &["rotations_total{app=\"wiki\",outcome=\"rolled_back\"}", "signals_total{app=\"wiki\",signal=\"token_rolled_back\",decision=\"note\"}"]),
        (EventKind::TokenForgotten,                                    &["rotations_total{app=\"wiki\",outcome=\"forgotten\"}", "signals_total{app=\"wiki\",signal=\"token_forgotten\",decision=\"note\"}"]),
        (EventKind::DeadToken { reason: EndReason::SignOut },          &["signals_total{app=\"wiki\",signal=\"dead_token\",decision=\"note\"}"]),
        (EventKind::DeadToken { reason: EndReason::Idle },             &[]),
        (EventKind::CsrfDenied { reason: "cross_site", enforced: false }, &["csrf_denied_total{app=\"wiki\",reason=\"cross_site\",enforced=\"false\"}"]),
        (EventKind::LimitHit { act: Act::SignIn, per: Per::Subject },  &["limits_hit_total{app=\"wiki\",act=\"sign_in\",per=\"subject\"}"]),
    ];
    for (kind, places) in table {
        let (registry, meters) = meters();
        meters.begin("wiki").happened(&kind);
        let events = format!("counterfoil_events_total{{app=\"wiki\",event=\"{}\"}} 1", kind.name());
        let expected = places.iter().map(|place| format!("counterfoil_{place} 1")).chain([events]).collect();
        assert_eq!(counted(&registry), expected, "{kind:?}");
    }
}

#[test]
fn what_was_decided_on_a_signal_and_done_on_a_change_is_told() {
    let (registry, meters) = meters();
    let wiki = meters.begin("wiki");
    let (signal, decision) = (Signal::UserAgentChanged, Decision::StepUp);
    wiki.happened(&EventKind::Signalled { signal, decision, evidence: None, own: None });
    wiki.happened(&EventKind::AccountChanged { trigger: Trigger::MfaChanged, reaction: Reaction::EndOthers });
    let counted = counted(&registry);
    for line in [
        r#"counterfoil_signals_total{app="wiki",signal="user_agent_changed",decision="step_up"} 1"#,
        r#"counterfoil_account_changes_total{app="wiki",change="mfa_changed",reaction="end_others"} 1"#,
    ] {
        assert!(counted.contains(line), "{line} in {counted:#?}");
    }
}

#[test]
fn losses_are_asked_at_each_scrape_and_added_up_by_name() {
    let (registry, meters) = meters();
    let lost = Arc::new(AtomicU64::new(2));
    let asked = Arc::clone(&lost);
    meters.losses("webhook", move || asked.load(Ordering::Relaxed));
    meters.losses("webhook", || 40);
    meters.losses("lines", || 0);
    let line = |sink: &str, lost: u64| format!("counterfoil_events_lost_total{{sink=\"{sink}\"}} {lost}");
    assert_eq!(lines(&registry), [line("webhook", 42), line("lines", 0)]);
    lost.store(3, Ordering::Relaxed);
    assert_eq!(lines(&registry), [line("webhook", 43), line("lines", 0)]);
}
