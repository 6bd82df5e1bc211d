//! Forgetting what is over, also on the disk; and not believing a clock that leaps.

use std::time::{Duration, Instant};

use counterfoil_core::Moment;

use super::Turn;
use crate::embedded::disk::Space;
use crate::embedded::table::{Over, SHARDS, State, Swept, Traits, Whose};

/// Watches the clock that comes with sweeps. One that leaps ahead would have everything forgotten, tombstones included,
/// and nothing brings those back when it is set right again.
#[derive(Debug, Default)]
pub(super) struct ClockWatch {
    last: Option<Moment>,
    /// Since when the clock shows what we do not believe yet.
    doubted: Option<(Instant, Moment)>,
    next_shard: usize,
}

impl ClockWatch {
    /// Whether things may be forgotten at `now`.
    fn trusts(&mut self, now: Moment, real: Instant) -> bool {
        let leapt = self.last.is_some_and(|last| now.since(last) > LEAP);
        if !leapt {
            (self.last, self.doubted) = (Some(now), None);
            return true;
        }
        let (since, _) = *self.doubted.get_or_insert((real, now));
        if real.duration_since(since) < BELIEVED_AFTER {
            return false;
        }
        (self.last, self.doubted) = (Some(now), None);
        true
    }
}

impl Turn<'_> {
    /// Forgets what is over, looking at no more than `limit` sessions.
    pub(in crate::embedded) fn sweep(&mut self, limit: usize, now: Moment) -> usize {
        if !self.clock.trusts(now, Instant::now()) {
            return 0;
        }
        let (mut left, mut forgotten) = (limit, 0);
        let (table, global) = (&self.shared.table, self.shared.table.global().epoch);
        for _ in 0..SHARDS {
            let first = self.clock.next_shard;
            self.clock.next_shard = (first + 1) % SHARDS;
            let Some(mut shard) = table.shards_from(first).next() else { continue };
            let swept = shard.sweep(left, now, global);
            drop(shard);
            left -= swept.looked_at.min(left);
            forgotten += swept.over.len();
            self.forget(first, &swept);
            if left == 0 {
                break;
            }
        }
        forgotten
    }

    fn forget(&mut self, shard: usize, swept: &Swept) {
        for over in &swept.over {
            self.forget_references(over.id, state_of(over));
            self.batch.remove(Space::Sessions, over.id.as_bytes());
        }
        for subject in &swept.subjects {
            self.batch.remove(Space::Subjects, subject.as_bytes());
        }
        if let Some(mut shard) = self.shared.table.shards_from(shard).next() {
            shard.forget_each(&swept.over);
        }
    }
}

/// Enough of a row's state to find its names elsewhere.
const fn state_of(over: &Over) -> State {
    State::Live(Traits { whose: Whose::Visitor, referenced: over.referenced })
}

/// Days at once: no server is not swept for so long while it runs.
const LEAP: Duration = Duration::from_hours(7 * 24);
/// How long a clock that leapt must stay there: an operator who set it wrong has noticed.
const BELIEVED_AFTER: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_core::SessionId;

    const YEAR: u64 = 365 * 24;

    #[test]
    fn a_clock_that_leaps_is_believed_only_after_an_hour() {
        let (hour, start) = (Duration::from_hours(1), Instant::now());
        let at = |hours: u64| Moment::from_unix_seconds(1_800_000_000 + hours * 3_600);
        #[rustfmt::skip]
        let rows = [
            // name                         clock       real hours  trusted
            ("the first time",              at(0),      0,          true),
            ("a week later",                at(7 * 24), 7 * 24,     true),
            ("a year at once",              at(YEAR),   7 * 24,     false),
            ("a moment later still",        at(YEAR),   7 * 24,     false),
            ("set right again",             at(7 * 24), 7 * 24,     true),
            ("a year at once again",        at(YEAR),   7 * 24,     false),
            ("and after an hour",           at(YEAR),   7 * 24 + 1, true),
            ("a year back",                 at(0),      7 * 24 + 1, true),
        ];
        let mut watch = ClockWatch::default();
        for (name, now, real, trusted) in rows {
            assert_eq!(watch.trusts(now, start + hour * u32::try_from(real).unwrap()), trusted, "{name}");
        }
    }

    #[test]
    fn the_names_of_a_session_go_with_it() {
        let over = Over { index: 0, id: SessionId::from_bytes([0; 18]), referenced: true };
        assert!(matches!(state_of(&over), State::Live(traits) if traits.referenced));
    }
}
