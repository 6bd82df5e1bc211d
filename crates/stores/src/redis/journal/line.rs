//! A fact as a line of text: `e 1800000000000 <id> sign_out`, `s 1800000000000 <subject> <epoch> admin`,
//! `a 1800000000000 <tag> <epoch> admin`; ids in hexadecimal digits.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::Epoch;
use counterfoil_core::{Moment, SessionId, SubjectRef};

use super::Entry;
use crate::redis::fact::Fact;

/// What a file begins with.
pub(super) const HEADER: &str = "counterfoil revocations 1\n";

impl Entry {
    /// With the end of the line.
    pub(super) fn line(&self) -> String {
        let at = self.at.unix_millis();
        match self.fact {
            Fact::Session(id, reason) => format!("e {at} {} {}\n", hex(id.as_bytes()), reason.as_str()),
            Fact::Subject(subject, epoch, reason) => {
                format!("s {at} {} {} {}\n", hex(subject.as_bytes()), epoch.0, reason.as_str())
            }
            Fact::Tag(tag, epoch, reason) => format!("a {at} {} {} {}\n", hex(&[tag]), epoch.0, reason.as_str()),
        }
    }

    /// None for what is no whole line of ours.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let kind = words.next()?;
        let at = Moment::from_unix_millis(words.next()?.parse().ok()?);
        let id = words.next()?;
        let epoch = if kind == "e" { Epoch(0) } else { Epoch(words.next()?.parse().ok()?) };
        let reason = EndReason::named(words.next()?)?;
        let fact = match kind {
            "e" => Fact::Session(SessionId::from_bytes(bytes(id)?), reason),
            "s" => Fact::Subject(SubjectRef::from_bytes(bytes(id)?), epoch, reason),
            "a" => Fact::Tag(u8::from_be_bytes(bytes(id)?), epoch, reason),
            _ => return None,
        };
        words.next().is_none().then_some(Self { at, fact })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |text, byte| format!("{text}{byte:02x}"))
}

fn bytes<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    if text.len() != 2 * LENGTH || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; LENGTH];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
