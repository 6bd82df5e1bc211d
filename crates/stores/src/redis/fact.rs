//! What nodes tell each other, as it travels: something ended or changed, under a number of its tag.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Epoch, Notice, Revision};
use counterfoil_core::stored::code_of;
use counterfoil_core::{SessionId, SubjectRef};

use super::counts::tag_of;

/// That something has ended, and will have for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Fact {
    /// A session.
    Session(SessionId, EndReason),
    /// All sessions of a subject that are older than this epoch.
    Subject(SubjectRef, Epoch, EndReason),
    /// All sessions of a tag that are older than this epoch.
    Tag(u8, Epoch, EndReason),
}

/// What was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) tag: u8,
    /// The number of what the same tag was told before.
    pub(super) last: u64,
    pub(super) number: u64,
    pub(super) what: What,
}

/// Of what kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Ended(Fact),
    /// A session, which has this revision by it.
    Changed(SessionId, Revision),
    /// Another version's.
    Unknown,
}

impl Fact {
    pub(super) fn tag(&self) -> u8 {
        match self {
            Self::Session(id, _) => tag_of(id.as_bytes()),
            Self::Subject(subject, ..) => tag_of(subject.as_bytes()),
            Self::Tag(tag, ..) => *tag,
        }
    }

    /// As the replaying script takes it.
    pub(super) fn arguments(&self) -> [Vec<u8>; 4] {
        let number = |number: u64| number.to_string().into_bytes();
        match self {
            Self::Session(id, reason) => {
                [b"e".into(), id.as_bytes().into(), number(0), number(code_of(*reason).into())]
            }
            Self::Subject(subject, epoch, reason) => {
                [b"s".into(), subject.as_bytes().into(), number(epoch.0), reason.as_str().into()]
            }
            Self::Tag(tag, epoch, reason) => [b"a".into(), vec![*tag], number(epoch.0), reason.as_str().into()],
        }
    }
}

impl What {
    pub(super) const fn notice(&self) -> Notice {
        match self {
            Self::Ended(Fact::Session(id, _)) => Notice::Ended(*id),
            Self::Ended(Fact::Subject(subject, ..)) => Notice::SubjectEnded(*subject),
            Self::Ended(Fact::Tag(..)) => Notice::AllEnded,
            Self::Changed(id, revision) => Notice::Changed(*id, *revision),
            Self::Unknown => Notice::Gap,
        }
    }
}

impl Told {
    /// None where it is not ours.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (tag, bytes) = bytes.split_first()?;
        let (last, bytes) = bytes.split_first_chunk()?;
        let (number, bytes) = bytes.split_first_chunk()?;
        let (kind, bytes) = bytes.split_first()?;
        let what = what(*kind, *tag, bytes).unwrap_or(What::Unknown);
        Some(Self { tag: *tag, last: u64::from_be_bytes(*last), number: u64::from_be_bytes(*number), what })
    }
}

fn what(kind: u8, tag: u8, bytes: &[u8]) -> Option<What> {
    match kind {
        b'e' => {
            let (id, reason) = bytes.split_first_chunk()?;
            let reason = EndReason::ALL.into_iter().find(|known| [code_of(*known)] == reason)?;
            Some(What::Ended(Fact::Session(SessionId::from_bytes(*id), reason)))
        }
        b'c' => {
            let (id, revision) = bytes.split_first_chunk()?;
            let revision = Revision(u64::from_be_bytes(revision.try_into().ok()?));
            Some(What::Changed(SessionId::from_bytes(*id), revision))
        }
        b's' => {
            let (subject, rest) = bytes.split_first_chunk()?;
            let (epoch, reason) = risen(rest)?;
            Some(What::Ended(Fact::Subject(SubjectRef::from_bytes(*subject), epoch, reason)))
        }
        b'a' => risen(bytes).map(|(epoch, reason)| What::Ended(Fact::Tag(tag, epoch, reason))),
        _ => None,
    }
}

fn risen(bytes: &[u8]) -> Option<(Epoch, EndReason)> {
    let (epoch, reason) = bytes.split_first_chunk()?;
    Some((Epoch(u64::from_be_bytes(*epoch)), EndReason::named(std::str::from_utf8(reason).ok()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, what: &[u8]) -> Vec<u8> {
        [&[7][..], &1_u64.to_be_bytes(), &2_u64.to_be_bytes(), &[kind], what].concat()
    }

    #[test]
    fn what_was_told_is_read_and_what_nobody_knows_is_a_gap() {
        let (id, subject) = (SessionId::from_bytes([7; 18]), SubjectRef::from_bytes([7; 16]));
        let risen = [&9_u64.to_be_bytes()[..], b"admin"].concat();
        let ended = |fact| What::Ended(fact);
        let rows: [(u8, Vec<u8>, What); 10] = [
            (b'e', [&[7; 18][..], &[1]].concat(), ended(Fact::Session(id, EndReason::SignOut))),
            (b'c', [&[7; 18][..], &3_u64.to_be_bytes()].concat(), What::Changed(id, Revision(3))),
            (b's', [&[7; 16][..], &risen].concat(), ended(Fact::Subject(subject, Epoch(9), EndReason::Admin))),
            (b'a', risen.clone(), ended(Fact::Tag(7, Epoch(9), EndReason::Admin))),
            (b'e', [&[7; 18][..], &[99]].concat(), What::Unknown),
            (b'c', [7; 17].into(), What::Unknown),
            (b'c', [7; 18].into(), What::Unknown),
            (b'c', [7; 27].into(), What::Unknown),
            (b'a', b"short".into(), What::Unknown),
            (b'z', vec![], What::Unknown),
        ];
        for (kind, what, expected) in rows {
            let told = Told::read(&message(kind, &what));
            assert_eq!(told, Some(Told { tag: 7, last: 1, number: 2, what: expected }));
        }
        assert_eq!(Told::read(&message(b'e', b"")[..17]), None);
        assert_eq!(Told::read(b""), None);
    }

    #[test]
    fn a_fact_lies_where_the_session_lies() {
        let reason = EndReason::Admin;
        assert_eq!(Fact::Session(SessionId::from_bytes([3; 18]), reason).tag(), 3);
        assert_eq!(Fact::Subject(SubjectRef::from_bytes([4; 16]), Epoch(1), reason).tag(), 4);
        assert_eq!(Fact::Tag(5, Epoch(1), reason).tag(), 5);
    }
}
