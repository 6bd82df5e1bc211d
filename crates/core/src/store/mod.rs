//! The store contract. Stores keep intentions, not blobs: no verb both creates and updates, every write names what it
//! expects.

mod dynamic;
mod error;
mod limit;
mod notices;
mod outcome;
mod watch;

pub use self::dynamic::{BoxFuture, DynStore};
pub use self::error::{BoxError, StoreError};
pub use self::limit::Rival;
pub use self::notices::Notices;
pub use self::outcome::{
    Activity, Committed, Ending, Epoch, Epochs, Inserted, Limit, Live, Loaded, OverLimit, Page, Replaced, Revision,
    Summary,
};
pub use self::watch::{Notice, Watch};
use crate::id::{SessionId, SubjectRef};
use crate::moment::Moment;
use crate::record::{Change, Record};
use crate::rules::EndReason;

/// Where sessions are kept.
///
/// # Security
/// Law 1 rests on this contract: **nothing brings an ended session back**. There is no "save". A store that passes
/// `conformance::run` (feature `conformance`) keeps it. Stores see hashes, never tokens, and never the subject in a key.
///
/// # Errors
/// Every verb answers [`StoreError`] when it cannot answer. Absence is never an error, and an error is never absence.
pub trait Store: Send + Sync + 'static {
    /// Finds a session. With `activity`, may note it in the same step, by [`Activity::touch`] and no other rule.
    fn load(
        &self,
        id: SessionId,
        now: Moment,
        activity: Option<Activity>,
    ) -> impl Future<Output = Result<Loaded, StoreError>> + Send;

    /// As [`load`](Self::load), answered at once from memory or not at all. Only an accepted token without a write may
    /// be decided from it; all else is judged on a fresh load.
    fn peek(&self, _id: SessionId, _now: Moment, _activity: Option<Activity>) -> Option<Loaded> {
        None
    }

    /// Adds a session. Never overwrites, not even a tombstone; refuses if the subject's epoch is not the record's any
    /// more; keeps the concurrent-session limit in the same step.
    fn insert(
        &self,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> impl Future<Output = Result<Inserted, StoreError>> + Send;

    /// Ends `old`, if it is still at `expect`, and adds `record`. One step where both share a shard; else `old` is
    /// ended first.
    fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> impl Future<Output = Result<Replaced, StoreError>> + Send;

    /// Changes a session that is still at `expect`. Never creates, never revives.
    fn commit(
        &self,
        id: SessionId,
        expect: Revision,
        change: Change,
        now: Moment,
    ) -> impl Future<Output = Result<Committed, StoreError>> + Send;

    /// Ends a session, if `expect` is given only at that revision. Ending twice is fine. Leaves a tombstone.
    fn end(
        &self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
        now: Moment,
    ) -> impl Future<Output = Result<Ending, StoreError>> + Send;

    /// The epochs under which a session of `subject` would be made now.
    fn epochs(&self, subject: Option<SubjectRef>) -> impl Future<Output = Result<Epochs, StoreError>> + Send;

    /// Ends all sessions of a subject but `except`, at once however many there are: bumps the subject's epoch and
    /// re-stamps `except` in the same step. Does not rely on the index.
    fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> impl Future<Output = Result<Epoch, StoreError>> + Send;

    /// Ends every session there is, by the global epoch.
    fn end_all(&self, reason: EndReason, now: Moment) -> impl Future<Output = Result<Epoch, StoreError>> + Send;

    /// The sessions known elsewhere as `value`.
    fn resolve(&self, kind: &str, value: &str) -> impl Future<Output = Result<Vec<SessionId>, StoreError>> + Send;

    /// The live sessions of a subject, newest first, for people; correctness never depends on it.
    fn list(
        &self,
        subject: SubjectRef,
        page: Page,
        now: Moment,
    ) -> impl Future<Output = Result<Vec<Summary>, StoreError>> + Send;

    /// Forgets what is over, looking at no more than `limit` sessions. Says how many it forgot.
    fn sweep(&self, limit: usize, now: Moment) -> impl Future<Output = Result<usize, StoreError>> + Send;

    /// What ends or changes from now on.
    fn watch(&self) -> Watch;

    /// The store's own clock, if it has one. Nodes correct theirs by it.
    fn time(&self) -> impl Future<Output = Result<Option<Moment>, StoreError>> + Send;
}
