//! Words for the next page: they survive a redirect and are shown once.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::Uri;
use http::request::Parts;

use super::local_path;
use crate::error::Error;
use crate::handle::{Handle, Rejection};

/// Words for the next page, and those the request before left for this one.
///
/// In a session they are kept there, and exactly one following page takes them. For a stranger nothing is stored, and no
/// cookie set: the redirect's address carries them, sealed, for a minute.
///
/// # Security
/// Sealed words cannot be made up, but they can be passed on: for a minute, a link to them has this site say to anybody
/// what it said to a stranger. So put nothing into them that a stranger typed, and escape them as all text in a page.
///
/// # Examples
/// ```
/// use axum::response::{Html, Redirect};
/// use counterfoil::{Error, Flash, Session};
/// # fn escape(text: &str) -> String { text.replace('<', "&lt;") }
///
/// async fn log_out(session: Session, flash: Flash) -> Result<Redirect, Error> {
///     session.sign_out().await?;
///     flash.redirect("/", "You are signed out.").await
/// }
/// async fn home(flash: Flash) -> Result<Html<String>, Error> {
///     let words: String = flash.take().await?.iter().map(|text| format!("<p>{}</p>", escape(text))).collect();
///     Ok(Html(format!("{words}<h1>Welcome</h1>")))
/// }
/// ```
#[derive(Clone)]
pub struct Flash {
    handle: Handle,
    carried: Option<String>,
}

impl Flash {
    /// On to `to`, a path of this site (anything else leads to `/`), whose page says `words`.
    ///
    /// # Errors
    /// [`Error`] if the words are longer than 512 bytes, or the store did not answer.
    pub async fn redirect(&self, to: &str, words: &str) -> Result<Redirect, Error> {
        let (to, words) = (local_path(to).unwrap_or("/"), words.to_owned());
        let left = self.handle.detached(|exchange| async move { exchange.leave_words(&words).await }).await?;
        Ok(Redirect::to(&match left {
            None => to.to_owned(),
            Some(sealed) => carrying(to, &sealed),
        }))
    }

    /// What the request before left for this page, oldest first. Nothing is left of it afterwards.
    ///
    /// # Errors
    /// [`Error`] if the store did not answer.
    pub async fn take(&self) -> Result<Vec<String>, Error> {
        Ok(self.handle.exchange.take_words(self.carried.as_deref()).await?)
    }
}

/// The path with the words in its query, before any fragment.
fn carrying(to: &str, sealed: &str) -> String {
    let (path, fragment) = to.split_once('#').map_or((to, None), |(path, fragment)| (path, Some(fragment)));
    let sign = if path.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{path}{sign}{CARRIED_IN}={sealed}{fragment}")
}

fn carried_in(uri: &Uri) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.find(|(name, _)| name == CARRIED_IN).map(|(_, value)| value.into_owned())
}

impl<S: Sync> FromRequestParts<S> for Flash {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let handle = Handle::of(parts).map_err(Rejection::into_response)?;
        Ok(Self { handle, carried: carried_in(&parts.uri) })
    }
}

impl std::fmt::Debug for Flash {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Flash")
    }
}

/// The query's name for sealed words.
const CARRIED_IN: &str = "said";
