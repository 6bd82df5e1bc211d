//! The two demo accounts: who may sign in, and how a password changes.

use std::{collections::HashMap, sync::Arc};

pub use counterfoil::accounts::{Cost, HashingFailed, NewPasswordRefused, Password};
use counterfoil::accounts::{Hasher, PasswordHash, PasswordRules};
use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

/// NIST asks 8 characters of a password beside another factor and 15 of one that stands alone; the demo takes 8 either
/// way, because its printed passwords must be quick to type.
pub const RULES: PasswordRules = PasswordRules::BESIDE_ANOTHER_FACTOR;

/// The accounts that exist at start: name and password, printed in the banner.
pub const SEEDED: [(&str, &str); 2] = [("ada", "ada-demo-1"), ("grace", "grace-demo-1")];

/// All accounts, in memory: a changed password is back to its seed after a restart.
#[derive(Debug)]
pub struct Accounts {
    by_name: HashMap<String, Arc<Account>>,
    hasher: Hasher,
    /// What an unknown name is checked against, so that it costs what a known one costs.
    nobody: PasswordHash,
}

/// Whether a name and a password belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Verified {
    /// They do.
    Yes,
    /// They do not, or there is no such account; nobody outside can tell which.
    No,
}

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeRefused {
    /// Ask for the current password again; nothing changed.
    #[error("the current password is not right")]
    WrongCurrent,
    /// Ask for another new password; the text says what is wrong with this one.
    #[error(transparent)]
    NewPassword(#[from] NewPasswordRefused),
    /// Answer 503; nothing changed.
    #[error(transparent)]
    Hashing(#[from] HashingFailed),
}

#[derive(Debug)]
struct Account {
    hash: Mutex<PasswordHash>,
    /// Held while a change is under way, from the check of the current password until [`Changed`] is dropped.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Accounts {
    /// Hashes the [`SEEDED`] passwords.
    ///
    /// # Errors
    /// [`HashingFailed`] where the system has no memory or no randomness to give.
    pub fn seeded(cost: Cost) -> Result<Self, HashingFailed> {
        let hasher = Hasher::new(cost)?;
        let nobody = hasher.hash_now(&Password::new("nobody has this password"))?;
        let account = |(name, password): (&str, &str)| {
            let hash = Mutex::new(hasher.hash_now(&Password::new(password))?);
            Ok((name.to_owned(), Arc::new(Account { hash, turn: Arc::default() })))
        };
        let by_name = SEEDED.into_iter().map(account).collect::<Result<_, HashingFailed>>()?;
        Ok(Self { by_name, hasher, nobody })
    }

    /// Checks a password. For an unknown name the same work is done and the same answer given as for a wrong password.
    ///
    /// # Security
    /// The time does not depend on whether the account exists: one lookup in a table of two, then one hash either way.
    /// Attempts are not counted here; ask [`SignIn::trial`](counterfoil::SignIn::trial) first.
    ///
    /// # Errors
    /// [`HashingFailed`]: answer 503, never "wrong password".
    pub async fn verify(&self, name: &str, password: Password) -> Result<Verified, HashingFailed> {
        let account = self.by_name.get(name);
        let hash = account.map_or_else(|| self.nobody.clone(), |account| account.hash.lock().clone());
        let matches = self.hasher.matches(password, hash).await?;
        Ok(if matches && account.is_some() { Verified::Yes } else { Verified::No })
    }

    /// Replaces the password of `name` if `current` is right and `new` is acceptable.
    ///
    /// From the check to the replacement, and on until the returned [`Changed`] is dropped, no other change of the same
    /// account runs. End the subject's other sessions while holding it: a sign-in that saw the old password then either
    /// fails or is among the sessions that end. Should ending them fail, [`Changed::undo`].
    ///
    /// # Security
    /// The future may be dropped (a client that hung up) at any point before it returns, and nothing has changed then.
    /// What follows it should run in a task of its own, so that a change never stays without its sign-outs.
    ///
    /// # Errors
    /// [`ChangeRefused`]; nothing changed.
    pub async fn change_password(
        &self,
        name: &str,
        current: Password,
        new: Password,
    ) -> Result<Changed, ChangeRefused> {
        RULES.check(&new, name, Some(&current))?;
        let Some(account) = self.by_name.get(name) else {
            let _ = self.verify(name, current).await?;
            return Err(ChangeRefused::WrongCurrent);
        };
        let turn = Arc::clone(&account.turn).lock_owned().await;
        if self.verify(name, current).await? == Verified::No {
            return Err(ChangeRefused::WrongCurrent);
        }
        let hash = self.hasher.hash(new).await?;
        let previous = std::mem::replace(&mut *account.hash.lock(), hash);
        Ok(Changed { account: Arc::clone(account), previous, _turn: turn })
    }

    /// The names of all accounts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

/// A password that has just been replaced; the account's next change waits until this is dropped.
#[derive(Debug)]
#[must_use = "hold it until the subject's other sessions are ended"]
pub struct Changed {
    account: Arc<Account>,
    previous: PasswordHash,
    _turn: OwnedMutexGuard<()>,
}

impl Changed {
    /// Puts the previous password back.
    pub fn undo(self) {
        self.account.hash.lock().clone_from(&self.previous);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts::seeded(Cost::Test).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::new(text)
    }

    #[tokio::test]
    async fn a_name_and_its_password_belong_together_and_nothing_else_does() {
        let accounts = accounts();
        let long = "x".repeat(100_000);
        #[rustfmt::skip]
        let table = [
            ("ada",     "ada-demo-1",    Verified::Yes),
            ("grace",   "grace-demo-1",  Verified::Yes),
            ("ada",     "grace-demo-1",  Verified::No),
            ("ada",     "ada-demo-1 ",   Verified::No),
            ("ada",     "",              Verified::No),
            ("Ada",     "ada-demo-1",    Verified::No),
            ("mallory", "ada-demo-1",    Verified::No),
            ("mallory", "nobody has this password", Verified::No),
            ("",        "",              Verified::No),
            ("ada",     long.as_str(),   Verified::No),
        ];
        for (name, text, expected) in table {
            assert_eq!(accounts.verify(name, password(text)).await.unwrap(), expected, "{name} / {text:.20}");
        }
    }

    #[tokio::test]
    async fn a_changed_password_replaces_the_old_one() {
        let accounts = accounts();
        drop(accounts.change_password("ada", password("ada-demo-1"), password("a better one")).await.unwrap());
        assert_eq!(accounts.verify("ada", password("ada-demo-1")).await.unwrap(), Verified::No);
        assert_eq!(accounts.verify("ada", password("a better one")).await.unwrap(), Verified::Yes);
        assert_eq!(accounts.verify("grace", password("grace-demo-1")).await.unwrap(), Verified::Yes);
    }

    #[tokio::test]
    async fn an_undone_change_leaves_the_old_password() {
        let accounts = accounts();
        accounts.change_password("ada", password("ada-demo-1"), password("a better one")).await.unwrap().undo();
        assert_eq!(accounts.verify("ada", password("ada-demo-1")).await.unwrap(), Verified::Yes);
        assert_eq!(accounts.verify("ada", password("a better one")).await.unwrap(), Verified::No);
    }

    #[tokio::test]
    async fn a_refused_change_changes_nothing() {
        let accounts = accounts();
        for (name, current, new) in [
            ("ada", "wrong", "a better one"),
            ("ada", "ada-demo-1", "short"),
            ("mallory", "ada-demo-1", "a better one"),
        ] {
            accounts.change_password(name, password(current), password(new)).await.unwrap_err();
            assert_eq!(accounts.verify("ada", password("ada-demo-1")).await.unwrap(), Verified::Yes, "{name} {new}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_changes_from_one_password_exactly_one_succeeds() {
        let accounts = Arc::new(accounts());
        let changes = (0..16).map(|n| {
            let accounts = Arc::clone(&accounts);
            tokio::spawn(async move {
                let new = Password::new(&format!("a better one {n}"));
                accounts.change_password("ada", Password::new("ada-demo-1"), new).await.is_ok()
            })
        });
        let succeeded = futures_util::future::join_all(changes).await;
        assert_eq!(succeeded.iter().filter(|result| *result.as_ref().unwrap()).count(), 1);
    }

    #[tokio::test]
    async fn the_next_change_waits_until_the_sessions_of_the_first_are_ended() {
        let accounts = accounts();
        let first = accounts.change_password("ada", password("ada-demo-1"), password("a better one")).await.unwrap();
        let mut second =
            std::pin::pin!(accounts.change_password("ada", password("a better one"), password("the best one")));
        assert!(tokio::time::timeout(std::time::Duration::from_millis(50), &mut second).await.is_err());
        drop(first);
        assert!(second.await.is_ok());
    }

    #[test]
    fn nothing_printed_shows_a_password_or_its_salted_hash_by_name() {
        let shown = format!("{:?}", password("ada-demo-1"));
        assert_eq!(shown, "Password(redacted)");
    }
}
