//! The pages of the gateway, below `/.session/` on each app's own host: signing in, devices, and what belongs to it.
//!
//! Server-rendered; they need no script, and their content policy allows none. All that they do with sessions is done by
//! the layers and extractors of the app's own [`Site::sessions`](crate::gateway::Site::sessions).

mod door;
mod fields;
mod headers;
mod history;
mod problem;
mod qr;
mod routes;
mod views;
mod visitor;

use std::sync::Arc;

use axum::Router;

use crate::accounts::Accounts;

pub use self::door::router;
pub(crate) use self::headers::security_headers;
pub use self::history::{History, KEPT_LINES, MOST_SESSIONS, MOST_SUBJECTS};

/// What the pages need beside the gateway. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Local {
    /// Who may sign in.
    pub accounts: Accounts,
    /// What happened to their sessions: the sink that the gateway tells.
    pub history: Arc<History>,
}

/// Where people are sent to sign in; with `?next=`.
pub const SIGN_IN: &str = "/.session/login";
/// Where people are sent to step up; with `?next=`.
pub const STEP_UP: &str = "/.session/step-up";
/// Where people are sent whose form was refused; with `?reason=`.
pub const DENIED: &str = "/.session/denied";

/// The pages of one app.
fn of_site(site: &Arc<crate::gateway::Site>, local: &Local) -> Router {
    routes::service(visitor::Here { site: Arc::clone(site), local: local.clone() })
}
