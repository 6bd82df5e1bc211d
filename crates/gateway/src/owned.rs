//! The headers that are ours: what a decision answers with, and what nobody else may send.

use counterfoil_core::cookie::{CookieNames, HeaderJoin, without_ours};
use http::header::{CONNECTION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The signed one: the only header an app may trust.
pub const ASSERTION: HeaderName = HeaderName::from_static("counterfoil-assertion");
/// Who is signed in, for logs and legacy apps; unsigned, and what is not visible ASCII percent-encoded.
pub const SUBJECT: HeaderName = HeaderName::from_static("counterfoil-subject");
/// The public id of the session; unsigned.
pub const SESSION: HeaderName = HeaderName::from_static("counterfoil-session");
/// How surely: `anonymous`, `remembered`, `authenticated`, `elevated`, or `unknown`; unsigned.
pub const ASSURANCE: HeaderName = HeaderName::from_static("counterfoil-assurance");
/// When they last proved who they are, in Unix seconds; unsigned.
pub const AUTH_TIME: HeaderName = HeaderName::from_static("counterfoil-auth-time");

/// What every answer that lets a request through carries, empty where it does not apply: a header that is missing would
/// let the client's own through in some proxies. `Cookie` is the client's without our cookies.
pub const ANSWERED: [HeaderName; 6] = [ASSERTION, SUBJECT, SESSION, ASSURANCE, AUTH_TIME, COOKIE];

/// A header that no client has a reason to send, by its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Intruder {
    /// One of ours, in one of the spellings that apps take for ours.
    #[error("the client sent {0}, which only the gateway may")]
    Sent(Box<str>),
    /// `Connection` names one of ours, and would have a proxy take it out on its way to the app.
    #[error("the client's Connection header names {0}")]
    InConnection(Box<str>),
}

/// Whether a client's header leaves ours alone.
///
/// # Security
/// What a decision answers with is set over what the client sent, under the very same name. But apps behind CGI, WSGI and
/// the like read `Counterfoil_Subject` and `Counterfoil.Subject` as `Counterfoil-Subject` too, and which one wins is
/// chance. So every name that begins with ours is refused, in any of these spellings, and also the exact one: no client has
/// a reason to send it, and one proxy that forgets to set one header is then no hole. `X-Counterfoil-…`, by which a proxy
/// tells us of the request, likewise. `Cookie` has one spelling, and is rewritten.
///
/// # Errors
/// [`Intruder`]: refuse the request.
pub(crate) fn leaves_ours_alone(name: &HeaderName, value: &HeaderValue) -> Result<(), Intruder> {
    if is_ours(name.as_str()) {
        return Err(Intruder::Sent(shortened(name.as_str())));
    }
    if name != CONNECTION {
        return Ok(());
    }
    let named = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    for name in named.filter_map(|name| std::str::from_utf8(name).ok()) {
        if is_ours(name) || is_told(name) {
            return Err(Intruder::InConnection(shortened(name)));
        }
    }
    Ok(())
}

/// The client's cookies without ours.
pub(crate) fn cookies(headers: &HeaderMap, names: CookieNames, join: HeaderJoin) -> HeaderValue {
    let lines = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let left = without_ours(lines, names, join);
    // Bytes that came in header values may leave in one.
    let mut value = HeaderValue::from_maybe_shared(bytes::Bytes::from(left)).unwrap_or(EMPTY);
    value.set_sensitive(true);
    value
}

/// Text as a header value: what is not visible ASCII, and the percent sign, percent-encoded.
pub(crate) fn visible(text: &str) -> HeaderValue {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'%';
    if text.bytes().all(is_plain) {
        return HeaderValue::from_str(text).unwrap_or(EMPTY);
    }
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', hex(byte >> 4), hex(byte & 0xf)]);
        }
    }
    HeaderValue::try_from(out).unwrap_or(EMPTY)
}

/// As a log may show it: names are the client's, and as long as they like.
fn shortened(name: &str) -> Box<str> {
    name.chars().take(64).collect::<String>().into()
}

/// Whether a name is ours in some app's eyes: letters in any case, and `_` and `.` for `-`.
fn is_ours(name: &str) -> bool {
    ["counterfoil-", "x-counterfoil-"].iter().any(|prefix| begins_with(name, prefix))
}

