//! The headers the engine looks at, found in one pass: looking each up by its name costs more than the rest of a request.

use http::{HeaderMap, HeaderValue};

use crate::cookie::{CookieNames, HeaderJoin, Scanned};
use crate::csrf::{HeaderCount, MethodKind};
use crate::seam::says_prefetch;

/// What the headers of one request say, before anything is judged.
pub(super) struct Heard<'a> {
    /// What came under the names of our cookies.
    pub(super) cookies: Scanned<'a>,
    /// The most dangerous method that the request line or an override names.
    pub(super) method: MethodKind,
    pub(super) authorization: Option<&'a HeaderValue>,
    pub(super) origin: HeaderCount<'a>,
    pub(super) fetch_site: HeaderCount<'a>,
    pub(super) fetch_mode: Option<&'a HeaderValue>,
    pub(super) referer: HeaderCount<'a>,
    pub(super) x_csrf: HeaderCount<'a>,
    pub(super) user_agent: Option<&'a HeaderValue>,
    pub(super) platform: Option<&'a HeaderValue>,
    pub(super) prefetch: bool,
}

impl<'a> Heard<'a> {
    /// Reads `headers`; `method` is the request line's.
    pub(super) fn read(headers: &'a HeaderMap, method: MethodKind, names: CookieNames, join: HeaderJoin) -> Self {
        let mut heard = Self {
            cookies: Scanned::default(),
            method,
            authorization: None,
            origin: HeaderCount::Absent,
            fetch_site: HeaderCount::Absent,
            fetch_mode: None,
            referer: HeaderCount::Absent,
            x_csrf: HeaderCount::Absent,
            user_agent: None,
            platform: None,
            prefetch: false,
        };
        for (name, value) in headers {
            heard.hear(name.as_str(), value, names, join);
        }
        heard
    }

    fn hear(&mut self, name: &str, value: &'a HeaderValue, names: CookieNames, join: HeaderJoin) {
        let bytes = value.as_bytes();
        match name {
            "cookie" => self.cookies.add(bytes, names, join),
            "origin" => self.origin = self.origin.and(bytes),
            "sec-fetch-site" => self.fetch_site = self.fetch_site.and(bytes),
            "sec-fetch-mode" => self.fetch_mode = self.fetch_mode.or(Some(value)),
            "referer" => self.referer = self.referer.and(bytes),
            "authorization" => self.authorization = self.authorization.or(Some(value)),
            "x-csrf" => self.x_csrf = self.x_csrf.and(bytes),
            "x-http-method-override" | "x-http-method" | "x-method-override" => {
                self.method = self.method.overridden_by(bytes);
            }
            "user-agent" => self.user_agent = self.user_agent.or(Some(value)),
            "sec-ch-ua-platform" => self.platform = self.platform.or(Some(value)),
            "sec-purpose" | "purpose" => self.prefetch |= says_prefetch(bytes),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cookie::CookieKind;
    use http::HeaderName;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_stands_in_several_lines_is_all_heard() {
        let mut lines = headers(&[("cookie", "a=1; __Host-Http-id=one"), ("origin", "https://app.example")]);
        lines.append("cookie", HeaderValue::from_static("__Host-Http-id=two"));
        let heard = Heard::read(&lines, MethodKind::Safe, CookieNames::https(), HeaderJoin::Standard);
        assert_eq!(heard.cookies.of(CookieKind::Session).candidates(), ["one", "two"]);
        assert_eq!(heard.origin, HeaderCount::One(b"https://app.example"));
        lines.append("origin", HeaderValue::from_static("https://app.example"));
        let heard = Heard::read(&lines, MethodKind::Safe, CookieNames::https(), HeaderJoin::Standard);
        assert_eq!((heard.origin, heard.referer), (HeaderCount::Repeated, HeaderCount::Absent));
    }

    #[test]
    fn any_override_makes_the_method_more_dangerous_and_none_makes_it_safer() {
        for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
            for (value, method) in [("DELETE", MethodKind::Unsafe), ("get", MethodKind::Safe)] {
                let lines = headers(&[(name, value)]);
                let of = |method| Heard::read(&lines, method, CookieNames::https(), HeaderJoin::Standard).method;
                assert_eq!(
                    (of(MethodKind::Safe), of(MethodKind::Unsafe)),
                    (method, MethodKind::Unsafe),
                    "{name}: {value}"
                );
            }
        }
    }

    #[test]
    fn of_what_says_something_about_the_client_the_first_line_counts() {
        let mut lines = headers(&[("user-agent", "one"), ("sec-purpose", "prefetch;prerender")]);
        lines.append("user-agent", HeaderValue::from_static("two"));
        let heard = Heard::read(&lines, MethodKind::Safe, CookieNames::https(), HeaderJoin::Standard);
        assert_eq!((heard.user_agent.unwrap(), heard.prefetch), (&HeaderValue::from_static("one"), true));
    }
}
