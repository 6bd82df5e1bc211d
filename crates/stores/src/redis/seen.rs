//! Sessions as they lie there, and what they open to.

use std::sync::Arc;

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Limit, Live, OverLimit, Revision, Store as _, StoreError};
use counterfoil_core::stored::{self, Stored, Tombstone};
use counterfoil_core::{Moment, Record, SessionId, SubjectRef};

use super::RedisStore;
use super::counts::tag_of;
use super::scripts::{Call, key_of, key_of_tag};

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
    /// What was read or written a moment ago, if it is of that revision.
    pub(super) fn remembered(&self, id: SessionId, revision: Revision) -> Option<Seen> {
        let known = self.recent.get(id)?;
        (known.live.revision == revision).then_some(Seen { bytes: known.sealed, live: known.live })
    }

    pub(super) async fn look(&self, id: SessionId, now: Moment) -> Result<Found, StoreError> {
        let known = self.link.known_of(id.as_bytes());
        let (prefix, tag) = (&*self.settings.prefix, tag_of(id.as_bytes()));
        let call = self.call(&self.scripts.load, id.as_bytes(), now).bytes(&key_of(prefix, 's', id.as_bytes()));
        let call = call.bytes(key_of_tag(prefix, 'g', tag).as_bytes());
        let mut reply = self.ask(call).await?;
        if reply.count()? < known {
            // After a failover, until it was told again: what it says may have ended since.
            self.link.doubt();
            return Err(StoreError::Unavailable("the server has forgotten what ended of late".into()));
        }
        let (bytes, reason) = (reply.bytes()?, reply.reason()?);
        self.found(id, bytes, reason, now)
    }

    /// What lies there, opened; `ended` where an epoch says so.
    pub(super) fn found(
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
    pub(super) fn with_new<'a>(
        &self,
        call: Call<'a>,
        record: Record,
        limit: Option<Limit>,
    ) -> Result<Call<'a>, StoreError> {
        let references = record.member().map(|member| member.references.clone()).unwrap_or_default();
        let call = call.bytes(&stored::encode(&Live::born(record), &self.sealer)?);
        let call = call.number(limit.map_or(0, |limit| limit.max.get()).into());
        let refuse = limit.is_some_and(|limit| limit.over == OverLimit::Refuse);
        let call = call.bytes(if refuse { b"refuse" } else { b"" });
        if self.apart {
            return Ok(call);
        }
        let names = references.iter().map(|name| self.sealer.external(&name.kind, &name.value));
        Ok(names.fold(call, |call, name| call.bytes(name.as_bytes())))
    }

    /// A change of what was seen. With a limit, it is the first use of it.
    pub(super) fn commit_call(
        &self,
        seen: &Seen,
        after: &[u8],
        touch: bool,
        limit: Option<Limit>,
        now: Moment,
    ) -> Call<'_> {
        let record = &seen.live.record;
        let (id, closing) = (record.id.as_bytes(), stored::closing_of(&seen.bytes));
        if let Some(limit) = limit {
            let call = self.call(&self.scripts.first_use, id, now).bytes(id);
            return call.bytes(closing).bytes(after).number(limit.max.get().into());
        }
        let (prefix, global) = (&*self.settings.prefix, key_of_tag(&self.settings.prefix, 'g', tag_of(id)));
        let call = self.call(&self.scripts.commit, id, now).bytes(&key_of(prefix, 's', id)).bytes(global.as_bytes());
        // A stranger's is under the global epoch alone.
        let call = match record.subject() {
            Some(subject) => call.bytes(&key_of(prefix, 'e', subject.as_bytes())),
            None => call.bytes(global.as_bytes()),
        };
        call.bytes(closing).bytes(after).bytes(if touch { b"touch" } else { b"" })
    }

    /// The session that is to live on, as it is and under the epoch that the subject's becomes; none where there is no such
    /// session of theirs.
    pub(super) async fn spared(
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
        let live = seen.live.spared(epoch);
        Ok(Some((seen, live)))
    }
}
