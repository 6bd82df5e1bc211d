//! The seam table through the tower layer, and through the engine alone: the same answers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use counterfoil::data::Key;
use counterfoil::layer::SessionLayer;
use counterfoil::{
    Amr, Assurance, Counterfoil, EndReason, Error, GeneratedKeys, Recent, Session, SignIn, SignedIn, Subject,
};
use counterfoil_core::Engine;
use counterfoil_core::cookie::HeaderJoin;
use counterfoil_core::csrf::CsrfVerdict;
use counterfoil_core::engine::{Exchange, SessionError, SignInError, SignInOptions, StepUpError};
use counterfoil_core::keys::KeyRing;
use counterfoil_core::seam::table::{self, Adapter, Deed, Observed, Setup};
use counterfoil_core::seam::{Care, Denial, RequestView, Route, is_websocket};
use counterfoil_core::store::StoreError;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{Request, StatusCode};
use parking_lot::Mutex;
use tower::ServiceExt as _;

const NOTE: Key<String> = Key::new("it.note");

#[tokio::test]
async fn every_row_goes_through_the_tower_layer() {
    let ran = table::run(Tower::new).await.unwrap_or_else(|differences| panic!("{differences}"));
    assert_eq!(ran, table::ROWS.len());
}

#[tokio::test]
async fn every_row_goes_through_the_engine_alone() {
    let ran = table::run(Direct::new).await.unwrap_or_else(|differences| panic!("{differences}"));
    assert_eq!(ran, table::ROWS.len());
}

/// The tower layer, with handlers that use the extractors.
struct Tower(Counterfoil);

/// What a handler noticed.
#[derive(Default)]
struct Noticed {
    ran: bool,
    assurance: Option<Assurance>,
}

type Notes = Arc<Mutex<Noticed>>;
type Declare = fn(SessionLayer) -> SessionLayer;

impl Tower {
    fn new(setup: Setup) -> Self {
        let builder = Counterfoil::builder(setup.policy, &GeneratedKeys, setup.store).unwrap();
        Self(builder.clock(setup.clock).events(()).denied_page("/denied").build())
    }

    fn app(&self, route: Route, deed: Deed, notes: &Notes) -> Router {
        let declarations: [(bool, Declare); 6] = [
            (route.public, SessionLayer::public),
            (route.quiet, SessionLayer::quiet),
            (route.care != Care::Usual, SessionLayer::asks_store),
            (route.csrf.sign_in, SessionLayer::sign_in),
            (route.csrf.sensitive, SessionLayer::sensitive),
            (route.csrf.changes_state, SessionLayer::changes_state),
        ];
        let declared = declarations.into_iter().filter(|(declared, _)| *declared);
        let layer = declared.fold(self.0.sessions(), |layer, (_, declare)| declare(layer));
        Router::new().route("/", self.handler(deed, Arc::clone(notes))).layer(layer)
    }

    fn handler(&self, deed: Deed, notes: Notes) -> axum::routing::MethodRouter {
        let engine = self.0.engine().clone();
        let ran = move |assurance| *notes.lock() = Noticed { ran: true, assurance };
        match deed {
            Deed::Answer => any(async move || ran(None)),
            Deed::Look => any(async move |session: Session| {
                ran(None);
                let identity = session.identity().await?;
                ran(Some(identity.map_or(Assurance::Anonymous, |identity| identity.assurance)));
                Ok::<_, Error>(())
            }),
            Deed::NeedSignedIn => any(async move |user: SignedIn| ran(Some(user.assurance))),
            Deed::NeedRecent => any(async move |user: Recent<300>| ran(Some(user.assurance))),
            Deed::Set | Deed::SetAndFail => any(async move |session: Session| {
                ran(None);
                session.set(NOTE, &"set".to_owned())?;
                let failed = deed == Deed::SetAndFail;
                Ok::<_, Error>(if failed { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK })
            }),
            Deed::SetWhileEnded => any(async move |session: Session| {
                ran(None);
                session.set(NOTE, &"set".to_owned())?;
                let identity = session.identity().await?.unwrap();
                engine.end(identity.session, EndReason::Admin).await?;
                Ok::<_, Error>(())
            }),
            Deed::SignIn => any(async move |gate: SignIn| {
                ran(None);
                let mut attempt = gate.begin(Subject::new("ada")?).await?;
                attempt.factor(Amr::Pwd);
                attempt.complete().await?;
                Ok::<_, Error>(())
            }),
            Deed::SignOut => any(async move |session: Session| {
                ran(None);
                session.sign_out().await
            }),
            Deed::StepUp => any(async move |session: Session| {
                ran(None);
                session.step_up(Amr::Otp).await
            }),
            other => panic!("no handler for {other:?}"),
        }
    }
}

impl Adapter for Tower {
    fn engine(&self) -> &Engine {
        self.0.engine()
    }

    async fn ask(&self, request: Request<String>, route: Route, deed: Deed) -> Observed {
        let notes = Notes::default();
        let response: Response = self.app(route, deed, &notes).oneshot(request.map(Body::from)).await.into_response();
        let Noticed { ran, assurance } = *notes.lock();
        Observed {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            denial: response.extensions().get().copied(),
            ran,
            assurance,
        }
    }
}

