//! The clear head of a record: what a store needs at start, and of sessions it does not open.

use super::codec::{Reader, Write as _};
use super::{Part, StoredError};
use crate::id::{SessionId, SubjectRef};
use crate::keys::KeyId;
use crate::moment::Moment;
use crate::record::{Holder, Record};
use crate::rules::{Context, Family, Life, Limits, Link, Presented, Seen};
use crate::store::{Activity, Epoch, Epochs, Live, Revision};
use crate::token::{Nonce, TokenHash};

/// What stands in clear in front of a record. It can be read without keys, and only [opening](super::StoredRecord::open)
/// or [verifying](super::StoredRecord::verify) the record says whether it is what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The session's public id.
    pub id: SessionId,
    /// How often the record was changed.
    pub revision: Revision,
    /// Sign-in, or creation of an anonymous session.
    pub created_at: Moment,
    /// The last user activity that was noted.
    pub seen_at: Moment,
    /// The epochs it was made under.
    pub epochs: Epochs,
    /// Its lifetimes.
    pub limits: Limits,
    /// Whose it is, by the name stores know; `None` while anonymous.
    pub subject: Option<SubjectRef>,
    /// Whether a signed-in session's token was ever presented.
    pub presented: bool,
    /// Whether an anonymous session holds a sign-in under way.
    pub pending: bool,
    /// Its tokens, without what is sealed.
    pub family: FamilyHead,
}

/// A token family without what derives its next token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FamilyHead {
    /// Which link is current.
    pub generation: u32,
    /// The current token.
    pub current: TokenHash,
    /// When the previous link closed.
    pub closed_at: Moment,
    /// The successor, while both are good.
    pub next: Option<LinkHead>,
}

/// An open link without its nonce, and without what the client that first used it looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkHead {
    /// The successor.
    pub hash: TokenHash,
    /// The chain key it was derived with.
    pub key: KeyId,
    /// When the successor was first used.
    pub seen_at: Option<Moment>,
    /// When the predecessor dies.
    pub until: Option<Moment>,
}

impl Head {
    /// The head of a session as a store has it.
    pub fn of(live: &Live) -> Self {
        let record = &*live.record;
        Self {
            id: record.id,
            revision: live.revision,
            created_at: record.created_at,
            seen_at: live.seen_at,
            epochs: record.epochs,
            limits: record.limits,
            subject: record.subject(),
            presented: record.member().is_some_and(|member| member.presented),
            pending: matches!(record.holder, Holder::Visitor(Some(_))),
            family: FamilyHead::of(&record.family),
        }
    }

    /// The times of the session.
    pub const fn life(&self) -> Life {
        let provisional = self.subject.is_some() && !self.presented;
        Life { created_at: self.created_at, seen_at: self.seen_at, provisional }
    }

    /// As [`Record::forget_at`].
    pub fn forget_at(&self) -> Moment {
        Record::forget_after(&self.limits, self.created_at)
    }

    /// Whether the session may end when `key`, which signed from `from` until `to`, is taken out of the ring: its token
    /// may have been made with it. Rather yes than no: when exactly a token was made is not kept.
    pub fn may_rest_on(&self, key: KeyId, from: Moment, to: Moment) -> bool {
        let latest = if self.family.generation == 0 { self.created_at } else { self.family.closed_at };
        let current = self.created_at < to && latest >= from;
        current || self.family.next.is_some_and(|link| link.key == key)
    }

