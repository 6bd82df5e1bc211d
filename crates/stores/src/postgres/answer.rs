//! What the database answers, read.

use counterfoil_core::rules::EndReason;
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{Epoch, Live, StoreError};
use counterfoil_core::{Moment, SessionId, stored};
use tokio_postgres::Row;

use super::columns::millis;
use super::error::PostgresError;

/// What lies under an id.
pub(super) enum Found {
    Live(Live, Vec<u8>),
    Ended(EndReason),
    Absent,
}

/// Which epochs are asked whether a session has ended, in this order: as the memory store has it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Judges {
    SubjectThenAll,
    AllThenSubject,
    SubjectAlone,
}

/// What a function decided.
pub(super) enum Decided {
    Done(Vec<SessionId>),
    /// The record as it is.
    Conflict(Vec<u8>),
    /// The session has ended, if that is known: why.
    Gone(Option<EndReason>),
    Exists,
    OverLimit,
    Moved,
}

impl Found {
    /// Reads the answer to [`Ask::Load`](super::statement::Ask::Load).
    pub(super) fn read(
        row: &Row,
        id: SessionId,
        now: Moment,
        judges: Judges,
        sealer: &Sealer,
    ) -> Result<Self, StoreError> {
        let field = Fields(row);
        if let Some(reason) = field.text(1)? {
            let forgotten = field.number(2)?.is_some_and(|forget_at| forget_at <= millis(now));
            return Ok(if forgotten { Self::Absent } else { Self::Ended(reason_named(reason)) });
        }
        let Some(bytes) = field.bytes(0)? else { return Ok(Self::Absent) };
        let live = open(id, bytes, sealer)?;
        let epochs = live.record.epochs;
        let (subject, all) = ((epochs.subject, 3, 4), (epochs.global, 5, 6));
        let levels = match judges {
            Judges::SubjectThenAll => [subject, all],
            Judges::AllThenSubject => [all, subject],
            Judges::SubjectAlone => [subject, subject],
        };
        for (made_under, epoch, reason) in levels {
            if field.epoch(epoch)?.is_some_and(|epoch| made_under < epoch) {
                return Ok(Self::Ended(reason_named(field.text(reason)?.unwrap_or_default())));
            }
        }
        Ok(Self::Live(live, bytes.to_vec()))
    }
}

impl Decided {
    /// Reads `outcome`, and beside it `current` and `yielded` where there are any.
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        let field = Fields(row);
        let outcome = field.text(0)?.unwrap_or_default();
        Ok(match outcome {
            "done" if row.len() > 2 => Self::Done(field.ids(2)?),
            "done" => Self::Done(Vec::new()),
            "conflict" => Self::Conflict(field.bytes(1)?.unwrap_or_default().to_vec()),
            "gone" | "already" => Self::Gone(None),
            "exists" => Self::Exists,
            "over_limit" => Self::OverLimit,
            "moved" => Self::Moved,
            other => match other.strip_prefix("gone:") {
                Some(reason) => Self::Gone(Some(reason_named(reason))),
                None => return Err(unexpected("an outcome that no version of this schema gives")),
            },
        })
    }
}

/// A row's fields, by their place.
pub(super) struct Fields<'a>(pub(super) &'a Row);

impl<'a> Fields<'a> {
    pub(super) fn number(&self, index: usize) -> Result<Option<i64>, StoreError> {
        self.field(index)
    }

    pub(super) fn bytes(&self, index: usize) -> Result<Option<&'a [u8]>, StoreError> {
        self.field(index)
    }

    pub(super) fn text(&self, index: usize) -> Result<Option<&'a str>, StoreError> {
        self.field(index)
    }

    pub(super) fn epoch(&self, index: usize) -> Result<Option<Epoch>, StoreError> {
        Ok(self.number(index)?.map(|number| Epoch(number.cast_unsigned())))
    }

    pub(super) fn id(&self, index: usize) -> Result<SessionId, StoreError> {
        id_of(self.bytes(index)?.unwrap_or_default())
    }

    fn ids(&self, index: usize) -> Result<Vec<SessionId>, StoreError> {
        let ids: Option<Vec<&[u8]>> = self.field(index)?;
        ids.unwrap_or_default().into_iter().map(id_of).collect()
    }

    fn field<T: tokio_postgres::types::FromSql<'a>>(&self, index: usize) -> Result<Option<T>, StoreError> {
        self.0.try_get(index).map_err(|error| PostgresError::from(error).of("reading"))
    }
}

/// The session that lies under `id`.
pub(super) fn open(id: SessionId, bytes: &[u8], sealer: &Sealer) -> Result<Live, StoreError> {
    stored::decode(id, bytes, sealer).map_err(|cause| PostgresError::record(id, cause))
}

pub(super) const fn unexpected(what: &'static str) -> StoreError {
    StoreError::Corrupt { what, cause: None }
}

fn id_of(bytes: &[u8]) -> Result<SessionId, StoreError> {
    bytes.try_into().map(SessionId::from_bytes).map_err(|_| unexpected("a session's id of another length"))
}

/// Why something ended. A later version may have reasons of its own: that it ended is what counts.
fn reason_named(name: &str) -> EndReason {
    EndReason::named(name).unwrap_or(EndReason::Admin)
}
