//! The accounts there are: pure data, and what each change makes of it.

use std::collections::BTreeMap;
use std::fmt;

use counterfoil::Moment;
use counterfoil::accounts::PasswordHash;

use super::name::AccountName;

/// All accounts, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book(BTreeMap<AccountName, Account>);

/// One account. Its times are whole seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its password's hash.
    pub password: PasswordHash,
    /// When it was made.
    pub created: Moment,
    /// When its password was last set.
    pub changed: Moment,
    /// Since when nobody signs in with it, if so.
    pub disabled: Option<Moment>,
    /// Its second factor.
    pub totp: Option<Totp>,
}

/// A second factor. `Debug` shows nothing of the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Totp {
    /// The secret, sealed for this account.
    pub sealed: Vec<u8>,
    /// When it was set up.
    pub since: Moment,
    /// The last time step whose code was accepted.
    pub used: u64,
}

/// What was asked for cannot be done to these accounts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The name is taken.
    #[error("there is an account `{0}` already: `counterfoil user passwd {0}` gives it another password")]
    Exists(AccountName),
    /// There is no such account.
    #[error("there is no account `{0}`: `counterfoil user list` shows those there are")]
    Missing(AccountName),
    /// There is no second factor to remove.
    #[error("`{0}` has no second factor")]
    NoSecondFactor(AccountName),
}

impl Book {
    /// The account of this name.
    pub fn get(&self, name: &AccountName) -> Option<&Account> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&AccountName, &Account)> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an account.
    ///
    /// # Errors
    /// [`Refused::Exists`]
    pub fn add(&mut self, name: AccountName, password: PasswordHash, now: Moment) -> Result<(), Refused> {
        if self.0.contains_key(&name) {
            return Err(Refused::Exists(name));
        }
        let now = whole(now);
        self.0.insert(name, Account { password, created: now, changed: now, disabled: None, totp: None });
        Ok(())
    }

    /// Sets a password.
    ///
    /// # Errors
    /// [`Refused::Missing`]
    pub fn set_password(&mut self, name: &AccountName, password: PasswordHash, now: Moment) -> Result<(), Refused> {
        let account = self.account(name)?;
        account.password = password;
        account.changed = whole(now);
        Ok(())
    }

    /// Lets nobody sign in with it any more. One that is disabled stays so since then.
    ///
    /// # Errors
    /// [`Refused::Missing`]
    pub fn disable(&mut self, name: &AccountName, now: Moment) -> Result<(), Refused> {
        self.account(name)?.disabled.get_or_insert(whole(now));
        Ok(())
    }

    /// Lets people sign in with it again.
    ///
    /// # Errors
    /// [`Refused::Missing`]
    pub fn enable(&mut self, name: &AccountName) -> Result<(), Refused> {
        self.account(name)?.disabled = None;
        Ok(())
    }

    /// Gives it a second factor, in place of any it had.
    ///
    /// # Errors
    /// [`Refused::Missing`]
    pub fn set_totp(&mut self, name: &AccountName, sealed: Vec<u8>, used: u64, now: Moment) -> Result<(), Refused> {
        self.account(name)?.totp = Some(Totp { sealed, since: whole(now), used });
        Ok(())
    }

    /// Takes its second factor away.
    ///
    /// # Errors
    /// [`Refused::Missing`], [`Refused::NoSecondFactor`]
    pub fn remove_totp(&mut self, name: &AccountName) -> Result<(), Refused> {
        self.account(name)?.totp.take().map(|_| ()).ok_or_else(|| Refused::NoSecondFactor(name.clone()))
    }

    /// Notes the step whose code was accepted.
    pub(super) fn use_code(&mut self, name: &AccountName, step: u64) {
        if let Some(totp) = self.0.get_mut(name).and_then(|account| account.totp.as_mut()) {
            totp.used = step;
        }
    }

    /// Puts an account back as it was.
    pub(super) fn put_back(&mut self, name: AccountName, account: Account) {
        self.0.insert(name, account);
    }

    fn account(&mut self, name: &AccountName) -> Result<&mut Account, Refused> {
        self.0.get_mut(name).ok_or_else(|| Refused::Missing(name.clone()))
    }
}

impl FromIterator<(AccountName, Account)> for Book {
    fn from_iter<I: IntoIterator<Item = (AccountName, Account)>>(accounts: I) -> Self {
        Self(accounts.into_iter().collect())
    }
}

impl fmt::Debug for Totp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Totp").field("since", &self.since).finish_non_exhaustive()
    }
}

/// As the file keeps times.
fn whole(moment: Moment) -> Moment {
    Moment::from_unix_seconds(moment.unix_seconds())
}

#[cfg(test)]
mod tests {
    use counterfoil::accounts::{Cost, Hasher, Password};

    use super::*;

    #[test]
    fn a_book_prints_no_hash_and_no_sealed_secret() {
        let (name, now): (AccountName, _) = ("ada".parse().unwrap(), Moment::from_unix_seconds(1_000));
        let hash = Hasher::new(Cost::Test).unwrap().hash_now(&Password::new("a long enough password")).unwrap();
        let phc = hash.to_string();
        let mut book = Book::default();
        book.add(name.clone(), hash, now).unwrap();
        book.set_totp(&name, vec![201, 202, 203], 7, now).unwrap();
        let shown = format!("{book:?}");
        assert!(shown.contains("ada") && !shown.contains("201"), "{shown}");
        assert!(!shown.contains("argon2") && !shown.contains(phc.rsplit('$').next().unwrap()), "{shown}");
    }
}
