//! The pieces of a request's path, each as work that can be done again and again.

use std::hint::black_box;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use counterfoil_core::cookie::{CookieKind, CookieNames, HeaderJoin, scan};
use counterfoil_core::csrf::{CsrfFacts, HeaderCount, RouteFlags, decide, effective_method};
use counterfoil_core::keys::KeyRing;
use counterfoil_core::origin::{PublicOrigins, TrustedOrigins};
use counterfoil_core::rules::{Amr, Context, Family, Presented};
use counterfoil_core::seam::{RequestView, Route};
use counterfoil_core::token::{Token, TokenKind};
use counterfoil_core::{Engine, FakeClock, MemoryStore, Moment, Policy, Subject};
use futures_util::FutureExt as _;
use http::request::Builder;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use tower::ServiceExt as _;

use crate::modes::forged;
use crate::site::{FixedKeys, ORIGIN};
use crate::{BODY, Failed, site};

/// One piece.
pub struct Piece {
    /// As it stands in the table.
    pub name: &'static str,
    /// Does it once.
    pub work: Box<dyn FnMut()>,
}

/// All pieces, from the smallest to a whole request without its connection. A runtime must be entered.
///
/// # Errors
/// If the site cannot be set up.
pub fn all() -> Result<Vec<Piece>, Failed> {
    let cookie = signed_in_cookie()?;
    let mut pieces = parts(&cookie)?;
    pieces.extend(engine(&cookie)?);
    pieces.extend(layers()?);
    Ok(pieces)
}

/// The pure parts.
fn parts(cookie: &str) -> Result<Vec<Piece>, Failed> {
    let (ring, header) = (Arc::new(KeyRing::from_source(&FixedKeys)?), browser_header(cookie));
    let genuine = value(cookie).to_owned();
    let (other_ring, false_one) = (Arc::clone(&ring), value(&forged(cookie)).to_owned());
    let (third_ring, hashed) = (Arc::clone(&ring), genuine.clone());
    let token = parse(&genuine, &ring)?;
    let presented = Presented { generation: token.generation(), hash: token.hash() };
    let family = Family::born(presented.hash, NOW);
    let grace = Policy::aal2(ORIGIN)?.grace();
    Ok(vec![
        piece("cookie header scan", move || {
            let scanned = scan([header.as_bytes()], CookieNames::https(), HeaderJoin::Standard);
            scanned.of(CookieKind::Session).candidates().len()
        }),
        piece("token, genuine", move || Token::parse(TokenKind::Session, &genuine, &ring).is_ok()),
        piece("token, forged", move || Token::parse(TokenKind::Session, &false_one, &other_ring).is_ok()),
        piece("token, genuine, with its hash", move || parse(&hashed, &third_ring).map(|token| token.hash()).ok()),
        piece("family judge", move || family.judge(black_box(&presented), Context::UNSEEN, NOW, grace)),
        csrf("CSRF decision, GET", b"GET")?,
        csrf("CSRF decision, POST", b"POST")?,
    ])
}

/// What a same-origin page of a browser sends.
fn csrf(name: &'static str, method: &'static [u8]) -> Result<Piece, Failed> {
    let (public, trusted) = (PublicOrigins::new([ORIGIN.parse()?])?, TrustedOrigins::none());
    Ok(piece(name, move || {
        let facts = CsrfFacts {
            method: effective_method(black_box(method), []),
            route: RouteFlags::default(),
            cookie_bearing: true,
            authorization_present: false,
            origin: HeaderCount::One(ORIGIN.as_bytes()),
            sec_fetch_site: HeaderCount::One(b"same-origin"),
            referer: HeaderCount::Absent,
            x_csrf_is_1: false,
        };
        decide(&facts, &public, &trusted)
    }))
}

/// The engine over the memory store: from the request's head to the effects on its response.
fn engine(cookie: &str) -> Result<Vec<Piece>, Failed> {
    let (engine, own) = engine_with_session()?;
    Ok(vec![
        engine_piece("engine, authenticated", &engine, Some(&own), Who::SignedIn)?,
        engine_piece("engine, anonymous", &engine, None, Who::Nobody)?,
        engine_piece("engine, forged", &engine, Some(&forged(&own)), Who::Nobody)?,
        // A genuine tag without a record: the session of another engine.
        engine_piece("engine, no such session", &engine, Some(cookie), Who::Nobody)?,
    ])
}

/// Whom a request must turn out to come from, or it is not the one that was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    SignedIn,
}

