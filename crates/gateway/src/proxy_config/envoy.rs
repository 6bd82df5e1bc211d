//! Envoy: the filter `ext_authz`, over HTTP or gRPC.
//!
//! What its configuration does, and why:
//!
//! * Names that begin with `counterfoil` are taken out of the request by prefix before any filter sees it; names with `_`
//!   are dropped altogether. Then each is set from the decision, also where it is empty.
//! * Method and path travel as the decision request's own, behind our prefix. Of the other headers only those a decision
//!   reads are sent, by name.
//! * Paths are neither normalised nor unescaped: the app gets what was sent, which is also what is judged.
//! * `failure_mode_allow` is off, and a gateway that does not answer is a 503.
//! * What the browser says about addresses is removed first, so that `x-forwarded-for` is the peer's address alone.
//! * A denial's headers go to the browser as they are; with an answer of the app's, `set-cookie` alone does.

use askama::Template;

use super::view::View;
use super::{ProxyFile, TOLD, written};

/// How decisions are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contract {
    Http,
    Grpc,
}

#[derive(Template)]
#[template(path = "proxy_config/envoy.yaml", escape = "none")]
struct Yaml<'a> {
    view: &'a View<'a>,
    grpc: bool,
    told: Vec<String>,
    read: &'static [&'static str],
}

/// A whole configuration: listeners, filters, clusters.
pub(super) fn files(view: &View<'_>, contract: Contract) -> Vec<ProxyFile> {
    let told = TOLD.map(str::to_lowercase).to_vec();
    let template = Yaml { view, grpc: contract == Contract::Grpc, told, read: &READ };
    vec![written(format!("counterfoil-{}.yaml", view.app), &template)]
}

/// What a decision may depend on, beside method, path and host. `authorization` is always sent.
#[rustfmt::skip]
const READ: [&str; 24] = [
    // Who asks.
    "cookie", "x-csrf-token", "x-csrf",
    // From where: the CSRF decision.
    "origin", "referer", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user",
    // What is meant: a page or data, a WebSocket, another method, nothing yet.
    "accept", "accept-language", "upgrade", "sec-websocket-key", "x-http-method-override", "x-http-method", "x-method-override",
    "sec-purpose", "purpose",
    // With what: the list of devices.
    "user-agent", "sec-ch-ua-platform",
    // By which way; set by Envoy.
    "x-forwarded-for", "x-forwarded-proto",
    // For logs.
    "traceparent", "x-request-id",
];
