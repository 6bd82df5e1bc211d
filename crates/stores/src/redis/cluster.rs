//! What takes more than one command where keys lie on several servers: what is named elsewhere, what replaces a session that
//! lies elsewhere, and all sessions.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Ending, Epoch, Inserted, Limit, Replaced, Revision, Store, StoreError};
use counterfoil_core::{Moment, Record, SessionId};
use futures_util::future::try_join_all;

use super::RedisStore;
use super::counts::TAGS;
use super::link::Sure;
use super::reply::{Word, odd};
use super::seen::Found;

impl RedisStore {
    /// Notes what a session is known by elsewhere, before there is one: a name without a session means nothing.
    pub(super) async fn name_apart(&self, record: &Record, now: Moment) -> Result<(), StoreError> {
        let Some(member) = record.member().filter(|_| self.apart) else { return Ok(()) };
        try_join_all(member.references.iter().map(|reference| async {
            let name = self.sealer.external(&reference.kind, &reference.value);
            let call = self.call(&self.scripts.name, name.as_bytes(), now).bytes(name.as_bytes());
            let call = call.bytes(record.id.as_bytes()).number(record.forget_at().unix_millis());
            match self.ask(call).await?.word()? {
                Word::Done => Ok(()),
                _ => Err(odd()),
            }
        }))
        .await
        .map(drop)
    }

    /// The new session first, then the end of the old one; where somebody ended or changed that meanwhile, the new one is
    /// taken back. Whoever stops in between leaves a session behind whose token nobody was given.
    pub(super) async fn replace_apart(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Result<Replaced, StoreError> {
        let new = record.id;
        let inserted = self.insert(record, limit, now).await?;
        if !matches!(inserted, Inserted::Done(_)) {
            return Ok(match self.look(old, now).await? {
                Found::Live(seen) if seen.live.revision == expect => Replaced::Inserted(inserted),
                Found::Live(seen) => Replaced::Conflict(seen.live),
                Found::Ended(_) | Found::Absent => Replaced::Gone,
            });
        }
        let ended = self.end(old, Some(expect), EndReason::Superseded, now).await;
        if matches!(ended, Ok(Ending::Done)) {
            return Ok(Replaced::Inserted(inserted));
        }
        let call = self.call(&self.scripts.undo, new.as_bytes(), now).bytes(new.as_bytes());
        self.ask(call).await?;
        match ended? {
            Ending::Conflict(live) => Ok(Replaced::Conflict(live)),
            _ => Ok(Replaced::Gone),
        }
    }

    /// The first tag first: new sessions are made under what stands there, and no other tag may be ahead of it.
    pub(super) async fn end_tags_apart(&self, reason: EndReason, now: Moment) -> Result<(Epoch, Sure), StoreError> {
        let (epoch, sure) = self.end_tags(0..=0, None, reason, now).await?;
        let others = TAGS.skip(1).map(|tag| self.end_tags(tag..=tag, Some(epoch), reason, now));
        let others = try_join_all(others).await?;
        let unsure = others.into_iter().map(|(_, sure)| sure).find(|sure| *sure != Sure::Yes);
        Ok((epoch, if sure == Sure::Yes { unsure.unwrap_or(Sure::Yes) } else { sure }))
    }

    /// The sessions known by a name that have not ended.
    pub(super) async fn resolve_apart(&self, name: &[u8]) -> Result<Vec<SessionId>, StoreError> {
        let call = self.call(&self.scripts.names, name, Moment::EPOCH).bytes(name);
        let ids = self.ask(call).await?.ids()?;
        let looked = ids.into_iter().map(|id| async move {
            let found = self.look(id, Moment::EPOCH).await?;
            Ok::<_, StoreError>(matches!(found, Found::Live(_)).then_some(id))
        });
        Ok(try_join_all(looked).await?.into_iter().flatten().collect())
    }
}
