//! The bare server: one route, the same body, nothing else. What Counterfoil costs is what is added to this.

use std::process::ExitCode;

use axum::Router;
use axum::routing::get;
use counterfoil_benches::BODY;
use counterfoil_benches::server::serve;

fn main() -> ExitCode {
    serve(Router::new().route("/", get(async || BODY)))
}
