//! One request and its response: what was presented, what was opened, what is to be written and sent.

use parking_lot::Mutex;

use super::Engine;
use super::arrival::Arrival;
use crate::cookie::SetCookie;
use crate::csrf::CsrfVerdict;
use crate::data::Field;
use crate::event::EventKind;
use crate::id::{SessionId, SubjectRef};
use crate::moment::Moment;
use crate::record::Elevation;
use crate::rules::{Heard, Standing, Verdict};
use crate::seam::Route;
use crate::store::Live;
use crate::token::Token;

/// One request and its response. Every use case that concerns "this session" is a method of it.
///
/// # Security
/// A dropped exchange (the client hung up) writes nothing more. What a method wrote before it returned stays written.
pub struct Exchange {
    pub(super) engine: Engine,
    pub(super) arrival: Arrival,
    pub(super) state: Mutex<State>,
}

/// What changes while the request runs. Locked for moments only, never across an await.
#[derive(Default)]
pub(super) struct State {
    /// Who is there; `None` until somebody looked.
    pub(super) presence: Option<Presence>,
    /// Whether that is what this node remembered, and not the store's word.
    pub(super) remembered: bool,
    /// What the operator's detector said about it, if it was asked.
    pub(super) heard: Option<Heard>,
    /// What handlers set, not written yet. Later ones win.
    pub(super) intents: Vec<Intent>,
    /// The one cookie that leaves with the response.
    pub(super) outbox: Option<SetCookie>,
    /// What removes the cookie of the layer before, beside it.
    pub(super) remove_old: Option<Box<str>>,
    /// How many intents there were so far.
    pub(super) numbered: u64,
    /// How far the request has come.
    pub(super) phase: Phase,
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    /// Its handler runs.
    #[default]
    Handling,
    /// Its response is being committed: what was set is written, nothing more can be set.
    Concluding,
    /// Its headers are gone.
    Concluded,
}

/// A field to set, or to remove.
#[derive(Debug, Clone)]
pub(super) struct Intent {
    pub(super) number: u64,
    pub(super) name: Box<str>,
    pub(super) field: Option<Field>,
}

/// Whose request this is.
#[derive(Debug, Clone)]
pub(super) enum Presence {
    Nobody,
    Visitor(Holding),
    Member(Holding),
    /// It was one of these, and ended while the request ran. Nothing is created in its place.
    Ended,
}

/// A session that was opened and found good.
#[derive(Debug, Clone)]
pub(super) struct Holding {
    pub(super) live: Live,
    pub(super) standing: Standing,
    pub(super) verdict: Verdict,
    pub(super) elevation: Option<Elevation>,
    /// Whether a sensitive request waits for a step-up, because of what it shows of its client.
    pub(super) held_back: bool,
}

impl Exchange {
    pub(super) fn new(engine: Engine, arrival: Arrival) -> Self {
        Self { engine, arrival, state: Mutex::default() }
    }

    /// The engine that received the request.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// When the request's head arrived.
    pub fn arrived_at(&self) -> Moment {
        self.arrival.at
    }

    /// What the application declared about the route.
    pub fn route(&self) -> Route {
        self.arrival.route
    }

    /// Whether a person waits for a page.
    pub fn is_navigation(&self) -> bool {
        self.arrival.navigation
    }

    /// Whether a cookie of ours was presented, genuine or not.
    pub fn is_cookie_bearing(&self) -> bool {
        self.arrival.cookie_bearing
    }

    /// The session whose genuine token was presented, if one was. Says nothing about whether it still lives: the store is
    /// not asked.
    pub fn presented(&self) -> Option<SessionId> {
        self.arrival.session.as_ref().map(Token::id)
    }

    /// The client's address, as far as it can be believed.
    pub fn client_address(&self) -> Option<std::net::IpAddr> {
        self.arrival.address
    }

    /// The CSRF verdict by headers alone.
    pub fn csrf_verdict(&self) -> CsrfVerdict {
        self.arrival.csrf
    }

    pub(super) fn tell(&self, session: Option<SessionId>, subject: Option<SubjectRef>, kind: EventKind) {
        self.engine.tell(session, subject, kind);
    }

    /// Remembers who is there from now on.
    pub(super) fn settle(&self, presence: Presence) {
        let mut state = self.state.lock();
        state.presence = Some(presence);
        state.remembered = false;
    }

    /// Puts the one cookie of this response on its way. `false` if the response has been committed.
    pub(super) fn send(&self, cookie: Option<SetCookie>) -> bool {
        let mut state = self.state.lock();
        let in_time = state.phase != Phase::Concluded;
        if in_time {
            state.outbox = cookie;
        }
        in_time
    }

    /// Whether a cookie can still leave with the response.
    pub(super) fn is_in_time(&self) -> bool {
        self.state.lock().phase != Phase::Concluded
    }
}

impl Presence {
    /// The session, whoever holds it.
    pub(super) fn holding(&self) -> Option<&Holding> {
        match self {
            Self::Nobody | Self::Ended => None,
            Self::Visitor(holding) | Self::Member(holding) => Some(holding),
        }
    }

    /// The same, with another state of the session.
    pub(super) fn with(&self, live: Live) -> Self {
        let renewed = |holding: &Holding| Holding { live, ..holding.clone() };
        match self {
            Self::Nobody | Self::Ended => self.clone(),
            Self::Visitor(holding) => Self::Visitor(renewed(holding)),
            Self::Member(holding) => Self::Member(renewed(holding)),
        }
    }
}

impl Holding {
    /// A session that was made in this request.
    pub(super) fn new(live: Live) -> Self {
        Self { live, standing: Standing::Live, verdict: Verdict::Accept, elevation: None, held_back: false }
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Exchange").field("at", &self.arrival.at).finish_non_exhaustive()
    }
}
