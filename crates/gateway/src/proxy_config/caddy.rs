//! Caddy: what `forward_auth` is short for, written out.
//!
//! What its configuration does, and why:
//!
//! * The long form sets every header from the decision, also where it is empty. That is how `Cookie` becomes nothing for
//!   somebody who had only ours.
//! * Names that begin with `Counterfoil` are taken out of the request by prefix, in any spelling, before anybody is asked.
//! * What `Connection` names is taken out of a request as it is passed on, after the decision. A request whose
//!   `Connection` names a header of ours is refused before.
//! * The address of the decision ends in `?`, so it has no query.
//! * A decision with a cookie is told from one without, so that no answer ever carries an empty `Set-Cookie`.
//! * `route` keeps the order of this file.

use askama::Template;

use super::view::View;
use super::{ProxyFile, TOLD, written};

#[derive(Template)]
#[template(path = "proxy_config/Caddyfile", escape = "none")]
struct Caddyfile<'a> {
    view: &'a View<'a>,
    told: [&'static str; 5],
    loopback: bool,
}

/// A file to import.
pub(super) fn files(view: &View<'_>) -> Vec<ProxyFile> {
    let loopback = view.doors.iter().all(|door| door.loopback);
    vec![written(format!("counterfoil-{}.caddy", view.app), &Caddyfile { view, told: TOLD, loopback })]
}
