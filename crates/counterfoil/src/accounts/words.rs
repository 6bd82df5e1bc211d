//! What happened to a session, in words for whom it belongs to.

use std::borrow::Cow;

use counterfoil_core::EventKind;
use counterfoil_core::limits::Act;
use counterfoil_core::rules::{EndReason, Evidence, Reaction, Signal, Trigger};

/// What happened, as a sentence for the person whose session it is. Reveals what [`EventKind`] does, and no more.
pub fn sentence(kind: &EventKind) -> Cow<'static, str> {
    match kind {
        EventKind::SessionCreated { previous: None } => "Signed in.".into(),
        EventKind::SessionCreated { previous: Some(_) } => "Signed in; the session before it is over.".into(),
        EventKind::SessionRotated => "A new token was made; the old one is good for a moment more.".into(),
        EventKind::SessionEnded { reason } => format!("The session is over: {}.", because(*reason)).into(),
        EventKind::SubjectEnded { reason } => format!("All other sessions are over: {}.", because(*reason)).into(),
        EventKind::AllEnded { .. } => "Every session of this site is over.".into(),
        EventKind::AccountChanged { trigger, reaction } => {
            format!("{}: {}.", changed(*trigger), consequence(*reaction)).into()
        }
        EventKind::SignInAgainRequired => "Something was refused that needs a more recent sign-in.".into(),
        EventKind::SteppedUp => "The password was confirmed.".into(),
        EventKind::StepUpRequired => "Something was refused that needs the password again.".into(),
        EventKind::SignInOvertaken => "A sign-in was refused: sessions were ended while it ran.".into(),
        EventKind::LimitReached => "A sign-in was refused: there are as many sessions as there may be.".into(),
        EventKind::TokenReused { ended: true } => {
            "A token came back that was replaced long ago: somebody holds a copy. The session was ended.".into()
        }
        EventKind::TokenReused { ended: false } => {
            "A token came back that was replaced long ago: somebody holds a copy. It was refused.".into()
        }
        EventKind::TokenRolledBack => "An older token came back from the same place, as after a crash.".into(),
        EventKind::TokenForgotten => "A token came that is newer than what is stored.".into(),
        EventKind::DeadToken { reason } => {
            format!("Somebody used a token of a session that is over: {}.", because(*reason)).into()
        }
        EventKind::CookieTossing => "One request carried tokens of different sessions; none was believed.".into(),
        EventKind::TokenMisplaced => "A token stood in an address. It was not read, and it has leaked.".into(),
        EventKind::CsrfDenied { reason, enforced: true } => {
            format!("A request was refused as not coming from this site: {reason}.").into()
        }
        EventKind::CsrfDenied { reason, enforced: false } => {
            format!("A request does not seem to come from this site, and was let through: {reason}.").into()
        }
        EventKind::CspViolated { directive, blocked, .. } => {
            format!("A page was about to do what its policy forbids ({blocked}, by {directive}); the browser says so.")
                .into()
        }
        EventKind::LimitHit { act, .. } => tried(*act).into(),
        EventKind::Signalled { signal, evidence, .. } => noticed(*signal, evidence.as_ref()),
        EventKind::SignalReceived { .. } => "Another service told of a change to this account.".into(),
        EventKind::WriteDropped => "The session ended while a request ran; what that changed was dropped.".into(),
        other => other.name().into(),
    }
}

/// What was noticed, and what showed it.
fn noticed(signal: Signal, evidence: Option<&Evidence>) -> Cow<'static, str> {
    let what = match signal {
        Signal::TwoContexts => "Two machines use this session",
        Signal::UserAgentChanged => "The session was used by another browser or device",
        Signal::NetworkChanged => "The session was used from another network",
        Signal::CountryChanged => "The account was used from another country",
        Signal::ImpossibleTravel => "The session was used farther away than anybody travels in that time",
        Signal::ManyPlaces => "The session is used in two places at once",
        Signal::NewDevice => "Somebody signed in with a device that was not used here of late",
        Signal::CsrfFailures => "Many requests were refused as not coming from this site",
        Signal::StepUpFailures => "The confirmation failed several times. Somebody may be guessing",
        Signal::Detector => "The site's own checks found something unusual",
        Signal::DetectorSilent => "The site's own checks could not be made",
        other => return other.as_str().into(),
    };
    match evidence {
        Some(evidence) => format!("{what}: {evidence}.").into(),
        None => format!("{what}.").into(),
    }
}

const fn tried(act: Act) -> &'static str {
    match act {
        Act::SignIn => {
            "Passwords were tried too often. Somebody may be guessing; where you are known you can still sign in."
        }
        Act::Code => "Codes were tried too often by somebody who has the password. If that was not you, change it.",
        Act::StepUp => "The password was tried too often in a session that is signed in.",
        _ => "Something was tried too often, and was refused.",
    }
}

const fn changed(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::PasswordChanged => "The password was changed",
        Trigger::MfaChanged => "The second factor was changed",
        _ => trigger.as_str(),
    }
}

const fn consequence(reaction: Reaction) -> &'static str {
    match reaction {
        Reaction::EndAll => "every session is over",
        Reaction::EndOthers => "every other session is over",
        Reaction::Rotate => "this session gets a new token",
        Reaction::StepUp => "what matters asks for the password again",
        _ => reaction.as_str(),
    }
}

const fn because(reason: EndReason) -> &'static str {
    match reason {
        EndReason::SignOut => "signed out",
        EndReason::Superseded => "the same browser signed in anew",
        EndReason::Idle => "not used for too long",
        EndReason::Absolute => "its time was up",
        EndReason::NeverUsed => "it was never used",
        EndReason::Reuse => "a copied token was used",
        EndReason::Limit => "a newer session took its place",
        EndReason::EndedByUser => "ended from another session",
        EndReason::CredentialChanged => "the password or the second factor was changed",
        EndReason::Admin => "ended by an operator",
        EndReason::Suspicion => "ended because somebody else may have had it",
        EndReason::SharedSignal => "another service said that it is over",
        _ => reason.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_sentence_that_says_why() {
        for (kind, said) in [
            (EventKind::SessionCreated { previous: None }, "Signed in."),
            (EventKind::SessionEnded { reason: EndReason::Idle }, "The session is over: not used for too long."),
            (
                EventKind::AccountChanged { trigger: Trigger::PasswordChanged, reaction: Reaction::EndOthers },
                "The password was changed: every other session is over.",
            ),
            (
                EventKind::AccountChanged { trigger: Trigger::EmailChanged, reaction: Reaction::EndAll },
                "email_changed: every session is over.",
            ),
        ] {
            assert_eq!(sentence(&kind), said);
        }
    }
}
