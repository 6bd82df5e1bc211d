//! The token family of one session: which token counts, when the next one is made, and when an old one is theft.

use std::time::Duration;

use crate::keys::KeyId;
use crate::moment::Moment;
use crate::token::{Nonce, TokenHash};

/// The chain of tokens of one session, as its record keeps it.
///
/// Each link has exactly one successor: made once, never replaced. Whoever presents the predecessor can be given the
/// same one again, so lost, doubled and reordered responses all end in the same two tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Which link is current.
    pub generation: u32,
    /// The current token.
    pub current: TokenHash,
    /// When the previous link closed, or the session began; rotation is due `rotate_every` later.
    pub closed_at: Moment,
    /// The successor, while both are good.
    pub next: Option<Box<Link>>,
}

/// An open link: the successor of the current token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The successor.
    pub hash: TokenHash,
    /// The chain key it was derived with; a key rotated meanwhile changes nothing.
    pub key: KeyId,
    /// The random part of its derivation.
    pub nonce: Nonce,
    /// When and by whom the successor was first used.
    pub seen: Option<Seen>,
    /// When the predecessor dies.
    pub until: Option<Moment>,
}

/// The first use of a successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When it was used.
    pub at: Moment,
    /// What the client looked like.
    pub context: Context,
}

/// What of a client the crash row compares: platform and network prefix, nothing finer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Context([u8; 8]);

/// A token as the rules see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    /// Which link it claims to be; covered by its tag.
    pub generation: u32,
    /// The hash of its secret.
    pub hash: TokenHash,
}

/// What a presented token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It counts.
    Accept,
    /// It counts: an older token from the same place, as after a browser crash. Worth an event.
    RolledBack,
    /// A genuine token that was superseded came back: somebody kept a copy.
    Reuse,
    /// Newer than what the store knows, as after a failover. No session; nothing changes.
    Forgotten,
}

/// A verdict, and what the family becomes by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What the token is worth.
    pub verdict: Verdict,
    /// What is to be written, by compare-and-set. A lost race judges again.
    pub becomes: Option<Family>,
}

/// Which token cookie a response should carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal<'a> {
    /// None.
    Keep,
    /// A new successor, sent once its write is durable.
    Offer,
    /// The successor that was made already, derived again.
    Repeat(&'a Link),
}

impl Family {
    /// The family of a session that begins now.
    pub const fn born(current: TokenHash, now: Moment) -> Self {
        Self { generation: 0, current, closed_at: now, next: None }
    }

    /// The family of what is no session: no token opens it, ever.
    pub const fn closed(now: Moment) -> Self {
        Self::born(TokenHash::OF_NONE, now)
    }

    /// Whether it is of what is no session.
    pub fn is_closed(&self) -> bool {
        self.current == TokenHash::OF_NONE && self.next.is_none()
    }

    /// What `token` is worth at `now`, the moment its request's head arrived.
    pub fn judge(&self, token: &Presented, context: Context, now: Moment, grace: Duration) -> Judgement {
        let view = self.at(now);
        match view.place(token) {
            Place::Next(link) => {
                Judgement { verdict: Verdict::Accept, becomes: view.after_use(link, context, now, grace) }
            }
            Place::Current => Judgement { verdict: view.judge_current(context, now, grace), becomes: None },
            Place::Superseded => Judgement { verdict: Verdict::Reuse, becomes: None },
            Place::Unknown => Judgement { verdict: Verdict::Forgotten, becomes: None },
        }
    }

    /// Whether `token` is current or its successor: whether its use is the session's use.
    pub fn admits(&self, token: &Presented, now: Moment) -> bool {
        matches!(self.at(now).place(token), Place::Current | Place::Next(_))
    }

