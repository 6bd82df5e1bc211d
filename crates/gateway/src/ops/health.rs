//! `/healthz`, `/readyz` and `/metrics`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use counterfoil::stores::embedded::LiveSessions;
use counterfoil::stores::near_cache::Figures;
use counterfoil::{Moment, StoreTime};
use counterfoil_serve::Log;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::time::timeout;

use crate::gateway::Gateway;

/// What the health listener knows. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    gateway: Gateway,
    phase: Arc<AtomicU8>,
    count_sessions: Arc<dyn Fn(Moment) -> Option<LiveSessions> + Send + Sync>,
    near_cache: Option<NearCacheFigures>,
    log: Option<Log>,
}

/// Tells what a near cache did so far, and its bound.
pub type NearCacheFigures = Arc<dyn Fn() -> (Figures, Duration) + Send + Sync>;

/// How far the gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// It does not listen yet.
    Starting,
    /// It answers.
    Serving,
    /// It answers what still comes, and will be gone soon.
    Stopping,
}

impl Health {
    /// Of `gateway`, whose store holds as many sessions as `count_sessions` says of a moment, if it knows.
    pub fn new(
        gateway: Gateway,
        count_sessions: impl Fn(Moment) -> Option<LiveSessions> + Send + Sync + 'static,
    ) -> Self {
        Self { gateway, phase: Arc::default(), count_sessions: Arc::new(count_sessions), near_cache: None, log: None }
    }

    /// Says as well what this memory before the store does, if there is one.
    pub fn remembering(self, near_cache: Option<NearCacheFigures>) -> Self {
        Self { near_cache, ..self }
    }

    /// Says as well what this log loses.
    pub fn with(self, log: Log) -> Self {
        Self { log: Some(log), ..self }
    }

    /// The gateway.
    pub const fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// From now on it is so far.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Why nobody should ask this gateway now; nothing if it is ready.
    async fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let phase = self.phase.load(Ordering::Relaxed);
        if phase == Phase::Starting as u8 {
            reasons.push("starting".to_owned());
        } else if phase == Phase::Stopping as u8 {
            reasons.push("stopping".to_owned());
        }
        for site in self.gateway.sites().iter() {
            if let Err(error) = self.gateway.ring().load().suits(site.app.policy.limits()) {
                reasons.push(format!("keys: app {}: {error}", site.app.name));
            }
        }
        match timeout(LONGEST_LOOK, self.gateway.store().epochs(None)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => reasons.push(format!("store: {error}")),
            Err(_) => reasons.push("store: no answer".to_owned()),
        }
        if let Some(refused) = self.gateway.time().and_then(StoreTime::refusal) {
            reasons.push(format!("clock: {refused}"));
        }
        reasons
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Health").field("phase", &self.phase).finish_non_exhaustive()
    }
}

/// The health listener's routes.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(|| async { plain(StatusCode::OK, "alive\n".to_owned()) }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn ready(State(health): State<Health>) -> Response {
    let reasons = health.reasons().await;
    if reasons.is_empty() {
        return plain(StatusCode::OK, "ready\n".to_owned());
    }
    plain(StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", reasons.join("\n")))
}

async fn metrics(State(health): State<Health>) -> Response {
    let meters = health.gateway.meters();
    meters.ready(health.reasons().await.is_empty());
    if let Some(live) = (health.count_sessions)(health.gateway.now()) {
        meters.sessions(live);
    }
    if let Some(correction) = health.gateway.time().and_then(StoreTime::correction) {
        meters.clock_correction(correction);
    }
    if let Some(near_cache) = &health.near_cache {
        let (figures, bound) = near_cache();
        meters.near_cache(&figures, bound);
    }
    if let Some(figures) = health.gateway.detector() {
        meters.detector(&figures);
    }
    meters.log_lines_lost(health.log.as_ref().map_or(0, Log::lost));
    match meters.text() {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS), (CACHE_CONTROL, "no-store")], text).into_response(),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "metrics cannot be written\n".to_owned()),
    }
}

