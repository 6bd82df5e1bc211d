//! The concurrent-session limit: who counts, and who yields.

use std::sync::Arc;

use super::{Shard, Slot, ended_by_subject};
use crate::id::{SessionId, SubjectRef};
use crate::moment::Moment;
use crate::record::{Change, Record};
use crate::rules::Standing;
use crate::store::{Limit, Live, OverLimit};

impl Shard {
    /// The sessions of `subject` that were presented and are not over.
    pub(in crate::memory) fn list(&self, subject: SubjectRef, now: Moment) -> Vec<(Arc<Record>, Moment)> {
        let live = self.sessions_of(subject, now);
        live.filter(|live| live.record.member().is_some_and(|member| member.presented))
            .map(|live| (Arc::clone(&live.record), live.seen_at))
            .collect()
    }

    /// Which sessions end so that `record` fits; `None` if it does not. Provisional ones yield first, and a provisional
    /// one never displaces a session that is in use: its reply may have been lost.
    pub(super) fn make_room(&self, record: &Record, limit: Option<Limit>, now: Moment) -> Option<Vec<SessionId>> {
        let Some(limit) = limit else { return Some(Vec::new()) };
        let max = usize::try_from(limit.max.get()).unwrap_or(usize::MAX);
        let (used, provisional): (Vec<_>, Vec<_>) =
            self.rivals_of(record, now).partition(|live| live.record.member().is_some_and(|member| member.presented));
        if limit.over == OverLimit::Refuse && used.len() >= max {
            return None;
        }
        let excess = (used.len() + provisional.len() + 1).saturating_sub(max);
        Some(oldest(provisional, excess))
    }

    /// Which sessions end because `id` is used for the first time: the oldest of those in use.
    pub(super) fn yield_to_first_use(&self, id: SessionId, change: &Change, now: Moment) -> Vec<SessionId> {
        let Some(Some(limit)) = change.first_use else {
            return Vec::new();
        };
        let Some(record) = self.record(id) else {
            return Vec::new();
        };
        let max = usize::try_from(limit.max.get()).unwrap_or(usize::MAX);
        let in_use = |live: &&Live| live.record.id != id && live.record.member().is_some_and(|member| member.presented);
        let used: Vec<_> = self.rivals_of(&record, now).filter(in_use).collect();
        let excess = (used.len() + 1).saturating_sub(max);
        oldest(used, excess)
    }

    /// The sessions that share the limit with `record`. It is of the current global epoch, or it would not come this
    /// far; those that are not were ended by it and hold no place.
    fn rivals_of(&self, record: &Record, now: Moment) -> impl Iterator<Item = &Live> {
        let (subject, global) = (record.subject(), record.epochs.global);
        let sessions = subject.into_iter().flat_map(move |subject| self.sessions_of(subject, now));
        sessions.filter(move |live| live.record.epochs.global >= global)
    }

    /// The sessions of `subject` that are not over, provisional ones included.
    fn sessions_of(&self, subject: SubjectRef, now: Moment) -> impl Iterator<Item = &Live> {
        let ids = self.subjects.get(&subject).map(|member| member.sessions.as_slice()).unwrap_or_default();
        ids.iter().filter_map(move |id| match self.slots.get(id) {
            Some(Slot::Live(live)) => {
                let over = matches!(live.record.limits.judge(&live.record.life(live.seen_at), now), Standing::Over(_));
                (!over && ended_by_subject(&self.subjects, &live.record).is_none()).then_some(live)
            }
            _ => None,
        })
    }
}

/// The ids of the `count` oldest.
fn oldest(mut sessions: Vec<&Live>, count: usize) -> Vec<SessionId> {
    sessions.sort_by_key(|live| (live.record.created_at, live.record.id));
    sessions.iter().take(count).map(|live| live.record.id).collect()
}
