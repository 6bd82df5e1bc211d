//! What requests say about a session, one after another: each row is a request, as a story tells it.

use super::*;
use crate::agent::{Browser, Platform};
use crate::rules::{NetworkKind, Spot};

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

const LAPTOP: Agent = Agent { platform: Platform::Linux, browser: Browser::Firefox };
const PHONE: Agent = Agent { platform: Platform::Ios, browser: Browser::Safari };
const SCRIPT: Agent = Agent { platform: Platform::Other, browser: Browser::Curl };

/// Where somebody is: a network, and its place.
#[derive(Clone, Copy)]
struct Spotted(u8, Place);

fn place(country: [u8; 2], asn: u32, latitude: f64, longitude: f64) -> Place {
    let spot = Spot::new(latitude, longitude, Some(20));
    Place { country: Some(country), spot, asn: Some(asn), kind: NetworkKind::Ordinary }
}

fn berlin() -> Spotted {
    Spotted(1, place(*b"DE", 1, 52.5, 13.4))
}

fn berlin_mobile() -> Spotted {
    Spotted(2, place(*b"DE", 2, 52.4, 13.3))
}

fn munich() -> Spotted {
    Spotted(3, place(*b"DE", 1, 48.1, 11.6))
}

fn lima() -> Spotted {
    Spotted(4, place(*b"PE", 4, -12.0, -77.0))
}

fn lima_mobile() -> Spotted {
    Spotted(5, place(*b"PE", 5, -12.1, -77.1))
}

fn nowhere() -> Spotted {
    Spotted(6, Place::UNKNOWN)
}

fn tunnel() -> Spotted {
    Spotted(7, Place { kind: NetworkKind::Vpn, ..place(*b"US", 7, 40.7, -74.0) })
}

fn sight(at: u64, agent: Agent, Spotted(network, place): Spotted) -> Sight {
    let network = Some(Network { prefix: [4, 198, 51, network, 0, 0, 0], address: network.into() });
    let print = u32::from(agent.platform.code()) << 8 | u32::from(agent.browser.code());
    Sight { at: Moment::from_unix_seconds(1_000_000 + at), network, place, agent, print }
}

const GRAVE: Signals = Signals::NONE
    .with(Signal::TwoContexts)
    .with(Signal::UserAgentChanged)
    .with(Signal::CountryChanged)
    .with(Signal::ImpossibleTravel)
    .with(Signal::ManyPlaces);

const RULE: Vigilance = Vigilance {
    network: NetworkRule::Asn,
    speed_kmh: 1_000,
    window: Duration::from_mins(10),
    retain: Duration::from_hours(30 * 24),
    grave: GRAVE,
};

