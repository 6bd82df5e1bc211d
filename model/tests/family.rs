//! The token family holds what it promises, and each thing that could be wrong with it would show.

use std::collections::BTreeMap;

use counterfoil_model::{
    Actor, Bounds, Explored, FOLLOWED, Plan, Property, RealRules, Rules, Setting, Size, World, bounds_line, explore,
    kinds, mutants, result_line, trace,
};

#[test]
fn the_rules_hold_in_every_world() {
    let (mut states, mut seen) = (0, BTreeMap::new());
    for setting in Plan::of(Size::Short).settings {
        let explored = run(&RealRules, &setting).unwrap();
        println!("{}\n{}", bounds_line(&setting.bounds), result_line(&setting, &explored, std::time::Duration::ZERO));
        assert!(explored.broken.is_none(), "{}:\n{}", setting.name, history(&explored));
        assert!(explored.complete, "{} was not explored to its fixpoint", setting.name);
        states += explored.states;
        for (kind, count) in explored.kinds {
            *seen.entry(kind).or_default() += count;
        }
    }
    println!("{states} states\n{}", kinds(&seen));
    assert!(states >= 1_000_000, "only {states} states: the worlds have become too small to show much");
    for kind in EVERY_KIND {
        assert!(seen.contains_key(kind), "it never happened that {kind}");
    }
}

#[test]
fn every_mutant_is_caught() {
    for mutant in mutants() {
        let explored = run(mutant.rules, &mutant.setting).unwrap();
        let broken = explored.broken.as_ref().map(|broken| broken.property);
        assert_eq!(broken, mutant.breaks, "{}:\n{}", mutant.name, history(&explored));
        assert!(broken.is_some() || explored.complete, "{}", mutant.name);
    }
}

/// How far the rules are from their limit: a response may be late by `rotate_every + grace - skew`, short of a tick.
#[test]
fn a_response_may_be_later_than_rotate_every_by_grace_less_skew() {
    for bounds in [Bounds::of(1, 1, 1, 5), Bounds::of(2, 1, 0, 5), Bounds::of(1, 1, 2, 5)] {
        let room = bounds.grace - bounds.skew;
        for (reply, holds) in [(room - 1, true), (room, false)] {
            let setting = Setting {
                name: "late responses",
                bounds: Bounds { reply: bounds.rotate_every + reply, ..bounds },
                parallel: 2,
                actors: &[Actor::SecondNetwork, Actor::Crash],
            };
            let explored = run(&RealRules, &setting).unwrap();
            assert_eq!(explored.broken.is_none(), holds, "{}\n{}", bounds_line(&setting.bounds), history(&explored));
        }
    }
}

/// The assumptions are no wider than they must be: each, stretched by a tick, ends an honest session.
#[test]
fn every_assumption_is_needed() {
    let bounds = Bounds::SHORT;
    let stay: &[Actor] = &[Actor::SecondNetwork, Actor::Crash];
    let rows: [(_, Bounds, &[Actor]); 5] = [
        ("requests are later", Bounds { late: 2, ..bounds }, stay),
        ("the jar reaches the disk later", Bounds { flush: 2, ..bounds }, stay),
        ("clocks are further apart", Bounds { skew: 2, ..bounds }, stay),
        ("grace is shorter", Bounds { grace: 2, ..bounds }, stay),
        ("the browser moves after its crash", bounds, &[Actor::SecondNetwork, Actor::Crash, Actor::MoveAfterCrash]),
    ];
    for (name, bounds, actors) in rows {
        let setting = Setting { name, bounds, parallel: 2, actors };
        let explored = run(&RealRules, &setting).unwrap();
        let broken = explored.broken.map(|broken| broken.property);
        assert_eq!(broken, Some(Property::NoHonestEnd), "{name}");
    }
}

fn run(rules: &dyn Rules, setting: &Setting) -> Option<Explored> {
    Some(explore(&World::new(rules, setting)?, 20_000_000))
}

fn history(explored: &Explored) -> String {
    explored.broken.as_ref().map(trace).unwrap_or_default()
}

/// A run that lacks one of these shows less than it seems to.
const EVERY_KIND: [&str; 19] = [
    FOLLOWED,
    "a cached record admits",
    "a closed link folded by another write",
    "a copy is found",
    "a crash",
    "a forged token",
    "a jar that fell back is recognised",
    "a key rotation",
    "a lost race, after which nothing is sent",
    "a request is lost",
    "a response without a cookie",
    "a sign-out",
    "a step-up that hastens",
    "a successor is offered",
    "a successor is repeated",
    "a theft",
    "a token counts",
    "a token of an ended session",
    "a verdict whose write is under way",
];
