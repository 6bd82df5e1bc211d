//! The verbs of the contract: sealed here, decided by the database, the same as the memory store decides.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Activity, Committed, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Notice, Page, Replaced, Revision, Store,
    StoreError, Summary, Watch,
};
use counterfoil_core::stored::StoredError;
use counterfoil_core::{Change, Moment, Record, SessionId, SubjectRef, stored};
use tokio_postgres::Row;

use super::PostgresStore;
use super::answer::{Decided, Fields, Found, Judges, open, unexpected};
use super::columns::{count, millis};
use super::connection::Parameters;
use super::error::PostgresError;
use super::statement::Ask;

impl Store for PostgresStore {
    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Result<Loaded, StoreError> {
        let (mut live, sealed) = match self.find("load", id, now, Judges::SubjectThenAll).await? {
            Found::Live(live, sealed) => (live, sealed),
            Found::Ended(reason) => return Ok(Loaded::Ended(reason)),
            Found::Absent => return Ok(Loaded::Absent),
        };
        if let Some(seen_at) = activity.and_then(|activity| activity.touch(&live, now)) {
            match self.touch(&live, &sealed, seen_at, now).await {
                Ok(true) => live.seen_at = seen_at,
                // Somebody else changed it: that is activity too.
                Ok(false) => {}
                // The session was read; at worst it ends early.
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "activity was not noted");
                }
            }
        }
        Ok(Loaded::Live(live))
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Result<Inserted, StoreError> {
        match self.add("insert", record, limit, None, now).await? {
            Replaced::Inserted(inserted) => Ok(inserted),
            _ => Err(unexpected("an outcome of `replace` for `insert`")),
        }
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Result<Replaced, StoreError> {
        self.add("replace", record, limit, Some((old, expect)), now).await
    }

    async fn commit(
        &self,
        id: SessionId,
        expect: Revision,
        change: Change,
        now: Moment,
    ) -> Result<Committed, StoreError> {
        let (mut before, mut sealed) = match self.before(id, expect, now).await? {
            Found::Live(live, sealed) => (live, sealed),
            Found::Ended(reason) => return Ok(Committed::Gone(Some(reason))),
            Found::Absent => return Ok(Committed::Gone(None)),
        };
        for _ in 0..ATTEMPTS {
            if before.revision != expect {
                return Ok(Committed::Conflict(before));
            }
            let current = match self.try_commit(&before, &sealed, &change, now).await? {
                (revision, Decided::Done(yielded)) => {
                    self.tell(yielded.iter().map(|id| Notice::Ended(*id)));
                    self.tell(change.is_more_than_touch().then_some(Notice::Changed(id, revision)));
                    return Ok(Committed::Done(revision, yielded));
                }
                (_, Decided::Gone(reason)) => {
                    self.recent.drop(id);
                    return Ok(Committed::Gone(reason));
                }
                (_, Decided::Conflict(current)) => current,
                _ => return Err(unexpected("an outcome of `insert` for `commit`")),
            };
            let now_live = open(id, &current, &self.sealer)?;
            self.recent.put(&current[..], &now_live);
            // A touch alone is no reason to judge anew. The same revision with other content is: a failover forgot one.
            if now_live.record != before.record {
                return Ok(Committed::Conflict(now_live));
            }
            (before, sealed) = (now_live, current);
        }
        Err(PostgresError::Contended.of("commit"))
    }

    async fn end(
        &self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
        _now: Moment,
    ) -> Result<Ending, StoreError> {
        let expect = expect.map(|expect| expect.0.cast_signed());
        let row = self.ask_one("end", Ask::Finish, &[&&id.as_bytes()[..], &expect, &reason.as_str()]).await?;
        self.recent.drop(id);
        match Decided::read(&row)? {
            Decided::Done(_) => {
                self.tell([Notice::Ended(id)]);
                Ok(Ending::Done)
            }
            Decided::Conflict(current) => Ok(Ending::Conflict(open(id, &current, &self.sealer)?)),
            _ => Ok(Ending::Already),
        }
    }

    async fn epochs(&self, subject: Option<SubjectRef>) -> Result<Epochs, StoreError> {
        let subject = subject.map(|subject| subject.as_bytes().to_vec());
        let row = self.ask_one("epochs", Ask::Epochs, &[&subject]).await?;
        let epoch = |index| Fields(&row).epoch(index).map(Option::unwrap_or_default);
        Ok(Epochs { global: epoch(0)?, subject: epoch(1)? })
    }

    async fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Epoch, StoreError> {
        for _ in 0..ATTEMPTS {
            if let Some(epoch) = self.try_end_subject(subject, except, reason, now).await? {
                self.tell([Notice::SubjectEnded(subject)]);
                return Ok(epoch);
            }
        }
        Err(PostgresError::Contended.of("end_subject"))
    }

    async fn end_all(&self, reason: EndReason, now: Moment) -> Result<Epoch, StoreError> {
        let row = self.ask_one("end_all", Ask::EndAll, &[&reason.as_str(), &millis(now)]).await?;
        let epoch = Fields(&row).epoch(0)?.ok_or(unexpected("no global epoch"))?;
        self.tell([Notice::AllEnded]);
        Ok(epoch)
    }

    async fn resolve(&self, kind: &str, value: &str) -> Result<Vec<SessionId>, StoreError> {
        let name = self.sealer.external(kind, value);
        let rows = self.ask("resolve", Ask::Resolve, &[&&name.as_bytes()[..]]).await?;
        rows.iter().map(|row| Fields(row).id(0)).collect()
    }

    async fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Result<Vec<Summary>, StoreError> {
        let parameters: Parameters<'_> =
            &[&&subject.as_bytes()[..], &millis(now), &count(page.skip), &count(page.take)];
        let rows = self.ask("list", Ask::List, parameters).await?;
        let mut listed = Vec::with_capacity(rows.len());
        for row in &rows {
            let id = Fields(row).id(0)?;
            match stored::decode(id, Fields(row).bytes(1)?.unwrap_or_default(), &self.sealer) {
                Ok(live) => listed.extend(Summary::of(&live.record, live.seen_at)),
                // Its key was taken out of the ring: nobody can present its token any more.
                Err(StoredError::UnknownKey { .. }) => {
                    tracing::warn!(%id, "a session is not listed: the key that it rests on was retired");
                }
                Err(cause) => return Err(PostgresError::record(id, cause)),
            }
        }
        Ok(listed)
    }

    async fn sweep(&self, limit: usize, now: Moment) -> Result<usize, StoreError> {
        let row = self.ask_one("sweep", Ask::Sweep, &[&count(limit), &millis(now)]).await?;
        let forgotten = Fields(&row).number(0)?.unwrap_or_default();
        Ok(usize::try_from(forgotten).unwrap_or_default())
    }

    fn watch(&self) -> Watch {
        self.notices.watch()
    }

    async fn time(&self) -> Result<Option<Moment>, StoreError> {
        let row = self.ask_one("time", Ask::Time, &[]).await?;
        let now = Fields(&row).number(0)?.and_then(|now| u64::try_from(now).ok());
        Ok(now.map(Moment::from_unix_millis))
    }
}

