//! What a session remembers of where and by what it was used, and what a request from elsewhere says about it.
//!
//! A session knows a few **contexts**, each a client in a network. A request from one that it has not seen is held against
//! those it trusts, and so is one that turns back to another: networks and places change all day, clients hardly ever, and
//! nobody is in two cities at once. What is grave enough stays with the context as a **doubt**, until somebody who proves
//! who they are takes it away. Contexts in doubt are no measure for others, so a thief is never what the owner differs from.

use std::time::Duration;

use super::place::{LEAST_GAP_KM, Place, is_impossible};
use super::signal::{Signal, Signals};
use crate::agent::Agent;
use crate::moment::Moment;

/// What one request showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// When its head arrived.
    pub at: Moment,
    /// Where from; `None` where no address is known.
    pub network: Option<Network>,
    /// What a database says about that address.
    pub place: Place,
    /// What the client says it is.
    pub agent: Agent,
    /// A hash of all it says about itself: whoever has the same is the same without a closer look.
    pub print: u32,
}

/// A client's network: its prefix, and a hash that tells addresses in it apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The /24 or /48, with a first byte that tells the families apart.
    pub prefix: [u8; 7],
    /// A hash of the whole address.
    pub address: u32,
}

/// A context that a session was used in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// As it showed when it was first seen; `at` is when it was last seen.
    pub sight: Sight,
    /// When it was first seen.
    pub first: Moment,
    /// What speaks against it and nobody has answered.
    pub doubts: Signals,
}

/// The contexts of a session, the one in use first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History(Vec<Known>);

/// When another network is a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkRule {
    /// Another address.
    Strict,
    /// Another /24, or /48 of IPv6.
    Subnet,
    /// Another operator, where both are known: phones change all else all day.
    #[default]
    Asn,
    /// Never, and neither is another country. A journey that nobody makes still is one.
    Off,
}

/// What is looked at, and how closely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vigilance {
    /// When another network is a change.
    pub network: NetworkRule,
    /// Faster than this nobody travels.
    pub speed_kmh: u32,
    /// Two contexts that are used within this time take turns.
    pub window: Duration,
    /// How long a context is remembered that is not used any more.
    pub retain: Duration,
    /// What stays with a context until somebody there proves who they are.
    pub grave: Signals,
}

/// What a request says about its session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finding {
    /// What was noticed now.
    pub signals: Signals,
    /// What of that was not noticed before of this context, or of one like it.
    pub fresh: Signals,
    /// What speaks against the context of this request.
    pub doubts: Signals,
    /// Whether the session was not seen in this context, or not within the time for which contexts are remembered.
    pub is_new: bool,
    /// Whether what was noticed speaks against another context than that of this request.
    pub of_another: bool,
    /// The context that it was held against.
    pub expected: Option<Known>,
    /// What the history becomes; `None` where nothing needs to be written.
    pub becomes: Option<History>,
}

impl History {
    /// How many contexts are remembered at most.
    pub const MOST: usize = 8;

    /// The history of a session that begins with this request.
    pub fn born(sight: Sight) -> Self {
        Self(vec![Known::new(sight, Signals::NONE)])
    }

    /// From what a record keeps; `None` if those are too many.
    pub fn of(contexts: Vec<Known>) -> Option<Self> {
        (contexts.len() <= Self::MOST).then_some(Self(contexts))
    }

    /// The contexts, the one in use first.
    pub fn contexts(&self) -> &[Known] {
        &self.0
    }

    /// Whether the request comes from where the last ones did, and nothing speaks against that: most do.
    pub fn goes_on(&self, network: Option<Network>, print: u32, rule: &Vigilance) -> bool {
        let same = |front: &Known| front.sight.print == print && rule.is_one_network(front.sight.network, network);
        self.0.first().is_some_and(|front| front.doubts.is_empty() && same(front))
    }

    /// What `sight` says; `last_seen` is the session's last activity, which was in the context in use.
    pub fn judge(&self, sight: &Sight, last_seen: Moment, rule: &Vigilance) -> Finding {
        let seen = self.up_to(last_seen);
        match seen.0.iter().position(|known| known.is(sight, rule)) {
            None if seen.0.is_empty() => {
                Finding { is_new: true, becomes: Some(Self::born(*sight)), ..Finding::default() }
            }
            None => seen.judge_newcomer(sight, rule),
            Some(0) => Finding { doubts: seen.doubts_at(0), ..Finding::default() },
            Some(at) => seen.judge_return(at, sight, rule),
        }
    }

    /// The history once whoever is in this context has proved who they are. `None` where nothing spoke against it.
    pub fn trusting(&self, sight: &Sight, rule: &Vigilance) -> Option<Self> {
        let at = self.0.iter().position(|known| known.is(sight, rule) && !known.doubts.is_empty())?;
        let contexts = self.0.iter().enumerate();
        let cleared = |known: &Known| Known { doubts: Signals::NONE, ..*known };
        Some(Self(contexts.map(|(index, known)| if index == at { cleared(known) } else { *known }).collect()))
    }

