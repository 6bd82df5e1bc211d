//! What scripts answer: lists of byte strings, the first of which often is a word.

use counterfoil_core::SessionId;
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Epoch, StoreError};
use redis::Value;

/// A list of byte strings; what the script left out at its end is missing.
pub(super) struct Reply(std::vec::IntoIter<Value>);

impl Reply {
    pub(super) fn new(value: Value) -> Result<Self, StoreError> {
        match value {
            Value::Array(values) => Ok(Self(values.into_iter())),
            _ => Err(odd()),
        }
    }

    /// The next byte string; none at the end of the list, or where nothing is said.
    pub(super) fn bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.0.next() {
            None | Some(Value::Nil | Value::Boolean(false)) => Ok(None),
            Some(Value::BulkString(bytes)) => Ok(Some(bytes)),
            Some(_) => Err(odd()),
        }
    }

    /// The word that says what the rest is.
    pub(super) fn word(&mut self) -> Result<Word, StoreError> {
        match self.bytes()?.as_deref() {
            Some(b"done") => Ok(Word::Done),
            Some(b"gone") => Ok(Word::Gone),
            Some(b"already") => Ok(Word::Already),
            Some(b"other") => Ok(Word::Other),
            Some(b"exists") => Ok(Word::Exists),
            Some(b"moved") => Ok(Word::Moved),
            Some(b"over") => Ok(Word::Over),
            Some(b"again") => Ok(Word::Again),
            _ => Err(odd()),
        }
    }

    /// Up to which notice the server knows, or which one this was; zero where nothing was told.
    pub(super) fn count(&mut self) -> Result<u64, StoreError> {
        match self.bytes()?.as_deref() {
            None | Some(b"") => Ok(0),
            Some(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(odd),
        }
    }

    pub(super) fn reason(&mut self) -> Result<Option<EndReason>, StoreError> {
        let Some(name) = self.bytes()? else { return Ok(None) };
        let name = std::str::from_utf8(&name).ok();
        name.and_then(EndReason::named).map(Some).ok_or_else(odd)
    }

    pub(super) fn epoch(&mut self) -> Result<Epoch, StoreError> {
        let number = self.bytes()?.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok());
        number.map(Epoch).ok_or_else(odd)
    }

    /// All that is left, as ids.
    pub(super) fn ids(mut self) -> Result<Vec<SessionId>, StoreError> {
        let mut ids = Vec::with_capacity(self.0.len());
        while let Some(bytes) = self.bytes()? {
            ids.push(SessionId::from_bytes(bytes.try_into().map_err(|_| odd())?));
        }
        Ok(ids)
    }

    /// All that is left.
    pub(super) fn all(mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut all = Vec::with_capacity(self.0.len());
        while let Some(bytes) = self.bytes()? {
            all.push(bytes);
        }
        Ok(all)
    }
}

/// What became of a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// It was done.
    Done,
    /// There is no session, or none any more.
    Gone,
    /// It had ended before.
    Already,
    /// Something else lies there than was expected; it follows.
    Other,
    /// The id is taken.
    Exists,
    /// The epochs rose.
    Moved,
    /// The subject has as many sessions as it may.
    Over,
    /// Something moved meanwhile; look again.
    Again,
}

/// An answer that no script of ours gives: something else lies where ours should.
pub(super) fn odd() -> StoreError {
    StoreError::Corrupt { what: "an entry that this version never writes", cause: None }
}
