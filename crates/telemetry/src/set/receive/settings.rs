//! Who may tell us what, as it is configured.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::keys::Keys;
use super::meaning::What;
use crate::set::pen::Bearer;

/// Somebody whose tokens are taken, as it is configured. Where its keys are is read apart from this.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransmitterSettings {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of tokens for us, as we agreed with it.
    pub audience: String,
    /// What it may tell us [default: `session_revoked`, `credential_changed`, `credential_unsafe`, `account_disabled`].
    #[serde(default = "usual")]
    pub accepts: Vec<String>,
    /// How old its tokens may be [default: 24].
    #[serde(default = "a_day")]
    pub oldest_hours: u64,
}

/// Somebody whose tokens are taken.
#[derive(Debug)]
pub struct Transmitter {
    pub(super) issuer: Arc<str>,
    pub(super) audience: String,
    pub(super) accepts: Vec<String>,
    pub(super) oldest: Duration,
    pub(super) keys: Keys,
    pub(super) bearer: Option<Bearer>,
}

/// Why a transmitter cannot be as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value} must be {expected}")]
pub struct BadTransmitter {
    /// The setting.
    pub key: &'static str,
    /// What it is.
    pub value: String,
    /// What it has to be.
    pub expected: String,
}

impl TransmitterSettings {
    /// Checks them. The transmitter's tokens are verified by `keys`; it has to show `bearer`, if there is one.
    ///
    /// # Errors
    /// [`BadTransmitter`]: a setting does not fit.
    pub fn check(self, keys: Keys, bearer: Option<Bearer>) -> Result<Transmitter, BadTransmitter> {
        let Self { issuer, audience, accepts, oldest_hours } = self;
        for (key, value) in [("issuer", &issuer), ("audience", &audience)] {
            if !(1..=512).contains(&value.len()) || value.chars().any(char::is_control) {
                return Err(bad(key, format!("{value:?}"), "1 to 512 characters"));
            }
        }
        if let Some(other) = accepts.iter().find(|name| !What::NAMES.contains(&name.as_str())) {
            return Err(bad("accepts", format!("{other:?}"), &format!("some of {}", What::NAMES.join(", "))));
        }
        if !(1..=MOST_HOURS).contains(&oldest_hours) {
            return Err(bad("oldest_hours", oldest_hours.to_string(), "1 to 168"));
        }
        let oldest = Duration::from_hours(oldest_hours);
        Ok(Transmitter { issuer: issuer.into(), audience, accepts, oldest, keys, bearer })
    }
}

impl Transmitter {
    pub(super) fn may_say(&self, what: &What) -> bool {
        what.name().is_none_or(|name| self.accepts.iter().any(|accepted| accepted == name))
    }
}

fn bad(key: &'static str, value: String, expected: &str) -> BadTransmitter {
    BadTransmitter { key, value, expected: expected.to_owned() }
}

/// Those that end sessions for a reason that is a reason everywhere.
fn usual() -> Vec<String> {
    ["session_revoked", "credential_changed", "credential_unsafe", "account_disabled"].map(str::to_owned).into()
}

const fn a_day() -> u64 {
    24
}

const MOST_HOURS: u64 = 168;

#[cfg(test)]
mod tests {
    use super::super::tests::{Signing, settings};
    use super::*;

    #[test]
    fn a_transmitter_that_cannot_be_is_refused_with_the_setting_and_its_value() {
        type Change = fn(&mut TransmitterSettings);
        #[rustfmt::skip]
        let rows: [(Change, &str); 6] = [
            (|all| all.issuer = String::new(),              "issuer = \"\" must be 1 to 512 characters"),
            (|all| all.audience = "a\nb".to_owned(),        "audience = \"a\\nb\" must be 1 to 512 characters"),
            (|all| all.accepts = vec!["all".to_owned()],    "accepts = \"all\" must be some of session_revoked, "),
            (|all| all.oldest_hours = 0,                    "oldest_hours = 0 must be 1 to 168"),
            (|all| all.oldest_hours = 169,                  "oldest_hours = 169 must be 1 to 168"),
            (|all| all.oldest_hours = u64::MAX,             "oldest_hours = 18446744073709551615 must be 1 to 168"),
        ];
        let signing = Signing::new();
        for (change, start) in rows {
            let mut settings = settings();
            change(&mut settings);
            let keys = Keys::fixed(signing.jwks().to_string().as_bytes()).unwrap();
            let error = settings.check(keys, None).unwrap_err().to_string();
            assert!(error.starts_with(start), "{error}");
        }
        assert!(settings().accepts.iter().all(|name| What::NAMES.contains(&name.as_str())));
    }
}
