//! What happened: typed, with stable names, and nothing in it that authenticates anybody or tells who they are.

use crate::detector::SignalName;
use crate::id::{SessionId, SubjectRef};
use crate::limits::{Act, Per};
use crate::moment::Moment;
use crate::rules::{Decision, EndReason, Evidence, Reaction, Signal, Trigger};

/// One event. Holds public ids and keyed references only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// Which session, if it is known.
    pub session: Option<SessionId>,
    /// Whose, if it is known.
    pub subject: Option<SubjectRef>,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A session began; anonymous if nobody signed in.
    SessionCreated {
        /// The session it replaced.
        previous: Option<SessionId>,
    },
    /// A session of the layer before was taken over: its user is signed in.
    SessionAdopted {
        /// The anonymous session it replaced.
        previous: Option<SessionId>,
    },
    /// A session of the layer before was not taken over: its user signs in.
    AdoptionRefused {
        /// Why: the stable name of the reason.
        reason: &'static str,
    },
    /// A successor was made for the session's token.
    SessionRotated,
    /// A session ended.
    SessionEnded {
        /// Why.
        reason: EndReason,
    },
    /// All sessions of the subject ended, but perhaps the one named.
    SubjectEnded {
        /// Why.
        reason: EndReason,
    },
    /// Every session ended.
    AllEnded {
        /// Why.
        reason: EndReason,
    },
    /// The account changed, and this was done to its sessions.
    AccountChanged {
        /// What changed.
        trigger: Trigger,
        /// What was done.
        reaction: Reaction,
    },
    /// Somebody stepped up.
    SteppedUp,
    /// A route asked for a step-up.
    StepUpRequired,
    /// A route asked for a more recent sign-in.
    SignInAgainRequired,
    /// A sign-in whose credential was checked was refused, because the subject's sessions were ended meanwhile.
    SignInOvertaken,
    /// A sign-in was refused: the subject has as many sessions as it may.
    LimitReached,
    /// A token superseded long ago came back: somebody holds a copy.
    TokenReused {
        /// Whether the policy's reaction was to end the session.
        ended: bool,
    },
    /// An older token came back from the same place, as after a browser crash.
    TokenRolledBack,
    /// A token newer than what the store knows, as after a failover.
    TokenForgotten,
    /// A token of a session that is over.
    DeadToken {
        /// Why the session is over.
        reason: EndReason,
    },
    /// Something in our cookie that we never issued.
    TokenForged,
    /// Genuine tokens of different sessions in one request.
    CookieTossing,
    /// One of our tokens where none may be: in a query or a path. It is treated as leaked.
    TokenMisplaced,
    /// A request was refused as cross-site, or would have been.
    CsrfDenied {
        /// Why: the stable name of the reason.
        reason: &'static str,
        /// Whether it was refused, or only reported.
        enforced: bool,
    },
    /// A browser reports that a page of ours was about to do what its content security policy forbids. Anybody can send
    /// such a report.
    CspViolated {
        /// The directive: a known name, or `other`.
        directive: &'static str,
        /// The kind of thing it stopped: a known name, or `other`.
        blocked: &'static str,
        /// Whether it was stopped, or only reported.
        enforced: bool,
    },
    /// Something was tried too often, and was refused. Told once a minute for each budget that is used up.
    LimitHit {
        /// What was tried.
        act: Act,
        /// Whose budget is used up.
        per: Per,
    },
    /// Another service, which the operator listens to, told of something. What was done about it are events of their own.
    SignalReceived {
        /// What it told of: the stable name.
        what: &'static str,
    },
    /// A write to a session that had ended meanwhile was dropped.
    WriteDropped,
    /// Something may mean that somebody else has the session.
    Signalled {
        /// What.
        signal: Signal,
        /// What is decided on it.
        decision: Decision,
        /// What was seen, and what was expected.
        evidence: Option<Evidence>,
        /// What the operator's own detector calls it, where it is of that.
        own: Option<SignalName>,
    },
}

impl EventKind {
    /// The stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SessionCreated { .. } => "session.created",
            Self::SessionAdopted { .. } => "session.adopted",
            Self::AdoptionRefused { .. } => "session.adoption_refused",
            Self::SessionRotated => "session.rotated",
            Self::SessionEnded { .. } => "session.ended",
            Self::SubjectEnded { .. } => "subject.ended",
            Self::AllEnded { .. } => "all.ended",
            Self::AccountChanged { .. } => "account.changed",
            Self::SteppedUp => "step_up.done",
            Self::StepUpRequired => "step_up.required",
            Self::SignInAgainRequired => "sign_in.required_again",
            Self::SignInOvertaken => "sign_in.overtaken",
            Self::LimitReached => "sign_in.limit_reached",
            Self::TokenReused { .. } => "token.reused",
            Self::TokenRolledBack => "token.rolled_back",
            Self::TokenForgotten => "token.forgotten",
            Self::DeadToken { .. } => "token.dead",
            Self::TokenForged => "token.forged",
            Self::CookieTossing => "token.tossed",
            Self::TokenMisplaced => "token.misplaced",
            Self::CsrfDenied { .. } => "csrf.denied",
            Self::CspViolated { .. } => "csp.violated",
            Self::LimitHit { .. } => "limit.hit",
            Self::SignalReceived { .. } => "signal.received",
            Self::WriteDropped => "session.write_dropped",
            Self::Signalled { .. } => "risk.signal",
        }
    }

    /// Which signal of a theft it is, if it is one.
    pub const fn signal(&self) -> Option<Signal> {
        Some(match self {
            Self::Signalled { signal, .. } => *signal,
            Self::TokenReused { .. } => Signal::TokenReused,
            Self::TokenRolledBack => Signal::TokenRolledBack,
            Self::TokenForgotten => Signal::TokenForgotten,
            // What the clock ended, its owner may come back to.
            Self::DeadToken { reason: EndReason::Idle | EndReason::Absolute | EndReason::NeverUsed } => return None,
            Self::DeadToken { .. } => Signal::DeadToken,
            _ => return None,
        })
    }

    /// The reason, where there is one.
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::SessionEnded { reason }
            | Self::SubjectEnded { reason }
            | Self::AllEnded { reason }
            | Self::DeadToken { reason } => Some(reason.as_str()),
            Self::AccountChanged { trigger, .. } => Some(trigger.as_str()),
            Self::CsrfDenied { reason, .. } | Self::AdoptionRefused { reason } => Some(reason),
            Self::CspViolated { directive, .. } => Some(directive),
            Self::SignalReceived { what } => Some(what),
            Self::LimitHit { act, .. } => Some(act.as_str()),
            Self::Signalled { signal, .. } => Some(signal.as_str()),
            _ => None,
        }
    }
}

/// Where events go. Called on the request's path: it must not block.
pub trait EventSink: Send + Sync + 'static {
    /// Takes one event.
    fn emit(&self, event: &Event);
}

/// Events go nowhere.
impl EventSink for () {
    fn emit(&self, _: &Event) {}
}

/// Events go to a closure.
impl<F: Fn(&Event) + Send + Sync + 'static> EventSink for F {
    fn emit(&self, event: &Event) {
        self(event);
    }
}
