//! What is in the corpus, and how much of it: floors that hold for our own sequences.

use counterfoil_sightings::Origin;

use crate::sequence::{self, Decision, Kind, Sequence, Shown};

/// A share of the corpus.
type Row = (&'static str, fn(&Sequence) -> bool, usize);

/// What is counted, and how many there are at least.
#[rustfmt::skip]
const FLOORS: &[Row] = &[
    //  what                              which                                                    at least
    ("all",                               |_| true,                                                270),
    ("honest",                            |one| one.kind == Kind::Honest,                          100),
    ("theft",                             |one| one.kind == Kind::Theft,                           114),
    ("mixed",                             |one| one.kind == Kind::Mixed,                           25),
    ("undetectable",                      |one| one.tagged("undetectable"),                        8),
    ("device-bound",                      |one| one.tagged("device-bound"),                        12),
    ("preset aal1",                       |one| one.policy.preset == "aal1",                       50),
    ("preset aal2",                       |one| one.policy.preset == "aal2",                       50),
    ("preset aal3",                       |one| one.policy.preset == "aal3",                       50),
    ("network strict",                    |one| one.policy.network.as_deref() == Some("strict"),   10),
    ("network subnet",                    |one| one.policy.network.as_deref() == Some("subnet"),   10),
    ("network asn",                       |one| one.policy.network.as_deref() == Some("asn"),      10),
    ("network off",                       |one| one.policy.network.as_deref() == Some("off"),      10),
    ("idle of its own",                   |one| one.policy.idle.is_some(),                         5),
    ("absolute of its own",               |one| one.policy.absolute.is_some(),                     5),
    ("rotation of its own",               |one| one.policy.rotate_every.is_some(),                 3),
    ("remembered",                        |one| one.policy.remember_for.is_some(),                 5),
    ("with a history",                    |one| one.history.is_some(),                             20),
    ("sessions of somebody else",         |one| !one.sessions.is_empty(),                          15),
    ("several sessions",                  |one| one.requests.iter().filter(|request| request.signs_in()).count() > 1, 30),
    ("sessions that must live",           |one| !one.expect.spare.is_empty(),                      30),
    ("copies that follow",                |one| one.copies.values().any(|copy| copy.follows),      15),
    ("copies that do not",                |one| one.copies.values().any(|copy| !copy.follows),     60),
    ("answers that are lost",             |one| one.requests.iter().any(|request| request.lost),   10),
    ("tokens of before",                  |one| one.requests.iter().any(|request| request.token == Shown::Previous), 8),
    ("polling",                           |one| one.requests.iter().any(|request| request.quiet),  5),
    ("forms refused",                     |one| one.requests.iter().any(|request| request.csrf.is_some()), 6),
    ("a changed account",                 |one| one.requests.iter().any(|request| request.trigger.is_some()), 10),
    ("to be found by a revoke",           |one| one.expect.detect.iter().any(|detect| detect.level == Decision::Revoke), 60),
    ("to meet a step-up",                 |one| one.expect.detect.iter().any(|detect| detect.level == Decision::StepUp), 30),
    ("not to be admitted",                |one| one.expect.at.iter().any(|at| at.admitted == Some(false)), 25),
];

/// Each signal of the format, in how many files it is demanded and in how many honest ones forbidden, at least.
///
/// `token_forgotten` needs a store that lost what it had promised, which no sequence can tell of: it stands only beside others
/// in `must_any`.
#[rustfmt::skip]
const SIGNALS: &[(&str, usize, usize)] = &[
    //  signal              demanded  forbidden
    ("token_reused",        60,       60),
    ("token_rolled_back",   5,        4),
    ("token_forgotten",     4,        4),
    ("two_contexts",        30,       15),
    ("forged_burst",        4,        2),
    ("user_agent_changed",  40,       60),
    ("network_changed",     40,       40),
    ("impossible_travel",   40,       60),
    ("many_places",         20,       30),
    ("new_device",          6,        30),
    ("device_key_missing",  8,        4),
    ("csrf_failures",       4,        4),
    ("step_up_failures",    4,        4),
    ("creation_spike",      4,        4),
    ("address_spray",       4,        5),
    ("dead_token",          8,        10),
];

#[test]
fn there_is_enough_of_everything() {
    let own = own();
    for (what, which, least) in FLOORS {
        let found = own.iter().filter(|sequence| which(sequence)).count();
        assert!(found >= *least, "{what}: {found}, and {least} are asked for");
    }
}

#[test]
fn every_signal_is_demanded_and_forbidden_somewhere() {
    let own = own();
    for (signal, demanded, forbidden) in SIGNALS {
        let found = own.iter().filter(|sequence| sequence.demands(signal)).count();
        assert!(found >= *demanded, "{signal}: demanded by {found}, and {demanded} are asked for");
        let honest = own.iter().filter(|sequence| sequence.kind == Kind::Honest && sequence.forbids(signal)).count();
        assert!(honest >= *forbidden, "{signal}: forbidden by {honest} honest ones, and {forbidden} are asked for");
    }
}

#[test]
fn thefts_are_at_least_two_fifths_and_public_examples_are_all_here() {
    let own = own();
    let thefts = own.iter().filter(|sequence| sequence.kind == Kind::Theft).count();
    assert!(thefts * 100 >= own.len() * 42, "{thefts} thefts of {}", own.len());
    assert_eq!(sequence::of(Origin::Public).len(), 40);
}

#[test]
fn the_readme_counts_what_is_there() {
    let readme = readme();
    let own = own();
    for (name, kind) in [("honest", Kind::Honest), ("theft", Kind::Theft), ("mixed", Kind::Mixed)] {
        let of = |preset: &str| own.iter().filter(|one| one.kind == kind && one.policy.preset == preset).count();
        let [aal1, aal2, aal3] = ["aal1", "aal2", "aal3"].map(of);
        let row = format!("| {name} | {aal1} | {aal2} | {aal3} | {} |", aal1 + aal2 + aal3);
        assert!(readme.contains(&row), "README.md lacks: {row}");
    }
}

#[test]
fn the_first_tag_is_a_family_that_the_readme_counts() {
    let readme = readme();
    let own = own();
    let rows: Vec<Vec<&str>> = readme
        .lines()
        .filter(|line| line.starts_with("| `") && line.matches('|').count() == 6)
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let mut counted = 0;
    for row in rows {
        let family = row[1].trim_matches('`');
        let of = |kind| own.iter().filter(|one| one.tags[0] == family && one.kind == kind).count();
        let found = [Kind::Honest, Kind::Theft, Kind::Mixed].map(of);
        assert_eq!(found.map(|count| count.to_string()), row[3..6], "{family}");
        counted += found.iter().sum::<usize>();
    }
    assert_eq!(counted, own.len(), "a family is missing");
}

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

fn own() -> Vec<Sequence> {
    sequence::of(Origin::Own).into_iter().map(|filed| filed.sequence).collect()
}
