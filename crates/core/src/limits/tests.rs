//! Whom limits keep waiting and whom never, how much memory they take, and that they pace as the model does.

use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::net::IpAddr;

use foldhash::fast::FixedState;

use super::*;
use crate::id::SessionId;
use crate::keys::{GeneratedKeys, SharedRing};

/// Plain, and the same each time.
struct Plain;

impl Keying for Plain {
    fn key(&self, parts: &[&[u8]]) -> KeyId {
        let [high, low] = [1, 2].map(|seed| u128::from(FixedState::with_seed(seed).hash_one(parts)));
        KeyId((high << 64 | low).to_be_bytes())
    }
}

struct Node {
    ledger: Ledger,
    settings: LimitSettings,
    now: u64,
}

impl Node {
    fn new() -> Self {
        Self { ledger: Ledger::of(65_536), settings: LimitSettings::default(), now: 1_000_000 }
    }

    fn ask(&mut self, ask: &Ask) -> Answer {
        self.ledger.ask(ask, self.now)
    }

    /// A wrong password; `None` if it was looked at, else which budget was used up and for how many milliseconds.
    fn fails(&mut self, asker: Asker, subject: &str) -> Option<(Per, u128)> {
        let ask = self.settings.sign_in(&Plain, asker, subject);
        match self.ask(&ask) {
            Answer::Granted(_) => None,
            Answer::Refused(refused) => Some((refused.per, refused.wait.as_millis())),
        }
    }

    /// The right password; whether it was looked at.
    fn signs_in(&mut self, asker: Asker, subject: &str) -> bool {
        let ask = self.settings.sign_in(&Plain, asker, subject);
        let Answer::Granted(granted) = self.ask(&ask) else { return false };
        self.ledger.give_back(&ask, granted.familiar, self.now);
        self.ledger.learn(&ask, self.now);
        true
    }
}

fn at(address: &str) -> Asker {
    Asker { client: Some(address.parse().unwrap()), ..Asker::default() }
}

fn from(n: u32) -> Asker {
    Asker { client: Some(IpAddr::from((0x0a00_0000 + n).to_be_bytes())), ..Asker::default() }
}

fn browser(number: u8) -> Asker {
    Asker { session: Some(SessionId::from_bytes([number; 18])), is_theirs: true, ..at("203.0.113.77") }
}

#[test]
fn an_address_gets_ten_wrong_passwords_and_then_one_every_six_seconds() {
    let mut node = Node::new();
    assert!((0..10).all(|n| node.fails(at("192.0.2.1"), &format!("name-{n}")).is_none()));
    assert_eq!(node.fails(at("192.0.2.1"), "ada"), Some((Per::Address, 6_000)));
    assert_eq!(node.fails(at("192.0.2.2"), "ada"), None, "another address is not held back");
    node.now += 6_000;
    assert_eq!(node.fails(at("192.0.2.1"), "ada"), None);
    assert!(node.fails(at("192.0.2.1"), "ada").is_some());
}

#[test]
fn one_address_uses_up_no_more_than_its_own_tries_at_an_account() {
    let mut node = Node::new();
    let tried = (0..100).filter(|_| node.fails(at("192.0.2.1"), "ada").is_none()).count();
    assert_eq!(tried, 10);
    node.now += 60_000;
    assert_eq!(
        node.fails(at("192.0.2.1"), "ada"),
        Some((Per::Place, 300_000)),
        "the address has recovered, the place not"
    );
    assert_eq!(node.fails(at("192.0.2.1"), "grace"), None);
    assert_eq!(node.fails(at("192.0.2.2"), "ada"), None);
}

#[test]
fn strangers_use_up_the_strangers_tries_and_are_free_again_after_one_step() {
    let mut node = Node::new();
    assert!((0..20).all(|n| node.fails(from(n), "ada").is_none()));
    for n in 20..200 {
        assert_eq!(node.fails(from(n), "ada"), Some((Per::Subject, 3_000)));
    }
    assert_eq!(node.fails(from(201), "grace"), None, "another account is not held back");
    node.now += 3_000;
    assert_eq!(node.fails(from(202), "ada"), None, "refusals must not prolong the wait");
}