    /// The history with other doubts about this context, which is known. `None` where those are its doubts already.
    pub fn doubting(&self, sight: &Sight, doubts: Signals, rule: &Vigilance) -> Option<Self> {
        let at = self.0.iter().position(|known| known.is(sight, rule) && known.doubts != doubts)?;
        let mut contexts = self.0.clone();
        contexts.get_mut(at)?.doubts = doubts;
        Some(Self(contexts))
    }

    /// Those of them that were used within the time for which contexts are remembered.
    #[must_use]
    pub fn of_late(self, now: Moment, rule: &Vigilance) -> Self {
        self.without_old(now, rule)
    }

    /// The history once whoever is in this context was met there and believed. `None` where that is known, and was written
    /// down less than a day ago.
    pub fn meeting(&self, sight: &Sight, rule: &Vigilance) -> Option<Self> {
        let at = self.0.iter().position(|known| known.is(sight, rule));
        let known = at.and_then(|at| self.0.get(at));
        if known.is_some_and(|known| sight.at.since(known.sight.at) < A_DAY) {
            return None;
        }
        let first = known.map_or(sight.at, |known| known.first);
        let mut others = self.0.clone();
        match at {
            Some(at) => drop(others.remove(at)),
            None => others.truncate(Self::MOST - 1),
        }
        others.insert(0, Known { first, ..Known::new(*sight, Signals::NONE) });
        Some(Self(others))
    }

    /// From a context that was not seen before.
    fn judge_newcomer(&self, sight: &Sight, rule: &Vigilance) -> Finding {
        let trusted = || self.0.iter().filter(|known| known.doubts.is_empty());
        let other_client = !trusted().any(|known| known.is_client_of(sight));
        let other_network = !trusted().any(|known| known.is_network_of(sight));
        let in_use = |known: &Known| sight.at.since(known.sight.at) <= rule.window;
        let signals = Signals::NONE
            .and_if(other_client, Signal::UserAgentChanged)
            .and_if(rule.network_changed(sight, &self.0), Signal::NetworkChanged)
            .and_if(rule.network != NetworkRule::Off && is_abroad(sight, trusted()), Signal::CountryChanged)
            .and_if(trusted().any(|known| known.is_too_far_from(sight, rule)), Signal::ImpossibleTravel)
            .and_if(other_client && other_network && trusted().any(in_use), Signal::TwoContexts);
        // Whoever was doubted and moves on is doubted still, but it is no news.
        let like = self.0.iter().filter(|known| known.moved_to(sight));
        let inherited = like.fold(Signals::NONE, |doubts, known| doubts.or(known.doubts));
        let doubts = signals.and(rule.grave).or(inherited);
        Finding {
            signals,
            fresh: signals.without(inherited),
            doubts,
            is_new: true,
            of_another: false,
            expected: trusted().next().copied(),
            becomes: Some(self.joined_by(Known::new(*sight, doubts), rule)),
        }
    }

    /// Back to the context at `at`, from the one in front.
    fn judge_return(&self, at: usize, sight: &Sight, rule: &Vigilance) -> Finding {
        let (Some(front), Some(back)) = (self.0.first(), self.0.get(at)) else { return Finding::default() };
        let take_turns = sight.at.since(back.sight.at) <= rule.window;
        let far = front.sight.place.gap_km(&back.sight.place).is_some_and(|km| km >= LEAST_GAP_KM);
        let signals = Signals::NONE
            .and_if(front.is_too_far_from(&back.at(sight.at), rule), Signal::ImpossibleTravel)
            .and_if(take_turns && far, Signal::ManyPlaces)
            .and_if(take_turns && !front.is_client_of(&back.sight), Signal::TwoContexts);
        // Of two, the one that came later is in doubt; of two that came at once, the one that is already.
        let front_is_blamed = front.first > back.first || (front.first == back.first && back.doubts.is_empty());
        let (blamed_at, blamed, elder) = if front_is_blamed { (0, front, back) } else { (at, back, front) };
        let (fresh, grave) = (signals.without(blamed.doubts), signals.and(rule.grave));
        let mut contexts = self.0.clone();
        if let Some(known) = contexts.get_mut(blamed_at) {
            known.doubts = known.doubts.or(grave);
        }
        let known = contexts.remove(at);
        let doubts = known.doubts;
        contexts.insert(0, Known { sight: back.at(sight.at), ..known });
        let settled = fresh.is_empty() && sight.at.since(back.sight.at) <= STEADY;
        let becomes = (!settled).then(|| Self(contexts).without_old(sight.at, rule));
        let of_another = blamed_at == 0;
        Finding { signals, fresh, doubts, is_new: false, of_another, expected: Some(*elder), becomes }
    }