/// What a request raised, and whether its context is in doubt.
type Found = (Vec<&'static str>, bool);

/// Plays the requests of a session that began with the first, and says what each of the others raised and leaves in doubt.
fn play(rule: &Vigilance, requests: &[(u64, Agent, Spotted)]) -> Vec<Found> {
    let mut sights = requests.iter().map(|(at, agent, spotted)| sight(*at, *agent, *spotted));
    let first = sights.next().unwrap();
    let (mut history, mut last_seen) = (History::born(first), first.at);
    let names = |signals: Signals| signals.iter().map(Signal::as_str).collect();
    let judged = |sight: Sight| {
        let finding = history.judge(&sight, last_seen, rule);
        assert!(finding.fresh.without(finding.signals).is_empty(), "what is new was noticed");
        assert_eq!(history.goes_on(sight.network, sight.print, rule), finding == Finding::default(), "{finding:?}");
        history = finding.becomes.clone().unwrap_or_else(|| history.clone());
        assert!(history.contexts().len() <= History::MOST);
        last_seen = sight.at;
        (names(finding.fresh), !finding.doubts.is_empty())
    };
    sights.map(judged).collect()
}

#[test]
fn people_move_and_copies_stand_out() {
    let story = |requests: &[(u64, Agent, Spotted)]| play(&RULE, requests);
    #[rustfmt::skip]
    let rows: Vec<(&str, Vec<Found>, Vec<Found>)> = vec![
        ("nothing changes",
            story(&[(0, LAPTOP, berlin()), (HOUR, LAPTOP, berlin())]),
            vec![(vec![], false)]),
        ("a phone leaves the house and comes back",
            story(&[(0, PHONE, berlin()), (HOUR, PHONE, berlin_mobile()), (2 * HOUR, PHONE, berlin())]),
            vec![(vec!["network_changed"], false), (vec![], false)]),
        ("the same operator elsewhere",
            story(&[(0, PHONE, berlin()), (5 * HOUR, PHONE, munich())]),
            vec![(vec![], false)]),
        ("by plane",
            story(&[(0, PHONE, berlin()), (16 * HOUR, PHONE, lima())]),
            vec![(vec!["network_changed", "country_changed"], true)]),
        ("by plane, and then by bus: the doubt goes along, and the country is no news",
            story(&[(0, PHONE, berlin()), (16 * HOUR, PHONE, lima()), (18 * HOUR, PHONE, lima_mobile())]),
            vec![(vec!["network_changed", "country_changed"], true), (vec!["network_changed"], true)]),
        ("faster than a plane",
            story(&[(0, PHONE, berlin()), (20 * MINUTE, PHONE, lima())]),
            vec![(vec!["network_changed", "country_changed", "impossible_travel"], true)]),
        ("far, in one country, at once",
            story(&[(0, PHONE, berlin()), (5 * MINUTE, PHONE, munich())]),
            vec![(vec!["impossible_travel"], true)]),
        ("a tunnel's exit is nobody's place",
            story(&[(0, LAPTOP, berlin()), (MINUTE, LAPTOP, tunnel()), (2 * MINUTE, LAPTOP, berlin())]),
            vec![(vec!["network_changed"], false), (vec![], false)]),
        ("a tunnel does not wash a journey clean",
            story(&[(0, LAPTOP, berlin()), (MINUTE, LAPTOP, tunnel()), (20 * MINUTE, LAPTOP, lima())]),
            vec![(vec!["network_changed"], false), (vec!["network_changed", "country_changed", "impossible_travel"], true)]),
        ("an address that nobody knows",
            story(&[(0, LAPTOP, berlin()), (MINUTE, LAPTOP, nowhere()), (2 * MINUTE, LAPTOP, berlin())]),
            vec![(vec![], false), (vec![], false)]),
        ("another client at the same desk",
            story(&[(0, LAPTOP, berlin()), (MINUTE, SCRIPT, berlin())]),
            vec![(vec!["user_agent_changed"], true)]),
        ("a script far away while the owner works",
            story(&[(0, LAPTOP, berlin()), (MINUTE, SCRIPT, lima())]),
            vec![(vec!["two_contexts", "user_agent_changed", "network_changed", "country_changed", "impossible_travel"], true)]),
        ("owner and thief take turns: the thief is in doubt, the owner is not",
            story(&[(0, LAPTOP, berlin()), (MINUTE, LAPTOP, lima()), (2 * MINUTE, LAPTOP, berlin()), (3 * MINUTE, LAPTOP, lima())]),
            vec![(vec!["network_changed", "country_changed", "impossible_travel"], true), (vec!["many_places"], false), (vec![], true)]),
        ("the owner's next network is not held against the thief's",
            story(&[(0, LAPTOP, berlin()), (MINUTE, SCRIPT, lima()), (2 * MINUTE, LAPTOP, berlin_mobile())]),
            vec![(vec!["two_contexts", "user_agent_changed", "network_changed", "country_changed", "impossible_travel"], true), (vec!["network_changed"], false)]),
        ("back after a day, from the other side of the world",
            story(&[(0, LAPTOP, berlin()), (DAY, LAPTOP, lima()), (2 * DAY, LAPTOP, berlin())]),
            vec![(vec!["network_changed", "country_changed"], true), (vec![], false)]),
    ];
    for (name, found, expected) in rows {
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn another_network_is_what_the_rule_says_it_is() {
    use NetworkRule::{Asn, Off, Strict, Subnet};
    let next_address = |Spotted(network, place): Spotted, at| {
        let sight = sight(at, LAPTOP, Spotted(network, place));
        Sight { network: sight.network.map(|network| Network { address: 99, ..network }), ..sight }
    };
    let (home, lease) = (sight(0, LAPTOP, berlin()), next_address(berlin(), HOUR));
    let (subnet, operator) = (sight(5 * HOUR, LAPTOP, munich()), sight(HOUR, LAPTOP, berlin_mobile()));
    let unknown = sight(HOUR, LAPTOP, nowhere());
    #[rustfmt::skip]
    let rows = [
        //  rule    lease  subnet operator unknown  grave
        (Strict, [true,  true,  true,    true],  true),
        (Subnet, [false, true,  true,    true],  true),
        (Asn,    [false, false, true,    false], false),
        (Off,    [false, false, false,   false], false),
    ];
    for (network, expected, grave) in rows {
        let grave_too = if grave { GRAVE.with(Signal::NetworkChanged) } else { GRAVE };
        let rule = Vigilance { network, grave: grave_too, ..RULE };
        let found = [lease, subnet, operator, unknown].map(|sight| History::born(home).judge(&sight, home.at, &rule));
        let changed = found.each_ref().map(|finding| finding.signals.has(Signal::NetworkChanged));
        assert_eq!(changed, expected, "{network:?}");
        for finding in found {
            let doubted = finding.doubts.has(Signal::NetworkChanged);
            assert_eq!(doubted, grave && finding.signals.has(Signal::NetworkChanged), "{network:?}");
        }
    }
}

#[test]
fn whoever_proves_who_they_are_is_doubted_no_more_and_is_what_others_are_held_against() {
    let (home, away) = (sight(0, PHONE, berlin()), sight(16 * HOUR, PHONE, lima()));
    let travelled = History::born(home).judge(&away, home.at, &RULE).becomes.unwrap();
    assert_eq!(travelled.trusting(&home, &RULE), None, "nothing speaks against home");
    let trusted = travelled.trusting(&away, &RULE).unwrap();
    assert!(trusted.goes_on(away.network, away.print, &RULE));
    assert_eq!(trusted.trusting(&away, &RULE), None);
    let bus = sight(18 * HOUR, PHONE, lima_mobile());
    let finding = trusted.judge(&bus, away.at, &RULE);
    assert_eq!((finding.signals, finding.doubts), (Signals::NONE.with(Signal::NetworkChanged), Signals::NONE));
}

#[test]
fn nobody_pushes_out_what_the_owner_is_known_by() {
    let home = sight(0, LAPTOP, berlin());
    let mut history = History::born(home);
    for network in 10..60 {
        let Spotted(_, place) = lima();
        let thief = sight(u64::from(network), SCRIPT, Spotted(network, place));
        history = history.judge(&thief, history.contexts()[0].sight.at, &RULE).becomes.unwrap();
    }
    assert_eq!(history.contexts().len(), History::MOST);
    let back = history.judge(&Sight { at: Moment::from_unix_seconds(1_000_100), ..home }, home.at, &RULE);
    assert_eq!(back.doubts, Signals::NONE, "the owner is still known");
}

#[test]
fn a_new_version_of_a_browser_is_the_same_client_and_is_not_written_down() {
    let old = sight(0, LAPTOP, berlin());
    let new = Sight { print: old.print + 1, at: Moment::from_unix_seconds(1_000_060), ..old };
    assert_eq!(History::born(old).judge(&new, old.at, &RULE), Finding::default());
    assert!(!History::born(old).goes_on(new.network, new.print, &RULE), "it takes a closer look");
}

#[test]
fn two_addresses_that_take_turns_are_not_written_down_each_time() {
    let (four, six) = (sight(0, LAPTOP, berlin()), sight(1, LAPTOP, berlin_mobile()));
    let known = History::born(four).judge(&six, four.at, &RULE).becomes.unwrap();
    let at = |sight: Sight, second: u64| Sight { at: Moment::from_unix_seconds(1_000_000 + second), ..sight };
    assert_eq!(known.judge(&at(four, 2), six.at, &RULE).becomes, None, "a second later");
    assert_eq!(known.judge(&at(four, 59), at(six, 58).at, &RULE).becomes, None);
    let turned = known.judge(&at(four, 62), at(six, 61).at, &RULE).becomes.unwrap();
    assert_eq!(turned.contexts()[0].sight.at, at(four, 62).at);
    assert_eq!(turned.contexts()[1].sight.at, at(six, 61).at, "the other was in use until then");
}

#[test]
fn what_nobody_used_for_long_is_forgotten() {
    let (home, office) = (sight(0, LAPTOP, berlin()), sight(HOUR, LAPTOP, berlin_mobile()));
    let both = History::born(home).judge(&office, home.at, &RULE).becomes.unwrap();
    for (day, kept) in [(30, 3), (31, 2)] {
        let later = sight(day * DAY, LAPTOP, munich());
        let after = both.judge(&later, later.at, &RULE).becomes.unwrap();
        assert_eq!(after.contexts().len(), kept, "day {day}");
    }
}

#[test]
fn a_clock_that_jumps_and_an_address_that_nobody_told_are_no_signals() {
    let home = sight(HOUR, LAPTOP, berlin());
    let earlier = Sight { at: Moment::from_unix_seconds(1), ..home };
    assert_eq!(History::born(home).judge(&earlier, home.at, &RULE), Finding::default());
    let hidden = Sight { network: None, place: Place::UNKNOWN, ..home };
    for rule in [NetworkRule::Strict, NetworkRule::Subnet, NetworkRule::Asn, NetworkRule::Off] {
        let finding = History::born(home).judge(&hidden, home.at, &Vigilance { network: rule, ..RULE });
        assert_eq!(finding.signals, Signals::NONE, "{rule:?}");
    }
    let empty = History::default().judge(&home, home.at, &RULE);
    assert_eq!((empty.signals, empty.becomes), (Signals::NONE, Some(History::born(home))));
}
