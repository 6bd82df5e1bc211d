//! A cookie that another layer set: read and removed, never written.

use std::fmt;

use zeroize::Zeroizing;

use super::{CookieKind, CookieNames, MAX_COOKIE_BYTES};

/// Where another layer's cookie lies: its name, and the path and domain it was set with.
///
/// # Examples
/// ```
/// use counterfoil_core::cookie::ForeignCookie;
///
/// let cookie = ForeignCookie::named("sid")?.path("/app");
/// assert_eq!(
///     cookie.removal(true),
///     "sid=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/app; Secure; HttpOnly; SameSite=Lax"
/// );
/// assert!(ForeignCookie::named("__Host-Http-id").is_err(), "that one is ours");
/// # Ok::<_, counterfoil_core::cookie::BadForeignCookie>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignCookie {
    name: Box<str>,
    path: Box<str>,
    domain: Option<Box<str>>,
}

/// Why a name cannot be that of another layer's cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadForeignCookie {
    /// It is no cookie name (RFC 6265, section 4.1.1).
    #[error("the old cookie's name is empty or has a character that no cookie name has")]
    NotAName,
    /// Counterfoil's own cookies are read by Counterfoil.
    #[error("the old cookie has the name of one of Counterfoil's own; only another layer's can be moved away from")]
    Ours,
}

/// The value of another layer's cookie. A secret: `Debug` does not show it, and it is wiped when dropped.
#[derive(Clone)]
pub struct OldCookie(Zeroizing<String>);

/// What a request brings under another layer's name.
#[derive(Debug)]
pub(crate) enum Brought {
    Nothing,
    One(OldCookie),
    /// Several values: somebody tossed one in, and no rule says which.
    Several,
}

impl ForeignCookie {
    /// A cookie of this name, set with `Path=/` and without `Domain`.
    ///
    /// # Errors
    /// [`BadForeignCookie`] if it is no name, or one of ours.
    pub fn named(name: &str) -> Result<Self, BadForeignCookie> {
        let is_token = |byte: u8| byte.is_ascii_graphic() && !br#"()<>@,;:\"/[]?={}"#.contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(BadForeignCookie::NotAName);
        }
        let ours = [CookieNames::https(), CookieNames::plain_http_loopback()];
        if ours.iter().any(|names| CookieKind::ALL.iter().any(|kind| names.name(*kind).as_str() == name)) {
            return Err(BadForeignCookie::Ours);
        }
        Ok(Self { name: name.into(), path: "/".into(), domain: None })
    }

    /// It was set with this `Path`.
    pub fn path(self, path: &str) -> Self {
        Self { path: attribute(path), ..self }
    }

    /// It was set with this `Domain`.
    pub fn domain(self, domain: &str) -> Self {
        Self { domain: Some(attribute(domain)), ..self }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of the `Set-Cookie` header that removes it. Browsers go by name, path and domain; `Secure` and
    /// `HttpOnly` are there for names with a prefix that demands them.
    pub fn removal(&self, secure: bool) -> String {
        let Self { name, path, domain } = self;
        let domain = domain.as_ref().map(|domain| format!("; Domain={domain}")).unwrap_or_default();
        let secure = if secure { "; Secure" } else { "" };
        format!(
            "{name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path={path}{domain}{secure}; HttpOnly; SameSite=Lax"
        )
    }

    /// Its value in a request's `Cookie` headers. What is empty, too long or not text is passed over.
    pub(crate) fn find<'a>(&self, headers: impl IntoIterator<Item = &'a [u8]>) -> Brought {
        let mut found: Option<&[u8]> = None;
        for pair in headers.into_iter().flat_map(|header| header.split(|byte| *byte == b';')) {
            let Some(value) = self.value_in(pair.trim_ascii()) else { continue };
            if found.is_some_and(|other| other != value) {
                return Brought::Several;
            }
            found = Some(value);
        }
        match found.map(std::str::from_utf8) {
            Some(Ok(value)) => Brought::One(OldCookie(Zeroizing::new(value.to_owned()))),
            _ => Brought::Nothing,
        }
    }

    fn value_in<'a>(&self, pair: &'a [u8]) -> Option<&'a [u8]> {
        let value = pair.strip_prefix(self.name.as_bytes())?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii();
        (!value.is_empty() && self.name.len() + value.len() <= MAX_COOKIE_BYTES).then_some(value)
    }
}

