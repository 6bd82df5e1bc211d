//! One-time passwords by the clock (RFC 6238): offered, confirmed, checked, and each good for one use.

use std::{collections::HashMap, time::SystemTime};

use parking_lot::Mutex;
use totp_rs::{Builder, Totp, TotpError};

/// Who has a second factor, in memory: all are gone after a restart.
#[derive(Default)]
pub struct SecondFactors {
    by_name: Mutex<HashMap<String, State>>,
}

/// What an authenticator app is given, once.
pub struct Offer {
    /// The address that apps read: `otpauth://totp/…`.
    pub address: String,
    /// The secret as people type it: base32, in groups of four.
    pub secret: String,
}

/// Why nothing was offered: the system gives no randomness, or the name cannot stand in an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoOffer {
    /// Answer 503.
    #[error("no randomness for a secret")]
    NoRandomness,
    /// A fault of the program's.
    #[error("a second factor could not be made")]
    Unfit(#[source] TotpError),
}

/// A second factor that was removed, until it is certain that it stays so.
#[must_use = "put it back if what must follow did not"]
#[expect(missing_debug_implementations, reason = "it holds a secret, and nothing to show")]
pub struct Removed(Option<State>);

/// The account's second factor, and the one offered in its place.
#[derive(Default)]
struct State {
    enrolled: Option<Enrolled>,
    offered: Option<Totp>,
}

struct Enrolled {
    totp: Totp,
    /// The last time step whose code was accepted.
    used: u64,
}

impl SecondFactors {
    /// Whether signing in as `name` takes a code as well.
    pub fn is_enrolled(&self, name: &str) -> bool {
        self.by_name.lock().get(name).is_some_and(|state| state.enrolled.is_some())
    }

    /// A new secret for `name`, in place of any that was offered before. It counts once [confirmed](Self::confirm).
    ///
    /// # Errors
    /// [`NoOffer`]; what there was before stays.
    pub fn offer(&self, name: &str) -> Result<Offer, NoOffer> {
        let mut secret = [0; SECRET_BYTES];
        aws_lc_rs::rand::fill(&mut secret).map_err(|_| NoOffer::NoRandomness)?;
        let builder = Builder::new().with_secret(secret).with_account_name(name).with_issuer(Some(ISSUER));
        let totp = builder.build().map_err(NoOffer::Unfit)?;
        let offer =
            Offer { address: totp.to_url().map_err(NoOffer::Unfit)?, secret: in_groups(&totp.secret().to_base32()) };
        self.by_name.lock().entry(name.to_owned()).or_default().offered = Some(totp);
        Ok(offer)
    }

    /// Takes the offered secret into use if `code` shows that an app has it. `false` if it does not, or nothing was
    /// offered; the offer stands then.
    pub fn confirm(&self, name: &str, code: &str, now: SystemTime) -> bool {
        let mut all = self.by_name.lock();
        let Some(state) = all.get_mut(name) else { return false };
        let Some(step) = state.offered.as_ref().and_then(|totp| check(totp, code, now)) else { return false };
        state.enrolled = state.offered.take().map(|totp| Enrolled { totp, used: step });
        true
    }

    /// Whether `code` is right, and uses it up.
    ///
    /// # Security
    /// A code is accepted once: the step it belongs to must be later than any accepted before (RFC 6238, section 5.2), so
    /// what was watched or intercepted is worth nothing, and of two requests with one code one is let in. A clock may be
    /// a step (30 s) off either way. Compared in constant time. Attempts are not counted here; ask
    /// [`AttemptLimit::code`](crate::limit::AttemptLimit::code) first: six digits alone withstand nobody.
    pub fn verify(&self, name: &str, code: &str, now: SystemTime) -> bool {
        let mut all = self.by_name.lock();
        let Some(enrolled) = all.get_mut(name).and_then(|state| state.enrolled.as_mut()) else { return false };
        match check(&enrolled.totp, code, now) {
            Some(step) if step > enrolled.used => {
                enrolled.used = step;
                true
            }
            _ => false,
        }
    }

    /// Forgets the second factor of `name`, and what was offered.
    pub fn remove(&self, name: &str) -> Removed {
        Removed(self.by_name.lock().remove(name))
    }

    /// Puts back what was removed.
    pub fn put_back(&self, name: &str, removed: Removed) {
        if let Removed(Some(state)) = removed {
            self.by_name.lock().insert(name.to_owned(), state);
        }
    }
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Offer(redacted)")
    }
}

impl std::fmt::Debug for SecondFactors {
    /// No secret is shown.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SecondFactors").finish_non_exhaustive()
    }
}

