//! The verbs of the contract: one script each.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Activity, Committed, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Page, Replaced, Revision, Store, StoreError,
    Summary, Watch,
};
use counterfoil_core::stored::{self, StoredError, StoredRecord};
use counterfoil_core::{Change, Moment, Record, SessionId, SubjectRef};

use super::counts::{TAGS, tag_of};
use super::fact::Fact;
use super::link::Sure;
use super::reply::{Reply, Word, odd};
use super::scripts::{Call, Verb, key_of_tag};
use super::seen::Found;
use super::{EPOCHS_KEPT_MILLIS, RedisStore};

impl Store for RedisStore {
    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Result<Loaded, StoreError> {
        match self.look(id, now).await? {
            Found::Live(seen) => {
                let seen = self.touched(seen, activity, now).await;
                self.recent.put(seen.bytes, &seen.live);
                Ok(Loaded::Live(seen.live))
            }
            Found::Ended(reason) => Ok(Loaded::Ended(reason)),
            Found::Absent => Ok(Loaded::Absent),
        }
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Result<Inserted, StoreError> {
        let id = record.id;
        self.name_apart(&record, now).await?;
        let call = self.call(&self.scripts.insert, id.as_bytes(), now);
        let mut reply = self.ask(self.with_new(call, record, limit)?).await?;
        let word = reply.word()?;
        self.inserted(id, word, reply, now)
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Result<Replaced, StoreError> {
        if self.apart && tag_of(old.as_bytes()) != tag_of(record.id.as_bytes()) {
            return self.replace_apart(old, expect, record, limit, now).await;
        }
        self.name_apart(&record, now).await?;
        let call = self.call(&self.scripts.replace, old.as_bytes(), now);
        let call = call.bytes(old.as_bytes()).bytes(&expect.0.to_be_bytes());
        let mut reply = self.ask(self.with_new(call, record, limit)?).await?;
        match reply.word()? {
            Word::Gone => Ok(Replaced::Gone),
            Word::Other => match self.found(old, reply.bytes()?, None, now)? {
                Found::Live(seen) => Ok(Replaced::Conflict(seen.live)),
                Found::Ended(_) | Found::Absent => Ok(Replaced::Gone),
            },
            word => {
                let inserted = self.inserted(old, word, reply, now)?;
                if matches!(inserted, Inserted::Done(_)) {
                    self.journal.hear(Fact::Session(old, EndReason::Superseded), now);
                }
                Ok(Replaced::Inserted(inserted))
            }
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
            let after = seen.live.changed(&change);
            let bytes =
                StoredRecord::from_bytes(&seen.bytes)?.with(&seen.live.record, &after, &self.sealer)?.to_bytes();
            let (touch, limit) = (!change.is_more_than_touch(), change.first_use.flatten());
            let call = self.commit_call(&seen, &bytes, touch, limit, now);
            let (mut reply, sure) =
                if is_offer(&change) { self.ask_surely(call).await? } else { (self.ask(call).await?, Sure::Yes) };
            match reply.word()? {
                Word::Done => {
                    let revision = after.revision;
                    self.recent.put(bytes, &after);
                    self.told(id.as_bytes(), &mut reply)?;
                    if sure == Sure::No {
                        // The browser keeps the token it has: a failover now would not know another one.
                        return Err(StoreError::Unavailable("no replica has the new token yet".into()));
                    }
                    return Ok(Committed::Done(revision, self.yielded(reply, now)?));
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
        let call = self.call(&self.scripts.end, id.as_bytes(), now).bytes(id.as_bytes());
        let call = call.bytes(expected.as_ref().map_or(&[][..], |bytes| bytes)).number(stored::code_of(reason).into());
        let revokes = is_revocation(reason);
        let (mut reply, sure) = if revokes { self.ask_surely(call).await? } else { (self.ask(call).await?, Sure::Yes) };
        match reply.word()? {
            Word::Done => {
                self.told(id.as_bytes(), &mut reply)?;
                match reason {
                    _ if revokes => self.remember(vec![Fact::Session(id, reason)], sure, now).await?,
                    EndReason::Superseded => self.journal.hear(Fact::Session(id, reason), now),
                    _ => {}
                }
                Ok(Ending::Done)
            }
            Word::Already => Ok(Ending::Already),
            Word::Other => match self.found(id, reply.bytes()?, None, now)? {
                Found::Live(seen) => Ok(Ending::Conflict(seen.live)),
                Found::Ended(_) | Found::Absent => Ok(Ending::Already),
            },
            _ => Err(odd()),
        }
    }

    async fn epochs(&self, subject: Option<SubjectRef>) -> Result<Epochs, StoreError> {
        let subject = subject.as_ref().map_or(&[][..], |subject| subject.as_bytes());
        let call = self.call(&self.scripts.epochs, subject, Moment::EPOCH);
        let mut reply = self.ask(call.bytes(subject)).await?;
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
            let call = self.call(&self.scripts.end_subject, subject.as_bytes(), now).bytes(subject.as_bytes());
            let mut call = call.bytes(reason.as_str().as_bytes()).number(EPOCHS_KEPT_MILLIS);
            if let Some((seen, after)) = self.spared(subject, except, now).await? {
                let bytes = StoredRecord::from_bytes(&seen.bytes)?.with(&seen.live.record, &after, &self.sealer)?;
                call = call
                    .bytes(after.record.id.as_bytes())
                    .bytes(stored::closing_of(&seen.bytes))
                    .bytes(&bytes.to_bytes());
                call = call.number(after.record.epochs.subject.0);
            }
            let (mut reply, sure) = self.ask_surely(call).await?;
            match reply.word()? {
                Word::Done => {
                    self.told(subject.as_bytes(), &mut reply)?;
                    let epoch = reply.epoch()?;
                    self.remember(vec![Fact::Subject(subject, epoch, reason)], sure, now).await?;
                    return Ok(epoch);
                }
                Word::Again => {}
                _ => return Err(odd()),
            }
        }
        Err(crowded())
    }

    async fn end_all(&self, reason: EndReason, now: Moment) -> Result<Epoch, StoreError> {
        let (epoch, sure) = if self.apart {
            self.end_tags_apart(reason, now).await?
        } else {
            self.end_tags(TAGS, None, reason, now).await?
        };
        self.remember(TAGS.map(|tag| Fact::Tag(tag, epoch, reason)).collect(), sure, now).await?;
        Ok(epoch)
    }

    async fn resolve(&self, kind: &str, value: &str) -> Result<Vec<SessionId>, StoreError> {
        let name = self.sealer.external(kind, value);
        if self.apart {
            return self.resolve_apart(name.as_bytes()).await;
        }
        let call = self.call(&self.scripts.resolve, name.as_bytes(), Moment::EPOCH);
        self.ask(call.bytes(name.as_bytes())).await?.ids()
    }

    async fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Result<Vec<Summary>, StoreError> {
        let call = self.call(&self.scripts.list, subject.as_bytes(), now).bytes(subject.as_bytes());
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
        let limit = self.settings.timeout;
        let asked = async {
            let first = key_of_tag(&self.settings.prefix, 'n', 0);
            let answer = self.link.line().await?.beside(first.as_bytes(), &redis::cmd("TIME")).await;
            let answer = answer.and_then(|answer| Ok(redis::from_redis_value::<(u64, u64)>(answer)?));
            answer.map_err(|error| super::error::of_verb(error, "time", limit))
        };
        let answer = tokio::time::timeout(limit, asked).await;
        let (seconds, micros) = answer.map_err(|_| StoreError::Timeout { verb: "time", limit })??;
        Ok(Some(Moment::from_unix_millis(seconds * 1000 + micros / 1000)))
    }
}

impl RedisStore {
    /// `id` is whatever begins with the tag.
    pub(super) fn call<'a>(&self, verb: &'a Verb, id: &[u8], now: Moment) -> Call<'a> {
        verb.with(&self.settings.prefix, id, now)
    }

    pub(super) async fn ask(&self, call: Call<'_>) -> Result<Reply, StoreError> {
        Reply::new(self.run(call).await?)
    }

    async fn ask_surely(&self, call: Call<'_>) -> Result<(Reply, Sure), StoreError> {
        let (answer, sure) = self.run_surely(call).await?;
        Ok((Reply::new(answer)?, sure))
    }

    /// Notes which notice a script has given: from now on the server must know it.
    fn told(&self, id: &[u8], reply: &mut Reply) -> Result<(), StoreError> {
        self.link.known.raise(tag_of(id), reply.count()?);
        Ok(())
    }

    /// `id` is whose end or beginning was told last.
    fn inserted(&self, id: SessionId, word: Word, mut reply: Reply, now: Moment) -> Result<Inserted, StoreError> {
        match word {
            Word::Done => {
                self.told(id.as_bytes(), &mut reply)?;
                Ok(Inserted::Done(self.yielded(reply, now)?))
            }
            Word::Exists => Ok(Inserted::Exists),
            Word::Over => Ok(Inserted::OverLimit),
            Word::Moved => Ok(Inserted::SubjectMoved),
            _ => Err(odd()),
        }
    }

    /// The sessions that a limit ended, remembered at once: what tells them to all nodes may be lost with its server.
    fn yielded(&self, reply: Reply, now: Moment) -> Result<Vec<SessionId>, StoreError> {
        let ids = reply.ids()?;
        for id in &ids {
            self.journal.hear(Fact::Session(*id, EndReason::Limit), now);
        }
        Ok(ids)
    }

    /// Raises the global epoch in these tags, which lie on one server: to this, or to the next there is.
    pub(super) async fn end_tags(
        &self,
        tags: std::ops::RangeInclusive<u8>,
        epoch: Option<Epoch>,
        reason: EndReason,
        now: Moment,
    ) -> Result<(Epoch, Sure), StoreError> {
        let last = [*tags.end()];
        let call = self.call(&self.scripts.end_all, &last, now).bytes(reason.as_str().as_bytes());
        let call = tags.fold(call.number(epoch.map_or(0, |epoch| epoch.0)), |call, tag| call.bytes(&[tag]));
        let (mut reply, sure) = self.ask_surely(call).await?;
        match reply.word()? {
            Word::Done => {
                self.told(&last, &mut reply)?;
                Ok((reply.epoch()?, sure))
            }
            _ => Err(odd()),
        }
    }
}

/// Whether a successor is made that is about to be sent.
fn is_offer(change: &Change) -> bool {
    let next = change.family.as_ref().and_then(|family| family.next.as_ref());
    next.is_some_and(|next| next.seen.is_none() && next.until.is_none())
}

/// Whether somebody was told that it is over. What a clock ended it ends again; a session that another one replaced has no
/// cookie any more, and is remembered in memory, as what others did is, and what a limit ended beside it.
const fn is_revocation(reason: EndReason) -> bool {
    !matches!(reason, EndReason::Idle | EndReason::Absolute | EndReason::NeverUsed | EndReason::Superseded)
}

/// Others changed it again and again in between.
fn crowded() -> StoreError {
    StoreError::Unavailable("the record was changed too often meanwhile".into())
}

/// How often a change is made anew because only the last activity moved meanwhile, or an epoch did.
const ATTEMPTS: u32 = 16;
