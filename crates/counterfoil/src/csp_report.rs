//! Where browsers report what a content security policy stopped: bounded in size, time and number, told as events.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use counterfoil_core::engine::Exchange;
use counterfoil_core::headers::{CspViolation, NotAReport};
use counterfoil_core::seam::Route;
use counterfoil_core::{EventKind, Moment};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use parking_lot::Mutex;

use crate::layer::gate;
use crate::reply::{Asked, NO_STORE};
use crate::site::Site;

/// Where [`Counterfoil::csp_reports`](crate::Counterfoil::csp_reports) listens.
pub const CSP_REPORT_PATH: &str = "/.session/csp-report";

/// Reports of a site that become events within a minute; the others are only counted. A page that breaks its own policy
/// shows well within a hundred, and a flood of made-up ones costs no more than that in the log.
pub const REPORTS_PER_MINUTE: u32 = 100;

/// How much of this minute's ration is used.
#[derive(Debug, Default)]
pub(crate) struct Ration(Mutex<Used>);

pub(crate) fn routes<S: Clone + Send + Sync + 'static>(site: Arc<Site>) -> Router<S> {
    Router::new().route(CSP_REPORT_PATH, post(receive)).with_state(site)
}

/// 204 for a report, told or not: its sender learns nothing.
async fn receive(State(site): State<Arc<Site>>, request: Request<Body>) -> Response {
    let exchange = Arc::new(gate::receive(&site, Route { public: true, ..Route::default() }, &request));
    let asked = Asked::of(&request, &exchange);
    let (parts, body) = match gate::admit_alone(Arc::clone(&site), Arc::clone(&exchange), request).await {
        Ok((_, request)) => request.into_parts(),
        Err(refusal) => return refusal.into_reply(&asked, &site),
    };
    let media_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    answer(match read(media_type, body).await {
        Ok(violations) => {
            tell(&site, &exchange, &violations);
            StatusCode::NO_CONTENT
        }
        Err(status) => status,
    })
}

async fn read(media_type: &str, body: Body) -> Result<Vec<CspViolation>, StatusCode> {
    let collecting = Limited::new(body, CspViolation::MAX_BODY).collect();
    let body = tokio::time::timeout(PATIENCE, collecting).await.map_err(|_| StatusCode::REQUEST_TIMEOUT)?;
    let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.to_bytes();
    CspViolation::read(media_type, &body).map_err(|refusal| match refusal {
        NotAReport::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => StatusCode::BAD_REQUEST,
    })
}

fn tell(site: &Site, exchange: &Exchange, violations: &[CspViolation]) {
    for CspViolation { directive, blocked, enforced } in violations.iter().copied() {
        match site.reports.take(exchange.arrived_at()) {
            Allowance::Tell => {
                let kind = EventKind::CspViolated { directive, blocked, enforced };
                site.engine.tell(exchange.presented(), None, kind);
            }
            Allowance::UsedUp => tracing::warn!(
                rule = "csp",
                "more than {REPORTS_PER_MINUTE} content policy reports within a minute: the rest of them is dropped"
            ),
            Allowance::Silent => {}
        }
    }
}

fn answer(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

#[derive(Debug, Default)]
struct Used {
    minute: u64,
    taken: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Allowance {
    Tell,
    /// The first of a minute that is too many: worth a line in the log.
    UsedUp,
    Silent,
}

impl Ration {
    fn take(&self, now: Moment) -> Allowance {
        let mut used = self.0.lock();
        let minute = now.unix_seconds() / 60;
        if used.minute != minute {
            *used = Used { minute, taken: 0 };
        }
        used.taken = used.taken.saturating_add(1);
        match used.taken {
            taken if taken <= REPORTS_PER_MINUTE => Allowance::Tell,
            taken if taken == REPORTS_PER_MINUTE + 1 => Allowance::UsedUp,
            _ => Allowance::Silent,
        }
    }
}

/// A report is a kilobyte and comes in one piece.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_its_ration_and_the_next_one_its_own() {
        let ration = Ration::default();
        let at = |seconds| Moment::from_unix_seconds(seconds);
        assert!((0..REPORTS_PER_MINUTE).all(|_| ration.take(at(600)) == Allowance::Tell));
        assert_eq!(ration.take(at(601)), Allowance::UsedUp);
        assert_eq!(ration.take(at(659)), Allowance::Silent);
        assert_eq!(ration.take(at(660)), Allowance::Tell);
    }
}
