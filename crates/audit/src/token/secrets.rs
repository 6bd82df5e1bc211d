//! Secrets that everybody knows: of documentation, tutorials and templates.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::jwt::{Hs, Jwt};
use crate::predict::{percent_decoded, unbase64, unhex};

/// A way to sign, with a secret that was found.
#[derive(Clone, PartialEq, Eq)]
pub struct Known {
    /// How.
    pub scheme: Scheme,
    /// With what.
    pub secret: &'static str,
}

/// Ways to sign tokens with a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// A JSON web token.
    Jwt(Hs),
    /// Of itsdangerous, with that salt; Flask derives its key by HMAC.
    Dangerous {
        /// What the key is for.
        salt: &'static str,
        /// Whether the key is derived by HMAC and not by a hash of both.
        by_hmac: bool,
    },
    /// Of Django, with that salt.
    Django(&'static str),
    /// Of Express: `s:value.signature`.
    Express,
    /// Of Express's cookie-session: the signature is a cookie of its own.
    Keygrip,
    /// Of Rails, its key derived with SHA-1 or SHA-256.
    Rails {
        /// Whether with SHA-256.
        by_sha256: bool,
    },
    /// Of Rack, by the secret itself.
    Rack,
}

/// The secret of the list that signed a token, if one did.
pub fn crack(value: &str) -> Option<Known> {
    let text = percent_decoded(value);
    let text = text.trim_matches('"');
    let schemes: Vec<_> = SCHEMES.into_iter().filter(|scheme| scheme.parts(text).is_some()).collect();
    let of = |scheme: &Scheme| list().find(|secret| scheme.verifies(text, secret)).map(|secret| (*scheme, secret));
    schemes.iter().find_map(of).map(|(scheme, secret)| Known { scheme, secret })
}

/// The secret of the list that made a cookie's companion `name.sig`, if one did.
pub fn crack_companion(name: &str, value: &str, signature: &str) -> Option<Known> {
    let secret = list().find(|secret| companion(secret, name, value) == signature)?;
    Some(Known { scheme: Scheme::Keygrip, secret })
}

/// The signature that cookie-session puts beside a cookie.
pub fn companion(secret: &str, name: &str, value: &str) -> String {
    let tag = mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes(), format!("{name}={value}").as_bytes());
    URL_SAFE_NO_PAD.encode(tag)
}

impl Known {
    /// A token as `value` that says something else, signed; none where this make cannot be written again.
    pub fn sign(&self, value: &str, claims: &Value) -> Option<String> {
        let text = percent_decoded(value);
        let text = text.trim_matches('"');
        let json = URL_SAFE_NO_PAD.encode(claims.to_string());
        match self.scheme {
            Scheme::Jwt(hs) => Some(Jwt::read(text)?.signed(hs, self.secret.as_bytes(), claims)),
            Scheme::Dangerous { .. } => {
                let time = text.rsplit('.').nth(1)?;
                Some(self.sealed(&format!("{json}.{time}"), '.'))
            }
            Scheme::Django(_) => {
                let time = text.rsplit(':').nth(1)?;
                Some(self.sealed(&format!("{json}:{time}"), ':'))
            }
            Scheme::Express | Scheme::Keygrip | Scheme::Rails { .. } | Scheme::Rack => None,
        }
    }

    fn sealed(&self, input: &str, separator: char) -> String {
        let tag = self.scheme.mac(self.secret, input.as_bytes()).unwrap_or_default();
        format!("{input}{separator}{}", URL_SAFE_NO_PAD.encode(tag))
    }
}

