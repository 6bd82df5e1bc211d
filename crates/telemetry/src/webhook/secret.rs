//! What a receiver knows a webhook by.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

/// A secret that a receiver shares with us. Shown nowhere.
///
/// # Examples
/// ```
/// use counterfoil_telemetry::webhook::Secret;
///
/// let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// assert_eq!(format!("{secret:?}"), "Secret(redacted)");
/// assert!(Secret::read("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_err());
/// # Ok::<_, counterfoil_telemetry::webhook::NotASecret>(())
/// ```
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Zeroizing<String>")]
pub struct Secret(Zeroizing<Vec<u8>>);

/// The text is not the secret of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a secret of a webhook: expected `whsec_` and base64 of 24 to 64 random bytes")]
pub struct NotASecret;

impl Secret {
    /// Reads one as Standard Webhooks writes it.
    ///
    /// # Errors
    /// It is none, or shorter or longer than it may be.
    pub fn read(text: &str) -> Result<Self, NotASecret> {
        let text = text.trim().strip_prefix("whsec_").ok_or(NotASecret)?;
        let bytes = Zeroizing::new(STANDARD.decode(text).map_err(|_| NotASecret)?);
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(NotASecret) }
    }

    /// `v1,` and the signature.
    pub(super) fn sign(&self, id: &str, seconds: u64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        context.update(format!("{id}.{seconds}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

impl TryFrom<Zeroizing<String>> for Secret {
    type Error = NotASecret;

    fn try_from(text: Zeroizing<String>) -> Result<Self, NotASecret> {
        Self::read(&text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_its_prefix_and_24_to_64_bytes() {
        //  bytes  is one
        for (bytes, is_one) in [(0, false), (23, false), (24, true), (32, true), (64, true), (65, false)] {
            let text = format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
            assert_eq!(Secret::read(&text).is_ok(), is_one, "{bytes}");
            assert!(Secret::read(&text.replace("whsec_", "whsk_")).is_err());
        }
        assert!(Secret::read("whsec_****************************************").is_err());
        assert!(Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").is_ok(), "as the last line of a file");
    }

    #[test]
    fn no_error_of_a_configuration_shows_a_secret() {
        let error = serde_json::from_str::<Secret>(r#""whsec_tooshort""#).unwrap_err().to_string();
        assert!(error.contains("not a secret") && !error.contains("tooshort"), "{error}");
    }

    #[test]
    fn the_example_of_the_specification_s_own_libraries_is_signed_as_there() {
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
