//! What can be wrong, and how the result of one scenario is said.

use std::{collections::BTreeMap, fmt, time::Duration};

use http::StatusCode;

use crate::{client::NoAnswer, demo::DemoError};

/// Something Counterfoil promises never happens. Names who and when, never a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    #[error("session {session}: token {token} was answered {status} {moment} sign-out")]
    Revived { session: u64, token: usize, status: StatusCode, moment: Moment },
    #[error("session {session}: a response made after sign-out carried a session cookie")]
    CookieAfterSignOut { session: u64 },
    #[error("session {session}: the sign-out itself was answered {status}")]
    SignOutFailed { session: u64, status: StatusCode },
    #[error("browser {browser}: an honest browser was answered 401")]
    HonestSignOut { browser: u64 },
    #[error("browser {browser}: its cookie was removed without a sign-out")]
    CookieRemoved { browser: u64 },
    #[error("browser {browser}: one token was given two different successors")]
    SecondSuccessor { browser: u64 },
    #[error("browser {browser}: it became another session")]
    OtherSession { browser: u64 },
    #[error("browser {browser}: answered {status}, which no honest request should see")]
    Unexpected { browser: u64, status: StatusCode },
    #[error(
        "round {round}: the counter's replies lack {missing:?}, repeat or add {surplus:?}; {unanswered} without a number"
    )]
    CounterReplies { round: u64, missing: Vec<u64>, surplus: Vec<u64>, unanswered: usize },
    #[error("round {round}: the counter ended at {value:?}, not at {expected}")]
    CounterEnd { round: u64, value: Option<u64>, expected: u64 },
    #[error("round {round}: {alive} sessions alive in check {check}, the limit is {limit}")]
    LimitBroken { round: u64, check: usize, alive: usize, limit: usize },
    #[error("round {round}: the sessions alive changed between two checks")]
    LimitUnsteady { round: u64 },
    #[error("round {round}: {alive} sessions signed in with the old password outlived the change")]
    OldPasswordLives { round: u64, alive: usize },
    #[error("round {round}: the session that changed the password was answered {status}")]
    ChangerEnded { round: u64, status: StatusCode },
    #[error("round {round}: the new password signs nobody in")]
    NewPasswordRefused { round: u64 },
    #[error("round {round}: the old password still signs in")]
    OldPasswordAccepted { round: u64 },
}

/// When a dead token was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    RightAfter,
    WhenAllEnded,
}

/// The result of one scenario.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What was counted, in words.
    pub(crate) counted: String,
    pub(crate) findings: Findings,
    /// Why the run shows less than it should, although nothing broke a promise.
    pub(crate) doubt: Option<String>,
}

/// All violations, counted by kind, the first few in words.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    first: Vec<Violation>,
    counts: BTreeMap<&'static str, usize>,
}

/// The run cannot go on; it shows nothing either way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    #[error("the demo did not answer")]
    NoAnswer(#[from] NoAnswer),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error("signing in was answered {0} and set no session cookie")]
    SignIn(StatusCode),
    #[error("{step} was answered {status}")]
    Setup { step: &'static str, status: StatusCode },
    #[error("a task of the races themselves failed")]
    Task(#[from] tokio::task::JoinError),
    #[error("not done within {}: give --timeout more, or --n less", humantime::format_duration(*.0))]
    Timeout(Duration),
    #[error("interrupted")]
    Interrupted,
}

impl Violation {
    /// One word for the kind; [`Violation::KINDS`] has all of them.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Revived { .. } => "revived",
            Self::CookieAfterSignOut { .. } => "cookie-after-sign-out",
            Self::SignOutFailed { .. } => "sign-out-failed",
            Self::HonestSignOut { .. } => "honest-sign-out",
            Self::CookieRemoved { .. } => "cookie-removed",
            Self::SecondSuccessor { .. } => "second-successor",
            Self::OtherSession { .. } => "other-session",
            Self::Unexpected { .. } => "unexpected",
            Self::CounterReplies { .. } => "counter-replies",
            Self::CounterEnd { .. } => "counter-end",
            Self::LimitBroken { .. } => "limit-broken",
            Self::LimitUnsteady { .. } => "limit-unsteady",
            Self::OldPasswordLives { .. } => "old-password-lives",
            Self::ChangerEnded { .. } => "changer-ended",
            Self::NewPasswordRefused { .. } => "new-password-refused",
            Self::OldPasswordAccepted { .. } => "old-password-accepted",
        }
    }

    /// Every kind; the self-check must be able to produce each.
    pub(crate) const KINDS: [&'static str; 16] = [
        "revived",
        "cookie-after-sign-out",
        "sign-out-failed",
        "honest-sign-out",
        "cookie-removed",
        "second-successor",
        "other-session",
        "unexpected",
        "counter-replies",
        "counter-end",
        "limit-broken",
        "limit-unsteady",
        "old-password-lives",
        "changer-ended",
        "new-password-refused",
        "old-password-accepted",
    ];
}

impl Findings {
    pub(crate) fn add(&mut self, violations: impl IntoIterator<Item = Violation>) {
        for violation in violations {
            *self.counts.entry(violation.kind()).or_default() += 1;
            if self.first.len() < SHOWN {
                self.first.push(violation);
            }
        }
    }

    /// How many there are.
    pub(crate) fn total(&self) -> usize {
        self.counts.values().sum()
    }

    /// How many there are of one kind.
    pub(crate) fn of(&self, kind: &str) -> usize {
        self.counts.get(kind).copied().unwrap_or_default()
    }
}

impl Outcome {
    /// The word before the counts.
    pub(crate) fn word(&self) -> &'static str {
        match (self.findings.total(), &self.doubt) {
            (0, None) => "ok",
            (0, Some(_)) => "inconclusive",
            _ => "VIOLATED",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.word(), self.counted)?;
        if let Some(doubt) = &self.doubt {
            write!(f, "\n  in doubt: {doubt}")?;
        }
        for violation in &self.findings.first {
            write!(f, "\n  {violation}")?;
        }
        match self.findings.total().saturating_sub(self.findings.first.len()) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RightAfter => "right after",
            Self::WhenAllEnded => "when everything in flight had ended, after",
        })
    }
}

const SHOWN: usize = 20;
