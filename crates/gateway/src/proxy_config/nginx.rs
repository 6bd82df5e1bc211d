//! nginx: `auth_request`, a subrequest whose status alone decides.
//!
//! What its configuration does, and why:
//!
//! * The subrequest gets a list of headers of its own: one `proxy_set_header` in a location undoes all those around it,
//!   the empty `Connection` that keeps connections open among them. `$request_uri` and `$http_host` are what the browser
//!   sent; `$host` beside it differs where the request line names another host.
//! * It has no body and no length, and no limit for one: the size of the browser's body is the app's matter.
//! * `auth_request` takes 2xx, 401 and 403, and makes anything else a 500. The decision endpoint answers only those three;
//!   the 500 of a gateway that is gone becomes a 503. The way to the sign-in page comes as `Location` of the 401, and
//!   `error_page` makes a redirect of it; a status that `auth_request` cannot carry comes as `Counterfoil-Status`. An
//!   app's own 401 and 500 are the app's: `proxy_intercept_errors` is off.
//! * `auth_request_set` takes headers out of the decision, also out of a denial; a header set to nothing is not sent, so
//!   what the browser sent under that name is gone either way.
//! * Names with `_` or `.` never arrive: `underscores_in_headers off`, `ignore_invalid_headers on`. `Connection` is
//!   never passed on, and what it names stays.
//! * With https, what is spoken is said here: nginx 1.22 and what stands around may allow more than anyone should. Port 80
//!   sends people on, each host to itself alone.
//! * The app gets the request line as it was sent (`proxy_pass` without a path), which is also what is judged.

use askama::Template;

use super::view::{Door, View};
use super::{ProxyFile, TOLD, written};

#[derive(Template)]
#[template(path = "proxy_config/nginx.conf", escape = "none")]
struct Conf<'a> {
    view: &'a View<'a>,
    told: Vec<(&'static str, String)>,
}

/// A file for `conf.d`.
pub(super) fn files(view: &View<'_>) -> Vec<ProxyFile> {
    let told = TOLD.iter().map(|name| (*name, name.to_lowercase().replace('-', "_"))).collect();
    vec![written(format!("counterfoil-{}.conf", view.app), &Conf { view, told })]
}

impl Door<'_> {
    /// The argument of `listen`.
    fn nginx(&self) -> String {
        let address = if self.loopback { "127.0.0.1:" } else { "" };
        let tls = if self.https { " ssl http2" } else { "" };
        format!("{address}{}{tls}", self.port)
    }

    /// Hosts that are sent on from port 80: those at the usual port of https.
    fn plain_hosts(&self) -> &[&str] {
        if self.https && self.port == 443 { &self.hosts } else { &[] }
    }
}
