//! Cookies as the browser has them. Values are compared and put back, never shown.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

/// A cookie's value. It may sign somebody in, so it shows nothing of itself but a short hash.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

/// One cookie in the browser's store.
#[derive(Debug, Clone, PartialEq)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Secret,
    /// With a leading dot where it is sent to subdomains as well.
    pub domain: String,
    /// Which paths it is sent to.
    pub path: String,
    /// Seconds since 1970; `None` for one that goes with the browser.
    pub expires: Option<f64>,
    /// Whether only https gets it.
    pub secure: bool,
    /// Whether scripts do not.
    pub http_only: bool,
    /// Empty where the server said nothing.
    pub same_site: String,
    /// Whether it is another one below each top-level site.
    pub partitioned: bool,
}

impl Secret {
    /// A value taken from the wire.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Only for putting it back into a browser, or for comparing it with a value that is no secret.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// The first bytes of the hash: enough to tell values apart.
impl fmt::Display for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        digest(&SHA256, self.0.as_bytes()).as_ref().iter().take(4).try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Secret({self})")
    }
}

impl Cookie {
    /// A cookie as `DevTools` describes it.
    pub fn read(cookie: &Value) -> Self {
        let text = |name: &str| cookie.get(name).and_then(Value::as_str).unwrap_or_default();
        let flag = |name: &str| cookie.get(name).and_then(Value::as_bool).unwrap_or_default();
        let expires = cookie.get("expires").and_then(Value::as_f64).filter(|_| !flag("session"));
        Self {
            name: text("name").to_owned(),
            value: Secret::new(text("value")),
            domain: text("domain").to_owned(),
            path: text("path").to_owned(),
            expires,
            secure: flag("secure"),
            http_only: flag("httpOnly"),
            same_site: text("sameSite").to_owned(),
            partitioned: cookie.get("partitionKey").is_some_and(|key| !key.is_null()),
        }
    }

    /// Everything but name and value, as one would write it.
    pub fn attributes(&self) -> String {
        let mut words = vec![format!("Path={}", self.path)];
        if self.domain.starts_with('.') {
            words.push(format!("Domain={}", self.domain.trim_start_matches('.')));
        }
        words.extend(self.secure.then(|| "Secure".to_owned()));
        words.extend(self.http_only.then(|| "HttpOnly".to_owned()));
        words.extend((!self.same_site.is_empty()).then(|| format!("SameSite={}", self.same_site)));
        words.extend(self.partitioned.then(|| "Partitioned".to_owned()));
        words.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_shows_a_short_hash_and_nothing_else() {
        let cookie = Cookie::read(&json!({ "name": "id", "value": "very-secret", "session": true, "expires": -1 }));
        let shown = format!("{cookie:?} {}", cookie.value);
        assert!(!shown.contains("very"), "{shown}");
        assert_eq!(cookie.value.to_string().len(), 8);
        assert_ne!(cookie.value.to_string(), Secret::new("other").to_string());
        assert_eq!(cookie.expires, None);
    }

    #[test]
    fn attributes_are_written_as_in_a_header() {
        let cookie = Cookie::read(&json!({
            "name": "id", "value": "x", "domain": ".shop.test", "path": "/", "expires": 5.5,
            "secure": true, "httpOnly": true, "sameSite": "Lax", "partitionKey": { "topLevelSite": "https://a.test" },
        }));
        assert_eq!(cookie.attributes(), "Path=/; Domain=shop.test; Secure; HttpOnly; SameSite=Lax; Partitioned");
        assert_eq!(cookie.expires, Some(5.5));
    }
}