/// The step whose code this is. Apps show codes in two groups; white space is no part of them.
fn check(totp: &Totp, code: &str, now: SystemTime) -> Option<u64> {
    let digits: String = code.chars().filter(|character| !character.is_whitespace()).take(LONGEST_CODE).collect();
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let six = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    six.then(|| totp.check(&digits, now.as_secs())).flatten()
}

fn in_groups(secret: &str) -> String {
    let groups = secret.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(" ")
}

/// RFC 4226, section 4: 160 bits are recommended.
const SECRET_BYTES: usize = 20;
const LONGEST_CODE: usize = 16;
const ISSUER: &str = "Counterfoil demo";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn app(offer: &Offer) -> Totp {
        Totp::from_url(&offer.address).unwrap()
    }

    fn enrolled(now: u64) -> (SecondFactors, Totp) {
        let factors = SecondFactors::default();
        let app = app(&factors.offer("ada").unwrap());
        assert!(factors.confirm("ada", &app.generate(now).to_string(), at(now)));
        (factors, app)
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, SHA-1: the last six of the eight digits printed there.
        let totp = Builder::new().with_secret(*b"12345678901234567890").build().unwrap();
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(check(&totp, code, at(seconds)), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn an_offer_counts_once_an_app_has_shown_its_code() {
        let factors = SecondFactors::default();
        assert!(!factors.confirm("ada", "000000", at(90)), "nothing was offered");
        let first = app(&factors.offer("ada").unwrap());
        let second = app(&factors.offer("ada").unwrap());
        assert!(!factors.confirm("ada", &first.generate(90).to_string(), at(90)), "it was replaced");
        assert!(!factors.is_enrolled("ada"));
        assert!(factors.confirm("ada", &second.generate(90).to_string(), at(90)));
        assert!(factors.is_enrolled("ada") && !factors.is_enrolled("grace"));
        assert!(!factors.verify("ada", &second.generate(90).to_string(), at(90)), "the code that confirmed it is used");
        let removed = factors.remove("ada");
        assert!(!factors.is_enrolled("ada"));
        factors.put_back("ada", removed);
        assert!(factors.is_enrolled("ada"));
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
            let (factors, app) = enrolled(900);
            let code = app.generate(shown).to_string();
            assert_eq!(factors.verify("ada", &code, at(sent)), accepted, "{shown} {sent}");
            assert!(!factors.verify("ada", &code, at(sent)), "twice");
        }
        let (factors, app) = enrolled(900);
        assert!(factors.verify("ada", &app.generate(1_230).to_string(), at(1_200)));
        assert!(
            !factors.verify("ada", &app.generate(1_200).to_string(), at(1_200)),
            "an earlier step than the last used"
        );
    }

    #[test]
    fn what_is_no_code_is_wrong_and_nothing_worse() {
        let (factors, app) = enrolled(900);
        let code = app.generate(1_200).to_string();
        let long = "1".repeat(100_000);
        for text in ["", "12345", "1234567", "abcdef", "+12345", "١٢٣٤٥٦", "-00001", "0x1234", long.as_str()] {
            assert!(!factors.verify("ada", text, at(1_200)), "{text:.20}");
        }
        assert!(!factors.verify("grace", &code, at(1_200)), "somebody else's");
        let spaced = format!(" {} {} ", &code[..3], &code[3..]);
        assert!(factors.verify("ada", &spaced, at(1_200)), "as apps show it");
    }

    #[test]
    fn of_many_requests_with_one_code_one_is_let_in() {
        let (factors, app) = enrolled(900);
        let code = app.generate(1_200).to_string();
        let accepted = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8).map(|_| scope.spawn(|| factors.verify("ada", &code, at(1_200)))).collect();
            tries.into_iter().map(|attempt| attempt.join().unwrap()).filter(|good| *good).count()
        });
        assert_eq!(accepted, 1);
    }

    #[test]
    fn a_secret_is_long_random_and_shown_nowhere_else() {
        let factors = SecondFactors::default();
        let (one, two) = (factors.offer("ada").unwrap(), factors.offer("ada").unwrap());
        assert_ne!(one.secret, two.secret);
        assert_eq!(one.secret.replace(' ', "").len(), 32, "160 bits");
        assert!(one.address.starts_with("otpauth://totp/Counterfoil%20demo:ada?"), "{}", one.address);
        assert!(one.address.contains(&one.secret.replace(' ', "")));
        assert!(!format!("{factors:?}").contains(&two.secret.replace(' ', "")));
    }
}
