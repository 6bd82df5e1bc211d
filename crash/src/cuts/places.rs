//! Where to cut: anywhere, and right before and after what matters to a storage engine.

use crate::recording::{Event, Kind};

/// So many places, in order. A cut at `n` comes after `n` events.
pub(super) fn choose(events: &[Event], count: usize, dice: &mut fastrand::Rng) -> Vec<usize> {
    let names = around(events, |kind| {
        matches!(kind, Kind::Rename | Kind::Link | Kind::Unlink | Kind::MakeFolder | Kind::RemoveFolder | Kind::Length)
    });
    let syncs = around(events, |kind| matches!(kind, Kind::SyncAsked | Kind::Synced));
    let mut places: Vec<_> = (0..count)
        .map(|_| {
            let chosen = match dice.u8(..10) {
                0..4 => dice.choice(&names),
                4..7 => dice.choice(&syncs),
                _ => None,
            };
            chosen.copied().unwrap_or_else(|| dice.usize(..=events.len()))
        })
        .collect();
    places.sort_unstable();
    places
}

/// Right before and right after each of these.
fn around(events: &[Event], wanted: impl Fn(Kind) -> bool) -> Vec<usize> {
    let found = events.iter().enumerate().filter(|(_, event)| wanted(event.kind));
    found.flat_map(|(place, _)| [place, place + 1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_lie_around_what_matters_and_elsewhere() {
        let event = |kind| Event { kind, handle: 1, number: 0, name: "a".into(), rest: Vec::new() };
        let mut events = vec![event(Kind::Write); 1_000];
        events[300] = event(Kind::Rename);
        events[600] = event(Kind::Synced);
        let places = choose(&events, 400, &mut fastrand::Rng::with_seed(1));
        assert!(places.is_sorted() && places.len() == 400 && places.iter().all(|place| *place <= 1_000));
        let near = |wanted: [usize; 2]| places.iter().filter(|place| wanted.contains(place)).count();
        assert!(near([300, 301]) > 100 && near([600, 601]) > 60);
        assert!(near([300, 301]) + near([600, 601]) < 350);
    }

    #[test]
    fn a_recording_of_nothing_is_cut_at_its_end() {
        assert_eq!(choose(&[], 3, &mut fastrand::Rng::with_seed(1)), [0, 0, 0]);
    }
}
