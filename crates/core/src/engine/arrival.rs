//! What a request brings, before any store is asked: genuine tokens, the CSRF verdict, and what we see of the client.

use std::net::IpAddr;

use http::HeaderValue;

use super::Engine;
use super::adopt::Legacy;
use super::heard::Heard;
use crate::address::{NetworkPrefix, network_prefix};
use crate::agent::{Agent, DeviceLabels};
use crate::cookie::{CookieKind, Found};
use crate::csrf::{CsrfFacts, CsrfMode, CsrfVerdict, HeaderCount, MethodKind, PassReason, decide, effective_method};
use crate::device::DeviceName;
use crate::event::EventKind;
use crate::moment::Moment;
use crate::rules::{Context, Presented};
use crate::seam::{RequestView, Route, navigates};
use crate::token::{Token, TokenKind, looks_like_token};

/// One request, read.
pub(super) struct Arrival {
    pub(super) at: Moment,
    pub(super) route: Route,
    pub(super) session: Option<Token>,
    pub(super) visit: Option<Token>,
    pub(super) elevated: Vec<Token>,
    /// Whether a cookie of ours is there, genuine or not.
    pub(super) cookie_bearing: bool,
    pub(super) csrf: CsrfVerdict,
    /// What it brings of the layer before.
    pub(super) legacy: Legacy,
    pub(super) navigation: bool,
    /// The most dangerous method that it names.
    pub(super) method: MethodKind,
    pub(super) renewable: Renewable,
    /// Which public origin the request came to; the first if it names none of them.
    pub(super) origin: usize,
    pub(super) address: Option<IpAddr>,
    agent: Option<HeaderValue>,
    platform: Option<HeaderValue>,
}

/// Whether a token may rotate with this response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewable {
    Not,
    /// It may, but a hop drops the cookie.
    Elsewhere,
    Here,
}

impl Arrival {
    pub(super) fn read(engine: &Engine, view: &RequestView<'_>, route: Route) -> Self {
        let policy = engine.policy();
        let method = effective_method(view.method.as_str().as_bytes(), []);
        let heard = Heard::read(view.headers, method, policy.cookies().names(), view.cookie_join);
        let cookies = &heard.cookies;
        let address = address(engine, view);
        let network = address.map(network_prefix);
        let session = claim(engine, TokenKind::Session, cookies.of(CookieKind::Session), network);
        let elevated = match &session {
            Some(_) => genuine(engine, TokenKind::Elevated, cookies.of(CookieKind::Elevated)).collect(),
            None => Vec::new(),
        };
        if looks_like_token(view.target) {
            tell_misplaced(engine, view.target);
        }
        let legacy = if session.is_none() { legacy(engine, view, &heard) } else { Legacy::Nothing };
        let csrf = csrf_verdict(engine, view, route, &heard, legacy.is_present());
        let renewable = match session {
            // A prefetch is for a page nobody may ever look at.
            Some(_) if !heard.prefetch && view.may_set_cookie => Renewable::Here,
            Some(_) if !heard.prefetch => Renewable::Elsewhere,
            _ => Renewable::Not,
        };
        Self {
            at: engine.now(),
            route,
            session,
            visit: claim(engine, TokenKind::Visit, cookies.of(CookieKind::Anonymous), network),
            elevated,
            cookie_bearing: cookies.is_cookie_bearing(),
            csrf,
            legacy: legacy.admit(view, csrf),
            navigation: navigates(heard.fetch_mode, view.headers),
            method: heard.method,
            renewable,
            origin: public_origin(engine, view.authority),
            address,
            agent: heard.user_agent.cloned(),
            platform: heard.platform.cloned(),
        }
    }

    /// What the crash row compares; worked out only where a link is open.
    pub(super) fn context(&self) -> Context {
        let network = self.prefix().map(NetworkPrefix::bytes).unwrap_or_default();
        Context::new(self.client().platform.code(), &network)
    }

    /// The network it comes from.
    pub(super) fn prefix(&self) -> Option<NetworkPrefix> {
        self.address.map(network_prefix)
    }

    /// What people call the device: by the labels the application chose, where those yield a name, or by our own.
    pub(super) fn label(&self, labels: Option<&dyn DeviceLabels>) -> Box<str> {
        let (agent, platform) = self.claims();
        let chosen = labels.and_then(|labels| labels.label(agent, platform));
        let chosen = chosen.and_then(|label| DeviceName::new(&label).ok());
        chosen.map_or_else(|| self.client().label().into(), |name| name.as_str().into())
    }

    pub(super) fn client(&self) -> Agent {
        let (agent, platform) = self.claims();
        Agent::read(agent, platform)
    }

