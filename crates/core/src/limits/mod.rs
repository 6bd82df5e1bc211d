//! Limits on trying: what may be done how often, by whom. Who asks is judged by several budgets at once; all admit, or
//! none is charged.
//!
//! # Security
//! Nobody can lock an account out by failing at it from elsewhere. A try is charged to the address it comes from, then to
//! the account *at that place*, and only then to the account as a whole; and where the account is known, because somebody
//! signed in to it there or this browser is signed in to it, **nothing counts but what was tried there**. Strangers
//! use up the strangers' budget. A refusal changes nothing, and the longest wait of anybody is one step of a pace.
//!
//! What did not fail is given back. Giving back is no clearing: what failed before stays, so nobody wipes off failed
//! tries by signing in to an account of his own.

mod ask;
mod ledger;
mod rate;
mod settings;
mod shared;
mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::ask::{Asker, Keying};
pub use self::ledger::Ledger;
pub use self::rate::{NotARate, Rate};
pub use self::settings::{AddressRates, CodeRates, LimitSettings, SessionRates, SignInRates};
pub use self::shared::SharedLimits;
pub use self::table::Table;
use crate::rules::Pace;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Act {
    /// Trying a password.
    SignIn,
    /// Trying a one-time code.
    Code,
    /// Trying to step up, in a session.
    StepUp,
    /// Making a session.
    SessionCreation,
    /// Asking to stay signed in.
    Refresh,
    /// Being refused as cross-site.
    CsrfFailure,
}

/// What a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Per {
    /// An IPv4 address, or the /64 of an IPv6 address: what one subscriber holds.
    Address,
    /// The /48 of an IPv6 address.
    Network,
    /// An account, as far as strangers try it.
    Subject,
    /// An account at one address.
    Place,
    /// An account in a browser that was signed in to it.
    Device,
    /// A session.
    Session,
}

/// The keyed hash of whatever a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 16]);

/// What is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Its kind.
    pub per: Per,
    /// Whose.
    pub key: KeyId,
    /// How much it is.
    pub pace: Pace,
}

/// One try, and what it is charged to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What is tried.
    pub act: Act,
    /// Always charged.
    pub own: Option<Budget>,
    /// Charged besides, where the account is not known.
    pub strangers: Vec<Budget>,
    /// Where the account may be known.
    pub place: Option<KeyId>,
    /// Whether it is known already, by the browser.
    pub familiar: bool,
    /// How long a place stays known.
    pub known_for: Duration,
}

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It may be tried, and was charged.
    Granted(Granted),
    /// It may not, and nothing was charged.
    Refused(Refused),
}

/// It may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// Whether the account was known there: who gives back says so again.
    pub familiar: bool,
    /// How often more at once, by the narrowest of the budgets that are only the asker's.
    pub left: Option<(Per, Pace, u32)>,
}

/// It may not be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// What was tried.
    pub act: Act,
    /// Which budget is used up; the one that recovers last, if it is several.
    pub per: Per,
    /// Its pace.
    pub pace: Pace,
    /// After how long asking again makes sense.
    pub wait: Duration,
    /// Whose it is.
    pub key: KeyId,
}

impl Ask {
    /// What is charged.
    pub fn charged(&self, familiar: bool) -> impl Iterator<Item = &Budget> {
        let strangers = if familiar { &[][..] } else { &self.strangers[..] };
        self.own.iter().chain(strangers)
    }

    /// How long a place stays known.
    pub fn known_for_millis(&self) -> u64 {
        u64::try_from(self.known_for.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Act {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::SignIn, Self::Code, Self::StepUp, Self::SessionCreation, Self::Refresh, Self::CsrfFailure];

    /// As it is written in settings, events and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Code => "code",
            Self::StepUp => "step_up",
            Self::SessionCreation => "session_creation",
            Self::Refresh => "refresh",
            Self::CsrfFailure => "csrf_failures",
        }
    }
}

impl Per {
    /// All there are.
    pub const ALL: [Self; 6] = [Self::Address, Self::Network, Self::Subject, Self::Place, Self::Device, Self::Session];

    /// As it is written in settings, events and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Network => "network",
            Self::Subject => "subject",
            Self::Place => "place",
            Self::Device => "device",
            Self::Session => "session",
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Address => 0,
            Self::Network => 1,
            Self::Subject => 2,
            Self::Place => 3,
            Self::Device => 4,
            Self::Session => 5,
        }
    }

    /// Whether others hardly share it: what is left of it tells nobody what others do.
    pub const fn is_the_askers_own(self) -> bool {
        !matches!(self, Self::Subject | Self::Network)
    }
}