impl PostgresStore {
    pub(super) async fn ask(&self, verb: &'static str, ask: Ask, with: Parameters<'_>) -> Result<Vec<Row>, StoreError> {
        self.pool.ask(ask, with).await.map_err(|error| error.of(verb))
    }

    pub(super) async fn ask_one(&self, verb: &'static str, ask: Ask, with: Parameters<'_>) -> Result<Row, StoreError> {
        let first = self.ask(verb, ask, with).await?.into_iter().next();
        first.ok_or_else(|| PostgresError::NoTables("a row that is always there is missing".into()).of(verb))
    }

    /// What lies under an id, by the database.
    pub(super) async fn find(
        &self,
        verb: &'static str,
        id: SessionId,
        now: Moment,
        judges: Judges,
    ) -> Result<Found, StoreError> {
        let row = self.ask_one(verb, Ask::Load, &[&&id.as_bytes()[..]]).await?;
        let found = Found::read(&row, id, now, judges, &self.sealer)?;
        match &found {
            Found::Live(live, sealed) => self.recent.put(&sealed[..], live),
            _ => self.recent.drop(id),
        }
        Ok(found)
    }

    /// A session to be changed: as it was a moment ago, if it was at `expect` then; the database has the last word.
    async fn before(&self, id: SessionId, expect: Revision, now: Moment) -> Result<Found, StoreError> {
        if let Some(known) = self.recent.get(id).filter(|known| known.live.revision == expect) {
            return Ok(Found::Live(known.live, known.sealed.to_vec()));
        }
        self.find("commit", id, now, Judges::AllThenSubject).await
    }
}

/// How often a change is made anew because somebody was faster. Touches come once in minutes.
const ATTEMPTS: usize = 8;
