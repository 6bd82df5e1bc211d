//! Authenticated requests to an engine over any store, without a server: from the head to the effects on the response.

use std::sync::Arc;

use counterfoil_core::keys::KeyRing;
use counterfoil_core::rules::Amr;
use counterfoil_core::seam::Route;
use counterfoil_core::store::DynStore;
use counterfoil_core::{Engine, FakeClock, Policy, Subject};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, Method, header};

use crate::Failed;
use crate::pieces::{browser_header, view};
use crate::records::NOW;
use crate::site::{FixedKeys, ORIGIN};

/// An engine, and what browsers of users that are signed in send to it.
#[derive(Debug)]
pub struct Requests {
    engine: Engine,
    headers: Vec<HeaderMap>,
}

impl Requests {
    /// Signs so many users in.
    ///
    /// # Errors
    /// If anybody cannot.
    pub async fn of(store: Arc<impl DynStore>, users: usize) -> Result<Self, Failed> {
        let ring = KeyRing::from_source(&FixedKeys)?;
        let engine = Engine::new(Policy::aal2(ORIGIN)?, ring, store, FakeClock::at(NOW), ());
        let mut headers = Vec::new();
        for user in 0..users {
            headers.push(heads(&sign_in(&engine, &format!("user-of-the-engine-{user}")).await?)?);
        }
        Ok(Self { engine, headers })
    }

    /// What each user's browser sends.
    pub fn headers(&self) -> std::slice::Iter<'_, HeaderMap> {
        self.headers.iter()
    }

    /// One request of each user, whatever it waits for.
    ///
    /// # Errors
    /// If any is not signed in.
    pub async fn each_once(&self) -> Result<(), Failed> {
        for headers in self.headers() {
            let exchange = self.engine.receive(&view(&Method::GET, headers), Route::default());
            exchange.open().await?;
            exchange.require_signed_in().await.map_err(|_| "not signed in")?;
            exchange.conclude().await;
        }
        Ok(())
    }

    /// One request, which must be answered from memory.
    ///
    /// # Errors
    /// If it is not signed in, or waits.
    pub fn one(&self, headers: &HeaderMap) -> Result<(), Failed> {
        let exchange = self.engine.receive(&view(&Method::GET, headers), Route::default());
        exchange.open().now_or_never().ok_or("a request waits")??;
        let signed_in = exchange.require_signed_in().now_or_never().ok_or("a request waits")?;
        signed_in.map_err(|_| "not signed in")?;
        exchange.conclude().now_or_never().ok_or("a request waits")?;
        Ok(())
    }
}

async fn sign_in(engine: &Engine, user: &str) -> Result<String, Failed> {
    let headers = HeaderMap::new();
    let exchange = engine.receive(&view(&Method::GET, &headers), Route::default());
    let attempt = exchange.begin(Subject::new(user)?).await?;
    exchange.complete(exchange.verified(attempt, Amr::Pwd), counterfoil::SignInOptions::default()).await?;
    let cookie = exchange.conclude().await.set_cookie.ok_or("a sign-in sends a cookie")?;
    Ok(cookie.as_str().split(';').next().unwrap_or_default().to_owned())
}

fn heads(cookie: &str) -> Result<HeaderMap, Failed> {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("bench.example"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(header::COOKIE, HeaderValue::from_str(&browser_header(cookie))?);
    Ok(headers)
}
