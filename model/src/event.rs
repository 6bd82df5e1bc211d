//! What happens between two states, as a person reads it.

use counterfoil_core::rules::family::Verdict;

use crate::state::{Network, Token};

/// One step. Tokens are counted from the record's generation before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Time passes.
    Tick,
    /// The browser attaches its cookie to a request.
    Sends(Cookie, Way),
    /// A request never arrives.
    RequestLost(Cookie),
    /// A token reaches a node.
    Presented {
        /// By whom.
        by: Party,
        /// Which token.
        token: Cookie,
        /// From where.
        way: Way,
        /// Which node: node 1's clock is ahead.
        node: u8,
        /// What the node looked at.
        source: Source,
        /// What came of it.
        outcome: Outcome,
    },
    /// A prepared write meets the record.
    Written {
        /// The token it was prepared for.
        token: Cookie,
        /// What came of it.
        outcome: Outcome,
    },
    /// A response is concluded, with a cookie or without.
    Concluded {
        /// Whose response.
        by: Party,
        /// The token its request presented.
        token: Cookie,
        /// Which node.
        node: u8,
        /// The cookie it carries, or will.
        carries: Carries,
    },
    /// A response is lost, or may carry no cookie.
    NoCookie(Cookie),
    /// A cookie reaches the jar.
    Delivered(Cookie),
    /// A cookie is lost on its way.
    ReplyLost(Cookie),
    /// The browser crashes: its jar falls back.
    Crashed {
        /// What the jar held.
        lost: Cookie,
        /// What it holds now.
        back: Cookie,
    },
    /// The ring signs with a new key.
    KeyRotated,
    /// The request presenting this token steps up; with it, perhaps, a fresh token.
    SteppedUp(Cookie, Option<Cookie>),
    /// Node 1 loads the record into its near cache.
    CacheLoads,
    /// Another write folds a closed link into the record.
    Folded,
    /// The thief copies the jar's token.
    Stolen(Cookie),
    /// The browser signs out.
    SignedOut,
}

/// What a concluded response has to do with cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// A new successor, written and sent.
    Offer(Cookie),
    /// A new successor whose write is under way.
    Writing(Cookie),
    /// The successor that was made before.
    Repeat(Cookie),
}

/// A token in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cookie(pub(crate) Token);

/// A network in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way(pub(crate) Network);

/// Who presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The honest browser.
    Browser,
    /// Whoever copied a token.
    Thief,
    /// Whoever guesses one.
    Stranger,
}

/// Which record a node looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The store's.
    Store,
    /// Its near cache's.
    Cache,
}

/// What came of a presentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A verdict, and its write if any.
    Judged(Verdict),
    /// A verdict whose write is still under way.
    Writing(Verdict),
    /// The session had ended.
    Ended,
    /// The tag is wrong.
    Forged,
    /// The offer is made, and its cookie leaves.
    Offered,
    /// The race was lost and nothing is to be sent.
    Nothing,
}

