//! One state of the world, small and canonical: times relative to now, generations relative to the stored record.

mod ages;
mod generations;

use crate::watch::Watch;

/// A state. Two histories that lead to the same state have the same future.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    pub(crate) record: Record,
    pub(crate) jar: Jar,
    pub(crate) requests: [Request; PARALLEL],
    pub(crate) crash: Crash,
    pub(crate) pending: Option<Pending>,
    pub(crate) cache: Option<Cached>,
    pub(crate) thief: Option<Token>,
    pub(crate) watch: Watch,
    pub(crate) followed: u8,
}

/// A genuine token: its generation counted from the record's, and which of its siblings (there should be one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Token {
    pub(crate) generation: i8,
    pub(crate) sibling: u8,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Network {
    Home,
    Away,
    Thiefs,
}

/// What the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Record {
    Live(Chain),
    Ended { age: u8 },
}

/// A family with its times as ages (negative: still to come).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Chain {
    pub(crate) closed: i8,
    pub(crate) sibling: u8,
    pub(crate) sent: Sent,
    pub(crate) link: Option<OpenLink>,
}

/// How the current token left the server, as far as a rule may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Sent {
    /// By the one response to the sign-in.
    AtSignIn,
    /// By one response.
    Once,
    /// By several.
    Often,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct OpenLink {
    pub(crate) sibling: u8,
    pub(crate) seen: Option<(i8, Network)>,
    pub(crate) until: Option<i8>,
    pub(crate) key: OfferKey,
    pub(crate) sent: Sent,
}

/// Which key a link was offered under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum OfferKey {
    Todays,
    Older,
}

/// The browser's cookie, and what the disk may still hold instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Jar {
    pub(crate) token: Option<Token>,
    pub(crate) before: Option<(Token, u8)>,
}

/// A request of the browser, from the moment its cookie is attached until its response is in the jar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Request {
    Idle,
    Travelling(Journey),
    Working(Work),
    Replying { cookie: Token, age: u8 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Journey {
    pub(crate) token: Token,
    pub(crate) network: Network,
    pub(crate) age: u8,
    pub(crate) heard: Heard,
    pub(crate) route: Route,
}

/// An admitted request whose handler takes as long as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Work {
    pub(crate) token: Token,
    pub(crate) rolled_back: bool,
    /// Only for the mutant that decides its cookie at request time.
    pub(crate) promised: Option<Token>,
}

/// Whether anybody still waits for the response: a crash closes every connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Heard {
    Yes,
    No,
}

/// Whether a request may arrive at any moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Route {
    Direct,
    /// It left by the other network while the browser was without the token a crash cost it.
    Detour,
}

/// One crash per link; after it the browser stays on its network until it has the lost token again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Crash {
    Possible,
    Over,
    Recovering { lost: Token, network: Network },
}

/// A write between its load and its compare-and-set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    pub(crate) request: Journey,
    pub(crate) node: u8,
    pub(crate) head_age: u8,
    pub(crate) intent: Intent,
    pub(crate) expect: Expect,
    pub(crate) becomes: Chain,
    /// Generations from the stored record's to that of `becomes`.
    pub(crate) ahead: i8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Intent {
    Admit,
    Offer { cookie: Token, rolled_back: bool },
}

/// Whether the record is still the one that was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Expect {
    Holds,
    Stale,
}

/// A record as a near cache loaded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Cached {
    pub(crate) chain: Chain,
    pub(crate) behind: i8,
    pub(crate) age: u8,
}

impl State {
    /// A session that begins now: its token is on the way in the response to the sign-in.
    pub(crate) const fn begin() -> Self {
        let token = Token::CURRENT;
        Self {
            record: Record::Live(Chain { closed: 0, sibling: 0, sent: Sent::AtSignIn, link: None }),
            jar: Jar { token: None, before: None },
            requests: [Request::Replying { cookie: token, age: 0 }, Request::Idle, Request::Idle],
            crash: Crash::Possible,
            pending: None,
            cache: None,
            thief: None,
            watch: Watch::START,
            followed: 0,
        }
    }

    /// Replaces the record. Whatever was loaded before is stale, and generations are counted from the new record's.
    pub(crate) fn write(&mut self, record: Record, ahead: i8) {
        self.record = record;
        self.recount(ahead);
        if let Some(pending) = &mut self.pending {
            pending.expect = Expect::Stale;
        }
    }

    /// The same state, written the one way it is written: what can have no effect any more is left out.
    pub(crate) fn canonical(mut self) -> Self {
        for request in &mut self.requests {
            let superseded =
                matches!(request, Request::Working(work) if work.promised.is_none() && work.token.generation < 0);
            let ended = matches!((&request, self.record), (Request::Working(_), Record::Ended { .. }));
            if superseded || ended {
                *request = Request::Idle;
            }
        }
        self.requests.sort_unstable();
        self
    }

    /// Puts `request` into a free slot; its own was freed before.
    pub(crate) fn begin_request(&mut self, request: Request) {
        if let Some(slot) = self.requests.iter_mut().find(|slot| **slot == Request::Idle) {
            *slot = request;
        }
    }

    /// A write that will be refused for its expectation need not be remembered.
    pub(crate) fn forget_stale_write(&mut self) {
        if let Some(pending) = &mut self.pending
            && pending.expect == Expect::Stale
        {
            pending.becomes = Chain::fresh(0);
            pending.ahead = 0;
            if let Intent::Offer { cookie, .. } = &mut pending.intent {
                *cookie = Token::CURRENT;
            }
        }
    }

    /// The successor that an offer under way would make.
    pub(crate) fn offer_under_way(&self) -> Option<Token> {
        match self.pending?.intent {
            Intent::Offer { cookie, .. } => Some(cookie),
            Intent::Admit => None,
        }
    }

    /// How many requests and responses of the browser are under way.
    pub(crate) fn under_way(&self) -> usize {
        let requests = self.requests.iter().filter(|request| **request != Request::Idle);
        requests.count() + usize::from(self.pending.is_some())
    }
}

impl Token {
    /// The record's current token.
    pub(crate) const CURRENT: Self = Self { generation: 0, sibling: 0 };
}

impl Jar {
    /// The browser takes a cookie.
    pub(crate) fn set(&mut self, token: Option<Token>) {
        if token != self.token {
            self.before = self.token.map(|token| (token, 0));
            self.token = token;
        }
    }
}

impl Chain {
    /// Whether the current token left the server in one response only.
    pub(crate) fn sent_once(&self) -> bool {
        self.sent != Sent::Often
    }
}

/// A span as an age.
pub(crate) const fn signed(span: u8) -> i8 {
    if span > 127 { i8::MAX } else { span.cast_signed() }
}

/// Slots for requests.
pub(crate) const PARALLEL: usize = 3;
