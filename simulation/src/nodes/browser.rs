//! Browsers: what they send, and what a node makes of it.

use std::sync::Arc;

use counterfoil_core::cookie::HeaderJoin;
use counterfoil_core::engine::{Exchange, SignInOptions};
use counterfoil_core::rules::Amr;
use counterfoil_core::seam::{RequestView, Route};
use counterfoil_core::testing::Jar;
use counterfoil_core::{Moment, SessionId, Subject};
use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderValue, Method, header};
use parking_lot::Mutex;

use super::site::Site;
use super::truth::{By, Tally};
use super::world::SECOND;

/// One browser, which may have several tabs. Clones are copies of its profile.
#[derive(Clone)]
pub(super) struct Browser {
    pub(super) subject: Subject,
    pub(super) agent: &'static str,
    jar: Jar,
    /// The session whose token is in the jar.
    pub(super) session: Option<SessionId>,
}

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// A page.
    Read,
    /// A page whose handler takes its time, or a form that is uploaded slowly.
    Slow,
    /// A counter raised.
    Write,
    /// Signing in.
    SignIn,
    /// Signing out.
    SignOut,
}

/// A request as it leaves.
struct Sent {
    headers: HeaderMap,
    subject: Subject,
    session: Option<SessionId>,
}

/// What comes back.
struct Reply {
    cookie: Option<String>,
    session: Option<SessionId>,
}

impl Browser {
    /// One that was never here.
    pub(super) fn new(subject: Subject, agent: &'static str) -> Self {
        Self { subject, agent, jar: Jar::default(), session: None }
    }

    /// A copy of its jar in somebody else's browser.
    pub(super) fn stolen_by(&self, agent: &'static str) -> Self {
        Self { agent, ..self.clone() }
    }

    fn send(&self) -> Sent {
        let mut headers = HeaderMap::new();
        headers.extend(self.jar.header(Moment::EPOCH).map(|cookies| (header::COOKIE, cookies)));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(self.agent));
        Sent { headers, subject: self.subject.clone(), session: self.session }
    }

    fn take(&mut self, reply: &Reply) {
        let Some(cookie) = &reply.cookie else { return };
        self.session = reply.session.filter(|_| !cookie.contains("Max-Age=0"));
        // A cookie of ours keeps the promise of its name.
        let _ = self.jar.take(cookie, Moment::EPOCH);
    }
}

/// One request and its answer, if the browser has the patience and nothing is lost.
pub(super) async fn visit(site: Arc<Site>, browser: Arc<Mutex<Browser>>, node: usize, errand: Errand) {
    let (world, weather) = (site.world.clone(), site.weather);
    let sent = browser.lock().send();
    let way = weather.way(&world);
    world.sleep(way.there).await;
    let hangs_up = world.draw(|random| random.u8(..20) == 0);
    let patience = if hangs_up { world.draw(|random| random.u64(..SECOND / 10)) } else { 10 * SECOND };
    let asked = Box::pin(world.ask(node, answer(Arc::clone(&site), node, sent, errand)));
    let Either::Left((Some(reply), _)) = select(asked, Box::pin(world.sleep(patience))).await else {
        return;
    };
    world.sleep(way.back).await;
    if way.lost.is_none() {
        browser.lock().take(&reply);
    }
}

/// What a node makes of a request.
async fn answer(site: Arc<Site>, index: usize, sent: Sent, errand: Errand) -> Reply {
    let nothing = Reply { cookie: None, session: None };
    let Some(node) = site.node(index) else { return nothing };
    let view = RequestView {
        method: &Method::GET,
        authority: None,
        target: "/",
        headers: &sent.headers,
        peer: None,
        websocket: false,
        may_set_cookie: true,
        cookie_join: HeaderJoin::Standard,
    };
    let exchange = node.engine.receive(&view, Route::default());
    if errand == Errand::Slow {
        site.world.sleep(site.world.draw(|random| random.u64(..8 * SECOND))).await;
    }
    let Some(found) = admitted(&site, index, &exchange, &sent).await else { return nothing };
    let session = serve(&site, index, &exchange, &sent, (found, errand)).await;
    let effects = exchange.conclude().await;
    Reply { cookie: effects.set_cookie.map(|cookie| cookie.as_str().to_owned()), session }
}

/// Which session is open, and whether that is right; `None` where nobody can tell.
async fn admitted(site: &Site, index: usize, exchange: &Exchange, sent: &Sent) -> Option<Option<SessionId>> {
    let (truth, node) = (&site.truth, site.node(index)?);
    let by = if exchange.open_at_once() { By::Memory } else { By::Store(site.world.now()) };
    let opened = match exchange.open().await {
        Ok(()) => exchange.identity().await,
        Err(error) => Err(error),
    };
    truth.count(|counted| counted.requests += 1);
    let Ok(identity) = opened else {
        truth.count(|counted| counted.unavailable += 1);
        return None;
    };
    match (&identity, sent.session) {
        (Some(identity), _) => {
            truth.count(|counted| counted.from_memory += u64::from(matches!(by, By::Memory)));
            let from = if matches!(by, By::Memory) { "memory" } else { "the store" };
            site.world.note(format_args!("node {index} admits {} by {from}", identity.session));
            truth.admitted(index, identity.session, &by, node.bound());
            if let (By::Memory, Ok(tally)) = (&by, exchange.read::<Tally>().await) {
                truth.counts(index, identity.session, tally.count, node.bound());
            }
            if *identity.subject() != sent.subject {
                truth.fault(format!("node {index} takes one user for another in {}", identity.session));
            }
        }
        (None, Some(presented)) => {
            site.world.note(format_args!("node {index} refuses {presented}"));
            truth.refused(index, presented);
        }
        (None, None) => {}
    }
    Some(identity.map(|identity| identity.session))
}

/// Does what was asked for; whose token the answer's cookie will be.
async fn serve(
    site: &Site,
    index: usize,
    exchange: &Exchange,
    sent: &Sent,
    (found, errand): (Option<SessionId>, Errand),
) -> Option<SessionId> {
    let truth = &site.truth;
    match (errand, found) {
        (Errand::Write, Some(id)) => {
            truth.updates(id, false);
            if exchange.update(|tally: &mut Tally| tally.count += 1).await.is_ok() {
                truth.updates(id, true);
            }
        }
        (Errand::SignOut, Some(id)) if exchange.sign_out().await.is_ok() => {
            site.world.note(format_args!("node {index} signed {id} out"));
            truth.known(index, id);
        }
        (Errand::SignIn, _) => {
            let attempt = exchange.begin(sent.subject.clone()).await.ok()?;
            site.world.sleep(site.world.draw(|random| random.u64(..SECOND / 2))).await;
            let attempt = exchange.verified(attempt, Amr::Pwd);
            let signed_in = exchange.complete(attempt, SignInOptions::default()).await.ok()?;
            site.world.note(format_args!("node {index} signed in {}", signed_in.session));
            return Some(signed_in.session);
        }
        (Errand::Slow, _) => site.world.sleep(site.world.draw(|random| random.u64(..SECOND))).await,
        _ => {}
    }
    found
}