fn engine_piece(name: &'static str, engine: &Engine, cookie: Option<&str>, who: Who) -> Result<Piece, Failed> {
    let (engine, mut headers) = (engine.clone(), HeaderMap::new());
    headers.insert(header::HOST, HeaderValue::from_static("bench.example"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    if let Some(cookie) = cookie {
        headers.insert(header::COOKIE, HeaderValue::from_str(&browser_header(cookie))?);
    }
    let work = move || {
        let exchange = engine.receive(&view(&Method::GET, &headers), Route::default());
        let opened = exchange.open().now_or_never();
        let signed_in = exchange.require_signed_in().now_or_never();
        (opened, exchange.conclude().now_or_never(), signed_in.is_some_and(|signed_in| signed_in.is_ok()))
    };
    if work().2 != (who == Who::SignedIn) {
        return Err(format!("{name}: the request does not come from {who:?}").into());
    }
    Ok(piece(name, work))
}

fn engine_with_session() -> Result<(Engine, String), Failed> {
    let store = Arc::new(MemoryStore::new());
    let ring = KeyRing::from_source(&FixedKeys)?;
    let engine = Engine::new(Policy::aal2(ORIGIN)?, ring, store, FakeClock::at(NOW), ());
    let headers = HeaderMap::new();
    let exchange = engine.receive(&view(&Method::GET, &headers), Route::default());
    let done = async {
        let attempt = exchange.begin(Subject::new("ada")?).await?;
        exchange.complete(exchange.verified(attempt, Amr::Pwd), counterfoil::SignInOptions::default()).await?;
        Ok::<_, Failed>(exchange.conclude().await)
    };
    let effects = done.now_or_never().ok_or("the memory store never waits")??;
    let cookie = effects.set_cookie.ok_or("a sign-in sends a cookie")?;
    Ok((engine, cookie.as_str().split(';').next().unwrap_or_default().to_owned()))
}

pub(crate) fn view<'a>(method: &'a Method, headers: &'a HeaderMap) -> RequestView<'a> {
    let authority = Some("bench.example");
    RequestView {
        method,
        authority,
        target: "/",
        headers,
        peer: None,
        websocket: false,
        may_set_cookie: true,
        cookie_join: HeaderJoin::Standard,
    }
}

/// A whole router, with and without Counterfoil, called without a connection.
fn layers() -> Result<Vec<Piece>, Failed> {
    let app = site::app()?;
    let cookie = sign_in(&app, "/login")?;
    let bare = || Router::new().route("/", get(async || BODY));
    let no_op = bare().layer(tower::util::MapRequestLayer::new(|request: Request<Body>| request));
    Ok(vec![
        router_piece("router, bare", &bare(), "/", None)?,
        router_piece("router, a layer that does nothing", &no_op, "/", None)?,
        router_piece("router, authenticated", &app, "/signed-in", Some(cookie.clone()))?,
        router_post("router, authenticated POST", &app, "/signed-in", cookie.clone())?,
        router_post("router, authenticated POST, CSRF off", &app, "/csrf-off", sign_in(&app, "/csrf-off/login")?)?,
        router_post("router, one data change", &app, "/change", cookie.clone())?,
        router_piece("router, anonymous", &app, "/", None)?,
        router_piece("router, forged", &app, "/", Some(forged(&cookie)))?,
        router_piece("router, authenticated + headers", &app, "/headers", Some(cookie))?,
    ])
}

fn router_piece(name: &'static str, app: &Router, path: &'static str, cookie: Option<String>) -> Result<Piece, Failed> {
    router_request(name, app, move || {
        let request = Request::get(path).header(header::HOST, "bench.example").header(header::ACCEPT, "*/*");
        if let Some(cookie) = &cookie { request.header(header::COOKIE, cookie) } else { request }
    })
}

/// As a page of the site sends it.
fn router_post(name: &'static str, app: &Router, path: &'static str, cookie: String) -> Result<Piece, Failed> {
    router_request(name, app, move || {
        let request = Request::post(path).header(header::HOST, "bench.example").header(header::ACCEPT, "*/*");
        request.header(header::ORIGIN, ORIGIN).header(header::COOKIE, &cookie)
    })
}

fn router_request(name: &'static str, app: &Router, make: impl Fn() -> Builder + 'static) -> Result<Piece, Failed> {
    // As `axum::serve` does: the layers are applied once, not for each request.
    let app: Router = app.clone().with_state(());
    let work = move || make().body(Body::empty()).map(|request| app.clone().oneshot(request).now_or_never());
    match work()? {
        Some(Ok(answer)) if answer.status() == StatusCode::OK => Ok(piece(name, work)),
        other => Err(format!("{name}: unexpected {other:?}").into()),
    }
}

/// A cookie of a session in a store that is gone.
fn signed_in_cookie() -> Result<String, Failed> {
    Ok(engine_with_session()?.1)
}

/// Signing in spawns a task, so this waits on a runtime of its own.
fn sign_in(app: &Router, door: &str) -> Result<String, Failed> {
    let request = Request::post(door).header(header::ORIGIN, ORIGIN);
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = app.clone().oneshot(request.body(Body::from("user=ada"))?);
    let thread = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok::<_, Failed>(runtime.block_on(answer)?)
    });
    let answer = thread.join().map_err(|_| "signing in panicked")??;
    let cookie = answer.headers().get(header::SET_COOKIE).ok_or("a sign-in sends a cookie")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

/// As a browser sends it to a site that has other cookies too.
pub(crate) fn browser_header(cookie: &str) -> String {
    format!("theme=dark; consent=2; {cookie}; language=en")
}

fn value(cookie: &str) -> &str {
    cookie.split_once('=').map_or("", |(_, value)| value)
}

fn parse(value: &str, ring: &KeyRing) -> Result<Token, Failed> {
    Ok(Token::parse(TokenKind::Session, value, ring)?)
}

fn piece<T>(name: &'static str, work: impl Fn() -> T + 'static) -> Piece {
    Piece { name, work: Box::new(move || drop(black_box(work()))) }
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Piece").field("name", &self.name).finish_non_exhaustive()
    }
}

const NOW: Moment = Moment::from_unix_seconds(1_800_000_000);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_piece_is_what_it_is_called_and_can_be_done_again() {
        let mut pieces = all().unwrap();
        assert!(pieces.len() > 10);
        for piece in &mut pieces {
            (piece.work)();
            (piece.work)();
        }
    }
}
