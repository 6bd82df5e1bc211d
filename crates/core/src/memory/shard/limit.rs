//! The concurrent-session limit: who counts in this shard.

use std::sync::Arc;

use super::{Entry, Shard, Slot, ended_by_subject};
use crate::id::{SessionId, SubjectRef};
use crate::moment::Moment;
use crate::record::{Change, Record};
use crate::rules::Standing;
use crate::store::{Limit, Live, Rival};

impl Shard {
    /// The sessions of `subject` that were presented and are not over.
    pub(in crate::memory) fn list(&self, subject: SubjectRef, now: Moment) -> Vec<(Arc<Record>, Moment)> {
        let live = self.sessions_of(subject, now);
        live.filter(|live| live.record.member().is_some_and(|member| member.presented))
            .map(|live| (Arc::clone(&live.record), live.seen_at))
            .collect()
    }

    /// Which sessions end so that `record` fits; `None` if it does not.
    pub(super) fn make_room(&self, record: &Record, limit: Option<Limit>, now: Moment) -> Option<Vec<SessionId>> {
        limit.map_or_else(|| Some(Vec::new()), |limit| limit.make_room(self.rivals_of(record, now)))
    }

    /// Which sessions end because `id` is used for the first time.
    pub(super) fn yield_to_first_use(&self, id: SessionId, change: &Change, now: Moment) -> Vec<SessionId> {
        let (Some(Some(limit)), Some(record)) = (change.first_use, self.record(id)) else {
            return Vec::new();
        };
        limit.yield_to_first_use(id, self.rivals_of(&record, now))
    }

    /// The sessions that share the limit with `record`. It is of the current global epoch, or it would not come this
    /// far; those that are not were ended by it and hold no place.
    fn rivals_of(&self, record: &Record, now: Moment) -> impl Iterator<Item = Rival> {
        let (subject, global) = (record.subject(), record.epochs.global);
        let sessions = subject.into_iter().flat_map(move |subject| self.sessions_of(subject, now));
        sessions.filter(move |live| live.record.epochs.global >= global).map(|live| Rival {
            id: live.record.id,
            created_at: live.record.created_at,
            presented: live.record.member().is_some_and(|member| member.presented),
        })
    }

    /// The sessions of `subject` that are not over, provisional ones included.
    fn sessions_of(&self, subject: SubjectRef, now: Moment) -> impl Iterator<Item = &Live> {
        let ids = self.subjects.get(&subject).map(|member| member.sessions.as_slice()).unwrap_or_default();
        ids.iter().filter_map(move |id| match self.slots.get(id) {
            Some(Slot::Live(Entry { live, .. })) => {
                let over = matches!(live.record.limits.judge(&live.record.life(live.seen_at), now), Standing::Over(_));
                (!over && ended_by_subject(&self.subjects, &live.record).is_none()).then_some(live)
            }
            _ => None,
        })
    }
}
