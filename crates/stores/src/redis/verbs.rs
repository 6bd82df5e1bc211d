//! The verbs of the contract: one script each.

use std::sync::Arc;

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Activity, Committed, Ending, Epoch, Epochs, Inserted, Limit, Live, Loaded, OverLimit, Page, Replaced, Revision,
    Store, StoreError, Summary, Watch,
};
use counterfoil_core::stored::{self, Stored, StoredError, StoredRecord, Tombstone};
use counterfoil_core::{Change, Moment, Record, SessionId, SubjectRef};

use super::RedisStore;
use super::reply::{Reply, Word, odd};
use super::scripts::{Call, Verb};

impl Store for RedisStore {
    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Result<Loaded, StoreError> {
        match self.look(id, now).await? {
            Found::Live(seen) => {
                let seen = self.touched(seen, activity, now).await;
                self.recent.put(id, seen.bytes);
                Ok(Loaded::Live(seen.live))
            }
            Found::Ended(reason) => Ok(Loaded::Ended(reason)),
            Found::Absent => Ok(Loaded::Absent),
        }
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Result<Inserted, StoreError> {
        let call = self.with_new(self.call(&self.scripts.insert, now), record, limit)?;
        let mut reply = self.ask(call).await?;
        let word = reply.word()?;
        inserted(word, reply)
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Result<Replaced, StoreError> {
        let call = self.call(&self.scripts.replace, now).bytes(old.as_bytes()).bytes(&expect.0.to_be_bytes());
        let mut reply = self.ask(self.with_new(call, record, limit)?).await?;
        match reply.word()? {
            Word::Gone => Ok(Replaced::Gone),
            Word::Other => match self.found(old, reply.bytes()?, None, now)? {
                Found::Live(seen) => Ok(Replaced::Conflict(seen.live)),
                Found::Ended(_) | Found::Absent => Ok(Replaced::Gone),
            },
            word => Ok(Replaced::Inserted(inserted(word, reply)?)),
        }
    }

    async fn commit(
        &self,
        id: SessionId,
        expect: Revision,
        change: Change,
        now: Moment,
    ) -> Result<Committed, StoreError> {
        let mut found = self.remembered(id, expect).map(Found::Live);
        for _ in 0..ATTEMPTS {
            let seen = match found.take() {
                Some(found) => found,
                None => self.look(id, now).await?,
            };
            let seen = match seen {
                Found::Live(seen) if seen.live.revision == expect => seen,
                Found::Live(seen) => return Ok(Committed::Conflict(seen.live)),
                Found::Ended(reason) => return Ok(Committed::Gone(Some(reason))),
                Found::Absent => return Ok(Committed::Gone(None)),
            };
            let after = changed(&seen.live, &change);
            let bytes =
                StoredRecord::from_bytes(&seen.bytes)?.with(&seen.live.record, &after, &self.sealer)?.to_bytes();
            let max = change.first_use.flatten().map_or(0, |limit| limit.max.get());
            let mut reply = self.ask(self.commit_call(&seen, &bytes, !change.is_more_than_touch(), max, now)).await?;
            match reply.word()? {
                Word::Done => {
                    let revision = after.revision;
                    self.recent.put(id, bytes);
                    return Ok(Committed::Done(revision, reply.ids()?));
                }
                Word::Gone => {
                    self.recent.drop(id);
                    return Ok(Committed::Gone(reply.reason()?));
                }
                // What it was made from is not what lies there: another revision, or the same with other activity.
                Word::Other => found = Some(self.found(id, reply.bytes()?, None, now)?),
                _ => return Err(odd()),
            }
        }
        Err(crowded())
    }

    async fn end(
        &self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Ending, StoreError> {
        self.recent.drop(id);
        let expected = expect.map(|revision| revision.0.to_be_bytes());
        let call = self.call(&self.scripts.end, now).bytes(id.as_bytes());
        let call = call.bytes(expected.as_ref().map_or(&[][..], |bytes| bytes)).number(stored::code_of(reason).into());
        let mut reply = self.ask(call).await?;
        match reply.word()? {
            Word::Done => Ok(Ending::Done),
            Word::Already => Ok(Ending::Already),
            Word::Other => match self.found(id, reply.bytes()?, None, now)? {
                Found::Live(seen) => Ok(Ending::Conflict(seen.live)),
                Found::Ended(_) | Found::Absent => Ok(Ending::Already),
            },
            _ => Err(odd()),
        }
    }

    async fn epochs(&self, subject: Option<SubjectRef>) -> Result<Epochs, StoreError> {
        let call = self.call(&self.scripts.epochs, Moment::EPOCH);
        let mut reply = self.ask(call.bytes(subject.as_ref().map_or(&[][..], |subject| subject.as_bytes()))).await?;
        Ok(Epochs { global: reply.epoch()?, subject: reply.epoch()? })
    }

    async fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Epoch, StoreError> {
        for _ in 0..ATTEMPTS {
            let kept = u64::try_from(EPOCHS_KEPT.as_millis()).unwrap_or(u64::MAX);
            let call = self.call(&self.scripts.end_subject, now).bytes(subject.as_bytes());
            let mut call = call.bytes(reason.as_str().as_bytes()).number(kept);
            if let Some((seen, after)) = self.spared(subject, except, now).await? {
                let bytes = StoredRecord::from_bytes(&seen.bytes)?.with(&seen.live.record, &after, &self.sealer)?;
                call = call.bytes(after.record.id.as_bytes()).bytes(closing(&seen.bytes)).bytes(&bytes.to_bytes());
                call = call.number(after.record.epochs.subject.0);
            }
            let mut reply = self.ask(call).await?;
            match reply.word()? {
                Word::Done => return reply.epoch(),
                Word::Again => {}
                _ => return Err(odd()),
            }
        }
        Err(crowded())
    }

    async fn end_all(&self, reason: EndReason, now: Moment) -> Result<Epoch, StoreError> {
        let mut reply = self.ask(self.call(&self.scripts.end_all, now).bytes(reason.as_str().as_bytes())).await?;
        match reply.word()? {
            Word::Done => reply.epoch(),
            _ => Err(odd()),
        }
    }

    async fn resolve(&self, kind: &str, value: &str) -> Result<Vec<SessionId>, StoreError> {
        let name = self.sealer.external(kind, value);
        self.ask(self.call(&self.scripts.resolve, Moment::EPOCH).bytes(name.as_bytes())).await?.ids()
    }

    async fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Result<Vec<Summary>, StoreError> {
        let call = self.call(&self.scripts.list, now).bytes(subject.as_bytes());
        let reply = self.ask(call.number(page.skip as u64).number(page.take as u64)).await?;
        let mut listed = Vec::new();
        for bytes in reply.all()? {
            let record = StoredRecord::from_bytes(&bytes)?;
            match record.open(&self.sealer) {
                Ok(live) => listed.extend(Summary::of(&live.record, live.seen_at)),
                // Its key was taken out of the ring: nobody can present its token any more.
                Err(StoredError::UnknownKey { .. }) => {
                    tracing::warn!(id = %record.id(), "a session is not listed: the key that it rests on was retired");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(listed)
    }

    /// The server forgets by itself what is over.
    async fn sweep(&self, _limit: usize, _now: Moment) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn watch(&self) -> Watch {
        self.notices.watch()
    }

    async fn time(&self) -> Result<Option<Moment>, StoreError> {
        let mut connection = self.connection.clone();
        let limit = self.settings.timeout;
        let asked = redis::cmd("TIME");
        let asked = asked.query_async::<(u64, u64)>(&mut connection);
        let answer =
            tokio::time::timeout(limit, asked).await.map_err(|_| StoreError::Timeout { verb: "time", limit })?;
        let (seconds, micros) = answer.map_err(|error| super::error::of_verb(error, "time", limit))?;
        Ok(Some(Moment::from_unix_millis(seconds * 1000 + micros / 1000)))
    }
}

/// A session as it lies there, and what it opens to.
pub(super) struct Seen {
    pub(super) bytes: Arc<[u8]>,
    pub(super) live: Live,
}

/// What the server has under an id.
pub(super) enum Found {
    Live(Seen),
    Ended(EndReason),
    Absent,
}

impl RedisStore {
    fn call<'a>(&self, verb: &'a Verb, now: Moment) -> Call<'a> {
        verb.with(&self.settings.prefix, now)
    }

    async fn ask(&self, call: Call<'_>) -> Result<Reply, StoreError> {
        Reply::new(self.run(call).await?)
    }

    /// What was read or written a moment ago, if it is of that revision.
    fn remembered(&self, id: SessionId, revision: Revision) -> Option<Seen> {
        let bytes = self.recent.get(id)?;
        let live = stored::decode(id, &bytes, &self.sealer).ok()?;
        (live.revision == revision).then_some(Seen { bytes, live })
    }

    async fn look(&self, id: SessionId, now: Moment) -> Result<Found, StoreError> {
        let mut reply = self.ask(self.call(&self.scripts.load, now).bytes(id.as_bytes())).await?;
        let (bytes, reason) = (reply.bytes()?, reply.reason()?);
        self.found(id, bytes, reason, now)
    }

    /// What lies there, opened; `ended` where an epoch says so.
    fn found(
        &self,
        id: SessionId,
        bytes: Option<Vec<u8>>,
        ended: Option<EndReason>,
        now: Moment,
    ) -> Result<Found, StoreError> {
        let Some(bytes) = bytes else { return Ok(Found::Absent) };
        if stored::kind_of(&bytes)? == Stored::Tombstone {
            let stone = Tombstone::from_bare_bytes(&bytes)?;
            return Ok(if stone.forget_at <= now { Found::Absent } else { Found::Ended(stone.reason) });
        }
        if stored::decode_head(&bytes)?.forget_at() <= now {
            return Ok(Found::Absent);
        }
        if let Some(reason) = ended {
            return Ok(Found::Ended(reason));
        }
        let live = stored::decode(id, &bytes, &self.sealer)?;
        Ok(Found::Live(Seen { bytes: bytes.into(), live }))
    }

    /// With a new session and what the limit says of it.
    fn with_new<'a>(&self, call: Call<'a>, record: Record, limit: Option<Limit>) -> Result<Call<'a>, StoreError> {
        let references = record.member().map(|member| member.references.clone()).unwrap_or_default();
        let call = call.bytes(&stored::encode(&Live::born(record), &self.sealer)?);
        let call = call.number(limit.map_or(0, |limit| limit.max.get()).into());
        let refuse = limit.is_some_and(|limit| limit.over == OverLimit::Refuse);
        let call = call.bytes(if refuse { b"refuse" } else { b"" });
        let names = references.iter().map(|name| self.sealer.external(&name.kind, &name.value));
        Ok(names.fold(call, |call, name| call.bytes(name.as_bytes())))
    }

    pub(super) fn commit_call(&self, seen: &Seen, after: &[u8], touch: bool, max: u32, now: Moment) -> Call<'_> {
        let call = self.call(&self.scripts.commit, now).bytes(seen.live.record.id.as_bytes());
        let call = call.bytes(closing(&seen.bytes)).bytes(after);
        call.bytes(if touch { b"touch" } else { b"" }).number(max.into())
    }

    /// The session that is to live on, as it is and under the epoch that the subject's becomes; none where there is no such
    /// session of theirs.
    async fn spared(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        now: Moment,
    ) -> Result<Option<(Seen, Live)>, StoreError> {
        let Some(id) = except else { return Ok(None) };
        let Found::Live(seen) = self.look(id, now).await? else { return Ok(None) };
        if seen.live.record.subject() != Some(subject) {
            return Ok(None);
        }
        let epoch = self.epochs(Some(subject)).await?.subject.after(now);
        let mut record = Record::clone(&seen.live.record);
        record.epochs.subject = epoch;
        let live = Live { record: Arc::new(record), revision: next(seen.live.revision), seen_at: seen.live.seen_at };
        Ok(Some((seen, live)))
    }
}

fn inserted(word: Word, reply: Reply) -> Result<Inserted, StoreError> {
    match word {
        Word::Done => Ok(Inserted::Done(reply.ids()?)),
        Word::Exists => Ok(Inserted::Exists),
        Word::Over => Ok(Inserted::OverLimit),
        Word::Moved => Ok(Inserted::SubjectMoved),
        _ => Err(odd()),
    }
}

/// What a session becomes by `change`.
fn changed(live: &Live, change: &Change) -> Live {
    let seen_at = live.seen_at.max(change.seen_at.unwrap_or_default());
    if change.is_more_than_touch() {
        return Live { record: Arc::new(live.record.with(change)), seen_at, revision: next(live.revision) };
    }
    Live { seen_at, ..live.clone() }
}

fn next(revision: Revision) -> Revision {
    Revision(revision.0.wrapping_add(1))
}

/// What tells one state of a record from every other.
fn closing(bytes: &[u8]) -> &[u8] {
    bytes.last_chunk::<{ stored::CLOSING }>().map_or(&[][..], |closing| closing)
}

/// Others changed it again and again in between.
fn crowded() -> StoreError {
    StoreError::Unavailable("the record was changed too often meanwhile".into())
}

/// How often a change is made anew because only the last activity moved meanwhile, or an epoch did.
const ATTEMPTS: u32 = 16;
/// How long a subject's epoch is kept at least; longer where one of their sessions may live longer. Browsers keep cookies
/// for 400 days at most.
const EPOCHS_KEPT: std::time::Duration = std::time::Duration::from_hours(401 * 24);