fn plain(status: StatusCode, text: String) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")], text).into_response()
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Whoever looks whether we are ready waits a second or two.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use counterfoil::stores::near_cache::{NearCache, Settings};
    use counterfoil::{Clock as _, GeneratedKeys, MemoryStore, Store as _, StoreError, SystemClock};
    use counterfoil_core::keys::SharedRing;
    use counterfoil_core::testing::{Fault, Hook, Hooked};
    use http::Request;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;
    use crate::testing;

    async fn look(health: &Health, path: &str) -> (u16, String) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = router(health.clone()).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn ready_is_said_while_serving_and_only_while_the_store_answers() {
        let (gateway, store) = testing::gateway_on_a_faulty_store();
        assert!(!gateway.time().unwrap().look().await, "this store has no clock");
        let health =
            Health::new(gateway.clone(), |_| Some(LiveSessions { authenticated: 3, ..LiveSessions::default() }));
        assert_eq!(look(&health, "/readyz").await, (503, "starting\n".to_owned()));
        health.enter(Phase::Serving);
        assert_eq!(look(&health, "/readyz").await, (200, "ready\n".to_owned()));
        assert!(look(&health, "/metrics").await.1.contains("counterfoil_ready 1\n"));
        store.faults().on_all(Fault::Before);
        let (status, text) = look(&health, "/readyz").await;
        assert_eq!(status, 503, "{text}");
        assert!(text.starts_with("store: session store is unavailable"), "{text}");
        assert_eq!(look(&health, "/healthz").await, (200, "alive\n".to_owned()), "a restart would not help");
        let (_, text) = look(&health, "/metrics").await;
        assert!(text.contains(r#"counterfoil_store_errors_total{verb="epochs"} 2"#), "a scrape looks, too: {text}");
        assert!(text.contains("counterfoil_ready 0\n"), "{text}");
        assert!(text.contains("counterfoil_sessions{assurance=\"authenticated\"} 3\n"), "{text}");
        store.faults().heal();
        health.enter(Phase::Stopping);
        assert_eq!(look(&health, "/readyz").await, (503, "stopping\n".to_owned()));
    }

    #[tokio::test]
    async fn the_memory_before_the_store_is_measured_where_there_is_one() {
        let (gateway, store) = testing::gateway_on_a_faulty_store();
        let health = Health::new(gateway, |_| None);
        assert!(!look(&health, "/metrics").await.1.contains("counterfoil_near_cache_bound_seconds{"));
        let clock = counterfoil::FakeClock::at(Moment::from_unix_seconds(1_800_000_000));
        let spawn = |task| drop(tokio::spawn(task));
        let near = NearCache::new(MemoryStore::new(), clock, Settings::default(), spawn).unwrap();
        drop(store);
        let nobody = counterfoil::SessionId::from_bytes([7; counterfoil::SessionId::LENGTH]);
        assert!(near.peek(nobody, Moment::EPOCH, None).is_none());
        let health = health.remembering(Some(Arc::new(move || (near.figures(), near.settings().bound))));
        let (_, text) = look(&health, "/metrics").await;
        for line in [
            r#"counterfoil_near_cache_lookups_total{outcome="hit"} 0"#,
            r#"counterfoil_near_cache_lookups_total{outcome="bypassed"} 1"#,
            "counterfoil_near_cache_bound_seconds{} 3.0",
            "counterfoil_near_cache_sessions{} 0",
            "counterfoil_near_cache_size_bytes{} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(!text.contains("counterfoil_near_cache_lag_seconds{"), "no store has said a moment yet:\n{text}");
    }

    /// A store whose clock is a day behind.
    struct Yesterday;

    impl Hook for Yesterday {
        async fn time(
            &self,
            _: impl Future<Output = Result<Option<Moment>, StoreError>> + Send,
        ) -> Result<Option<Moment>, StoreError> {
            Ok(Some(Moment::from_unix_millis(SystemClock.now().unix_millis() - 86_400_000)))
        }
    }

    #[tokio::test]
    async fn a_clock_that_is_too_far_off_the_stores_is_said_with_what_to_do() {
        let store = Arc::new(Hooked::new(Arc::new(MemoryStore::new()), Yesterday));
        let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
        let gateway = Gateway::new(&[testing::app("wiki")], ring, store).unwrap();
        let health = Health::new(gateway.clone(), |_| None);
        health.enter(Phase::Serving);
        let unread = "clock: the session store's clock could not be read yet\n".to_owned();
        assert_eq!(look(&health, "/readyz").await, (503, unread));
        assert!(!look(&health, "/metrics").await.1.contains("counterfoil_clock_correction_seconds{"));
        gateway.time().unwrap().look().await;
        let (status, text) = look(&health, "/readyz").await;
        assert_eq!(status, 503, "{text}");
        assert!(text.starts_with("clock: this node's clock is 86"), "{text}");
        assert!(text.contains("run an NTP client"), "{text}");
        let (_, text) = look(&health, "/metrics").await;
        assert!(text.contains("counterfoil_clock_correction_seconds{} -86"), "{text}");
    }
}
