//! Which of our events says what to others: a table. Pure: no clock, key or network.

use counterfoil_core::rules::{Decision, EndReason, Signal, Trigger};
use counterfoil_core::{Event, EventKind, Moment};
use serde_json::{Map, Value, json};

/// What an event says to others.
#[derive(Debug, Clone, PartialEq)]
pub struct Says {
    /// The type.
    pub event_type: EventType,
    /// The members of the event's object.
    pub body: Map<String, Value>,
}

/// The event types that we write, of CAEP 1.0, RISC 1.0 and SSF 1.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventType {
    /// CAEP: a session began.
    SessionEstablished,
    /// CAEP: one or several sessions are over.
    SessionRevoked,
    /// CAEP: a password or another factor is new.
    CredentialChange,
    /// CAEP: the user proved more than at the sign-in.
    AssuranceLevelChange,
    /// CAEP: something may mean that somebody else has the session.
    RiskLevelChange,
    /// RISC: nobody may sign in as this user any more.
    AccountDisabled,
    /// RISC: the user is reached elsewhere.
    RecoveryInformationChanged,
    /// SSF: the stream works.
    Verification,
}

impl EventType {
    /// Each of them.
    pub const ALL: [Self; 8] = [
        Self::SessionEstablished,
        Self::SessionRevoked,
        Self::CredentialChange,
        Self::AssuranceLevelChange,
        Self::RiskLevelChange,
        Self::AccountDisabled,
        Self::RecoveryInformationChanged,
        Self::Verification,
    ];

    /// Its name on the wire.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::SessionEstablished => "https://schemas.openid.net/secevent/caep/event-type/session-established",
            Self::SessionRevoked => "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
            Self::CredentialChange => "https://schemas.openid.net/secevent/caep/event-type/credential-change",
            Self::AssuranceLevelChange => "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change",
            Self::RiskLevelChange => "https://schemas.openid.net/secevent/caep/event-type/risk-level-change",
            Self::AccountDisabled => "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
            Self::RecoveryInformationChanged => {
                "https://schemas.openid.net/secevent/risc/event-type/recovery-information-changed"
            }
            Self::Verification => "https://schemas.openid.net/secevent/ssf/event-type/verification",
        }
    }

    /// Whether it is about a user, even where the event names a session.
    pub(super) const fn is_about_a_user(self) -> bool {
        matches!(self, Self::CredentialChange | Self::AccountDisabled | Self::RecoveryInformationChanged)
    }
}

/// What `event` says to others; `None` if nothing. Whom it is about stands in the token's `sub_id`.
///
/// Anonymous sessions are nobody's business: others hear of a session when somebody signed in, and when that session ends.
pub fn says(event: &Event) -> Option<Says> {
    let Event { at, session, subject, kind } = event;
    let somebody = subject.is_some();
    match kind {
        EventKind::SessionCreated { .. } if somebody => Some(established(*at, Entity::User)),
        EventKind::SessionAdopted { .. } if somebody => Some(established(*at, Entity::System)),
        EventKind::SessionEnded { reason } if somebody || is_ended_by_its_id(*reason) => Some(revoked(*at, *reason)),
        EventKind::SubjectEnded { reason } => {
            let mut says = revoked(*at, *reason);
            if let Some(spared) = session {
                says.body.insert("except_session".to_owned(), json!({ "format": "opaque", "id": spared.to_string() }));
            }
            Some(says)
        }
        EventKind::AllEnded { reason } => Some(revoked(*at, *reason)),
        EventKind::AccountChanged { trigger, .. } => account(*at, *trigger),
        EventKind::SteppedUp => Some(caep(
            EventType::AssuranceLevelChange,
            *at,
            Entity::User,
            "The user stepped up.",
            json!({ "namespace": ASSURANCE, "current_level": "elevated", "change_direction": "increase" }),
        )),
        EventKind::TokenReused { .. } => risk(event, Signal::TokenReused.as_str(), "HIGH"),
        EventKind::TokenMisplaced => risk(event, "token_misplaced", "HIGH"),
        EventKind::Signalled { signal, decision, .. } => risk(event, signal.as_str(), level(*decision)?),
        _ => None,
    }
}

fn established(at: Moment, by: Entity) -> Says {
    caep(EventType::SessionEstablished, at, by, "A user signed in.", json!({}))
}

