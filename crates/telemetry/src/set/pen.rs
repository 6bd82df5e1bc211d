//! What both ways of delivery share: writing tokens down as events come, and the secret of a stream.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{constant_time, digest};
use counterfoil_core::Clock;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::{Token, Writer};
use crate::figures::Counts;
use crate::told::Told;

/// Writes tokens, and says once when there are no keys to sign with.
pub(super) struct Pen {
    writer: Writer,
    clock: Arc<dyn Clock>,
    is_broken: bool,
}

impl Pen {
    pub(super) fn new(writer: Writer, clock: Arc<dyn Clock>) -> Self {
        Self { writer, clock, is_broken: false }
    }

    /// The token of an event that says something to this stream's receiver.
    pub(super) fn write(&mut self, told: &Told, counts: &Counts) -> Option<Token> {
        let written = self.writer.write(told, self.clock.now());
        if written.is_err() {
            Counts::add(&counts.lost, 1);
        }
        if written.is_err() != self.is_broken {
            self.is_broken = !self.is_broken;
            let stream = self.writer.stream().id();
            if self.is_broken {
                tracing::error!(rule = "set", stream, "security event tokens cannot be signed, and are lost");
            } else {
                tracing::info!(rule = "set", stream, "security event tokens are signed again");
            }
        }
        written.ok().flatten()
    }
}

/// The secret of a stream (RFC 6750): whoever shows it may poll, and whoever is pushed to knows us by it.
#[derive(Clone)]
pub struct Bearer(HeaderValue);

/// This cannot be a bearer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a bearer token is {least} to {most} letters, digits and `-._~+/=`", least = Bearer::LEAST, most = Bearer::MOST)]
pub struct NotABearer;

impl Bearer {
    const LEAST: usize = 16;
    const MOST: usize = 4_096;

    /// Takes a secret.
    ///
    /// # Errors
    /// [`NotABearer`]: it is too short to be one, or has other characters.
    pub fn new(secret: &str) -> Result<Self, NotABearer> {
        let fits = secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
        if !fits || !(Self::LEAST..=Self::MOST).contains(&secret.len()) {
            return Err(NotABearer);
        }
        let mut value = HeaderValue::try_from(format!("Bearer {secret}")).map_err(|_| NotABearer)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// The value of `Authorization`.
    pub(crate) fn value(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Whether a request shows it. Takes as long whatever it shows.
    pub(super) fn is_shown(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let (scheme, secret) = shown.split_at_checked(SCHEME.len()).unwrap_or_default();
        let own = self.0.as_bytes().get(SCHEME.len()..).unwrap_or_default();
        let [shown, own] = [secret, own].map(|text| digest::digest(&digest::SHA256, text));
        // The scheme's case does not matter (RFC 9110, section 11.1).
        scheme.eq_ignore_ascii_case(SCHEME)
            && constant_time::verify_slices_are_equal(shown.as_ref(), own.as_ref()).is_ok()
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Bearer(redacted)")
    }
}

const SCHEME: &[u8] = b"Bearer ";

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "correct-horse-battery";

    #[test]
    fn only_the_secret_itself_opens_a_stream() {
        let bearer = Bearer::new(SECRET).unwrap();
        let long = format!("Bearer {SECRET}x");
        #[rustfmt::skip]
        let rows = [
            (Some("Bearer correct-horse-battery"),  true),
            (Some("bearer correct-horse-battery"),  true),
            (Some("Bearer correct-horse-batterx"),  false),
            (Some("Bearer correct-horse-batter"),   false),
            (Some(long.as_str()),                   false),
            (Some("Bearer "),                       false),
            (Some("Basic correct-horse-battery"),   false),
            (Some("Digest correct-horse-battery"),  false),
            (Some("correct-horse-battery"),         false),
            (Some(""),                              false),
            (None,                                  false),
        ];
        for (shown, opens) in rows {
            let headers = shown.map(|text| (AUTHORIZATION, HeaderValue::from_str(text).unwrap())).into_iter().collect();
            assert_eq!(bearer.is_shown(&headers), opens, "{shown:?}");
        }
        assert_eq!(bearer.value(), format!("Bearer {SECRET}"));
        assert!(!format!("{bearer:?} {:?}", bearer.value()).contains(SECRET));
    }

    #[test]
    fn what_is_short_or_has_other_characters_is_no_secret() {
        for text in [
            "",
            "fifteen-charact",
            "with a space in it",
            "with\na-line-break",
            "ümlautümlautümlaut",
            &"x".repeat(4_097),
        ] {
            assert_eq!(Bearer::new(text).map(|_| ()), Err(NotABearer), "{text:?}");
        }
        assert!(Bearer::new(&"x".repeat(4_096)).is_ok() && Bearer::new("sixteen-characte").is_ok());
    }
}
