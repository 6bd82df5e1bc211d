//! What goes into a store's verbs and what comes out.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::id::SessionId;
use crate::moment::Moment;
use crate::record::{Change, Record};
use crate::rules::{EndReason, Limits, Presented};

/// How often a record was changed. Only ever compared for equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revision(pub u64);

/// A counter that only rises; a session made under an earlier one is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u64);

/// The two epochs a session is made under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Epochs {
    /// Of all sessions.
    pub global: Epoch,
    /// Of its subject; zero while anonymous.
    pub subject: Epoch,
}

/// A session that is neither ended nor absent. Whether its clocks allow anything is for the rules.
#[derive(Debug, Clone)]
pub struct Live {
    /// The record.
    pub record: Arc<Record>,
    /// The last user activity that was noted.
    pub seen_at: Moment,
    /// What a commit must expect.
    pub revision: Revision,
}

/// What a store knows of an id.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// A session.
    Live(Live),
    /// It was ended.
    Ended(EndReason),
    /// Never heard of it, or forgotten long ago.
    Absent,
}

/// User activity that comes with a load.
#[derive(Debug, Clone, Copy)]
pub struct Activity {
    /// The token that was presented: only a good one counts as activity. `None` where whoever asks notes the activity once it
    /// is judged whose it is: the store notes nothing then.
    pub token: Option<Presented>,
    /// The policy's lifetimes; the record's apply as well.
    pub limits: Limits,
}

/// How many sessions a subject may have at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The most.
    pub max: NonZeroU32,
    /// What happens to one more.
    pub over: OverLimit,
}

/// What happens when one session too many is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverLimit {
    /// The oldest session ends.
    EndOldest,
    /// The new one is refused.
    Refuse,
}

/// What came of an insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// It is stored; these sessions yielded to the limit.
    Done(Vec<SessionId>),
    /// The id is taken, by a session or a tombstone.
    Exists,
    /// The subject has as many sessions as it may.
    OverLimit,
    /// The subject's sessions, or all, were ended since the epochs were read.
    SubjectMoved,
}

/// What came of a replace.
#[derive(Debug, Clone)]
pub enum Replaced {
    /// The old session was at `expect`; this came of the insert. Where it is not `Done`, the old one may have ended.
    Inserted(Inserted),
    /// The old session changed meanwhile; nothing was done.
    Conflict(Live),
    /// The old session ended meanwhile; nothing was done.
    Gone,
}

/// What came of a commit.
#[derive(Debug, Clone)]
pub enum Committed {
    /// It is stored under this revision; these sessions yielded to the limit.
    Done(Revision, Vec<SessionId>),
    /// The session changed meanwhile; nothing was done.
    Conflict(Live),
    /// The session ended, or never was; nothing was done, and nothing is created.
    Gone(Option<EndReason>),
}

/// What came of an end.
#[derive(Debug, Clone)]
pub enum Ending {
    /// It ended now.
    Done,
    /// It changed meanwhile; nothing was done.
    Conflict(Live),
    /// It had ended before, or never was.
    Already,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many to leave out at the front.
    pub skip: usize,
    /// How many to give at most.
    pub take: usize,
}

/// A session as people see it in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its public id.
    pub id: SessionId,
    /// What people call the device.
    pub label: Box<str>,
    /// When it began.
    pub created_at: Moment,
    /// The last activity, to within the touch step.
    pub seen_at: Moment,
}

impl Epoch {
    /// How long a subject's epoch outlives its sessions: longer than any sign-in may be pending.
    pub const KEPT: std::time::Duration = std::time::Duration::from_hours(1);

    /// The epoch that follows. The time is part of it, so that a subject forgotten meanwhile never meets an old epoch
    /// again.
    pub fn after(self, now: Moment) -> Self {
        Self(now.unix_millis().max(self.0.saturating_add(1)))
    }
}

impl Summary {
    /// How people see `record` in a list; `None` while anonymous.
    pub fn of(record: &Record, seen_at: Moment) -> Option<Self> {
        let label = record.member()?.label.clone();
        Some(Self { id: record.id, label, created_at: record.created_at, seen_at })
    }
}

impl Activity {
    /// The `seen_at` to store, if this activity is worth a write: the token is good and the session's clocks too.
    pub fn touch(&self, live: &Live, now: Moment) -> Option<Moment> {
        let limits = live.record.limits.tightest(&self.limits);
        let seen_at = limits.touch(&live.record.life(live.seen_at), now)?;
        self.token.is_some_and(|token| live.record.family.admits(&token, now)).then_some(seen_at)
    }
}

impl Live {
    /// A session that was inserted just now.
    pub fn born(record: Record) -> Self {
        Self { seen_at: record.created_at, revision: Revision(0), record: Arc::new(record) }
    }

    /// What it becomes by `change`. A touch moves no revision: whoever changes the session meanwhile need not notice.
    #[must_use]
    pub fn changed(&self, change: &Change) -> Self {
        let seen_at = self.seen_at.max(change.seen_at.unwrap_or_default());
        if change.is_more_than_touch() {
            return Self { record: Arc::new(self.record.with(change)), seen_at, revision: self.revision.next() };
        }
        Self { seen_at, ..self.clone() }
    }

    /// What it becomes when its subject's others end, and it alone does not: the same, under the epoch that they are not of.
    #[must_use]
    pub fn spared(&self, epoch: Epoch) -> Self {
        let mut record = Record::clone(&self.record);
        record.epochs.subject = epoch;
        Self { record: Arc::new(record), seen_at: self.seen_at, revision: self.revision.next() }
    }
}

impl Revision {
    /// The one that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

impl Page {
    /// The first hundred: more than any person has devices.
    pub const FIRST: Self = Self { skip: 0, take: 100 };
}