/// The heart of it: whatever others do from elsewhere, the owner comes in.
#[test]
fn nobody_locks_an_owner_out_by_failing_from_elsewhere() {
    let home = at("198.51.100.7");
    let mut node = Node::new();
    assert!(node.signs_in(home, "ada"));
    for second in 0..3_600 {
        node.now += 1_000;
        for n in 0..50 {
            node.fails(from(second * 50 + n), "ada");
        }
        if second % 600 == 0 {
            assert!(node.signs_in(home, "ada"), "where the account is known, after {second} s");
            assert!(node.signs_in(browser(1), "ada"), "from a browser that was signed in to it, wherever it is");
            assert!(node.fails(at("198.51.100.8"), "ada").is_some(), "the attack holds strangers back");
        }
    }
}

#[test]
fn a_neighbour_who_fails_at_everything_holds_back_strangers_and_not_who_is_known_there() {
    let shared = at("198.51.100.7");
    let mut node = Node::new();
    assert!(node.signs_in(shared, "ada"));
    while node.fails(shared, "grace").is_none() {}
    assert!(!node.signs_in(shared, "linus"), "not known there");
    assert!(node.signs_in(shared, "ada"));
    while node.fails(shared, "ada").is_none() {}
    assert!(!node.signs_in(shared, "ada"), "at that account, from that very place");
    assert!(node.signs_in(browser(1), "ada"), "but by the browser");
}

#[test]
fn a_known_place_and_a_known_browser_have_limits_of_their_own() {
    for asker in [at("198.51.100.7"), browser(1)] {
        let mut node = Node::new();
        node.signs_in(at("198.51.100.7"), "ada");
        let tried = (0..1_000).filter(|_| node.fails(asker, "ada").is_none()).count();
        assert_eq!(tried, 10);
        node.now += 360_000;
        assert_eq!(node.fails(asker, "ada"), None);
        assert!(node.fails(asker, "ada").is_some());
    }
}

#[test]
fn signing_in_gives_back_its_own_try_and_no_other() {
    let mut node = Node::new();
    let office = at("192.0.2.1");
    for n in 0..1_000 {
        assert!(node.signs_in(office, &format!("name-{n}")), "a morning in the office: {n}");
    }
    for _ in 0..9 {
        assert_eq!(node.fails(office, "ada"), None);
        assert!(node.signs_in(office, "mallory"));
    }
    assert_eq!(node.fails(office, "ada"), None);
    assert!(node.fails(office, "grace").is_some(), "an account of one's own wipes nothing off");
}

#[test]
fn a_place_is_forgotten_after_a_month() {
    let mut node = Node::new();
    let (home, month) = (at("198.51.100.7"), 30 * 24 * 3_600_000);
    node.signs_in(home, "ada");
    for (later, familiar) in [(0, true), (month - 1, true), (month, false)] {
        let ask = node.settings.sign_in(&Plain, home, "ada");
        let mut ledger = Ledger::of(64);
        ledger.learn(&ask, node.now);
        let Answer::Granted(granted) = ledger.ask(&ask, node.now + later) else { panic!() };
        assert_eq!(granted.familiar, familiar, "{later}");
    }
}

#[test]
fn who_has_the_password_cannot_keep_its_owner_from_entering_a_code() {
    let mut node = Node::new();
    let (home, thief) = (at("198.51.100.7"), at("192.0.2.1"));
    node.signs_in(home, "ada");
    let mut code = |asker| {
        let ask = node.settings.code(&Plain, asker, "ada");
        matches!(node.ask(&ask), Answer::Granted(_))
    };
    assert_eq!((0..100).filter(|_| code(thief)).count(), 5);
    assert_eq!((0..100).filter(|n| code(from(*n))).count(), 0, "codes are tried five times, wherever from");
    assert_eq!((0..100).filter(|_| code(home)).count(), 5, "but where the account is known");
}

#[test]
fn neighbours_in_one_64_count_together_and_those_in_one_48_more_widely() {
    #[rustfmt::skip]
    type Address = fn(u32) -> String;
    let table: [(Address, _, _); 5] = [
        // tries from                                            name of the tried        how many of 1000
        (|n: u32| format!("2001:db8:0:1::{n:x}"), "one /64", 10),
        (|n: u32| format!("2001:db8:0:{n:x}::1"), "one /48", 160),
        (|n: u32| format!("2001:db8:{n:x}:1::1"), "many /48", 1_000),
        (|n: u32| format!("192.0.2.{}", n % 250), "250 IPv4 addresses", 1_000),
        (|n: u32| format!("::ffff:192.0.2.{}", n % 10), "ten, mapped into IPv6", 100),
    ];
    for (address, name, expected) in table {
        let mut node = Node::new();
        let tried = (0..1_000).filter(|n| node.fails(at(&address(*n)), &format!("name-{n}")).is_none()).count();
        assert_eq!(tried, expected, "{name}");
    }
    let mut node = Node::new();
    assert!((0..10).all(|n| node.fails(at("192.0.2.1"), &format!("name-{n}")).is_none()));
    assert!(node.fails(at("::ffff:192.0.2.1"), "ada").is_some(), "the same address in other clothes");
}

