//! Who has a second factor: offered, confirmed, checked, removed.

use std::collections::HashMap;

use counterfoil::accounts::{NoSecret, Offer, TotpSecret};
use counterfoil::{Moment, SystemEntropy};
use parking_lot::Mutex;

/// Who has a second factor, in memory: all are gone after a restart.
#[derive(Default)]
pub struct SecondFactors {
    by_name: Mutex<HashMap<String, State>>,
}

/// A second factor that was removed, until it is certain that it stays so.
#[must_use = "put it back if what must follow did not"]
#[expect(missing_debug_implementations, reason = "it holds a secret, and nothing to show")]
pub struct Removed(Option<State>);

/// The account's second factor, and the one offered in its place.
#[derive(Default)]
struct State {
    enrolled: Option<Enrolled>,
    offered: Option<TotpSecret>,
}

struct Enrolled {
    secret: TotpSecret,
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
    /// [`NoSecret`]; what there was before stays.
    pub fn offer(&self, name: &str) -> Result<Offer, NoSecret> {
        let secret = TotpSecret::generate(&SystemEntropy)?;
        let offer = secret.offer(name, ISSUER)?;
        self.by_name.lock().entry(name.to_owned()).or_default().offered = Some(secret);
        Ok(offer)
    }

    /// Takes the offered secret into use if `code` shows that an app has it. `false` if it does not, or nothing was
    /// offered; the offer stands then.
    pub fn confirm(&self, name: &str, code: &str, now: Moment) -> bool {
        let mut all = self.by_name.lock();
        let Some(state) = all.get_mut(name) else { return false };
        let mut used = 0;
        if !state.offered.as_ref().is_some_and(|secret| secret.accepts(code, now, &mut used)) {
            return false;
        }
        state.enrolled = state.offered.take().map(|secret| Enrolled { secret, used });
        true
    }

    /// Whether `code` is right, and uses it up: see [`TotpSecret::accepts`].
    pub fn verify(&self, name: &str, code: &str, now: Moment) -> bool {
        let mut all = self.by_name.lock();
        let enrolled = all.get_mut(name).and_then(|state| state.enrolled.as_mut());
        enrolled.is_some_and(|Enrolled { secret, used }| secret.accepts(code, now, used))
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

impl std::fmt::Debug for SecondFactors {
    /// No secret is shown.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SecondFactors").finish_non_exhaustive()
    }
}

const ISSUER: &str = "Counterfoil demo";

#[cfg(test)]
mod tests {
    use totp_rs::Totp;

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_unix_seconds(seconds)
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
    fn a_code_is_its_owners_and_good_for_one_use() {
        let (factors, app) = enrolled(900);
        let code = app.generate(1_200).to_string();
        assert!(!factors.verify("grace", &code, at(1_200)), "somebody else's");
        assert!(factors.verify("ada", &code, at(1_200)));
        assert!(!factors.verify("ada", &code, at(1_200)), "twice");
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
    fn a_secret_is_shown_in_its_offer_only() {
        let factors = SecondFactors::default();
        let secret = factors.offer("ada").unwrap().secret.replace(' ', "");
        assert!(!format!("{factors:?}").contains(&secret));
    }
}
