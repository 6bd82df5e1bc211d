//! The CSRF token of a session, for forms and scripts.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use counterfoil_core::seam::Denial;
use http::request::Parts;

use crate::handle::{Handle, Rejection};

/// A CSRF token for the session of this request, masked anew for this response; none where there is no session.
///
/// Put it into a hidden field named `csrf_token`, or into a `<meta>` tag for scripts to send as `X-CSRF-Token`. It
/// survives rotation and dies at sign-in.
///
/// # Examples
/// ```
/// use axum::response::Html;
/// use counterfoil::CsrfToken;
///
/// async fn form(csrf: CsrfToken) -> Html<String> {
///     Html(format!(r#"<form method="post">{}<button>Buy</button></form>"#, csrf.field()))
/// }
/// ```
#[derive(Clone)]
pub struct CsrfToken(Option<String>);

impl CsrfToken {
    /// The token, where there is a session.
    pub fn value(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The hidden field for a form, or nothing where there is no session. Safe to put into HTML as it is.
    pub fn field(&self) -> String {
        let field = |token| format!(r#"<input type="hidden" name="csrf_token" value="{token}">"#);
        self.value().map(field).unwrap_or_default()
    }
}

impl std::fmt::Debug for CsrfToken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if self.0.is_some() { "CsrfToken(redacted)" } else { "CsrfToken(none)" })
    }
}

impl<S: Sync> FromRequestParts<S> for CsrfToken {
    type Rejection = Response;

    /// On public routes a store that does not answer yields no token, so that the page still appears.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let handle = Handle::of(parts).map_err(IntoResponse::into_response)?;
        match handle.exchange.csrf_token().await {
            Ok(token) => Ok(Self(token)),
            Err(_) if handle.exchange.route().public => Ok(Self(None)),
            Err(error) => {
                tracing::error!(error = %error, "no CSRF token could be made");
                Err(Rejection::Denied(Denial::Unavailable).into_response())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_printed() {
        assert_eq!(format!("{:?}", CsrfToken(Some("secret".to_owned()))), "CsrfToken(redacted)");
    }
}
