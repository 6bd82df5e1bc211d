//! What whoever watches the demo sees: what happens to its sessions as metrics, for Prometheus.
//!
//! # Security
//! No session, subject or address is in here, and the series are the same whatever clients send.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use counterfoil_serve::{Bound, Bounds};
use counterfoil_telemetry::{EventMeters, Running, SiteEventMeters};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::net::TcpListener;

/// A listener for whoever watches, and what it shows.
#[derive(Debug)]
pub struct Watch {
    listener: TcpListener,
    registry: Registry,
    counted: SiteEventMeters,
}

impl Watch {
    /// Listens there; what `events` lose on their way is shown as well.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub async fn open(address: SocketAddr, events: &Running) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let mut registry = Registry::with_prefix("counterfoil");
        let meters = EventMeters::in_registry(&mut registry);
        events.counted_by(&meters);
        Ok(Self { listener, registry, counted: meters.begin("demo") })
    }

    /// Where it really listens: port 0 takes a free one.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What counts the demo's events.
    pub const fn counted(&self) -> &SiteEventMeters {
        &self.counted
    }

    /// Answers until this is dropped.
    pub async fn answer(self) {
        let registry = Arc::new(self.registry);
        let show = move || {
            let registry = Arc::clone(&registry);
            async move { text(&registry) }
        };
        let routes = Router::new().route("/metrics", get(show));
        Bound::plain(self.listener).within(Bounds::OF_PROXIES).serve(routes, std::future::pending()).await;
    }
}

fn text(registry: &Registry) -> Response {
    let mut text = String::new();
    if encode(&mut text, registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    ([(header::CONTENT_TYPE, OPEN_METRICS), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
