//! `HAProxy`: an action in Lua that asks with its own HTTP client.
//!
//! What its configuration does, and why:
//!
//! * No Lua of anybody else's is needed: `core.httpclient` is built in from 2.5 on.
//! * The action hands every value of a header over as a line of its own, so that two `Cookie` lines stay two.
//! * `pathq` is path and query as they were sent, also where the request line names a host; that host and `Host` must
//!   not differ.
//! * Names that begin with `counterfoil` are taken out of the request by prefix, in any spelling, before anybody is
//!   asked; afterwards each is set from the decision, also where it is empty.
//! * A denial ends the request in the action, with the decision's status, body and the headers a browser needs. No
//!   answer, or one that is not understood, is a 503.
//! * The cookie waits in a variable of the request until there is an answer to add it to.

use askama::Template;

use super::view::View;
use super::{ProxyFile, TOLD, written};

#[derive(Template)]
#[template(path = "proxy_config/haproxy.cfg", escape = "none")]
struct Cfg<'a> {
    view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "proxy_config/haproxy.lua", escape = "none")]
struct Lua<'a> {
    view: &'a View<'a>,
    told: String,
}

/// A configuration and the action it loads.
pub(super) fn files(view: &View<'_>) -> Vec<ProxyFile> {
    let told = TOLD.map(|name| format!("\"{}\"", name.to_lowercase())).join(", ");
    vec![
        written(format!("counterfoil-{}.cfg", view.app), &Cfg { view }),
        written(format!("counterfoil-{}.lua", view.app), &Lua { view, told }),
    ]
}
