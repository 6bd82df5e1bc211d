//! What is decided on signals: a table of how grave each is, on sensitive routes and on others.

use super::history::Finding;
use super::signal::{Decision, Sensitivity, Signal, Signals};

/// What is decided on each signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grades(Vec<(Signal, Grade)>);

/// What is decided on one signal, by the route it shows on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grade {
    /// On most routes.
    pub ordinary: Decision,
    /// On those that the application declared to be sensitive.
    pub sensitive: Decision,
}

impl Grades {
    /// What is decided unless the policy says otherwise. Whether another network is grave is its rule's to say: with
    /// `strict` and `subnet` the operator knows that networks do not change.
    ///
    /// | signal | ordinary | sensitive | why |
    /// |---|---|---|---|
    /// | `token_reused` | none | none | the reaction is `sessions.on_reuse` |
    /// | `user_agent_changed`, `two_contexts` | notify | step up | no cookie changes its browser; pages for desktops do look so |
    /// | `country_changed`, `impossible_travel`, `many_places` | notify | step up | people travel, copies need not |
    /// | `network_changed` | note | note | a phone does that all day |
    /// | `step_up_failures` | notify | step up | somebody guesses |
    /// | `new_device` | notify | notify | ASVS 6.3.5, 6.3.7 |
    /// | `detector` | step up | step up | what a verdict of `step_up` means; all others mean what they say |
    /// | `detector_silent` | note | step up | reading goes on while the operator's detector is down |
    /// | all others | note | note | worth knowing; nothing about this session |
    pub fn standard(network_is_grave: bool) -> Self {
        Self(Signal::ALL.into_iter().map(|signal| (signal, Grade::standard(signal, network_is_grave))).collect())
    }

    /// The same, but for one signal.
    #[must_use]
    pub fn with(mut self, signal: Signal, grade: Grade) -> Self {
        self.0.retain(|(of, _)| *of != signal);
        self.0.push((signal, grade));
        self
    }

    /// What is decided on one signal.
    pub fn of(&self, signal: Signal) -> Grade {
        self.0.iter().find(|(of, _)| *of == signal).map_or(Grade::NONE, |(_, grade)| *grade)
    }

    /// The strongest that is decided on any of these.
    pub fn decide(&self, signals: Signals, route: Sensitivity) -> Decision {
        signals.iter().map(|signal| self.of(signal).on(route)).max().unwrap_or_default()
    }

    /// Those on which a sensitive request waits for a step-up: they stay until there is one.
    pub fn grave(&self) -> Signals {
        Signal::ALL.into_iter().filter(|signal| self.of(*signal).sensitive == Decision::StepUp).collect()
    }

    /// Whether the session's limits are to be tightened: one of the new signals asks for it, though another asks for more.
    pub fn shortens(&self, finding: &Finding, route: Sensitivity) -> bool {
        finding.fresh.iter().any(|signal| self.of(signal).on(finding.heard_on(route)) == Decision::Shorten)
    }

    /// What is decided on a request: what is new as it is graded, and where it comes from a context in doubt, whatever
    /// holds back a sensitive request. Whoever is where they always are is not held back for what somebody else does.
    pub fn answer(&self, finding: &Finding, route: Sensitivity) -> Decision {
        let doubted = Some(self.decide(finding.doubts, route)).filter(|decision| *decision == Decision::StepUp);
        self.decide(finding.fresh, finding.heard_on(route)).max(doubted.unwrap_or_default())
    }
}

impl Finding {
    /// As on which route its signals are graded, if the request is one for this.
    pub const fn heard_on(&self, route: Sensitivity) -> Sensitivity {
        if self.of_another { Sensitivity::Ordinary } else { route }
    }
}

impl Grade {
    const NONE: Self = Self { ordinary: Decision::None, sensitive: Decision::None };

    /// What is decided on this kind of route.
    pub const fn on(self, route: Sensitivity) -> Decision {
        match route {
            Sensitivity::Ordinary => self.ordinary,
            Sensitivity::Sensitive => self.sensitive,
        }
    }

    const fn standard(signal: Signal, network_is_grave: bool) -> Self {
        use Decision::{Note, Notify, StepUp};
        let (ordinary, sensitive) = match signal {
            Signal::TokenReused => return Self::NONE,
            Signal::UserAgentChanged
            | Signal::TwoContexts
            | Signal::CountryChanged
            | Signal::ImpossibleTravel
            | Signal::ManyPlaces
            | Signal::StepUpFailures => (Notify, StepUp),
            Signal::NetworkChanged if network_is_grave => (Notify, StepUp),
            Signal::NewDevice | Signal::DeviceKeyMissing => (Notify, Notify),
            Signal::Detector => (StepUp, StepUp),
            Signal::DetectorSilent => (Note, StepUp),
            _ => (Note, Note),
        };
        Self { ordinary, sensitive }
    }
}
