//! Sessions as a store gets them from the engine: somebody's, signed in with a password, with some data.

use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::data::Payload;
use counterfoil_core::keys::KeyRing;
use counterfoil_core::rules::{Amr, Factor, Family, Limits};
use counterfoil_core::store::{Epochs, Inserted};
use counterfoil_core::token::TokenHash;
use counterfoil_core::{Holder, Member, Moment, Record, SessionId, Subject, SubjectRef};

use crate::Failed;
use crate::waiting::{KeyBytes, NEW, OLD, key, noise};

/// Session `number` of a subject of its own, in use, as a store has it.
///
/// # Errors
/// If the subject's name is refused.
pub fn signed_in(ring: &KeyRing, number: u64) -> Result<Record, Failed> {
    of_subject(ring, &format!("user-{number}"), number)
}

/// Session `number`, of the subject called so.
///
/// # Errors
/// As [`signed_in`].
pub fn of_subject(ring: &KeyRing, name: &str, number: u64) -> Result<Record, Failed> {
    let subject = Subject::new(name)?;
    let reference = ring.reference(&subject);
    let member = Member {
        subject,
        reference,
        factors: [Factor { amr: Amr::Pwd, verified_at: NOW }].into(),
        presented: true,
        label: "Firefox on Linux".into(),
        elevations: [None, None],
        references: Vec::new(),
        history: None,
    };
    Ok(Record { holder: Holder::Member(Arc::new(member)), ..visitor(id(reference, number), number) })
}

/// Session `number` of nobody.
pub fn anonymous(number: u64) -> Record {
    visitor(anonymous_id(number), number)
}

/// The id of that.
pub fn anonymous_id(number: u64) -> SessionId {
    SessionId::from_bytes(key(OLD, number))
}

/// The id that [`signed_in`] gives session `number`.
///
/// # Errors
/// As [`signed_in`].
pub fn id_of(ring: &KeyRing, number: u64) -> Result<SessionId, Failed> {
    Ok(id(ring.reference(&Subject::new(format!("user-{number}"))?), number))
}

/// Whether an insert was done, and nobody had to yield.
///
/// # Errors
/// What came of it instead.
pub fn added(inserted: &Inserted) -> Result<(), Failed> {
    if *inserted == Inserted::Done(Vec::new()) { Ok(()) } else { Err(format!("not inserted: {inserted:?}").into()) }
}

/// The hash of session `number`'s token.
pub fn hash(number: u64) -> TokenHash {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&noise(32, number));
    TokenHash::from_bytes(bytes)
}

/// Of every session here.
pub const LIMITS: Limits =
    Limits { idle: Duration::from_hours(1), absolute: Duration::from_hours(24), remember_for: None };
/// When every session here began.
pub const NOW: Moment = Moment::from_unix_seconds(1_800_000_000);
/// What the published targets were set for.
pub const DATA_BYTES: usize = 250;

fn visitor(id: SessionId, number: u64) -> Record {
    Record {
        id,
        created_at: NOW,
        epochs: Epochs::default(),
        limits: LIMITS,
        family: Family::born(hash(number), NOW),
        holder: Holder::Visitor(None),
        data: Payload::from_bytes(&noise(DATA_BYTES, number)),
    }
}

/// In the subject's bucket, as the engine makes them.
fn id(reference: SubjectRef, number: u64) -> SessionId {
    let mut bytes: KeyBytes = key(NEW, number);
    let [first, second] = reference.bucket().number().to_be_bytes();
    (bytes[0], bytes[1]) = (first, second);
    SessionId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use counterfoil_core::keys::GeneratedKeys;

    use super::*;

    #[test]
    fn a_session_lies_in_its_subject_s_bucket_under_the_id_that_is_asked_for() {
        let ring = KeyRing::from_source(&GeneratedKeys).unwrap();
        let record = signed_in(&ring, 7).unwrap();
        assert_eq!(record.id.bucket(), record.subject().unwrap().bucket());
        assert_eq!(record.id, id_of(&ring, 7).unwrap());
        assert_ne!(record.id, anonymous(7).id);
    }
}
