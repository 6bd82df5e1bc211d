//! Streams as they are configured.

use std::time::Duration;

use serde::Deserialize;

use super::pen::Bearer;
use super::poll::PollLimits;
use super::push::Delivery;
use crate::client::{Endpoint, EndpointError, PlainHttp};
use crate::only::Only;
use crate::range::{OutOfRange, count, within};

/// What a stream's tokens say of themselves, as it is configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamSettings {
    /// The stream's name, which verification events carry.
    pub id: String,
    /// Who tells: an https URL, the `iss` of every token. The receiver finds our keys by it.
    pub issuer: String,
    /// Who is told: the `aud` of every token, as the receiver asked for.
    pub audience: String,
    /// Which events are told, where they say something to others: names, or beginnings like `session.*` [default: all].
    #[serde(default)]
    pub events: Only,
}

/// Where a stream is brought, as it is configured. Its secret is read apart from this.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushSettings {
    /// The receiver.
    pub url: String,
    /// Whether it may be another machine that is reached without TLS.
    #[serde(default)]
    pub plain_http: bool,
    /// How many tokens wait [default: 10000].
    pub waiting: Option<u64>,
    /// For how long a token is tried while the receiver is not there [default: 60].
    pub give_up_minutes: Option<u64>,
}

/// How much a polled stream keeps and gives, as it is configured. Its secret is read apart from this.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PollSettings {
    /// How many tokens are kept [default: 10000].
    pub kept: Option<u64>,
    /// How many are given at once, also where more are asked for [default: 100].
    pub at_once: Option<u64>,
    /// How long a poll waits where there is nothing [default: 30].
    pub wait_seconds: Option<u64>,
    /// How many polls wait; the next is answered at once [default: 8].
    pub waiting_polls: Option<u64>,
}

/// What a stream's tokens say of themselves.
#[derive(Debug, Clone)]
pub struct Stream {
    pub(super) id: String,
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) events: Only,
}

