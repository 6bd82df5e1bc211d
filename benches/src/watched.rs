//! The site with everything on that sees it: metrics, the audit trail, JSON lines, webhooks and OpenTelemetry.

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use counterfoil::{Clock, Counterfoil, Event, EventSink as _, MemoryStore, Policy, SignedIn, SystemClock};
use counterfoil_telemetry::{EventMeters, EventSettings, Running};
use http::StatusCode;
use prometheus_client::registry::Registry;
use serde_json::json;
use tempfile::TempDir;

use crate::site::{FixedKeys, ORIGIN, login};
use crate::{BODY, Failed};

/// The route of the bare server for whoever is signed in, at `/watched`, and a way to sign in. A runtime must be entered: receivers are
/// in the same process, and hear of sign-ins.
///
/// # Errors
/// If policy or keys are refused, or nothing can be written or listened to.
pub fn rooms() -> Result<Router, Failed> {
    let folder = TempDir::new()?;
    let events = settings(&folder, receiver()?)?.start(&(Arc::new(SystemClock) as Arc<dyn Clock>), "bench", None)?;
    let mut registry = Registry::with_prefix("counterfoil");
    let meters = EventMeters::in_registry(&mut registry);
    events.counted_by(&meters);
    let (counted, told) = (meters.begin("bench"), events.telemetry().site("bench"));
    let site = Counterfoil::builder(Policy::aal2(ORIGIN)?, &FixedKeys, MemoryStore::new())?;
    let site = site
        .events(move |event: &Event| {
            counted.happened(&event.kind);
            told.emit(event);
        })
        .build();
    let kept = Arc::new(Kept { _folder: folder, _events: events, _registry: registry });
    let read = move |_: SignedIn| {
        let _kept = &kept;
        std::future::ready(BODY)
    };
    let inside = Router::new().route("/watched", get(read)).layer(site.sessions());
    Ok(inside.merge(Router::new().route("/watched/login", post(login)).layer(site.sessions().public().sign_in())))
}

/// As long as somebody can ask.
struct Kept {
    _folder: TempDir,
    _events: Running,
    _registry: Registry,
}

fn settings(folder: &TempDir, receiver: u16) -> Result<EventSettings, Failed> {
    let at = |path: &str| format!("http://127.0.0.1:{receiver}/{path}");
    let all = json!({
        "trail": { "folder": "trail" },
        "lines": { "file": "events.jsonl" },
        "webhooks": [{ "name": "siem", "url": at("webhook"), "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] }],
        "otlp": { "url": at("v1/logs") },
    });
    Ok(serde_json::from_value::<EventSettings>(all)?.within(folder.path()))
}

/// Takes whatever it is sent.
fn receiver() -> Result<u16, Failed> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let taking = Router::new().fallback(async || StatusCode::NO_CONTENT);
    tokio::spawn(async move { axum::serve(listener, taking).await });
    Ok(port)
}