    /// Which cookie the response to `token` carries at `now`, response time, with the record as it is then.
    pub fn conclude(&self, token: &Presented, verdict: Verdict, now: Moment, rotate_every: Duration) -> Renewal<'_> {
        let view = self.at(now);
        if !matches!(view.place(token), Place::Current) {
            return Renewal::Keep;
        }
        match view.next {
            None if now >= view.closed_at + rotate_every => Renewal::Offer,
            Some(link) if link.until.is_none() && (link.seen.is_none() || verdict == Verdict::RolledBack) => {
                Renewal::Repeat(link)
            }
            _ => Renewal::Keep,
        }
    }

    /// The family with `link` as the successor of the current token. `None` if there is one already.
    pub fn offering(&self, hash: TokenHash, key: KeyId, nonce: Nonce, now: Moment) -> Option<Self> {
        let settled = self.settled(now);
        let link = Link { hash, key, nonce, seen: None, until: None };
        settled.next.is_none().then(|| Self { next: Some(Box::new(link)), ..settled })
    }

    /// The family with rotation due at once, as after a step-up. `None` where it may not be hastened.
    ///
    /// Only the sign-in's own token may: it left in one response, and whoever presents it has had that. Any later token
    /// may be in a second response still on its way (a repeat), which would put it back into the jar after its death;
    /// such a token waits for `rotate_every` as ever. The model has the history.
    pub fn hastened(&self, now: Moment) -> Option<Self> {
        let settled = self.settled(now);
        (settled.generation == 0 && settled.next.is_none()).then_some(Self { closed_at: Moment::EPOCH, ..settled })
    }

    /// The family with its closed link folded in: the nonce is gone, the predecessor forgotten.
    pub fn settled(&self, now: Moment) -> Self {
        let view = self.at(now);
        Self {
            generation: view.generation,
            current: *view.current,
            closed_at: view.closed_at,
            next: view.next.cloned().map(Box::new),
        }
    }

    /// The family as the clock makes it: a link whose time is over counts as closed, written or not.
    fn at(&self, now: Moment) -> View<'_> {
        match self.next.as_deref() {
            Some(Link { hash, until: Some(until), .. }) if *until < now => {
                View { generation: self.generation.saturating_add(1), current: hash, closed_at: *until, next: None }
            }
            next => View { generation: self.generation, current: &self.current, closed_at: self.closed_at, next },
        }
    }
}

impl Context {
    /// A client nobody looked at: where no link is open, nothing is compared.
    pub const UNSEEN: Self = Self([0; 8]);

    /// From a platform's number and the bytes of a network prefix (at most 7; more are cut).
    pub fn new(platform: u8, network: &[u8]) -> Self {
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(std::iter::once(&platform).chain(network)) {
            *to = *from;
        }
        Self(bytes)
    }

    /// From its bytes, as a store kept them.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store's record.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl std::fmt::Debug for Context {
    /// Not shown: it holds a network prefix.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Context(…)")
    }
}

/// A family at one moment.
struct View<'a> {
    generation: u32,
    current: &'a TokenHash,
    closed_at: Moment,
    next: Option<&'a Link>,
}

/// Where a token stands in its family.
enum Place<'a> {
    Current,
    Next(&'a Link),
    Superseded,
    Unknown,
}

impl<'a> View<'a> {
    fn place(&self, token: &Presented) -> Place<'a> {
        match self.next {
            Some(link) if token.generation == self.generation.saturating_add(1) && token.hash == link.hash => {
                Place::Next(link)
            }
            _ if token.generation == self.generation && token.hash == *self.current => Place::Current,
            _ if token.generation < self.generation => Place::Superseded,
            _ => Place::Unknown,
        }
    }

    /// The predecessor while its successor is known: good until the successor was surely received.
    fn judge_current(&self, context: Context, now: Moment, grace: Duration) -> Verdict {
        let Some(Link { seen: Some(seen), until: None, .. }) = self.next else {
            return Verdict::Accept;
        };
        if now <= seen.at + grace {
            Verdict::Accept
        } else if context == seen.context {
            Verdict::RolledBack
        } else {
            Verdict::Reuse
        }
    }

    /// What a use of the successor changes: its first use is noted; a use more than `grace` later dates the
    /// predecessor's end. Not at `grace` itself: a request sent just before a crash may come that late, and its jar has
    /// the predecessor again.
    fn after_use(&self, link: &Link, context: Context, now: Moment, grace: Duration) -> Option<Family> {
        let (seen, until) = match (link.seen, link.until) {
            (None, _) => (Some(Seen { at: now, context }), None),
            (Some(seen), None) if now > seen.at + grace => (Some(seen), Some(now + grace)),
            _ => return None,
        };
        let link = Link { seen, until, ..link.clone() };
        Some(Family {
            generation: self.generation,
            current: *self.current,
            closed_at: self.closed_at,
            next: Some(Box::new(link)),
        })
    }
}

#[cfg(test)]
mod tests;