#[test]
fn a_million_addresses_take_bounded_memory_and_honest_people_are_served() {
    let mut node = Node::new();
    let home = at("198.51.100.7");
    assert!(node.signs_in(home, "ada"));
    while node.fails(at("192.0.2.66"), "grace").is_none() {}
    for n in 0..1_000_000 {
        node.fails(from(n), if n % 2 == 0 { "ada" } else { "nobody" });
    }
    assert!(node.signs_in(home, "ada"), "known");
    assert!(node.signs_in(at("198.51.100.8"), "linus"), "never seen");
    assert!(node.fails(at("192.0.2.66"), "grace").is_some(), "who used up all is not forgotten for who used little");
}

#[test]
fn where_the_address_is_unknown_accounts_count_alone_and_no_place_is_known() {
    let mut node = Node::new();
    let nowhere = Asker::default();
    assert!(node.signs_in(nowhere, "ada"));
    assert_eq!((0..100).filter(|_| node.fails(nowhere, "ada").is_none()).count(), 20);
    assert!(node.signs_in(nowhere, "grace"));
}

#[test]
fn all_budgets_admit_or_none_is_charged() {
    let mut node = Node::new();
    (0..20).for_each(|n| assert_eq!(node.fails(from(n), "ada"), None));
    for _ in 0..100 {
        assert_eq!(node.fails(at("192.0.2.1"), "ada").unwrap().0, Per::Subject);
    }
    assert!((0..10).all(|n| node.fails(at("192.0.2.1"), &format!("name-{n}")).is_none()), "nothing was charged");
}

#[test]
fn what_is_left_is_said_of_what_is_the_askers_own() {
    let mut node = Node::new();
    (0..15).for_each(|n| assert_eq!(node.fails(from(n), "ada"), None));
    let ask = node.settings.sign_in(&Plain, at("192.0.2.1"), "ada");
    let Answer::Granted(granted) = node.ask(&ask) else { panic!() };
    let (per, _, left) = granted.left.unwrap();
    assert_eq!((per, left), (Per::Place, 9), "not that others left four of the account's");
}

#[test]
fn a_refusal_is_news_once_a_minute_for_each_key() {
    let mut node = Node::new();
    let mut told = 0;
    for n in 0..1_000 {
        let ask = node.settings.sign_in(&Plain, at("192.0.2.1"), &format!("name-{n}"));
        if let Answer::Refused(refused) = node.ask(&ask) {
            told += u32::from(node.ledger.is_news(&refused, node.now));
        }
        node.now += 100;
    }
    assert_eq!(told, 2, "in a hundred seconds");
    let refused = |n: u128| Refused {
        act: Act::SignIn,
        per: Per::Address,
        pace: node.settings.sign_in.address.pace(),
        wait: Duration::from_secs(1),
        key: KeyId(n.to_be_bytes()),
    };
    let later = node.now + 600_000;
    assert_eq!((0..100_000).filter(|n| node.ledger.is_news(&refused(n << 64), later)).count(), 100, "of many keys");
}

#[test]
fn keys_of_different_things_never_meet_and_say_nothing() {
    let settings = LimitSettings::default();
    let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
    let session = SessionId::from_bytes([1; 18]);
    let client = "2001:db8::1".parse().unwrap();
    let asker = Asker { client: Some(client), session: Some(session), is_theirs: false };
    let asks = [
        settings.sign_in(&ring, asker, "ada"),
        settings.sign_in(&ring, Asker { is_theirs: true, client: None, ..asker }, "ada"),
        settings.code(&ring, asker, "ada"),
        settings.step_up(&ring, session),
        settings.refresh(&ring, session),
        settings.session_creation(&ring, client),
        settings.csrf_failure(&ring, client),
    ];
    let keys: Vec<_> = asks.iter().flat_map(|ask| ask.charged(false)).map(|budget| budget.key).collect();
    // Of the account as a whole there is one, by whatever asker.
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len() - 1);
    assert_ne!(ring.key(&[b"ab", b"c"]), ring.key(&[b"a", b"bc"]));
    let other = SharedRing::from_source(&GeneratedKeys).unwrap();
    assert_ne!(ring.key(&[b"ada"]), other.key(&[b"ada"]), "without the key nobody finds out whose it is");
}
