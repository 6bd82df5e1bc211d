//! Requests straight through the engine, without a transport.

use http::{HeaderMap, Method, header};

use super::Jar;
use crate::cookie::HeaderJoin;
use crate::engine::{Engine, Exchange, SessionError, SignInError, SignInOptions, StepUpError};
use crate::id::Subject;
use crate::rules::Amr;
use crate::seam::{RequestView, Route};

/// One request of a browser: its cookies go in, the response's cookie goes back into its jar.
///
/// It is a GET of one of our own pages, so that the CSRF decision lets it pass; the transport's own tests are there for
/// everything else.
#[derive(Debug)]
pub struct Request<'a> {
    engine: &'a Engine,
    jar: &'a mut Jar,
    headers: HeaderMap,
    route: Route,
}

impl<'a> Request<'a> {
    /// A request with these cookies.
    pub fn new(engine: &'a Engine, jar: &'a mut Jar) -> Self {
        Self { engine, jar, headers: HeaderMap::new(), route: Route::default() }
    }

    /// The same with these headers beside the cookies.
    pub fn headers(self, headers: HeaderMap) -> Self {
        Self { headers, ..self }
    }

    /// Sends it; `handler` stands for the application's.
    pub async fn send<R>(mut self, handler: impl AsyncFnOnce(&Exchange) -> R) -> R {
        self.headers.extend(self.jar.header(self.engine.now()).map(|cookies| (header::COOKIE, cookies)));
        let view = RequestView {
            method: &Method::GET,
            authority: None,
            target: "/",
            headers: &self.headers,
            peer: None,
            websocket: false,
            may_set_cookie: true,
            cookie_join: HeaderJoin::Standard,
        };
        let exchange = self.engine.receive(&view, self.route);
        let answer = handler(&exchange).await;
        if let Some(cookie) = exchange.conclude().await.set_cookie {
            // A cookie of ours always keeps the promise of its name; a test of the writer says so.
            let _ = self.jar.take(cookie.as_str(), self.engine.now());
        }
        answer
    }
}

/// Signs `subject` in by password, without any login route, and presents the new session once.
///
/// # Errors
/// As [`Exchange::complete`]: the store did not answer, or the policy refuses.
pub async fn sign_in(engine: &Engine, jar: &mut Jar, subject: &Subject) -> Result<(), SignInError> {
    sign_in_with(engine, jar, subject, SignInOptions::default()).await?;
    Request::new(engine, jar).send(async |exchange| exchange.open().await).await?;
    Ok(())
}

/// As [`sign_in`], with options, and without presenting the new session.
///
/// # Errors
/// As [`sign_in`].
pub async fn sign_in_with(
    engine: &Engine,
    jar: &mut Jar,
    subject: &Subject,
    options: SignInOptions,
) -> Result<(), SignInError> {
    let sign_in = async |exchange: &Exchange| {
        let attempt = exchange.begin(subject.clone()).await?;
        exchange.complete(exchange.verified(attempt, Amr::Pwd), options).await
    };
    Request::new(engine, jar).send(sign_in).await.map(drop)
}

/// Steps up the session in `jar` by one-time password.
///
/// # Errors
/// As [`Exchange::step_up`].
pub async fn step_up(engine: &Engine, jar: &mut Jar) -> Result<(), StepUpError> {
    Request::new(engine, jar).send(async |exchange| exchange.step_up(Amr::Otp).await).await
}

/// A CSRF token for the session in `jar`, if there is one.
///
/// # Errors
/// As [`Exchange::csrf_token`].
pub async fn csrf_token(engine: &Engine, jar: &mut Jar) -> Result<Option<String>, SessionError> {
    Request::new(engine, jar).send(async |exchange| exchange.csrf_token().await).await
}