    /// With the context in use last seen when the session was.
    fn up_to(&self, last_seen: Moment) -> Self {
        let mut contexts = self.0.clone();
        if let Some(front) = contexts.first_mut() {
            front.sight.at = front.sight.at.max(last_seen);
        }
        Self(contexts)
    }

    fn doubts_at(&self, at: usize) -> Signals {
        self.0.get(at).map(|known| known.doubts).unwrap_or_default()
    }

    fn joined_by(&self, newest: Known, rule: &Vigilance) -> Self {
        let mut contexts = self.clone().without_old(newest.sight.at, rule).0;
        if contexts.len() >= Self::MOST {
            // Whoever comes from one network after another must not push out what the owner is known by.
            let doubted = contexts.iter().rposition(|known| !known.doubts.is_empty());
            contexts.remove(doubted.unwrap_or(contexts.len() - 1));
        }
        contexts.insert(0, newest);
        Self(contexts)
    }

    fn without_old(self, now: Moment, rule: &Vigilance) -> Self {
        let mut contexts = self.0;
        contexts.retain(|known| now.since(known.sight.at) <= rule.retain);
        Self(contexts)
    }
}

impl Known {
    fn new(sight: Sight, doubts: Signals) -> Self {
        Self { sight, first: sight.at, doubts }
    }

    /// Whether a request comes from this context.
    fn is(&self, sight: &Sight, rule: &Vigilance) -> bool {
        self.is_client_of(sight) && rule.is_one_network(self.sight.network, sight.network)
    }

    /// By meaning: a new version is the same client.
    fn is_client_of(&self, sight: &Sight) -> bool {
        self.sight.print == sight.print || self.sight.agent == sight.agent
    }

    fn is_network_of(&self, sight: &Sight) -> bool {
        let prefix = |sight: &Sight| sight.network.map(|network| network.prefix);
        prefix(&self.sight) == prefix(sight)
    }

    /// Whether nobody gets from here to there in time.
    fn is_too_far_from(&self, there: &Sight, rule: &Vigilance) -> bool {
        let gap = self.sight.place.gap_km(&there.place);
        gap.is_some_and(|km| is_impossible(km, there.at.since(self.sight.at), rule.speed_kmh))
    }

    /// Whether a request may be of the one in doubt here, who went on to another network.
    fn moved_to(&self, sight: &Sight) -> bool {
        let elsewhere = self.sight.place.is_abroad_of(&sight.place);
        !self.doubts.is_empty() && self.is_client_of(sight) && !elsewhere
    }

    fn at(&self, at: Moment) -> Sight {
        Sight { at, ..self.sight }
    }
}

impl Vigilance {
    /// Whether two requests come from one network: a prefix, or where that is asked for, an address.
    fn is_one_network(&self, one: Option<Network>, two: Option<Network>) -> bool {
        match self.network {
            NetworkRule::Strict => one == two,
            NetworkRule::Subnet | NetworkRule::Asn | NetworkRule::Off => {
                one.map(|network| network.prefix) == two.map(|network| network.prefix)
            }
        }
    }

    fn network_changed(&self, sight: &Sight, known: &[Known]) -> bool {
        let mut trusted = known.iter().filter(|known| known.doubts.is_empty());
        let Some(network) = sight.network else { return false };
        let none = |same: &dyn Fn(&Network) -> bool| {
            let mut networks = trusted.clone().filter_map(|known| known.sight.network);
            !networks.any(|known| same(&known))
        };
        match self.network {
            NetworkRule::Off => false,
            NetworkRule::Strict => none(&|known| *known == network),
            NetworkRule::Subnet => none(&|known| known.prefix == network.prefix),
            NetworkRule::Asn => {
                let operators = trusted.clone().filter_map(|known| known.sight.place.asn);
                operators.count() > 0
                    && sight.place.asn.is_some_and(|asn| !trusted.any(|known| known.sight.place.asn == Some(asn)))
            }
        }
    }
}

/// Abroad of something known, and in no country or place that is known.
fn is_abroad<'a>(sight: &Sight, mut known: impl Iterator<Item = &'a Known> + Clone) -> bool {
    let at_home = |known: &Known| {
        let place = &known.sight.place;
        let same = place.country.is_some() && place.country == sight.place.country && !place.is_hidden();
        same || place.gap_km(&sight.place) == Some(0)
    };
    known.clone().any(|known| known.sight.place.is_abroad_of(&sight.place)) && !known.any(at_home)
}

impl std::fmt::Debug for Network {
    /// Not shown: it points at somebody.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Network(…)")
    }
}

/// Two contexts that take turns, as those of a computer with two kinds of addresses do, are not written down at each turn.
const STEADY: Duration = Duration::from_mins(1);
/// Devices that are used each day are written down each day, not at each sign-in.
const A_DAY: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests;