/// The engine alone, as the thinnest transport there can be.
struct Direct(Engine);

impl Direct {
    fn new(setup: Setup) -> Self {
        let keys = KeyRing::from_source(&GeneratedKeys).unwrap();
        Self(Engine::new(setup.policy, keys, Arc::new(setup.store), setup.clock, ()))
    }

    /// What stands before the handler.
    async fn admit(&self, exchange: &Exchange, request: &Request<String>) -> Result<(), Denial> {
        let token = match exchange.csrf_verdict() {
            CsrfVerdict::NeedsToken(_) => csrf_token(request),
            _ => None,
        };
        exchange.settle_csrf(token.as_deref()).await?;
        if !exchange.route().public {
            exchange.open().await.map_err(|_| Denial::Unavailable)?;
        }
        Ok(())
    }

    async fn handle(&self, exchange: &Exchange, deed: Deed, seen: &mut Observed) -> Result<u16, Denial> {
        let guarded = match deed {
            Deed::NeedSignedIn => Some(exchange.require_signed_in().await?),
            Deed::NeedRecent => Some(exchange.require_recent(Duration::from_mins(5)).await?),
            _ => None,
        };
        seen.ran = true;
        seen.assurance = guarded.map(|identity| identity.assurance);
        match deed {
            Deed::Look => {
                let identity = exchange.identity().await.map_err(|error| of_store(&error))?;
                seen.assurance = Some(identity.map_or(Assurance::Anonymous, |identity| identity.assurance));
            }
            Deed::Set | Deed::SetAndFail => exchange.set(NOTE, &"set".to_owned()).unwrap(),
            Deed::SetWhileEnded => {
                exchange.set(NOTE, &"set".to_owned()).unwrap();
                let identity = exchange.identity().await.unwrap().unwrap();
                self.0.end(identity.session, EndReason::Admin).await.unwrap();
            }
            Deed::SignIn => sign_in(exchange).await.map_err(|_| Denial::Unavailable)?,
            Deed::SignOut => exchange.sign_out().await.map_err(|error| of_store(&error))?,
            Deed::StepUp => exchange.step_up(Amr::Otp).await.map_err(|error| match error {
                StepUpError::NotSignedIn => Denial::SignInRequired,
                StepUpError::Session(SessionError::Store(error)) => of_store(&error),
                other => panic!("{other}"),
            })?,
            _ => {}
        }
        Ok(if deed == Deed::SetAndFail { 500 } else { 200 })
    }
}

impl Adapter for Direct {
    fn engine(&self) -> &Engine {
        &self.0
    }

    async fn ask(&self, request: Request<String>, route: Route, deed: Deed) -> Observed {
        let view = RequestView {
            method: request.method(),
            authority: request.headers().get("host").and_then(|host| host.to_str().ok()),
            target: request.uri().path_and_query().map_or("/", |target| target.as_str()),
            headers: request.headers(),
            peer: None,
            websocket: is_websocket(request.headers()),
            may_set_cookie: true,
            cookie_join: HeaderJoin::Standard,
        };
        let exchange = self.0.receive(&view, route);
        let mut seen = Observed::default();
        if let Err(denial) = self.admit(&exchange, &request).await {
            return denied(denial, &exchange, seen);
        }
        let answer = self.handle(&exchange, deed, &mut seen).await;
        let effects = exchange.conclude().await;
        if let Some(cookie) = &effects.set_cookie {
            seen.headers.append(SET_COOKIE, cookie.as_str().parse().unwrap());
        }
        if effects.uses_session || effects.set_cookie.is_some() {
            seen.headers.insert(CACHE_CONTROL, "no-store".parse().unwrap());
        }
        match (effects.denial, answer) {
            (Some(denial), _) | (None, Err(denial)) => denied(denial, &exchange, seen),
            (None, Ok(status)) => Observed { status, ..seen },
        }
    }
}

async fn sign_in(exchange: &Exchange) -> Result<(), SignInError> {
    let attempt = exchange.begin(Subject::new("ada").unwrap()).await?;
    exchange.complete(exchange.verified(attempt, Amr::Pwd), SignInOptions::default()).await.map(drop)
}

fn of_store(_: &StoreError) -> Denial {
    Denial::Unavailable
}

fn csrf_token(request: &Request<String>) -> Option<String> {
    let header = request.headers().get("x-csrf-token").and_then(|token| token.to_str().ok());
    header.or_else(|| request.body().split_once("csrf_token=").map(|(_, token)| token)).map(str::to_owned)
}

/// People are sent somewhere, except where there is nowhere to send them.
fn denied(denial: Denial, exchange: &Exchange, mut seen: Observed) -> Observed {
    seen.headers.insert(CACHE_CONTROL, "no-store".parse().unwrap());
    let redirects = exchange.is_navigation() && !matches!(denial, Denial::Unavailable | Denial::NotStored);
    Observed { status: if redirects { 303 } else { denial.status() }, denial: Some(denial), ..seen }
}