    pub(super) fn claims(&self) -> (&[u8], Option<&[u8]>) {
        let agent = self.agent.as_ref().map(HeaderValue::as_bytes).unwrap_or_default();
        (agent, self.platform.as_ref().map(HeaderValue::as_bytes))
    }
}

impl Token {
    /// The token as the rules see it.
    pub(super) fn presented(&self) -> Presented {
        Presented { generation: self.generation(), hash: self.hash() }
    }
}

/// The one token of a kind that a request may claim. Several of one session: the newest counts. Of different sessions:
/// somebody tossed a cookie in, and none counts.
fn claim(engine: &Engine, kind: TokenKind, found: &Found<'_>, network: Option<NetworkPrefix>) -> Option<Token> {
    if !found.is_present() {
        return None;
    }
    let mut best: Option<Token> = None;
    for token in genuine(engine, kind, found) {
        match &best {
            Some(other) if other.id() != token.id() => {
                engine.tell(Some(token.id()), None, EventKind::CookieTossing);
                return None;
            }
            Some(other) if other.generation() >= token.generation() => {}
            _ => best = Some(token),
        }
    }
    if best.is_none() {
        engine.tell(None, None, EventKind::TokenForged);
        engine.count_forged(network);
    }
    best
}

fn genuine<'a>(engine: &'a Engine, kind: TokenKind, found: &'a Found<'a>) -> impl Iterator<Item = Token> + 'a {
    let keys = engine.keys();
    found.candidates().iter().filter_map(move |text| Token::parse(kind, text, &keys).ok())
}

/// One of our tokens in a path or query: never read as a credential, always told. A genuine one names its session, so
/// that an operator can end it.
fn tell_misplaced(engine: &Engine, target: &str) {
    let words = target
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
        .filter(|word| looks_like_token(word));
    for word in words.take(4) {
        let id = TokenKind::ALL
            .into_iter()
            .find_map(|kind| Token::parse(kind, word, &engine.keys()).ok())
            .map(|token| token.id());
        engine.tell(id, None, EventKind::TokenMisplaced);
    }
}

/// What the request brings of the layer before; nothing where a genuine token of ours is in it, even one that was tossed.
fn legacy(engine: &Engine, view: &RequestView<'_>, heard: &Heard<'_>) -> Legacy {
    let Some(predecessor) = engine.predecessor().filter(|predecessor| predecessor.is_open(engine.now())) else {
        return Legacy::Nothing;
    };
    if genuine(engine, TokenKind::Session, heard.cookies.of(CookieKind::Session)).next().is_some() {
        return Legacy::Nothing;
    }
    Legacy::of(predecessor.cookie(), view, heard.prefetch).unwrap_or_else(|_| {
        engine.tell(None, None, EventKind::CookieTossing);
        Legacy::Nothing
    })
}

fn csrf_verdict(
    engine: &Engine,
    view: &RequestView<'_>,
    route: Route,
    heard: &Heard<'_>,
    old_cookie: bool,
) -> CsrfVerdict {
    let policy = engine.policy();
    if policy.csrf() == CsrfMode::Off {
        return CsrfVerdict::Pass(PassReason::Off);
    }
    let facts = CsrfFacts {
        method: if view.websocket { heard.method.upgrading_to_websocket() } else { heard.method },
        route: route.csrf,
        cookie_bearing: heard.cookies.is_cookie_bearing() || old_cookie,
        authorization_present: heard.authorization.is_some_and(is_deliberate),
        origin: heard.origin,
        sec_fetch_site: heard.fetch_site,
        referer: heard.referer,
        x_csrf_is_1: heard.x_csrf == HeaderCount::One(b"1"),
    };
    decide(&facts, policy.public_origins(), policy.trusted_origins())
}

/// Whether an `Authorization` is of a scheme that browsers never send on their own.
fn is_deliberate(value: &HeaderValue) -> bool {
    let scheme = value.as_bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
    !AMBIENT.iter().any(|ambient| scheme.eq_ignore_ascii_case(ambient))
}

fn public_origin(engine: &Engine, authority: Option<&str>) -> usize {
    let names = |authority: &str| {
        let mut origins = engine.policy().public_origins().iter();
        origins.position(|origin| origin.is_at(authority))
    };
    authority.and_then(names).unwrap_or(0)
}

fn address(engine: &Engine, view: &RequestView<'_>) -> Option<IpAddr> {
    let policy = engine.policy().address();
    let Some(header) = policy.header_name() else {
        return view.peer;
    };
    let values = view.headers.get_all(header).into_iter().map(HeaderValue::as_bytes).collect::<Vec<_>>();
    view.peer.map(|peer| policy.resolve(peer, values))
}

/// Schemes that browsers send on their own once a user typed a password.
const AMBIENT: [&[u8]; 4] = [b"basic", b"digest", b"negotiate", b"ntlm"];
