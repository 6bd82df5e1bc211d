//! What may point to a theft, how grave each such signal is on which route, and what is decided on it.

use serde::Deserialize;

/// Something about a request that may mean that somebody else has the session. The names are stable: settings, events,
/// metrics and logs use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Signal {
    /// A token superseded long ago came back: somebody holds a copy.
    TokenReused,
    /// An older token came back from the same place, as after a crash.
    TokenRolledBack,
    /// A token newer than what the store knows.
    TokenForgotten,
    /// A token of a session that was ended.
    DeadToken,
    /// Many tokens in a short time that we never issued.
    ForgedBurst,
    /// One token from two machines.
    TwoContexts,
    /// Another platform or another browser; a new version is neither.
    UserAgentChanged,
    /// Another network, as the policy's `detection.network` counts them.
    NetworkChanged,
    /// Another country, too far off for the borders of what databases know.
    CountryChanged,
    /// Farther away than anybody travels in that time.
    ImpossibleTravel,
    /// Two places at once: they take turns.
    ManyPlaces,
    /// A device that this subject has not used of late.
    NewDevice,
    /// A device-bound session without its key.
    DeviceKeyMissing,
    /// Many requests of one session that a CSRF check refused.
    CsrfFailures,
    /// Many step-ups that failed.
    StepUpFailures,
    /// Far more sessions begin than usual.
    CreationSpike,
    /// Sign-ins fail at many accounts from one network.
    AddressSpray,
    /// The operator's own detector says so; its own name of the signal stands beside.
    Detector,
    /// The operator's own detector does not answer, and is not to be done without.
    DetectorSilent,
}

/// What is decided on signals, by strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Nothing.
    #[default]
    None,
    /// An event, for whoever reads events.
    Note,
    /// The session's user is told.
    Notify,
    /// The session's limits are tighter from now on.
    Shorten,
    /// This request waits for a step-up.
    StepUp,
    /// The session ends.
    Revoke,
}

/// How much a request could do in wrong hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Sensitivity {
    /// No more than most.
    #[default]
    Ordinary,
    /// The application declared its route to be sensitive.
    Sensitive,
}

/// A set of signals.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Signals(u32);

impl Signal {
    /// Each of them.
    pub const ALL: [Self; 19] = [
        Self::TokenReused,
        Self::TokenRolledBack,
        Self::TokenForgotten,
        Self::DeadToken,
        Self::ForgedBurst,
        Self::TwoContexts,
        Self::UserAgentChanged,
        Self::NetworkChanged,
        Self::CountryChanged,
        Self::ImpossibleTravel,
        Self::ManyPlaces,
        Self::NewDevice,
        Self::DeviceKeyMissing,
        Self::CsrfFailures,
        Self::StepUpFailures,
        Self::CreationSpike,
        Self::AddressSpray,
        Self::Detector,
        Self::DetectorSilent,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenReused => "token_reused",
            Self::TokenRolledBack => "token_rolled_back",
            Self::TokenForgotten => "token_forgotten",
            Self::DeadToken => "dead_token",
            Self::ForgedBurst => "forged_burst",
            Self::TwoContexts => "two_contexts",
            Self::UserAgentChanged => "user_agent_changed",
            Self::NetworkChanged => "network_changed",
            Self::CountryChanged => "country_changed",
            Self::ImpossibleTravel => "impossible_travel",
            Self::ManyPlaces => "many_places",
            Self::NewDevice => "new_device",
            Self::DeviceKeyMissing => "device_key_missing",
            Self::CsrfFailures => "csrf_failures",
            Self::StepUpFailures => "step_up_failures",
            Self::CreationSpike => "creation_spike",
            Self::AddressSpray => "address_spray",
            Self::Detector => "detector",
            Self::DetectorSilent => "detector_silent",
        }
    }

    /// Its bit in a record: it never changes.
    const fn bit(self) -> u32 {
        1 << match self {
            Self::TokenReused => 0,
            Self::TokenRolledBack => 1,
            Self::TokenForgotten => 2,
            Self::DeadToken => 3,
            Self::ForgedBurst => 4,
            Self::TwoContexts => 5,
            Self::UserAgentChanged => 6,
            Self::NetworkChanged => 7,
            Self::CountryChanged => 8,
            Self::ImpossibleTravel => 9,
            Self::ManyPlaces => 10,
            Self::NewDevice => 11,
            Self::DeviceKeyMissing => 12,
            Self::CsrfFailures => 13,
            Self::StepUpFailures => 14,
            Self::CreationSpike => 15,
            Self::AddressSpray => 16,
            Self::Detector => 17,
            Self::DetectorSilent => 18,
        }
    }
}

impl Decision {
    /// Each of them, the weakest first.
    pub const ALL: [Self; 6] = [Self::None, Self::Note, Self::Notify, Self::Shorten, Self::StepUp, Self::Revoke];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Note => "note",
            Self::Notify => "notify",
            Self::Shorten => "shorten",
            Self::StepUp => "step_up",
            Self::Revoke => "revoke",
        }
    }
}

impl Signals {
    /// None.
    pub const NONE: Self = Self(0);

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `signal` is among them.
    pub const fn has(self, signal: Signal) -> bool {
        self.0 & signal.bit() != 0
    }

    /// These and `signal`.
    #[must_use]
    pub const fn with(self, signal: Signal) -> Self {
        Self(self.0 | signal.bit())
    }

    /// These, and `signal` if so.
    #[must_use]
    pub const fn and_if(self, so: bool, signal: Signal) -> Self {
        if so { self.with(signal) } else { self }
    }

    /// These without `others`.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Those of both.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Those of either.
    #[must_use]
    pub const fn or(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        Signal::ALL.into_iter().filter(move |signal| self.has(*signal))
    }

    /// As a record keeps them.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// From what a record keeps. Signals of a later version are kept without a name.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}

impl FromIterator<Signal> for Signals {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        signals.into_iter().fold(Self::NONE, Self::with)
    }
}

impl std::fmt::Debug for Signals {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.iter().map(Signal::as_str)).finish()
    }
}