fn revoked(at: Moment, reason: EndReason) -> Says {
    let (by, why) = because(reason);
    caep(EventType::SessionRevoked, at, by, why, json!({}))
}

fn account(at: Moment, trigger: Trigger) -> Option<Says> {
    let credential = |by, why, credential| {
        let body = json!({ "credential_type": credential, "change_type": "update" });
        Some(caep(EventType::CredentialChange, at, by, why, body))
    };
    let risc = |event_type| Some(Says { event_type, body: Map::new() });
    match trigger {
        Trigger::PasswordChanged => credential(Entity::User, "The user changed the password.", "password"),
        Trigger::PasswordReset => {
            credential(Entity::System, "The password was reset without knowing the old one.", "password")
        }
        Trigger::MfaChanged => {
            credential(Entity::System, "A second factor was added, replaced or removed.", "second-factor")
        }
        Trigger::EmailChanged => risc(EventType::RecoveryInformationChanged),
        Trigger::AccountDisabled => risc(EventType::AccountDisabled),
        // CAEP's token-claims-change wants the new values: what a user may do is the application's to say.
        _ => None,
    }
}

fn risk(event: &Event, reason: &'static str, level: &'static str) -> Option<Says> {
    let principal = match (event.session, event.subject) {
        (Some(_), _) => "SESSION",
        (None, Some(_)) => "USER",
        (None, None) => return None,
    };
    let body = json!({ "principal": principal, "current_level": level, "risk_reason": reason });
    Some(caep(EventType::RiskLevelChange, event.at, Entity::Policy, "Somebody else may have the session.", body))
}

/// What is only noted changes nothing, and is not told.
const fn level(decision: Decision) -> Option<&'static str> {
    match decision {
        Decision::None | Decision::Note => None,
        Decision::Notify | Decision::Shorten => Some("MEDIUM"),
        Decision::StepUp | Decision::Revoke => Some("HIGH"),
    }
}

/// With the claims that every event of CAEP may have (CAEP 1.0, section 2).
fn caep(event_type: EventType, at: Moment, by: Entity, why: &str, body: Value) -> Says {
    let mut all = Map::from_iter([
        ("event_timestamp".to_owned(), json!(at.unix_seconds())),
        ("initiating_entity".to_owned(), json!(by.as_str())),
        ("reason_admin".to_owned(), json!({ "en": why })),
    ]);
    if let Value::Object(body) = body {
        all.extend(body);
    }
    Says { event_type, body: all }
}

/// Who began it, in the words of CAEP 1.0, section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entity {
    Admin,
    User,
    Policy,
    System,
}

impl Entity {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
            Self::Policy => "policy",
            Self::System => "system",
        }
    }
}

const fn because(reason: EndReason) -> (Entity, &'static str) {
    match reason {
        EndReason::SignOut => (Entity::User, "The user signed out."),
        EndReason::Superseded => (Entity::User, "The same browser signed in anew."),
        EndReason::Idle => (Entity::Policy, "Nobody was active for too long."),
        EndReason::Absolute => (Entity::Policy, "The session's time was over."),
        EndReason::NeverUsed => (Entity::Policy, "The session's first token was never presented."),
        EndReason::Reuse => (Entity::Policy, "A superseded token came back: somebody holds a copy."),
        EndReason::Limit => (Entity::Policy, "Another session of the user took its place."),
        EndReason::EndedByUser => (Entity::User, "The user ended it from another session."),
        EndReason::CredentialChanged => (Entity::System, "A password or another factor changed."),
        EndReason::AccountChanged => (Entity::System, "The account changed."),
        EndReason::AccountDisabled => (Entity::System, "Nobody may sign in as this user any more."),
        EndReason::Admin => (Entity::Admin, "An operator ended it."),
        EndReason::Suspicion => (Entity::Policy, "The policy ends sessions on what their client showed."),
        EndReason::SharedSignal => (Entity::System, "Another service said that it is over."),
        _ => (Entity::System, "The session ended."),
    }
}

/// Whoever ends a session by its id may not know whose it is. For all other reasons a session of nobody is anonymous.
const fn is_ended_by_its_id(reason: EndReason) -> bool {
    use EndReason::{Absolute, Idle, NeverUsed, SignOut, Superseded};
    !matches!(reason, SignOut | Superseded | Idle | Absolute | NeverUsed)
}

/// Our own namespace of assurance levels: `anonymous`, `remembered`, `authenticated`, `elevated`.
const ASSURANCE: &str = "counterfoil";
