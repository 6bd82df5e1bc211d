//! A browser's cookie jar, as far as our cookies need one.

use http::HeaderValue;

use crate::moment::Moment;

/// The cookies of one browser, for one site.
///
/// Keeps the rules that browsers keep about `Secure`, `HttpOnly`, `Path`, `Domain` and `Max-Age` for names that begin
/// with `__Host-` or `__Host-Http-`. It does not know `SameSite`: a test must not pass because the browser held a
/// cookie back.
///
/// # Examples
/// ```
/// use counterfoil_core::{Moment, testing::Jar};
/// use std::time::Duration;
///
/// let (mut jar, now) = (Jar::default(), Moment::from_unix_seconds(1_000));
/// jar.take("__Host-Http-id=abc; Max-Age=60; Path=/; Secure; HttpOnly", now)?;
/// assert_eq!(jar.header(now).unwrap(), "__Host-Http-id=abc");
/// assert_eq!(jar.header(now + Duration::from_secs(60)), None);
/// assert!(jar.take("__Host-Http-id=abc; Path=/; HttpOnly", now).is_err(), "without Secure");
/// # Ok::<_, counterfoil_core::testing::CookieRefused>(())
/// ```
#[derive(Clone, Default)]
pub struct Jar(Vec<Cookie>);

#[derive(Clone)]
struct Cookie {
    name: Box<str>,
    value: Box<str>,
    until: Option<Moment>,
}

/// A browser would not keep this cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieRefused {
    /// It is not `name=value`.
    #[error("not a cookie: no name or no `=`")]
    Malformed,
    /// Its name promises attributes that it does not have.
    #[error("the cookie's name begins with `{prefix}`, but its attributes do not keep that promise")]
    Prefix {
        /// The prefix.
        prefix: &'static str,
    },
}

impl Jar {
    /// Takes the value of one `Set-Cookie` header, as a browser would.
    ///
    /// # Errors
    /// [`CookieRefused`] if a browser would drop it.
    pub fn take(&mut self, set_cookie: &str, now: Moment) -> Result<(), CookieRefused> {
        let mut parts = set_cookie.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).ok_or(CookieRefused::Malformed)?;
        let attributes: Vec<&str> = parts.collect();
        keeps_its_promise(name, &attributes)?;
        self.0.retain(|cookie| &*cookie.name != name);
        match max_age(&attributes) {
            Some(0) => {}
            age => self.0.push(Cookie {
                name: name.into(),
                value: value.into(),
                until: age.map(|seconds| now + std::time::Duration::from_secs(seconds)),
            }),
        }
        Ok(())
    }

    /// Puts a cookie in by hand, whatever its name: for a stolen or forged one.
    pub fn put(&mut self, name: &str, value: &str) {
        self.0.retain(|cookie| &*cookie.name != name);
        self.0.push(Cookie { name: name.into(), value: value.into(), until: None });
    }

    /// The value of a cookie, expired or not.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|cookie| &*cookie.name == name).map(|cookie| &*cookie.value)
    }

    /// The names of all cookies.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|cookie| &*cookie.name)
    }

    /// The `Cookie` header of a request at `now`; `None` without cookies.
    pub fn header(&self, now: Moment) -> Option<HeaderValue> {
        let fresh = self.0.iter().filter(|cookie| cookie.until.is_none_or(|until| now < until));
        let pairs: Vec<String> = fresh.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        let mut header = HeaderValue::try_from(pairs.join("; ")).ok().filter(|header| !header.is_empty())?;
        header.set_sensitive(true);
        Some(header)
    }
}

impl std::fmt::Debug for Jar {
    /// Names only.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.names()).finish()
    }
}

fn keeps_its_promise(name: &str, attributes: &[&str]) -> Result<(), CookieRefused> {
    let has = |wanted: &str| attributes.iter().any(|attribute| attribute.eq_ignore_ascii_case(wanted));
    let domain = attributes.iter().any(|attribute| attribute.to_ascii_lowercase().starts_with("domain"));
    let host = has("Secure") && has("Path=/") && !domain;
    for (prefix, kept) in [("__Host-Http-", host && has("HttpOnly")), ("__Host-", host), ("__Secure-", has("Secure"))] {
        if name.starts_with(prefix) && !kept {
            return Err(CookieRefused::Prefix { prefix });
        }
    }
    Ok(())
}

fn max_age(attributes: &[&str]) -> Option<u64> {
    attributes.iter().find_map(|attribute| attribute.strip_prefix("Max-Age=")?.parse().ok())
}
