//! Holding each request against what its session remembers of where it was used.

use std::net::IpAddr;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::Engine;
use super::arrival::Arrival;
use super::exchange::Exchange;
use crate::address::network_prefix;
use crate::event::EventKind;
use crate::record::{Change, Record};
use crate::rules::{Decision, Evidence, Finding, Heard, Limits, Network, Place, Sensitivity, Sight};
use crate::seam::Care;
use crate::store::Live;

/// What a request says about the session whose token it brings, and what is decided on it.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) finding: Finding,
    pub(super) decision: Decision,
    /// What the session's limits become, if they are tightened.
    pub(super) limits: Option<Limits>,
    pub(super) evidence: Option<Evidence>,
    /// What the operator's detector said.
    pub(super) heard: Heard,
}

impl Look {
    /// What is to be written of it.
    pub(super) fn change(&self) -> Change {
        Change { history: self.finding.becomes.clone(), limits: self.limits, ..Change::default() }
    }

    /// Whether the request waits for a step-up.
    pub(super) fn holds_back(&self) -> bool {
        self.decision == Decision::StepUp
    }

    /// Whether the session ends.
    pub(super) fn revokes(&self) -> bool {
        self.decision == Decision::Revoke
    }
}

impl Exchange {
    /// Whether the request comes from where the session is used, and nothing speaks against that: for most it does.
    pub(super) fn goes_on(&self, record: &Record) -> bool {
        let history = record.member().and_then(|member| member.history.as_ref());
        let vigilance = self.engine.policy().vigilance();
        history.is_none_or(|history| history.goes_on(self.arrival.network(), self.arrival.print(), vigilance))
    }

    /// Holds the request against what the session remembers.
    pub(super) fn look(&self, live: &Live) -> Look {
        let Some(history) = live.record.member().and_then(|member| member.history.as_ref()) else {
            return Look::default();
        };
        let (policy, sight) = (self.engine.policy(), self.arrival.sight(&self.engine));
        let finding = history.judge(&sight, live.seen_at, policy.vigilance());
        let decision = policy.grades().answer(&finding, self.sensitivity());
        let evidence = (!finding.fresh.is_empty()).then(|| Evidence::of(&finding, &sight));
        let shortens = policy.grades().shortens(&finding, self.sensitivity());
        let limits = shortens.then(|| policy.shortened(self.arrival.at.since(live.record.created_at)));
        Look { finding, decision, limits, evidence, heard: Heard::Unasked }
    }

    /// Tells what was found, each signal with what is decided on it.
    pub(super) fn tell_look(&self, record: &Record, look: &Look) {
        let (grades, route) = (self.engine.policy().grades(), look.finding.heard_on(self.sensitivity()));
        for signal in look.finding.fresh.iter() {
            let decision = grades.of(signal).on(route);
            if decision != Decision::None {
                let kind = EventKind::Signalled { signal, decision, evidence: look.evidence, own: None };
                self.tell(Some(record.id), record.subject(), kind);
            }
        }
        self.tell_heard(Some(record.id), record.subject(), &look.heard, look.evidence, self.sensitivity());
    }

    /// What a granted step-up makes of what the session remembers.
    pub(super) fn trusting(&self, record: &Record) -> Change {
        let history = record.member().and_then(|member| member.history.as_ref());
        let sight = || self.arrival.sight(&self.engine);
        let history = history.and_then(|history| history.trusting(&sight(), self.engine.policy().vigilance()));
        Change { history, ..Change::default() }
    }

    pub(super) const fn sensitivity(&self) -> Sensitivity {
        match self.arrival.route.care {
            Care::Usual | Care::AskStore | Care::StepUp => Sensitivity::Ordinary,
            Care::Sensitive => Sensitivity::Sensitive,
        }
    }
}

impl Arrival {
    /// What the request shows of its client.
    pub(super) fn sight(&self, engine: &Engine) -> Sight {
        let place = self.address.map_or(Place::UNKNOWN, |address| engine.locate(address));
        Sight { at: self.at, network: self.network(), place, agent: self.client(), print: self.print() }
    }

    pub(super) fn network(&self) -> Option<Network> {
        self.address.map(network_of)
    }

    /// A hash of all that the client says about itself.
    pub(super) fn print(&self) -> u32 {
        let (agent, platform) = self.claims();
        short(xxh3_64_with_seed(platform.unwrap_or_default(), xxh3_64(agent)))
    }
}

fn network_of(address: IpAddr) -> Network {
    let address = address.to_canonical();
    let hash = match address {
        IpAddr::V4(four) => xxh3_64(&four.octets()),
        IpAddr::V6(six) => xxh3_64(&six.octets()),
    };
    Network { prefix: network_prefix(address).bytes(), address: short(hash) }
}

const fn short(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests;
