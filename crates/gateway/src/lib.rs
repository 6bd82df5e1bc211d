//! What `counterfoil serve` runs: sessions for apps in any language, behind any proxy.

pub mod accounts;
pub mod app;
pub mod app_cookies;
pub mod assertion;
pub mod authz;
pub mod config;
mod decide;
pub mod doctor;
pub mod gateway;
pub mod ops;
pub mod options;
pub mod owned;
pub mod pages;
mod private;
pub mod proxy_config;
pub mod request;
pub mod rules;
pub mod server;
#[cfg(test)]
mod testing;

use axum::Router;
use counterfoil_serve::{Log, shared_signals};

use authz::Decisions;
use gateway::Gateway;
use options::ServeArgs;
use pages::Local;
use server::{Routers, ServeFailed};

/// Runs the gateway until ctrl-c or SIGTERM; SIGHUP reads the configuration again. What `log` loses is counted.
///
/// # Errors
/// As [`server::run`].
pub async fn serve(arguments: ServeArgs, log: Log) -> Result<(), ServeFailed> {
    server::run(arguments.into(), log, routers).await
}

/// Everything the gateway serves, to each kind of caller what is for them.
pub fn routers(gateway: &Gateway, local: &Local) -> Routers {
    let keys = assertion::jwks_router(gateway.clone());
    let pages = pages::router(gateway.clone(), local.clone());
    let signals = gateway.signals().cloned().map(|signals| {
        let gateway = gateway.clone();
        shared_signals::router(signals, move || gateway.operator())
    });
    let public = Router::new().merge(keys).merge(signals.unwrap_or_default()).fallback_service(pages);
    Routers { public: doctor::on_public(public, gateway.clone()), decision: Decisions::of(gateway.clone()) }
}
