//! Configurations for the proxies apps stand behind, written from what the gateway knows of an app.
//!
//! Each proxy's module says what its configuration does and why. What all of them do:
//!
//! * Every request for the app is first asked about at the decision listener, without its body. What is not a 2xx goes
//!   back to the browser instead of the app's answer; no answer at all is an error, never a way in.
//! * What names the request (method, host, target, scheme, address) is set by the proxy, whatever the browser sent under
//!   those names. The address of the decision names the app; nothing is read from the query.
//! * Headers whose names begin with `Counterfoil`, however they are spelled, are the gateway's alone: what the browser
//!   sent is thrown away, and then each is set from the decision, also where it is empty.
//! * `Cookie` is replaced by the decision's, which lacks ours.
//! * The decision's `Set-Cookie` is added to the app's answer, unless the app is configured with `cookie_return = none`.
//! * `/.session/` and `/.well-known/counterfoil/` go to the public listener, and `/authz/` goes nowhere.

mod caddy;
mod envoy;
mod haproxy;
mod nginx;
#[cfg(test)]
mod tests;
mod traefik;
mod view;

use std::path::PathBuf;

use self::view::View;
use crate::app::{AppConfig, AppName, Proxy};
use crate::config::Listen;
use counterfoil_telemetry::set::SignalSettings;

/// A file to give to a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyFile {
    /// What to call it: others name it so.
    pub name: String,
    /// What is in it. Its first lines say where it belongs.
    pub text: String,
}

/// Where the proxy finds the certificate of the app's hosts, and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate and those between it and a root.
    pub chain: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A configuration that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyConfigError {
    /// Nothing says where the app is.
    #[error("nothing says where app `{0}` itself listens: set its `upstream`, such as http://127.0.0.1:8080")]
    NoUpstream(AppName),
    /// It says so in a way that a proxy cannot take over.
    #[error("`{upstream}` of app `{app}`: write scheme http, host and port, and nothing after them")]
    Upstream {
        /// Whose.
        app: AppName,
        /// What was configured.
        upstream: String,
    },
    /// A path that would end a string of the configuration.
    #[error("`{0}`: a path of letters, digits and any of / . _ - + @ can be written into every proxy's configuration")]
    Path(PathBuf),
}

/// The configuration of `proxy` for `app`, whose gateway listens at `listen`.
///
/// Without a `certificate`, paths stand in its place for the operator to put right, except where the proxy gets its
/// certificates by itself. Apps on loopback without TLS need none. Where `signals` are told by a host of the app's, it also
/// passes on what their receivers look up.
///
/// # Errors
/// [`ProxyConfigError`], if the app's configuration lacks what a proxy must know.
///
/// # Security
/// It protects what it is alone in front of: an app that others reach by another way must check the assertion itself.
pub fn proxy_config(
    proxy: Proxy,
    app: &AppConfig,
    listen: &Listen,
    certificate: Option<&Certificate>,
    signals: Option<&SignalSettings>,
) -> Result<Vec<ProxyFile>, ProxyConfigError> {
    let view = View::new(app, listen, certificate, signals)?;
    Ok(match proxy {
        Proxy::Nginx => nginx::files(&view),
        Proxy::Traefik => traefik::files(&view),
        Proxy::Caddy => caddy::files(&view),
        Proxy::Haproxy => haproxy::files(&view),
        Proxy::Envoy => envoy::files(&view, envoy::Contract::Http),
        Proxy::EnvoyGrpc => envoy::files(&view, envoy::Contract::Grpc),
    })
}

/// What the gateway tells the app, empty where there is nothing to tell. `Cookie`, which it rewrites, comes beside them.
pub(crate) const TOLD: [&str; 5] = [
    "Counterfoil-Assertion",
    "Counterfoil-Subject",
    "Counterfoil-Session",
    "Counterfoil-Assurance",
    "Counterfoil-Auth-Time",
];

/// What a template made. Writing to a string cannot fail, and our templates call nothing that can.
fn written(name: String, template: &impl askama::Template) -> ProxyFile {
    let mut text = template.render().unwrap_or_default();
    text.push('\n');
    ProxyFile { name, text }
}
