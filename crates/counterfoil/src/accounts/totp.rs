//! One-time passwords by the clock (RFC 6238): a secret, its codes, and each good for one use. Pure.

use std::fmt;

use counterfoil_core::{Entropy, Moment, NoEntropy};
use totp_rs::{Builder, Secret, Totp, TotpError};
use zeroize::Zeroizing;

/// What an authenticator app and this server both know: 160 bits (RFC 4226, section 4).
///
/// # Examples
/// ```
/// use counterfoil::accounts::TotpSecret;
/// use counterfoil::{Moment, SystemEntropy};
///
/// let secret = TotpSecret::generate(&SystemEntropy)?;
/// let offer = secret.offer("ada", "shop.example")?; // shown once, to be typed or scanned
/// assert!(offer.address.starts_with("otpauth://totp/shop.example:ada?"));
///
/// let mut used = 0;
/// assert!(!secret.accepts("no code", Moment::from_unix_seconds(1_200), &mut used));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct TotpSecret(Totp);

/// What an authenticator app is given, once.
pub struct Offer {
    /// The address that apps read: `otpauth://totp/…`.
    pub address: String,
    /// The secret as people type it: base32, in groups of four.
    pub secret: String,
}

/// Why there is no secret, or nothing to show of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoSecret {
    /// Answer 503.
    #[error("no randomness for a secret")]
    NoRandomness(#[from] NoEntropy),
    /// What was kept is no secret of ours, or a name cannot stand in an address (it holds a colon).
    #[error("a second factor could not be made")]
    Unfit(#[source] TotpError),
}

impl TotpSecret {
    /// Bytes in a secret: RFC 4226, section 4, recommends 160 bits.
    pub const BYTES: usize = 20;

    /// A fresh secret.
    ///
    /// # Errors
    /// [`NoSecret::NoRandomness`]
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoSecret> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        entropy.fill(&mut *bytes)?;
        Self::from_bytes(&bytes)
    }

    /// A secret that was kept.
    ///
    /// # Errors
    /// [`NoSecret::Unfit`]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Result<Self, NoSecret> {
        Builder::new().with_secret(*bytes).build().map(Self).map_err(NoSecret::Unfit)
    }

    /// The secret, to be kept sealed: whoever has it has all codes.
    pub fn to_bytes(&self) -> Zeroizing<[u8; Self::BYTES]> {
        let secret: &Secret = self.0.secret();
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        for (to, from) in bytes.iter_mut().zip(secret.as_bytes()) {
            *to = *from;
        }
        bytes
    }

    /// What an authenticator app is given: this secret, for the account `name` at `issuer`.
    ///
    /// # Errors
    /// [`NoSecret::Unfit`]: one of the names holds a colon, or is empty.
    pub fn offer(&self, name: &str, issuer: &str) -> Result<Offer, NoSecret> {
        let builder = Builder::new().with_secret(*self.to_bytes()).with_account_name(name).with_issuer(Some(issuer));
        let named = builder.build().map_err(NoSecret::Unfit)?;
        let address = named.to_url().map_err(NoSecret::Unfit)?;
        Ok(Offer { address, secret: in_groups(&named.secret().to_base32()) })
    }

    /// Whether `code` is right and of a later step than `used`, which it then becomes. Keep `used` with the account.
    ///
    /// # Security
    /// A code is accepted once: the step it belongs to must be later than any accepted before (RFC 6238, section 5.2), so
    /// what was watched or intercepted is worth nothing, and of two requests with one code one is let in. A clock may be
    /// a step (30 s) off either way. Compared in constant time. Attempts are not counted here; ask
    /// [`SignIn::code_trial`](crate::SignIn::code_trial) first: six digits alone withstand nobody.
    #[must_use]
    pub fn accepts(&self, code: &str, now: Moment, used: &mut u64) -> bool {
        match self.step_of(code, now) {
            Some(step) if step > *used => {
                *used = step;
                true
            }
            _ => false,
        }
    }

    /// The step whose code this is. Apps show codes in two groups; white space is no part of them.
    fn step_of(&self, code: &str, now: Moment) -> Option<u64> {
        let digits: String = code.chars().filter(|character| !character.is_whitespace()).take(LONGEST_CODE).collect();
        let six = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        six.then(|| self.0.check(&digits, now.unix_seconds())).flatten()
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("TotpSecret(redacted)")
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Offer(redacted)")
    }
}

