//! Plays a scene: each request goes into the engine as its client would send it, and its answer into the client's jar.

use std::error::Error;

use counterfoil_core::cookie::HeaderJoin;
use counterfoil_core::engine::{Exchange, SignInOptions};
use counterfoil_core::policy::PolicyError;
use counterfoil_core::rules::{Amr, EndReason};
use counterfoil_core::seam::{Care, Denial, RequestView, Route as Declared};
use counterfoil_core::testing::CookieRefused;
use counterfoil_core::{BadSubject, SessionId, Subject};
use futures_executor::block_on;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::Answer;
use crate::scene::{Client, Csrf, Presented, Request, Route, Scene};
use crate::stage::{Jars, ORIGIN, Stage};

/// Why a scene could not be played. A server would have no such trouble: the file is wrong, or we are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotPlayed {
    /// Its policy is none.
    #[error("its policy is not possible: {0}")]
    Policy(#[source] PolicyError),
    /// A client that it names is not in it.
    #[error("request {request} comes from client {client:?}, which the file does not describe")]
    NoClient {
        /// Which request.
        request: usize,
        /// Which client.
        client: String,
    },
    /// A header that nobody can send.
    #[error("request {request} has a header {name:?} that no client can send")]
    Header {
        /// Which request.
        request: usize,
        /// Which header.
        name: String,
    },
    /// A subject's name that is none.
    #[error("{name:?} is no name of a subject")]
    Subject {
        /// The name.
        name: String,
        /// Why.
        #[source]
        cause: BadSubject,
    },
    /// A browser would not keep our cookie.
    #[error(transparent)]
    Cookie(#[from] CookieRefused),
    /// No keys could be made.
    #[error("no keys could be made: {0}")]
    Keys(#[source] Box<dyn Error + Send + Sync>),
    /// The engine failed, which over a store in memory it does not.
    #[error("request {request} failed: {cause}")]
    Engine {
        /// Which request.
        request: usize,
        /// Why.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

/// Plays a scene, and says what was made of each request.
///
/// # Errors
/// [`NotPlayed`].
pub fn play(scene: &Scene) -> Result<Vec<Answer>, NotPlayed> {
    let (stage, mut jars) = (Stage::new(scene)?, Jars::default());
    stage.remember(scene)?;
    let requests = scene.requests.iter().enumerate();
    requests
        .map(|(index, request)| {
            stage.set(request.at);
            jars.copy(&scene.copies, request.at);
            let admitted = Turn { stage: &stage, scene, index, request }.take(&mut jars)?;
            let (decision, signals) = stage.told();
            Ok(Answer { request_index: index, decision, signals, admitted })
        })
        .collect()
}

impl Stage {
    /// Has the owner sign in and out with each client that was used before, at each address, a week ago.
    fn remember(&self, scene: &Scene) -> Result<(), NotPlayed> {
        let Some(past) = &scene.history else { return Ok(()) };
        self.set_back();
        for (client, ip) in past.clients.iter().flat_map(|client| past.ips.iter().map(move |ip| (client, ip))) {
            let [sign_in, sign_out] =
                [Route::SignIn, Route::SignOut].map(|route| Request::of_the_past(client, *ip, route));
            let mut jars = Jars::default();
            for request in [&sign_in, &sign_out] {
                Turn { stage: self, scene, index: 0, request }.take(&mut jars)?;
            }
        }
        self.told();
        Ok(())
    }
}

/// One request.
struct Turn<'s> {
    stage: &'s Stage,
    scene: &'s Scene,
    index: usize,
    request: &'s Request,
}

impl<'s> Turn<'s> {
    /// Whether it was admitted.
    fn take(&self, jars: &mut Jars<'s>) -> Result<bool, NotPlayed> {
        let (request, jar) = (self.request, self.request.jar.as_deref().unwrap_or(&self.request.session));
        let now = self.stage.now();
        let cookies = match request.token {
            Presented::None => None,
            Presented::Current => jars.header(jar, now),
            Presented::Previous => jars.header_before(jar, now),
            Presented::Forged => HeaderValue::try_from(format!("__Host-Http-id={}", forged(self.index))).ok(),
        };
        let method = if matches!(request.route, Route::Read) { Method::GET } else { Method::POST };
        let headers = self.headers(cookies)?;
        let view = RequestView {
            method: &method,
            authority: None,
            target: "/",
            headers: &headers,
            peer: Some(request.ip),
            websocket: false,
            may_set_cookie: true,
            cookie_join: HeaderJoin::Standard,
        };
        let exchange = self.stage.engine.receive(&view, self.declared());
        let admitted =
            block_on(self.act(&exchange)).map_err(|cause| NotPlayed::Engine { request: self.index, cause })?;
        let effects = block_on(exchange.conclude());
        if let Some(cookie) = effects.set_cookie.filter(|_| !request.lost) {
            jars.take(jar, cookie.as_str(), now)?;
        }
        self.report(exchange.presented())?;
        Ok(admitted)
    }

    fn headers(&self, cookies: Option<HeaderValue>) -> Result<HeaderMap, NotPlayed> {
        let request = self.request;
        let no_client = || NotPlayed::NoClient { request: self.index, client: request.client.clone() };
        let Client { user_agent, headers, .. } = self.scene.clients.get(&request.client).ok_or_else(no_client)?;
        let mut map = HeaderMap::new();
        let agent = [("user-agent", user_agent)].into_iter().filter(|(_, agent)| !agent.is_empty());
        let theirs = headers.iter().chain(&request.headers).map(|(name, value)| (name.as_str(), value));
        for (name, value) in agent.chain(theirs) {
            let bad = || NotPlayed::Header { request: self.index, name: name.into() };
            let name = HeaderName::try_from(name).map_err(|_| bad())?;
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?);
        }
        map.extend(cookies.map(|cookies| (header::COOKIE, cookies)));
        if request.csrf.is_none() {
            map.insert(header::ORIGIN, HeaderValue::from_static(ORIGIN));
        }
        Ok(map)
    }

    fn declared(&self) -> Declared {
        let care = if self.request.route == Route::Sensitive { Care::Sensitive } else { Care::Usual };
        Declared { quiet: self.request.quiet, care, ..Declared::default() }
    }

    /// What the application does with the request, and whether it counted as its session's.
    async fn act(&self, exchange: &Exchange) -> Result<bool, Box<dyn Error + Send + Sync>> {
        let token = match self.request.csrf {
            Some(Csrf::Wrong) => Some("not-a-token"),
            Some(Csrf::Missing) | None => None,
        };
        let genuine = exchange.settle_csrf(token).await.is_ok();
        let signed_in = exchange.identity().await?.is_some();
        if !genuine {
            return Ok(signed_in);
        }
        match self.request.route {
            Route::Read | Route::Write => {}
            Route::Sensitive => return self.act_with_care(exchange, signed_in).await,
            Route::SignIn => return self.sign_in(exchange).await,
            Route::StepUp if self.request.result.is_some() => exchange.step_up_failed(),
            // Whoever is only remembered proves who they are by signing in.
            Route::StepUp => drop(exchange.step_up(Amr::Otp).await),
            Route::SignOut => exchange.sign_out().await?,
        }
        Ok(signed_in)
    }

    /// Where it matters who this is, somebody who is only remembered signs in again.
    async fn act_with_care(&self, exchange: &Exchange, signed_in: bool) -> Result<bool, Box<dyn Error + Send + Sync>> {
        if let Err(Denial::SignInRequired) = exchange.require_signed_in().await
            && signed_in
        {
            self.stage.remembered_is_not_enough();
        }
        Ok(signed_in)
    }

    async fn sign_in(&self, exchange: &Exchange) -> Result<bool, Box<dyn Error + Send + Sync>> {
        let subject = self.subject()?;
        if self.request.result.is_some() {
            exchange.sign_in_failed(subject.as_str());
            return Ok(false);
        }
        let attempt = exchange.begin(subject).await?;
        let options = SignInOptions { remember: self.scene.policy.remember_for.is_some(), ..SignInOptions::default() };
        exchange.complete(exchange.verified(attempt, Amr::Pwd), options).await?;
        Ok(true)
    }

    /// What the application reports right after the request.
    fn report(&self, current: Option<SessionId>) -> Result<(), NotPlayed> {
        let Some(reported) = self.request.trigger else { return Ok(()) };
        let (engine, subject) = (&self.stage.engine, self.subject()?);
        let done = match reported.trigger() {
            Some(trigger) => block_on(engine.trigger(&subject, trigger, current)).map(drop),
            None => block_on(engine.end_subject(&subject, EndReason::Admin)),
        };
        done.map_err(|cause| NotPlayed::Engine { request: self.index, cause: cause.into() })
    }

    fn subject(&self) -> Result<Subject, NotPlayed> {
        let name = self.scene.sessions.get(&self.request.session).map_or("owner", |whose| whose.subject.as_str());
        Subject::new(name).map_err(|cause| NotPlayed::Subject { name: name.into(), cause })
    }
}

/// Something of a token's shape that we never made, another one for each request.
fn forged(index: usize) -> String {
    let secret: String = format!("{index:07}").repeat(14).chars().take(94).collect();
    format!("cfoil1_k1_{secret}")
}