    /// As [`Activity::touch`].
    pub fn touch(&self, activity: &Activity, now: Moment) -> Option<Moment> {
        let seen_at = self.limits.tightest(&activity.limits).touch(&self.life(), now)?;
        activity.token.is_some_and(|token| self.family.admits(&token, now)).then_some(seen_at)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, StoredError> {
        let id = SessionId::from_bytes(reader.array()?);
        let revision = Revision(reader.u64()?);
        let (created_at, seen_at) = (reader.moment()?, reader.moment()?);
        let epochs = Epochs { global: Epoch(reader.u64()?), subject: Epoch(reader.u64()?) };
        let (idle, absolute) = (reader.span()?, reader.span()?);
        let flags = reader.byte()?;
        let is = |flag| flags & flag != 0;
        let nonsense = (is(PRESENTED) && !is(MEMBER)) || (is(PENDING) && is(MEMBER)) || (is(SEEN | UNTIL) && !is(LINK));
        if nonsense || is(!KNOWN) {
            return Err(reader.malformed());
        }
        let remember_for = is(REMEMBER).then(|| reader.span()).transpose()?;
        let subject = is(MEMBER).then(|| reader.array().map(SubjectRef::from_bytes)).transpose()?;
        let (generation, current) = (reader.u32()?, TokenHash::from_bytes(reader.array()?));
        let closed_at = reader.moment()?;
        let next = is(LINK).then(|| LinkHead::read(reader, is(SEEN), is(UNTIL))).transpose()?;
        Ok(Self {
            id,
            revision,
            created_at,
            seen_at,
            epochs,
            limits: Limits { idle, absolute, remember_for },
            subject,
            presented: is(PRESENTED),
            pending: is(PENDING),
            family: FamilyHead { generation, current, closed_at, next },
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(&self.revision.0.to_be_bytes());
        out.moment(self.created_at);
        out.moment(self.seen_at);
        out.extend_from_slice(&self.epochs.global.0.to_be_bytes());
        out.extend_from_slice(&self.epochs.subject.0.to_be_bytes());
        out.span(self.limits.idle);
        out.span(self.limits.absolute);
        out.push(self.flags());
        if let Some(remember_for) = self.limits.remember_for {
            out.span(remember_for);
        }
        if let Some(subject) = self.subject {
            out.extend_from_slice(subject.as_bytes());
        }
        out.extend_from_slice(&self.family.generation.to_be_bytes());
        out.extend_from_slice(self.family.current.as_bytes());
        out.moment(self.family.closed_at);
        if let Some(link) = &self.family.next {
            link.write(out);
        }
    }

    fn flags(&self) -> u8 {
        let link = self.family.next;
        let flags = [
            (MEMBER, self.subject.is_some()),
            (PRESENTED, self.presented),
            (PENDING, self.pending),
            (REMEMBER, self.limits.remember_for.is_some()),
            (LINK, link.is_some()),
            (SEEN, link.is_some_and(|link| link.seen_at.is_some())),
            (UNTIL, link.is_some_and(|link| link.until.is_some())),
        ];
        flags.iter().filter(|(_, set)| *set).fold(0, |all, (flag, _)| all | flag)
    }
}

impl FamilyHead {
    fn of(family: &Family) -> Self {
        let next = family.next.as_deref().map(|link| LinkHead {
            hash: link.hash,
            key: link.key,
            seen_at: link.seen.map(|seen| seen.at),
            until: link.until,
        });
        Self { generation: family.generation, current: family.current, closed_at: family.closed_at, next }
    }

    /// As [`Family::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.current == TokenHash::OF_NONE && self.next.is_none()
    }

    /// As [`Family::admits`].
    pub fn admits(&self, token: &Presented, now: Moment) -> bool {
        self.with(None).admits(token, now)
    }

    /// The family, with what was sealed: the nonce, and what the client looked like that first used the successor.
    pub(super) fn with(&self, sealed: Option<(Nonce, Context)>) -> Family {
        let (nonce, context) = sealed.unwrap_or((Nonce::from_bytes([0; Nonce::LENGTH]), Context::UNSEEN));
        let next = self.next.map(|link| {
            let seen = link.seen_at.map(|at| Seen { at, context });
            Box::new(Link { hash: link.hash, key: link.key, nonce, seen, until: link.until })
        });
        Family { generation: self.generation, current: self.current, closed_at: self.closed_at, next }
    }
}

impl LinkHead {
    fn read(reader: &mut Reader<'_>, seen: bool, until: bool) -> Result<Self, StoredError> {
        let hash = TokenHash::from_bytes(reader.array()?);
        let key = KeyId::from_padded(reader.array()?).ok_or(StoredError::Malformed(Part::Head))?;
        let seen_at = seen.then(|| reader.moment()).transpose()?;
        let until = until.then(|| reader.moment()).transpose()?;
        Ok(Self { hash, key, seen_at, until })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.hash.as_bytes());
        out.extend_from_slice(self.key.padded());
        for moment in [self.seen_at, self.until].into_iter().flatten() {
            out.moment(moment);
        }
    }
}

const MEMBER: u8 = 1;
const PRESENTED: u8 = 1 << 1;
const PENDING: u8 = 1 << 2;
const REMEMBER: u8 = 1 << 3;
const LINK: u8 = 1 << 4;
const SEEN: u8 = 1 << 5;
const UNTIL: u8 = 1 << 6;
const KNOWN: u8 = MEMBER | PRESENTED | PENDING | REMEMBER | LINK | SEEN | UNTIL;