fn in_groups(secret: &str) -> String {
    let groups = secret.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(" ")
}

const LONGEST_CODE: usize = 16;

#[cfg(test)]
mod tests {
    use counterfoil_core::SystemEntropy;

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_unix_seconds(seconds)
    }

    fn secret() -> TotpSecret {
        TotpSecret::generate(&SystemEntropy).unwrap()
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, SHA-1: the last six of the eight digits printed there.
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(secret.step_of(code, at(seconds)), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_for_one_use_and_a_step_around_its_own() {
        #[rustfmt::skip]
        let table = [
            // shown at  sent at   accepted
            (1_200,      1_200,    true),
            (1_200,      1_230,    true),
            (1_200,      1_259,    true),
            (1_200,      1_260,    false),
            (1_230,      1_200,    true),
            (1_260,      1_200,    false),
        ];
        for (shown, sent, accepted) in table {
            let (secret, mut used) = (secret(), 30);
            let code = secret.0.generate(shown).to_string();
            assert_eq!(secret.accepts(&code, at(sent), &mut used), accepted, "{shown} {sent}");
            assert!(!secret.accepts(&code, at(sent), &mut used), "twice");
        }
        let (secret, mut used) = (secret(), 30);
        assert!(secret.accepts(&secret.0.generate(1_230).to_string(), at(1_200), &mut used));
        assert_eq!(used, 41);
        let earlier = secret.0.generate(1_200).to_string();
        assert!(!secret.accepts(&earlier, at(1_200), &mut used), "an earlier step than the last used");
    }

    #[test]
    fn what_is_no_code_is_wrong_and_nothing_worse() {
        let (secret, mut used) = (secret(), 0);
        let code = secret.0.generate(1_200).to_string();
        let long = "1".repeat(100_000);
        for text in ["", "12345", "1234567", "abcdef", "+12345", "١٢٣٤٥٦", "-00001", "0x1234", long.as_str()] {
            assert!(!secret.accepts(text, at(1_200), &mut used), "{text:.20}");
        }
        let spaced = format!(" {} {} ", &code[..3], &code[3..]);
        assert!(secret.accepts(&spaced, at(1_200), &mut used), "as apps show it");
    }

    #[test]
    fn a_secret_is_long_random_reads_back_and_is_shown_nowhere_else() {
        let (one, two) = (secret(), secret());
        assert_ne!(one.to_bytes(), two.to_bytes());
        let again = TotpSecret::from_bytes(&one.to_bytes()).unwrap();
        let code = one.0.generate(1_200).to_string();
        assert!(again.accepts(&code, at(1_200), &mut 0));
        let offer = one.offer("ada", "Counterfoil demo").unwrap();
        let typed = offer.secret.replace(' ', "");
        assert_eq!(typed.len(), 32, "160 bits");
        assert!(offer.address.starts_with("otpauth://totp/Counterfoil%20demo:ada?"), "{}", offer.address);
        assert!(offer.address.contains(&typed));
        assert!(Totp::from_url(&offer.address).unwrap().check(&code, 1_200).is_some(), "an app shows the same codes");
        assert!(!format!("{one:?} {offer:?}").contains(&typed));
    }

    #[test]
    fn a_name_with_a_colon_has_no_address() {
        assert!(matches!(secret().offer("a:b", "shop"), Err(NoSecret::Unfit(_))));
        assert!(matches!(secret().offer("ada", "localhost:8080"), Err(NoSecret::Unfit(_))));
    }
}
