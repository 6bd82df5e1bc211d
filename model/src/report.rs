//! What a run prints.

use std::time::Duration;

use crate::bounds::{Bounds, Setting};
use crate::explore::{Broken, Explored};

/// The assumptions, beside every result.
pub fn print_bounds(bounds: &Bounds) -> String {
    let Bounds {
        flush,
        late,
        skew,
        grace,
        rotate_every,
        reply,
        lease,
        ..
    } = bounds;
    format!(
        "bounds, in ticks: a jar reaches the disk within {flush}; requests arrive within {late}; clocks differ by at most \
         {skew};\ngrace {grace}; rotate_every {rotate_every}; responses arrive within {reply} of their conclusion, or \
         never; handlers take any time;\na cached record is at most {lease} old; one crash per link, on the network the \
         lost token was used from, and the\nbrowser stays there until it has that token again; times are relative, so \
         histories of any length are covered."
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
        "{:<18} {} requests {:>10} states {:>11} steps  depth {:>3}  {:>6.1} s  {verdict}",
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
    format!("{name:<42} {:>9} states  {found}", explored.states)
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
        lines.push_str(&format!("  {tick:>3}  {}\n", event.line(*origin)));
    }
    lines
}
