//! Numbers, texts and times, one after another: big-endian, no padding, one way to write each.

use std::time::Duration;

use super::{Part, StoredError};
use crate::moment::Moment;

/// Reads one part of a record from front to back.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    part: Part,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8], part: Part) -> Self {
        Self { rest: bytes, part }
    }

    /// The next part begins here.
    pub(super) const fn enter(&mut self, part: Part) {
        self.part = part;
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], StoredError> {
        let (head, tail) = self.rest.split_first_chunk().ok_or(StoredError::Truncated(self.part))?;
        self.rest = tail;
        Ok(*head)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], StoredError> {
        let (head, tail) = self.rest.split_at_checked(length).ok_or(StoredError::Truncated(self.part))?;
        self.rest = tail;
        Ok(head)
    }

    pub(super) fn byte(&mut self) -> Result<u8, StoredError> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, StoredError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn i16(&mut self) -> Result<i16, StoredError> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, StoredError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, StoredError> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn moment(&mut self) -> Result<Moment, StoredError> {
        self.u64().map(Moment::from_unix_millis)
    }

    pub(super) fn span(&mut self) -> Result<Duration, StoredError> {
        self.u64().map(Duration::from_millis)
    }

    /// A text with its length in two bytes.
    pub(super) fn text(&mut self) -> Result<&'a str, StoredError> {
        let length = self.u16()?;
        std::str::from_utf8(self.bytes(length.into())?).map_err(|_| self.malformed())
    }

    /// That nothing follows.
    pub(super) fn end(&self) -> Result<(), StoredError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed()) }
    }

    pub(super) const fn malformed(&self) -> StoredError {
        StoredError::Malformed(self.part)
    }
}

/// Writes what [`Reader`] reads.
pub(super) trait Write {
    fn span(&mut self, span: Duration);
    fn moment(&mut self, moment: Moment);
    /// `None` if it is too long for its length.
    fn text(&mut self, text: &str) -> Option<()>;
}

impl Write for Vec<u8> {
    /// In milliseconds; what is finer is cut, so that a limit is never longer than it was.
    fn span(&mut self, span: Duration) {
        self.extend_from_slice(&u64::try_from(span.as_millis()).unwrap_or(u64::MAX).to_be_bytes());
    }

    fn moment(&mut self, moment: Moment) {
        self.extend_from_slice(&moment.unix_millis().to_be_bytes());
    }

    fn text(&mut self, text: &str) -> Option<()> {
        self.extend_from_slice(&u16::try_from(text.len()).ok()?.to_be_bytes());
        self.extend_from_slice(text.as_bytes());
        Some(())
    }
}
