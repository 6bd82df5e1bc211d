//! What `counterfoil serve` runs: sessions for apps in any language, behind any proxy.

pub mod accounts;
pub mod app;
pub mod assertion;
pub mod authz;
pub mod config;
mod decide;
pub mod gateway;
pub mod ops;
pub mod options;
pub mod owned;
pub mod pages;
pub mod proxy_config;
pub mod request;
pub mod rules;
pub mod server;
#[cfg(test)]
mod testing;

use options::ServeArgs;
use server::{Routers, ServeFailed};

/// Runs the gateway until ctrl-c or SIGTERM; SIGHUP reads the configuration again.
///
/// # Errors
/// As [`server::run`].
pub async fn serve(arguments: ServeArgs) -> Result<(), ServeFailed> {
    server::run(arguments.into(), |_, _| Ok(Routers::default())).await
}
