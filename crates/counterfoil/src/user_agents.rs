//! Names for devices from the ua-parser project's data, where two words of our own are not enough.

use counterfoil_core::agent::{Agent, DeviceLabels, LONGEST};
use ua_parser::{Error, Extractor, Regexes};

/// Knows a few hundred browsers, apps and tools by their user agent: "Samsung Internet on Android".
///
/// Without it devices are labelled by a small reading of our own, which knows the big browsers. Its data is a snapshot of
/// [uap-core](https://github.com/ua-parser/uap-core) that ships with this crate.
///
/// # Security
/// A label is a claim: whoever copies a cookie can copy a user agent too. It is bounded and holds what can be seen only;
/// escape it like all text. The patterns run in linear time, on 512 bytes at most, once at each sign-in.
///
/// # Examples
/// ```
/// use counterfoil::{Counterfoil, GeneratedKeys, MemoryStore, Policy, UserAgents};
///
/// let policy = Policy::aal2("https://shop.example")?;
/// let site = Counterfoil::builder(policy, &GeneratedKeys, MemoryStore::new())?
///     .device_labels(UserAgents::new()?)
///     .build();
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct UserAgents(Extractor<'static>);

/// The data that ships with this crate cannot be read: a fault of this crate's, and found by its tests.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserAgentsError {
    /// It is no JSON, or of another shape.
    #[error("the data on user agents cannot be read")]
    Data(#[from] serde_json::Error),
    /// One of its patterns does not compile.
    #[error("a pattern in the data on user agents does not compile")]
    Pattern(#[from] Error),
}

impl UserAgents {
    /// Compiles the patterns: a tenth of a second and some ten megabytes, once for the process.
    ///
    /// # Errors
    /// [`UserAgentsError`]; do without it then.
    pub fn new() -> Result<Self, UserAgentsError> {
        let patterns: Regexes<'static> = serde_json::from_str(DATA)?;
        Ok(Self(Extractor::try_from(patterns)?))
    }
}

impl DeviceLabels for UserAgents {
    fn label(&self, user_agent: &[u8], platform_hint: Option<&[u8]>) -> Option<String> {
        let start = user_agent.get(..LONGEST).unwrap_or(user_agent);
        let text = String::from_utf8_lossy(start);
        let (browser, system, _) = self.0.extract(&text);
        let browser = browser.map(|browser| browser.family.into_owned())?;
        // The hint is the more honest one: Android and iOS browsers that ask for desktop pages say so there.
        let hinted = platform_hint.and_then(|hint| Agent::read(b"", Some(hint)).platform.name());
        let system = hinted.map(ToOwned::to_owned).or_else(|| system.map(|system| system.os.into_owned()));
        Some(match system {
            Some(system) => format!("{browser} on {system}"),
            None => browser,
        })
    }
}

impl std::fmt::Debug for UserAgents {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("UserAgents")
    }
}

const DATA: &str = include_str!("../data/uap-core/parsers.json");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_apps_and_tools_are_called_what_people_call_them() {
        type Row = (&'static str, Option<&'static [u8]>, Option<&'static str>);
        #[rustfmt::skip]
        let table: [Row; 9] = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", None, Some("Firefox on Linux")),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", None, Some("Chrome on Windows")),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0", None, Some("Edge on Windows")),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", None, Some("Mobile Safari on iOS")),
            ("Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", None, Some("Samsung Internet on Android")),
            ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", Some(b"\"Android\""), Some("Chrome on Android")),
            ("curl/8.5.0", None, Some("curl")),
            ("something nobody has heard of", None, None),
            ("", None, None),
        ];
        let agents = UserAgents::new().unwrap();
        for (text, hint, expected) in table {
            assert_eq!(agents.label(text.as_bytes(), hint).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn whatever_is_sent_is_read_or_not_and_nothing_worse() {
        let agents = UserAgents::new().unwrap();
        for hostile in
            [b"\xff\xfe\x00".as_slice(), &b"A/1 ".repeat(50_000), &b"(".repeat(50_000), b"Firefox/\xf0\x9f\x98\x80"]
        {
            let _ = agents.label(hostile, Some(hostile));
        }
    }
}
