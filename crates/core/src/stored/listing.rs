//! What is sealed of a record's holder: who it is, what was verified, what people call the device, where it was used, or a
//! sign-in under way.

use std::sync::Arc;

use super::codec::{Reader, Write as _};
use super::{Format, Head, Part, StoredError, history};
use crate::id::Subject;
use crate::record::{Elevation, Holder, Member, Pending, Reference};
use crate::rules::{Amr, Factor};
use crate::store::{Epoch, Epochs};
use crate::token::TokenHash;

/// The plain text of the section; empty for a visitor. `None` if a part of it does not fit its length.
pub(super) fn write(holder: &Holder, format: Format) -> Option<Vec<u8>> {
    // Large enough for most: a buffer that grows leaves copies behind that nobody wipes.
    let mut out = Vec::with_capacity(256);
    match holder {
        Holder::Visitor(None) => {}
        Holder::Visitor(Some(pending)) => {
            out.push(PENDING);
            write_pending(pending, &mut out)?;
        }
        Holder::Member(member) => {
            out.push(MEMBER);
            write_member(member, &mut out)?;
            if let Some(history) = member.history.as_ref().filter(|_| keeps_history(format)) {
                history::write(history, &mut out)?;
            }
        }
    }
    Some(out)
}

/// The holder that `head` and the section's plain text make.
pub(super) fn read(head: &Head, plain: Option<&[u8]>, format: Format) -> Result<Holder, StoredError> {
    let Some(plain) = plain else {
        return Ok(Holder::Visitor(None));
    };
    let mut reader = Reader::new(plain, Part::Listing);
    let holder = match (reader.byte()?, head.subject) {
        (PENDING, None) => Holder::Visitor(Some(Box::new(read_pending(&mut reader)?))),
        (MEMBER, Some(reference)) => {
            let subject = read_subject(&mut reader)?;
            let factors = read_factors(&mut reader)?;
            let label = reader.text()?.into();
            let elevations = read_elevations(&mut reader)?;
            let references = read_references(&mut reader)?;
            let history = if keeps_history(format) { history::read(&mut reader)? } else { None };
            let presented = head.presented;
            let member = Member { subject, reference, factors, presented, label, elevations, references, history };
            Holder::Member(Arc::new(member))
        }
        _ => return Err(reader.malformed()),
    };
    reader.end().map(|()| holder)
}

/// The first format has no place for where a session was used.
const fn keeps_history(format: Format) -> bool {
    match format {
        Format::One => false,
        Format::Two => true,
    }
}

fn write_member(member: &Member, out: &mut Vec<u8>) -> Option<()> {
    out.text(member.subject.as_str())?;
    write_factors(&member.factors, out)?;
    out.text(&member.label)?;
    for elevation in &member.elevations {
        out.push(u8::from(elevation.is_some()));
        if let Some(elevation) = elevation {
            out.extend_from_slice(elevation.hash.as_bytes());
            out.moment(elevation.at);
            out.moment(elevation.until);
        }
    }
    out.extend_from_slice(&u16::try_from(member.references.len()).ok()?.to_be_bytes());
    for reference in &member.references {
        out.text(&reference.kind)?;
        out.text(&reference.value)?;
    }
    Some(())
}

fn write_pending(pending: &Pending, out: &mut Vec<u8>) -> Option<()> {
    out.text(pending.subject.as_str())?;
    out.extend_from_slice(&pending.epochs.global.0.to_be_bytes());
    out.extend_from_slice(&pending.epochs.subject.0.to_be_bytes());
    write_factors(&pending.factors, out)?;
    out.push(u8::from(pending.remember));
    out.moment(pending.until);
    Some(())
}

fn write_factors(factors: &[Factor], out: &mut Vec<u8>) -> Option<()> {
    out.push(u8::try_from(factors.len()).ok()?);
    for factor in factors {
        out.push(code(factor.amr));
        out.moment(factor.verified_at);
    }
    Some(())
}

fn read_pending(reader: &mut Reader<'_>) -> Result<Pending, StoredError> {
    Ok(Pending {
        subject: read_subject(reader)?,
        epochs: Epochs { global: Epoch(reader.u64()?), subject: Epoch(reader.u64()?) },
        factors: read_factors(reader)?.to_vec(),
        remember: read_flag(reader)?,
        until: reader.moment()?,
    })
}

fn read_subject(reader: &mut Reader<'_>) -> Result<Subject, StoredError> {
    let text = reader.text()?;
    Subject::new(text).map_err(|_| reader.malformed())
}

fn read_factors(reader: &mut Reader<'_>) -> Result<Arc<[Factor]>, StoredError> {
    let count = reader.byte()?;
    (0..count)
        .map(|_| {
            let code = reader.byte()?;
            let amr = METHODS.into_iter().find(|amr| self::code(*amr) == code).ok_or_else(|| reader.malformed())?;
            Ok(Factor { amr, verified_at: reader.moment()? })
        })
        .collect()
}

fn read_elevations(reader: &mut Reader<'_>) -> Result<[Option<Elevation>; 2], StoredError> {
    let mut elevation = || {
        if !read_flag(reader)? {
            return Ok(None);
        }
        let hash = TokenHash::from_bytes(reader.array()?);
        Ok(Some(Elevation { hash, at: reader.moment()?, until: reader.moment()? }))
    };
    Ok([elevation()?, elevation()?])
}

fn read_references(reader: &mut Reader<'_>) -> Result<Vec<Reference>, StoredError> {
    let count = reader.u16()?;
    (0..count).map(|_| Ok(Reference { kind: reader.text()?.into(), value: reader.text()?.into() })).collect()
}

fn read_flag(reader: &mut Reader<'_>) -> Result<bool, StoredError> {
    match reader.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(reader.malformed()),
    }
}

const fn code(amr: Amr) -> u8 {
    match amr {
        Amr::Pwd => 1,
        Amr::Otp => 2,
        Amr::Hwk => 3,
        Amr::Swk => 4,
        Amr::Pin => 5,
        Amr::Fpt => 6,
        Amr::Face => 7,
        Amr::Sms => 8,
        Amr::Tel => 9,
        Amr::Sc => 10,
        Amr::Fed => 11,
    }
}

/// All that [`code`] names.
const METHODS: [Amr; 11] =
    [Amr::Pwd, Amr::Otp, Amr::Hwk, Amr::Swk, Amr::Pin, Amr::Fpt, Amr::Face, Amr::Sms, Amr::Tel, Amr::Sc, Amr::Fed];
const PENDING: u8 = b'p';
const MEMBER: u8 = b'm';