/// Why a stream cannot be as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadStream {
    /// A text does not fit.
    #[error("{key} = {value:?} must be {expected}")]
    Value {
        /// The setting.
        key: &'static str,
        /// What it is.
        value: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// A number does not fit.
    #[error(transparent)]
    Number(#[from] OutOfRange),
    /// Nothing may be sent there.
    #[error("url: {0}")]
    Url(#[from] EndpointError),
}

impl TryFrom<StreamSettings> for Stream {
    type Error = BadStream;

    fn try_from(settings: StreamSettings) -> Result<Self, BadStream> {
        let StreamSettings { id, issuer, audience, events } = settings;
        let table = [
            ("id", &id, is_a_name as fn(&str) -> bool, "1 to 64 letters, digits, `-`, `_` and `.`"),
            ("issuer", &issuer, is_an_issuer, "an https URL of letters, digits and -._~:/[]"),
            ("audience", &audience, is_text, "1 to 512 characters"),
        ];
        for (key, value, fits, expected) in table {
            if !fits(value) {
                return Err(BadStream::Value { key, value: value.clone(), expected });
            }
        }
        Ok(Self { id, issuer, audience, events })
    }
}

impl Stream {
    /// The stream's name.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl PushSettings {
    /// Checks them. `bearer` is what the receiver knows us by, beside the signature.
    ///
    /// # Errors
    /// [`BadStream`]: a setting does not fit.
    pub fn check(self, bearer: Option<Bearer>) -> Result<Delivery, BadStream> {
        let Self { url, plain_http, waiting, give_up_minutes } = self;
        let to = Endpoint::checked(&url, if plain_http { PlainHttp::Anywhere } else { PlainHttp::Loopback })?;
        let defaults = Delivery::to(to);
        let waiting = count("waiting", waiting, defaults.waiting, (1, 1_000_000))?;
        let minutes = within("give_up_minutes", give_up_minutes, 60, (1, 10_080))?;
        Ok(Delivery { bearer, waiting, give_up_after: Duration::from_mins(minutes), ..defaults })
    }
}

impl TryFrom<PollSettings> for PollLimits {
    type Error = BadStream;

    fn try_from(settings: PollSettings) -> Result<Self, BadStream> {
        let PollSettings { kept, at_once, wait_seconds, waiting_polls } = settings;
        let defaults = Self::default();
        Ok(Self {
            kept: count("kept", kept, defaults.kept, (1, 1_000_000))?,
            at_once: count("at_once", at_once, defaults.at_once, (1, 1_000))?,
            wait: Duration::from_secs(within("wait_seconds", wait_seconds, defaults.wait.as_secs(), (0, 300))?),
            waiting_polls: count("waiting_polls", waiting_polls, defaults.waiting_polls, (0, 1_000))?,
        })
    }
}

fn is_a_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_an_issuer(text: &str) -> bool {
    let host = text.strip_prefix("https://").unwrap_or_default();
    // It stands in proxies' configurations.
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]".contains(&byte);
    !host.is_empty() && !host.starts_with('/') && text.len() <= 512 && text.bytes().all(fits)
}

fn is_text(text: &str) -> bool {
    (1..=512).contains(&text.len()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn stream(changes: &Value) -> Result<(), String> {
        let mut all = json!({ "id": "mail", "issuer": "https://login.example", "audience": "https://mail.example" });
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let settings: StreamSettings = from_value(all).map_err(|error| error.to_string())?;
        Stream::try_from(settings).map(drop).map_err(|error| error.to_string())
    }

    fn push(all: Value) -> Result<Delivery, String> {
        let settings: PushSettings = from_value(all).map_err(|error| error.to_string())?;
        settings.check(None).map_err(|error| error.to_string())
    }

    fn poll(all: Value) -> Result<PollLimits, String> {
        let settings: PollSettings = from_value(all).map_err(|error| error.to_string())?;
        PollLimits::try_from(settings).map_err(|error| error.to_string())
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_setting_and_its_value() {
        let url = "https://mail.example/events";
        #[rustfmt::skip]
        let rows = [
            (stream(&json!({ "id": "" })),                                  "id = \"\" must be 1 to 64"),
            (stream(&json!({ "id": "a b" })),                               "id = \"a b\" must be 1 to 64"),
            (stream(&json!({ "issuer": "http://login.example" })),          "issuer = \"http://login.example\" must be an https URL"),
            (stream(&json!({ "issuer": "https://" })),                      "issuer = \"https://\" must be an https URL"),
            (stream(&json!({ "issuer": "https:///a" })),                    "issuer = \"https:///a\" must be an https URL"),
            (stream(&json!({ "issuer": "https://login.example/?a" })),      "issuer = \"https://login.example/?a\" must be"),
            (stream(&json!({ "audience": "" })),                            "audience = \"\" must be 1 to 512"),
            (stream(&json!({ "audience": "a\nb" })),                        "audience = \"a\\nb\" must be 1 to 512"),
            (stream(&json!({ "events": ["sesion.*"] })),                    "no event is called `sesion.*`"),
            (stream(&json!({ "aud": "a" })),                                "unknown field `aud`"),
            (push(json!({ "url": "mail" })).map(drop),                      "url: not a URL"),
            (push(json!({ "url": "http://mail.example/" })).map(drop),      "url: http:// reaches this machine alone"),
            (push(json!({ "url": url, "waiting": 0 })).map(drop),           "waiting = 0 must be 1 to 1000000"),
            (push(json!({ "url": url, "give_up_minutes": 0 })).map(drop),   "give_up_minutes = 0 must be 1 to 10080"),
            (push(json!({ "url": url, "uri": url })).map(drop),             "unknown field `uri`"),
            (poll(json!({ "kept": 0 })).map(drop),                          "kept = 0 must be 1 to 1000000"),
            (poll(json!({ "at_once": 1_001 })).map(drop),                   "at_once = 1001 must be 1 to 1000"),
            (poll(json!({ "wait_seconds": 301 })).map(drop),                "wait_seconds = 301 must be 0 to 300"),
            (poll(json!({ "waiting_polls": 1_001 })).map(drop),             "waiting_polls = 1001 must be 0 to 1000"),
        ];
        for (found, start) in rows {
            let error = found.unwrap_err();
            assert!(error.starts_with(start), "{error}");
        }
        assert_eq!(stream(&json!({ "events": ["session.*"] })), Ok(()));
    }

    #[test]
    fn what_is_not_said_is_as_it_is_documented() {
        let delivery = push(json!({ "url": "http://mail.example/", "plain_http": true })).unwrap();
        assert_eq!((delivery.waiting, delivery.give_up_after), (10_000, Duration::from_hours(1)));
        let limits = PollLimits { kept: 10_000, at_once: 100, wait: Duration::from_secs(30), waiting_polls: 8 };
        assert_eq!((poll(json!({})), PollLimits::default()), (Ok(limits), limits));
        let own = poll(json!({ "kept": 1, "at_once": 2, "wait_seconds": 0, "waiting_polls": 3 })).unwrap();
        assert_eq!(own, PollLimits { kept: 1, at_once: 2, wait: Duration::ZERO, waiting_polls: 3 });
        let own = push(json!({ "url": "https://mail.example/", "waiting": 7, "give_up_minutes": 2 })).unwrap();
        assert_eq!((own.waiting, own.give_up_after), (7, Duration::from_mins(2)));
    }
}
