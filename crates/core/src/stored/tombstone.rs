//! What stays of a session that was ended, until nothing of it could be alive.

use super::codec::{Reader, Write as _};
use super::{CLOSING, KIND_TOMBSTONE, Part, Stored, StoredError, TOMBSTONE_VERSION, closing, kind_of, verify};
use crate::id::SessionId;
use crate::moment::Moment;
use crate::rules::EndReason;
use crate::seal::Sealer;

/// A session that was ended. Its tag keeps a disk's damage from turning one end into another, or into an earlier forgetting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tombstone {
    /// Which session.
    pub id: SessionId,
    /// Why it ended.
    pub reason: EndReason,
    /// From when it may be forgotten.
    pub forget_at: Moment,
}

impl Tombstone {
    /// The bytes for a store.
    pub fn to_bytes(&self, sealer: &Sealer) -> Vec<u8> {
        let mut out = Vec::with_capacity(LENGTH);
        out.extend_from_slice(&[TOMBSTONE_VERSION, KIND_TOMBSTONE]);
        out.extend_from_slice(self.id.as_bytes());
        out.push(code_of(self.reason));
        out.moment(self.forget_at);
        let closing = closing(&sealer.ring(), [&out[..]]);
        out.extend_from_slice(&closing);
        out
    }

    /// Reads a tombstone, without keys: at start. [`verify`](Self::verify) says whether it is what was written.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoredError> {
        match kind_of(bytes)? {
            Stored::Tombstone => Self::read(bytes).map(|(tombstone, _)| tombstone),
            Stored::Record => Err(StoredError::NotA { wanted: "tombstone" }),
        }
    }

    /// Reads a tombstone and checks its tag.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn verify(bytes: &[u8], sealer: &Sealer) -> Result<Self, StoredError> {
        let tombstone = Self::from_bytes(bytes)?;
        let (body, closing) = bytes.split_at_checked(BODY).ok_or(StoredError::Truncated(Part::Head))?;
        verify(&sealer.ring(), [body], closing).map(|_| tombstone)
    }

    /// Reads a tombstone without a tag, as a store leaves it whose server makes tombstones by itself and has no keys.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn from_bare_bytes(bytes: &[u8]) -> Result<Self, StoredError> {
        match kind_of(bytes)? {
            Stored::Tombstone => {
                let mut reader = Reader::new(bytes, Part::Head);
                let tombstone = Self::read_body(&mut reader)?;
                reader.end().map(|()| tombstone)
            }
            Stored::Record => Err(StoredError::NotA { wanted: "tombstone" }),
        }
    }

    fn read(bytes: &[u8]) -> Result<(Self, &[u8]), StoredError> {
        let mut reader = Reader::new(bytes, Part::Head);
        let tombstone = Self::read_body(&mut reader)?;
        reader.enter(Part::Closing);
        let closing = reader.bytes(CLOSING)?;
        reader.end().map(|()| (tombstone, closing))
    }

    fn read_body(reader: &mut Reader<'_>) -> Result<Self, StoredError> {
        let _ = reader.array::<2>()?;
        let id = SessionId::from_bytes(reader.array()?);
        let code = reader.byte()?;
        let reason = EndReason::ALL.into_iter().find(|reason| code_of(*reason) == code);
        let reason = reason.ok_or_else(|| reader.malformed())?;
        Ok(Self { id, reason, forget_at: reader.moment()? })
    }
}

/// The number of a reason in a tombstone.
pub const fn code_of(reason: EndReason) -> u8 {
    match reason {
        EndReason::SignOut => 1,
        EndReason::Superseded => 2,
        EndReason::Idle => 3,
        EndReason::Absolute => 4,
        EndReason::NeverUsed => 5,
        EndReason::Reuse => 6,
        EndReason::Limit => 7,
        EndReason::EndedByUser => 8,
        EndReason::CredentialChanged => 9,
        EndReason::AccountChanged => 10,
        EndReason::AccountDisabled => 11,
        EndReason::Admin => 12,
        EndReason::Suspicion => 13,
        EndReason::SharedSignal => 14,
    }
}

const BODY: usize = 2 + SessionId::LENGTH + 1 + 8;
const LENGTH: usize = BODY + CLOSING;