impl OldCookie {
    /// The value as it was sent: neither decoded nor unquoted.
    pub fn value(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OldCookie {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("OldCookie(redacted)")
    }
}

/// Without what would end the attribute: it comes from the program, but a slip there must not write a header.
fn attribute(text: &str) -> Box<str> {
    text.chars().filter(|c| c.is_ascii_graphic() && *c != ';').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_by_its_whole_name_and_only_if_it_is_one() {
        let long = format!("id={}", "x".repeat(MAX_COOKIE_BYTES - 2));
        let too_long = format!("{long}x");
        #[rustfmt::skip]
        let rows: [(&str, &[&str], Option<&str>); 13] = [
            ("alone",                  &["id=abc"],                 Some("abc")),
            ("among others",           &["a=1; id=abc ;b=2"],       Some("abc")),
            ("in a second header",     &["a=1", "id=abc"],          Some("abc")),
            ("the same value twice",   &["id=abc; id=abc"],         Some("abc")),
            ("a value with =",         &["id=YWJj=="],              Some("YWJj==")),
            ("quoted, as it was sent", &["id=\"abc\""],             Some("\"abc\"")),
            ("a longer name",          &["idx=abc; xid=abc"],       None),
            ("another case",           &["ID=abc"],                 None),
            ("without =",              &["id"],                     None),
            ("empty",                  &["id="],                    None),
            ("two values",             &["id=abc; id=def"],         None),
            ("as long as may be",      &[&long],                    long.strip_prefix("id=")),
            ("longer",                 &[&too_long],                None),
        ];
        let cookie = ForeignCookie::named("id").unwrap();
        for (name, headers, value) in rows {
            let found = match cookie.find(headers.iter().map(|header| header.as_bytes())) {
                Brought::One(found) => Some(found.value().to_owned()),
                Brought::Nothing | Brought::Several => None,
            };
            assert_eq!(found.as_deref(), value, "{name}");
        }
        assert!(matches!(cookie.find([&b"id=abc; id=def"[..]]), Brought::Several), "tossed in is told from absent");
        assert!(matches!(cookie.find([&b"id=\xff"[..]]), Brought::Nothing), "not text");
        let Brought::One(found) = cookie.find([&b"id=abc"[..]]) else { panic!("not found") };
        assert_eq!(format!("{found:?}"), "OldCookie(redacted)");
    }

    #[test]
    fn a_name_is_a_token_and_not_ours() {
        for name in ["id", "connect.sid", "__Host-session", "__Host-Http-idx"] {
            assert_eq!(ForeignCookie::named(name).unwrap().name(), name);
        }
        for name in ["", "a b", "a;b", "a=b", "ä", "a\n"] {
            assert_eq!(ForeignCookie::named(name), Err(BadForeignCookie::NotAName), "{name:?}");
        }
        for name in ["__Host-Http-id", "__Host-Http-an", "dev-el"] {
            assert_eq!(ForeignCookie::named(name), Err(BadForeignCookie::Ours), "{name}");
        }
    }

    #[test]
    fn nothing_gets_out_of_an_attribute() {
        let removal = ForeignCookie::named("id").unwrap().path("/a; Max-Age=9").domain("b\r\nX: y").removal(false);
        let (path, rest) = removal.split_once("; Path=").unwrap().1.split_once("; ").unwrap();
        assert_eq!((path, rest), ("/aMax-Age=9", "Domain=bX:y; HttpOnly; SameSite=Lax"));
    }
}