impl Scheme {
    /// For a report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jwt(hs) => hs.name(),
            Self::Dangerous { by_hmac: true, .. } => "Flask's signature",
            Self::Dangerous { .. } => "itsdangerous' signature",
            Self::Django(_) => "Django's signature",
            Self::Express | Self::Keygrip => "Express's signature",
            Self::Rails { .. } => "Rails' signature",
            Self::Rack => "Rack's signature",
        }
    }

    /// What is signed, and the signature.
    fn parts(self, text: &str) -> Option<(String, Vec<u8>)> {
        let split = |separator: &str| {
            let (input, signature) = text.rsplit_once(separator)?;
            Some((input.to_owned(), signature))
        };
        match self {
            Self::Jwt(hs) => {
                let jwt = Jwt::read(text).filter(|jwt| jwt.hs() == Some(hs))?;
                Some((jwt.input, jwt.signature))
            }
            Self::Dangerous { .. } if Jwt::read(text).is_none() => {
                let (input, signature) = split(".").filter(|(input, _)| input.contains('.'))?;
                Some((input, unbase64(signature.as_bytes()).filter(|tag| tag.len() == 20)?))
            }
            Self::Django(_) => {
                let (input, signature) = split(":").filter(|(input, _)| input.contains(':'))?;
                Some((input, unbase64(signature.as_bytes()).filter(|tag| tag.len() == 32)?))
            }
            Self::Express => {
                let (input, signature) = split(".")?;
                Some((input.strip_prefix("s:")?.to_owned(), STANDARD_NO_PAD.decode(signature).ok()?))
            }
            Self::Rails { .. } | Self::Rack => {
                let (input, signature) = split("--")?;
                Some((input, unhex(signature.as_bytes()).filter(|tag| matches!(tag.len(), 20 | 32))?))
            }
            Self::Dangerous { .. } | Self::Keygrip => None,
        }
    }

    fn verifies(self, text: &str, secret: &str) -> bool {
        let Some((input, tag)) = self.parts(text) else { return false };
        let rails = matches!(self, Self::Rails { .. } | Self::Rack);
        if rails && tag.len() == 32 {
            return self.key(secret).is_some_and(|key| mac(hmac::HMAC_SHA256, &key, input.as_bytes()) == tag);
        }
        self.mac(secret, input.as_bytes()).is_some_and(|made| made == tag)
    }

    fn mac(self, secret: &str, input: &[u8]) -> Option<Vec<u8>> {
        let key = self.key(secret)?;
        let algorithm = match self {
            Self::Jwt(Hs::Hs384) => hmac::HMAC_SHA384,
            Self::Jwt(Hs::Hs512) => hmac::HMAC_SHA512,
            Self::Jwt(_) | Self::Django(_) | Self::Express => hmac::HMAC_SHA256,
            _ => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        };
        Some(mac(algorithm, &key, input))
    }

    fn key(self, secret: &str) -> Option<Vec<u8>> {
        let sha1 = &digest::SHA1_FOR_LEGACY_USE_ONLY;
        Some(match self {
            Self::Dangerous { salt, by_hmac: true } => {
                mac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes(), salt.as_bytes())
            }
            Self::Dangerous { salt, .. } => {
                digest::digest(sha1, format!("{salt}signer{secret}").as_bytes()).as_ref().to_vec()
            }
            Self::Django(salt) => {
                digest::digest(&digest::SHA256, format!("{salt}signer{secret}").as_bytes()).as_ref().to_vec()
            }
            Self::Rails { by_sha256 } => {
                let algorithm = if by_sha256 { pbkdf2::PBKDF2_HMAC_SHA256 } else { pbkdf2::PBKDF2_HMAC_SHA1 };
                let mut key = vec![0; 64];
                pbkdf2::derive(algorithm, NonZeroU32::new(1_000)?, b"signed cookie", secret.as_bytes(), &mut key);
                key
            }
            _ => secret.as_bytes().to_vec(),
        })
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Known({:?}, {})", self.scheme, self.secret)
    }
}

/// Every secret of the list, one to a line of the file.
pub fn list() -> impl Iterator<Item = &'static str> {
    LIST.lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}

fn mac(algorithm: hmac::Algorithm, key: &[u8], input: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, key), input).as_ref().to_vec()
}

/// From the cheapest.
const SCHEMES: [Scheme; 13] = [
    Scheme::Jwt(Hs::Hs256),
    Scheme::Jwt(Hs::Hs384),
    Scheme::Jwt(Hs::Hs512),
    Scheme::Dangerous { salt: "cookie-session", by_hmac: true },
    Scheme::Dangerous { salt: "itsdangerous", by_hmac: false },
    Scheme::Dangerous { salt: "itsdangerous.Signer", by_hmac: false },
    Scheme::Django("django.contrib.sessions.backends.signed_cookies"),
    Scheme::Django("django.core.signing"),
    Scheme::Django("django.contrib.messages"),
    Scheme::Express,
    Scheme::Rack,
    Scheme::Rails { by_sha256: false },
    Scheme::Rails { by_sha256: true },
];
const LIST: &str = include_str!("secrets.txt");
