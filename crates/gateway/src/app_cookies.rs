//! The cookies by which an app itself knows people: they end with our session.

use std::fmt;
use std::str::FromStr;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

/// Names of an app's own session cookies, for apps with a sign-in of their own behind ours.
///
/// # Security
/// Such a cookie reaches the app with any session of ours, so whoever signs in next in the same browser would be taken for
/// whoever signed in to the app before. At each sign-in and sign-out the browser is told to forget them: what somebody left
/// behind, or planted, is gone before the app sees it. Only host cookies with `Path=/` can be ended so. A copy of one stays
/// good in the app's own eyes for whoever has a session of ours to carry it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppCookies(Vec<CookiePattern>);

/// A cookie's name, or what names begin with: `DokuWiki`, `DW*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookiePattern {
    start: Box<str>,
    more: bool,
}

/// Not the name of a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a cookie's name as the app sets it; a star may follow for names that begin so: DokuWiki, DW*")]
pub struct BadCookiePattern;

impl AppCookies {
    /// Those that are meant.
    pub const fn new(patterns: Vec<CookiePattern>) -> Self {
        Self(patterns)
    }

    /// As they were written.
    pub fn iter(&self) -> impl Iterator<Item = &CookiePattern> {
        self.0.iter()
    }

    /// `Set-Cookie` lines that end those of them that a request brought along.
    pub(crate) fn endings(&self, request: &HeaderMap, secure: bool) -> Vec<HeaderValue> {
        if self.0.is_empty() {
            return Vec::new();
        }
        // As bytes: a value that is no text must not hide the cookies beside it.
        let pairs = request.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        let names = pairs.filter_map(|pair| pair.split(|byte| *byte == b'=').next());
        let names = names.filter_map(|name| std::str::from_utf8(name.trim_ascii()).ok());
        let mut meant: Vec<_> = names.filter(|name| self.0.iter().any(|pattern| pattern.matches(name))).collect();
        meant.sort_unstable();
        meant.dedup();
        let ending = |name: &str| {
            let secure = if secure { "; Secure" } else { "" };
            HeaderValue::try_from(format!("{name}=; Path=/; Max-Age=0{secure}")).ok()
        };
        meant.into_iter().take(MOST).filter_map(ending).collect()
    }
}

/// Adds them to an answer.
pub(crate) fn end(endings: &[HeaderValue], answer: &mut HeaderMap) {
    for line in endings {
        answer.append(SET_COOKIE, line.clone());
    }
}

impl CookiePattern {
    /// Whether it means a cookie of this name.
    pub fn matches(&self, name: &str) -> bool {
        name.bytes().all(is_token) && if self.more { name.starts_with(&*self.start) } else { name == &*self.start }
    }
}

impl FromStr for CookiePattern {
    type Err = BadCookiePattern;

    fn from_str(text: &str) -> Result<Self, BadCookiePattern> {
        let (start, more) = text.strip_suffix('*').map_or((text, false), |start| (start, true));
        let plain = !start.is_empty() && start.bytes().all(|byte| is_token(byte) && byte != b'*');
        plain.then(|| Self { start: start.into(), more }).ok_or(BadCookiePattern)
    }
}

impl fmt::Display for CookiePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.start, if self.more { "*" } else { "" })
    }
}

/// A byte of a token (RFC 9110, 5.6.2), which is what names of cookies are made of.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// The most that are ended at once: a browser keeps some 180 for a host, and an answer's head has an end.
const MOST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn endings(patterns: &[&str], cookies: &[&str]) -> Vec<String> {
        let patterns = patterns.iter().map(|pattern| pattern.parse().unwrap()).collect();
        let line = |line: &&str| (COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        let request = cookies.iter().map(line).collect();
        let lines = AppCookies::new(patterns).endings(&request, true);
        lines.iter().map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn cookies_that_are_meant_are_ended_and_no_others() {
        assert_eq!(
            endings(&["DokuWiki", "DW*"], &["DokuWiki=a=b; theme=dark; DW1=x", "DW2=y;dokuwiki=z; XDW=1; DokuWiki=c"]),
            [
                "DW1=; Path=/; Max-Age=0; Secure",
                "DW2=; Path=/; Max-Age=0; Secure",
                "DokuWiki=; Path=/; Max-Age=0; Secure"
            ]
        );
        assert!(endings(&[], &["DokuWiki=a"]).is_empty());
        assert_eq!(endings(&["DW*"], &["x=\u{e4}; DW=a"]).len(), 1, "whatever is beside it");
        assert!(endings(&["DW*"], &["DW\u{e4}=a; DW x=b; DW,=c"]).is_empty(), "nothing is written that is no name");
        let many: Vec<_> = (0..100).map(|number| format!("DW{number}=x")).collect();
        assert_eq!(endings(&["DW*"], &[&many.join("; ")]).len(), MOST);
    }

    #[test]
    fn a_name_is_a_token_and_may_end_with_a_star() {
        for good in ["session", "DW*", "username-127-0-0-1-8888", "_xsrf"] {
            assert_eq!(good.parse::<CookiePattern>().unwrap().to_string(), good);
        }
        for bad in ["", "*", "a*b", "a**", "a b", "a=b", "a;b", "\u{e4}"] {
            assert!(bad.parse::<CookiePattern>().is_err(), "{bad}");
        }
    }
}
