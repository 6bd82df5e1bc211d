//! What an audit has to know of a site: how to sign in and out, what shows it, and what it may change.
//!
//! ```
//! use counterfoil_audit::profile::Profile;
//!
//! let profile: Profile = r#"
//!     site = "https://app.example.org"
//!
//!     [sign_in]
//!     page = "/login"
//!     form = { user = "{user}", password = "{password}" }
//!
//!     [account]
//!     user = "alice"
//!
//!     [signed_in]
//!     url = "/account"
//!     marker = "Signed in as alice"
//! "#
//! .parse()?;
//! assert_eq!(profile.site.host_str(), Some("app.example.org"));
//! # Ok::<(), counterfoil_audit::profile::ProfileError>(())
//! ```

mod read;
#[cfg(test)]
mod tests;
mod written;

use std::collections::BTreeMap;

use http::Method;
use url::Url;

pub use self::read::ProfileError;

/// How to sign in to a site and what may be changed there; read from TOML.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Profile {
    /// Where the site is; nothing else is asked.
    pub site: Url,
    /// How to sign in.
    pub sign_in: SignIn,
    /// Who signs in.
    pub account: Account,
    /// Somebody else.
    pub second_account: Option<Account>,
    /// What shows that somebody is signed in.
    pub signed_in: Marker,
    /// What shows that nobody is; without it, the absence of the other and a status that says so.
    pub anonymous: Option<String>,
    /// How to sign out.
    pub sign_out: Option<Step>,
    /// Requests that change something.
    pub changes: Vec<Change>,
    /// Requests that raise what a session may do.
    pub raises: Vec<Raise>,
    /// The change of the password.
    pub password_change: Option<Vec<Step>>,
    /// Where people see their sessions.
    pub sessions: Option<SessionsPage>,
    /// Bearer tokens beside or instead of cookies.
    pub tokens: Option<Tokens>,
    /// A request that takes long and uses the session.
    pub slow: Option<Step>,
    /// A `WebSocket` for signed-in people.
    pub socket: Option<Socket>,
    /// Half-done flows that must reach nothing.
    pub pending: Vec<Pending>,
    /// What the site states about lifetimes.
    pub limits: Limits,
    /// The site's address without TLS; derived where it is absent.
    pub plain_http: Option<Url>,
    /// The name of the form field or header that carries the CSRF token, where it cannot be told from the page.
    pub token_field: Option<String>,
}

/// One or more requests after which somebody is signed in, or what somebody does in a browser.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SignIn {
    /// In their order; the credentials go out with the first that names them. None where a browser signs in.
    pub steps: Vec<Step>,
    /// For a sign-in that takes the scripts of its page.
    pub script: Option<Script>,
}

/// A sign-in that takes a browser.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Script {
    /// The page it begins at.
    pub page: String,
    /// What is filled in, one after another.
    pub screens: Vec<Screen>,
}

/// Fields that are filled in together, and the button after them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Screen {
    /// By name, id or CSS selector.
    pub form: BTreeMap<String, String>,
    /// The button's CSS selector, where it is not that of the fields' form.
    pub submit: Option<String>,
}

/// Credentials.
#[derive(Clone)]
pub struct Account {
    /// For `{user}`.
    pub user: String,
    /// For `{password}`.
    pub password: String,
}

/// A page and words on it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Marker {
    /// Path and query below the site.
    pub url: String,
    /// Words that are on it for whoever is signed in, and for nobody else. `{user}` stands for the account.
    pub marker: String,
}

/// A request, with what is read before it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Step {
    /// Read first. The hidden fields of its form are sent along, and `{csrf}` is taken from it.
    pub page: Option<String>,
    /// Method and path; without it, what the page's form says.
    pub request: Option<(Method, String)>,
    /// Form fields.
    pub form: BTreeMap<String, String>,
    /// A JSON body, instead of a form.
    pub json: Option<serde_json::Value>,
    /// Header fields.
    pub headers: BTreeMap<String, String>,
}

/// A request that changes something, and where the change is seen.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Change {
    /// The request; a value with `{random}` in it is what is looked for afterwards.
    pub step: Step,
    /// The page that shows it.
    pub read: String,
}

/// A request that raises what a session may do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Raise {
    /// The request.
    pub step: Step,
    /// What only a raised session reaches.
    pub reaches: Marker,
}

/// Where people see their sessions.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionsPage {
    /// Path and query below the site.
    pub url: String,
    /// What is on it once for every session.
    pub each: Option<String>,
}

/// Bearer tokens.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tokens {
    /// The field of the sign-in's JSON answer that holds the access token.
    pub access_field: String,
    /// The one that holds the refresh token.
    pub refresh_field: Option<String>,
    /// How to refresh: `{refresh}` stands for the token; the answer holds `access_field` again.
    pub refresh: Option<Step>,
}

/// A `WebSocket` for signed-in people.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Socket {
    /// Path and query below the site.
    pub url: String,
    /// Sent after the upgrade, where the server waits for something.
    pub send: Option<String>,
    /// What comes back to whoever is signed in. Without it, the upgrade itself is the proof.
    pub expects: Option<String>,
}

/// A flow that stops half-way.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pending {
    /// Which.
    pub kind: PendingKind,
    /// What is done of it.
    pub steps: Vec<Step>,
}

/// Which flow stops half-way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingKind {
    /// The first of two factors.
    SecondFactor,
    /// A new password was asked for.
    Reset,
}

/// What the site states about lifetimes.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Limits {
    /// Without use, in seconds.
    pub idle_seconds: Option<u64>,
    /// Whatever its use, in seconds.
    pub absolute_seconds: Option<u64>,
    /// How many sessions one account may have at once.
    pub sessions: Option<u32>,
}

impl SignIn {
    /// The page it begins at.
    pub fn page(&self) -> Option<&str> {
        let script = self.script.as_ref().map(|script| script.page.as_str());
        script.or_else(|| self.steps.first()?.page.as_deref())
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Account({}, password redacted)", self.user)
    }
}