/// Whether it is one by which proxies tell of a request.
fn is_told(name: &str) -> bool {
    begins_with(name, "x-forwarded-") || name.eq_ignore_ascii_case("host") || name.eq_ignore_ascii_case("cookie")
}

fn begins_with(name: &str, prefix: &str) -> bool {
    let plain = |byte: u8| if matches!(byte, b'_' | b'.') { b'-' } else { byte.to_ascii_lowercase() };
    name.len() >= prefix.len() && name.bytes().zip(prefix.bytes()).all(|(byte, wanted)| plain(byte) == wanted)
}

fn hex(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase()
}

pub(crate) const EMPTY: HeaderValue = HeaderValue::from_static("");

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect()
    }

    fn all_leave_ours_alone(headers: &HeaderMap) -> Result<(), Intruder> {
        headers.iter().try_for_each(|(name, value)| leaves_ours_alone(name, value))
    }

    #[test]
    fn ours_are_refused_in_every_spelling() {
        #[rustfmt::skip]
        let rows = [
            ("Counterfoil-Assertion",     false),
            ("counterfoil-subject",       false),
            ("Counterfoil_Subject",       false),
            ("COUNTERFOIL.SUBJECT",       false),
            ("counterfoil_auth-time",     false),
            ("Counterfoil-Command",       false),
            ("Counterfoil-Anything-New",  false),
            ("X-Counterfoil-Host",        false),
            ("X_Counterfoil_Host",        false),
            ("x.counterfoil.method",      false),
            ("Counterfoil",               true),
            ("X-Counterfoils",            true),
            ("Not-Counterfoil-Subject",   true),
            ("X-Forwarded-For",           true),
            ("Cookie",                    true),
        ];
        for (name, fine) in rows {
            assert_eq!(all_leave_ours_alone(&headers(&[(name, "x")])).is_ok(), fine, "{name}");
        }
    }

    #[test]
    fn connection_may_not_name_ours_or_what_proxies_tell() {
        #[rustfmt::skip]
        let rows: [(&[&str], bool); 9] = [
            (&["close"],                                 true),
            (&["keep-alive, Upgrade"],                   true),
            (&["close, Counterfoil-Assertion"],          false),
            (&["close,counterfoil_subject"],             false),
            (&["close", "x-counterfoil-host"],           false),
            (&["X-Forwarded-Host"],                      false),
            (&["x_forwarded_for"],                       false),
            (&["cookie"],                                false),
            (&["\"counterfoil-subject"],                 true),
        ];
        for (values, fine) in rows {
            let pairs: Vec<_> = values.iter().map(|value| ("connection", *value)).collect();
            assert_eq!(all_leave_ours_alone(&headers(&pairs)).is_ok(), fine, "{values:?}");
        }
    }

    #[test]
    fn however_long_a_name_is_the_log_shows_its_beginning() {
        let long = format!("counterfoil-{}", "x".repeat(1_000));
        for sent in [headers(&[(&long, "x")]), headers(&[("connection", &long)])] {
            let told = all_leave_ours_alone(&sent).unwrap_err().to_string();
            assert!(told.contains("counterfoil-xx") && told.len() < 150, "{told}");
        }
    }

    #[test]
    fn what_no_header_can_carry_is_encoded() {
        for (text, expected) in [
            ("ada", "ada"),
            ("ada@example.org", "ada@example.org"),
            ("a b", "a%20b"),
            ("100%", "100%25"),
            ("ä", "%C3%A4"),
        ] {
            assert_eq!(visible(text), expected, "{text}");
        }
    }

    #[test]
    fn the_app_gets_all_cookies_but_ours() {
        let sent = headers(&[("cookie", "a=1; __Host-Http-id=cfoil1_k1_x; b=2"), ("cookie", "c=\u{e4}")]);
        let left = cookies(&sent, CookieNames::https(), HeaderJoin::Standard);
        assert!(!format!("{left:?}").contains("a=1"), "{left:?}");
        assert_eq!(left.as_bytes(), "a=1; b=2; c=\u{e4}".as_bytes());
        assert_eq!(cookies(&HeaderMap::new(), CookieNames::https(), HeaderJoin::Standard), "");
    }
}
