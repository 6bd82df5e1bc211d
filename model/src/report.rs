//! What a run prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::bounds::{Bounds, Setting};
use crate::explore::{Broken, Explored};

/// The assumptions that are the same in every world.
pub const ASSUMPTIONS: &str = "\
Assumed: a browser with one jar; two nodes, any of which serves at any moment; two networks, either of which carries any
request; handlers that take any time; responses and requests that are lost or overtake one another; one crash per link,
on the network the lost token was used from, and the browser stays there until it has that token again (\"detour\": or
sends by the other network as well, overtaken by a use of that token); a key rotation in every link. Times and generations are relative, and explored to a fixpoint: histories of any length are covered.";

/// The bounds of a world, in ticks.
pub fn bounds_line(bounds: &Bounds) -> String {
    let Bounds { flush, late, skew, grace, rotate_every, reply, lease, .. } = bounds;
    format!(
        "In ticks: jar on disk within {flush}, requests within {late}, clocks within {skew}, grace {grace}, rotate_every \
         {rotate_every}, responses within {reply} of their conclusion, cached records at most {lease} old"
    )
}

/// One exploration in a line.
pub fn result_line(setting: &Setting, explored: &Explored, took: Duration) -> String {
    let verdict = match (&explored.broken, explored.complete) {
        (Some(broken), _) => format!("BROKEN: {}", broken.property),
        (None, true) => "holds".into(),
        (None, false) => "not finished".into(),
    };
    format!(
        "  {:<16} {} requests {:>9} states {:>11} steps  depth {:>3}  {:>6.1} s  {verdict}",
        setting.name,
        setting.parallel,
        explored.states,
        explored.steps,
        explored.depth,
        took.as_secs_f64(),
    )
}

/// A mutant in a line.
pub fn mutant_line(name: &str, explored: &Explored) -> String {
    let found = match (&explored.broken, explored.complete) {
        (Some(broken), _) => format!("caught by {}, {} steps", broken.property, broken.history.len()),
        (None, true) => "breaks nothing (fixpoint)".into(),
        (None, false) => "not caught in time".into(),
    };
    format!("  {name:<40} {:>7} states  {found}", explored.states)
}

/// A history, a line each.
pub fn trace(broken: &Broken) -> String {
    let mut lines = String::new();
    let mut tick = 0;
    for (event, origin) in &broken.history {
        if *event == crate::Event::Tick {
            tick += 1;
            continue;
        }
        let _ = writeln!(lines, "    {tick:>3}  {}", event.line(*origin));
    }
    lines
}

/// What kinds of events a run has seen, and how often.
pub fn kinds(kinds: &BTreeMap<&'static str, u64>) -> String {
    let mut lines = String::new();
    for (kind, count) in kinds {
        let _ = writeln!(lines, "  {count:>12}  {kind}");
    }
    lines
}
