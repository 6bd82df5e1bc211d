//! Traefik: the `forwardAuth` middleware.
//!
//! What its configuration does, and why:
//!
//! * `trustForwardHeader: false`: method, host, target, scheme and address are what Traefik saw. Addresses that proxies in
//!   front of Traefik forward are trusted where its entry point says so, not here.
//! * Names that begin with `Counterfoil` are taken out of the request by pattern, in any spelling, and set from the
//!   decision by the same pattern; `Cookie` by its name.
//! * What `Connection` names is taken out of a request at the last moment, after the decision. A request whose
//!   `Connection` names a header of ours is refused before.
//! * Only our cookies come back with an answer of the app's; a denial is passed on whole, its relative `Location` as it
//!   is.
//! * There is no answer that Traefik gives by itself but a refusal by address, so that is what refuses.

use askama::Template;

use super::view::View;
use super::{ProxyFile, written};

#[derive(Template)]
#[template(path = "proxy_config/traefik.yml", escape = "none")]
struct Static<'a> {
    view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "proxy_config/traefik-app.yml", escape = "none")]
struct Dynamic<'a> {
    view: &'a View<'a>,
    hosts: String,
}

/// Entry points for who has none yet, and routers, middlewares and services for the file provider.
pub(super) fn files(view: &View<'_>) -> Vec<ProxyFile> {
    let hosts: Vec<_> = view.hosts().iter().map(|host| format!("Host(`{host}`)")).collect();
    let hosts = if hosts.len() == 1 { hosts.concat() } else { format!("({})", hosts.join(" || ")) };
    vec![
        written(format!("counterfoil-{}.yml", view.app), &Dynamic { view, hosts }),
        written("traefik.yml".to_owned(), &Static { view }),
    ]
}
