//! Who may tell us what, as it is configured.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::keys::Keys;
use super::meaning::{About, SessionName, UserName, What};
use crate::set::pen::Bearer;

/// Somebody whose tokens are taken, as it is configured. Where its keys are is read apart from this.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransmitterSettings {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of tokens for us, as we agreed with it.
    pub audience: String,
    /// By which names it may speak of sessions and users.
    pub knows_by: Vec<KnownBy>,
    /// What it may tell us [default: `session_revoked`, `credential_changed`, `credential_unsafe`, `account_disabled`].
    #[serde(default = "usual")]
    pub accepts: Vec<String>,
    /// How old its tokens may be [default: 24].
    #[serde(default = "a_day")]
    pub oldest_hours: u64,
}

/// By which names a transmitter may speak of sessions and users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KnownBy {
    /// Our ids of sessions and keyed references of users, as our streams tell them.
    Ours,
    /// The transmitter's own ids of users (`iss_sub`), where those are the subjects of sessions here.
    Sub,
    /// Addresses, where those are the subjects of sessions here, written in the same way.
    Email,
}

/// Somebody whose tokens are taken.
#[derive(Debug)]
pub struct Transmitter {
    pub(super) issuer: Arc<str>,
    pub(super) audience: String,
    pub(super) knows_by: Vec<KnownBy>,
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
    /// With the defaults.
    pub fn usual(issuer: String, audience: String, knows_by: Vec<KnownBy>) -> Self {
        Self { issuer, audience, knows_by, accepts: usual(), oldest_hours: a_day() }
    }

    /// Checks them. The transmitter's tokens are verified by `keys`; it has to show `bearer`, if there is one.
    ///
    /// # Errors
    /// [`BadTransmitter`]: a setting does not fit.
    pub fn check(self, keys: Keys, bearer: Option<Bearer>) -> Result<Transmitter, BadTransmitter> {
        let Self { issuer, audience, knows_by, accepts, oldest_hours } = self;
        for (key, value) in [("issuer", &issuer), ("audience", &audience)] {
            if !(1..=512).contains(&value.len()) || value.chars().any(char::is_control) {
                return Err(bad(key, format!("{value:?}"), "1 to 512 characters"));
            }
        }
        if knows_by.is_empty() {
            return Err(bad("knows_by", "[]".to_owned(), "at least one of ours, sub and email"));
        }
        if let Some(other) = accepts.iter().find(|name| !What::NAMES.contains(&name.as_str())) {
            return Err(bad("accepts", format!("{other:?}"), &format!("some of {}", What::NAMES.join(", "))));
        }
        if !(1..=MOST_HOURS).contains(&oldest_hours) {
            return Err(bad("oldest_hours", oldest_hours.to_string(), "1 to 168"));
        }
        let oldest = Duration::from_hours(oldest_hours);
        Ok(Transmitter { issuer: issuer.into(), audience, knows_by, accepts, oldest, keys, bearer })
    }
}

impl KnownBy {
    /// Its name in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Sub => "sub",
            Self::Email => "email",
        }
    }
}

impl Transmitter {
    pub(super) fn may_say(&self, what: &What) -> bool {
        what.name().is_none_or(|name| self.accepts.iter().any(|accepted| accepted == name))
    }

    /// Whether it may use these names. By those that mean nothing here nobody is meant, so anybody may.
    pub(super) fn may_speak_of(&self, about: &About) -> bool {
        let session = about.session.as_ref().and_then(|session| match session {
            SessionName::Ours(_) => Some(KnownBy::Ours),
            SessionName::Theirs(_) | SessionName::Unknown => None,
        });
        // Where a session is named, nobody looks at the user.
        let user = about.user.as_ref().filter(|_| about.session.is_none());
        let by_user = user.map(|user| match user {
            UserName::Reference(_) => Some(KnownBy::Ours),
            // Of users elsewhere only whoever they are with may speak.
            UserName::At { issuer, .. } => (**issuer == *self.issuer).then_some(KnownBy::Sub),
            UserName::Email(_) => Some(KnownBy::Email),
        });
        let allowed = |by: KnownBy| self.knows_by.contains(&by);
        session.is_none_or(allowed) && by_user.is_none_or(|by| by.is_some_and(allowed))
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
        let rows: [(Change, &str); 7] = [
            (|all| all.issuer = String::new(),              "issuer = \"\" must be 1 to 512 characters"),
            (|all| all.audience = "a\nb".to_owned(),        "audience = \"a\\nb\" must be 1 to 512 characters"),
            (|all| all.knows_by.clear(),                    "knows_by = [] must be at least one of ours, sub and email"),
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

    #[test]
    fn a_transmitter_speaks_of_whom_it_knows_by_the_names_it_may_use() {
        use KnownBy::{Email, Ours, Sub};
        let session = |session| About { session: Some(session), user: None };
        let user = |user| About { session: None, user: Some(user) };
        let at = |issuer: &str| user(UserName::At { issuer: issuer.to_owned(), subject: "ada".to_owned() });
        let ours = SessionName::Ours(counterfoil_core::SessionId::from_bytes([7; 18]));
        let address = || UserName::Email("ada@example.com".to_owned());
        let of_both = About { session: Some(ours.clone()), user: Some(address()) };
        #[rustfmt::skip]
        let rows = [
            (session(ours),                                    vec![Ours]),
            (of_both,                                          vec![Ours]),
            (user(UserName::Reference(counterfoil_core::SubjectRef::from_bytes([7; 16]))), vec![Ours]),
            (at("https://idp.example"),                        vec![Sub]),
            // Of users who are with somebody else nobody may speak.
            (at("https://other.example"),                      vec![]),
            (user(address()),                                  vec![Email]),
            (session(SessionName::Theirs("theirs".to_owned())), vec![Ours, Sub, Email]),
            (session(SessionName::Unknown),                    vec![Ours, Sub, Email]),
            (About::default(),                                 vec![Ours, Sub, Email]),
        ];
        let signing = Signing::new();
        for (about, by) in rows {
            for name in [Ours, Sub, Email] {
                let keys = Keys::fixed(signing.jwks().to_string().as_bytes()).unwrap();
                let settings = TransmitterSettings { knows_by: vec![name], ..settings() };
                let transmitter = settings.check(keys, None).unwrap();
                assert_eq!(transmitter.may_speak_of(&about), by.contains(&name), "{about:?} by {}", name.as_str());
            }
        }
    }
}