impl Event {
    /// The event as a line; `origin` is the generation of the record before it.
    pub fn line(&self, origin: i64) -> String {
        let name = |cookie: &Cookie| cookie.name(origin);
        match self {
            Self::Tick => "a tick passes".into(),
            Self::Sends(token, way) => format!("the browser sends {} from {}", name(token), way.name()),
            Self::RequestLost(token) => format!("the request with {} is lost", name(token)),
            Self::Presented { by, token, way, node, source, outcome } => {
                let (token, way, source) = (name(token), way.name(), source.name());
                format!("{by:?}: {token} from {way} reaches node {node}{source}: {outcome:?}")
            }
            Self::Written { token, outcome } => format!("the write for {}: {outcome:?}", name(token)),
            Self::Concluded { by, token, node, carries } => {
                let carries = match carries {
                    Carries::Offer(cookie) => format!("offers {}", name(cookie)),
                    Carries::Writing(cookie) => format!("begins to write the offer of {}", name(cookie)),
                    Carries::Repeat(cookie) => format!("repeats {}", name(cookie)),
                };
                format!("{by:?}: node {node} answers the request with {} and {carries}", name(token))
            }
            Self::NoCookie(token) => format!("the response to {} carries nothing or is lost", name(token)),
            Self::Delivered(cookie) => format!("the cookie {} reaches the jar", name(cookie)),
            Self::ReplyLost(cookie) => format!("the response with {} is lost", name(cookie)),
            Self::Crashed { lost, back } => {
                format!("the browser crashes: {} falls back to {}", name(lost), name(back))
            }
            Self::KeyRotated => "the ring signs with a new key".into(),
            Self::SteppedUp(token, None) => format!("the request with {} steps up", name(token)),
            Self::SteppedUp(token, Some(fresh)) => {
                format!("the request with {} steps up and is answered {}", name(token), name(fresh))
            }
            Self::CacheLoads => "node 1 loads the record into its cache".into(),
            Self::Folded => "another write folds the closed link".into(),
            Self::Stolen(token) => format!("the thief copies {}", name(token)),
            Self::SignedOut => "the browser signs out".into(),
        }
    }
}

impl Event {
    /// What kind of thing happened: a run must have seen every kind, or it shows less than it seems to.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Presented { outcome, source, .. } => outcome.kind(*source),
            Self::Written { outcome, .. } => match outcome {
                Outcome::Judged(_) => "a request whose write was under way is admitted or judged again",
                Outcome::Nothing => "a lost race, after which nothing is sent",
                _ => "an offer's write is over",
            },
            Self::Concluded { carries, .. } => match carries {
                Carries::Offer(_) | Carries::Writing(_) => "a successor is offered",
                Carries::Repeat(_) => "a successor is repeated",
            },
            Self::Tick => "time passes",
            Self::Sends(..) => "a request leaves",
            Self::RequestLost(_) => "a request is lost",
            Self::NoCookie(_) => "a response without a cookie",
            Self::Delivered(_) => "a cookie arrives",
            Self::ReplyLost(_) => "a cookie is lost",
            Self::Crashed { .. } => "a crash",
            Self::KeyRotated => "a key rotation",
            Self::SteppedUp(..) => "a step-up that hastens",
            Self::CacheLoads => "a cached record",
            Self::Folded => "a closed link folded by another write",
            Self::Stolen(_) => "a theft",
            Self::SignedOut => "a sign-out",
        }
    }
}

impl Outcome {
    const fn kind(self, source: Source) -> &'static str {
        match (self, source) {
            (Self::Judged(Verdict::Accept), Source::Cache) => "a cached record admits",
            (Self::Judged(Verdict::Accept), Source::Store) => "a token counts",
            (Self::Judged(Verdict::RolledBack), _) => "a jar that fell back is recognised",
            (Self::Judged(Verdict::Reuse), _) => "a copy is found",
            (Self::Judged(Verdict::Forgotten), _) => "a token is newer than the store",
            (Self::Writing(_), _) => "a verdict whose write is under way",
            (Self::Ended, _) => "a token of an ended session",
            (Self::Forged, _) => "a forged token",
            (Self::Offered | Self::Nothing, _) => "an offer",
        }
    }
}

impl Cookie {
    fn name(self, origin: i64) -> String {
        let Token { generation, sibling } = self.0;
        let marks = "'".repeat(sibling.into());
        match origin + i64::from(generation) {
            below if below < 0 => format!("an older token{marks}"),
            generation => format!("t{generation}{marks}"),
        }
    }
}

impl Way {
    const fn name(self) -> &'static str {
        match self.0 {
            Network::Home => "home",
            Network::Away => "away",
            Network::Thiefs => "the thief's network",
        }
    }
}

impl Source {
    const fn name(self) -> &'static str {
        match self {
            Self::Store => "",
            Self::Cache => " (cached record)",
        }
    }
}
