//! The accounts of a running gateway: passwords and codes are checked, and people change what is theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use counterfoil::accounts::{
    Cost, Hasher, HashingFailed, NewPasswordRefused, NoSecret, Password, PasswordHash, TotpSecret,
};
use counterfoil::{Clock as _, Moment, SystemClock};
use counterfoil_core::seal::{NotOpened, SealError, Sealer};

use super::book::{Account, Book};
use super::folder::{AccountsError, Folder, Locked};
use super::note::{AccountChange, Left};
use super::{AccountName, RULES};
use crate::private::Mark;

/// The accounts, as the gateway uses them. Cheap to clone.
///
/// # Security
/// Passwords are checked against what was last read of the file, [followed](super::follow) within seconds. Codes and
/// changes are made on the file itself, under its lock.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

struct Inner {
    folder: Folder,
    seen: ArcSwap<Seen>,
    hasher: Hasher,
    /// What an unknown name is checked against, so that it costs what a known one costs.
    nobody: PasswordHash,
    sealer: Sealer,
    checked: AtomicU64,
}

/// What was read, and which version of the file it was.
struct Seen {
    book: Book,
    mark: Option<Mark>,
}

/// Whether a name and a password belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verified {
    /// They do.
    Yes {
        /// The account.
        name: AccountName,
        /// Whether its owner must show a code as well.
        takes_a_code: bool,
    },
    /// They do not, there is no such account, or it is disabled; nobody outside can tell which.
    No,
}

/// Why nobody knows whether a code is right. Answer 503.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodeRefused {
    /// The file.
    #[error(transparent)]
    Files(#[from] AccountsError),
    /// The secret does not open with the keys of this gateway.
    #[error(
        "the second factor of `{name}` cannot be read; `counterfoil user totp remove {name}` lets its owner set up another"
    )]
    Secret {
        /// Whose.
        name: AccountName,
        /// Why.
        source: NotOpened,
    },
    /// It is of another size.
    #[error("the second factor of `{name}` is no secret")]
    NoSecret {
        /// Whose.
        name: AccountName,
    },
    /// The process is shutting down.
    #[error("the check was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// Why somebody's own change was not made. Nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelfServiceRefused {
    /// Ask for the current password again.
    #[error("the current password is not right")]
    WrongCurrent,
    /// Ask for another new password; the text says what is wrong with this one.
    #[error(transparent)]
    NewPassword(#[from] NewPasswordRefused),
    /// Ask for the code again.
    #[error("that code is not right, or it was used before")]
    WrongCode,
    /// There is one already; it must be removed first.
    #[error("there is a second factor; remove it first")]
    Enrolled,
    /// There is none to remove, or the account is no more.
    #[error("there is none to remove")]
    None,
    /// Answer 503.
    #[error(transparent)]
    Hashing(#[from] HashingFailed),
    /// Answer 503.
    #[error(transparent)]
    Files(#[from] AccountsError),
    /// Answer 503.
    #[error("the secret could not be sealed")]
    Sealing(#[from] SealError),
    /// Answer 503.
    #[error("the secret could not be made")]
    Secret(#[from] NoSecret),
    /// The process is shutting down.
    #[error("the change was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// A change that is stored, and whose sessions have yet to be told. Nobody else changes accounts until it is done.
///
/// # Security
/// Dropped, or lost in a crash, it leaves its note: the gateway ends every session of the account then.
#[must_use = "tell the sessions, then call `done`; or `undo` it"]
pub struct Pending {
    accounts: Accounts,
    locked: Locked,
    left: Left,
    name: AccountName,
    before: Account,
}

impl Accounts {
    /// The accounts in `folder`, with second factors sealed by `sealer`. None are fine: there may be some later.
    ///
    /// # Errors
    /// [`SelfServiceRefused::Files`] says what is the matter with the file; [`SelfServiceRefused::Hashing`] where the
    /// system has no memory or randomness to give.
    pub fn open(folder: Folder, sealer: Sealer, cost: Cost) -> Result<Self, SelfServiceRefused> {
        let hasher = Hasher::new(cost)?;
        let nobody = hasher.hash_now(&Password::new("nobody has this password"))?;
        let seen = Seen::of(&folder)?.unwrap_or(Seen { book: Book::default(), mark: None });
        let (seen, checked) = (ArcSwap::from_pointee(seen), AtomicU64::new(0));
        Ok(Self(Arc::new(Inner { folder, seen, hasher, nobody, sealer, checked })))
    }

    /// Checks a password. A disabled account and a name nobody has get the same answer as a wrong password, for the same
    /// work.
    ///
    /// # Security
    /// One hash either way. Attempts are not counted here; ask
    /// [`SignIn::trial`](counterfoil::SignIn::trial) first. Hashes of another cost, brought from elsewhere, take
    /// the time of theirs until their owner sets another password.
    ///
    /// # Errors
    /// [`HashingFailed`]: answer 503, never "wrong password".
    pub async fn verify(&self, name: Option<&AccountName>, password: Password) -> Result<Verified, HashingFailed> {
        let seen = self.0.seen.load_full();
        let account = name.and_then(|name| Some((name, seen.book.get(name)?)));
        let hash = account.map_or(&self.0.nobody, |(_, account)| &account.password).clone();
        self.0.checked.fetch_add(1, Ordering::Relaxed);
        let matches = self.0.hasher.matches(password, hash).await?;
        Ok(match account {
            Some((name, account)) if matches && account.disabled.is_none() => {
                Verified::Yes { name: name.clone(), takes_a_code: account.totp.is_some() }
            }
            _ => Verified::No,
        })
    }

    /// How many passwords were checked since the start, right or wrong.
    pub fn passwords_checked(&self) -> u64 {
        self.0.checked.load(Ordering::Relaxed)
    }

    /// Whether signing in with this account takes a code as well.
    pub fn takes_a_code(&self, name: &AccountName) -> bool {
        self.0.seen.load().book.get(name).is_some_and(|account| account.totp.is_some())
    }

    /// Whether somebody may sign in at all.
    pub fn is_empty(&self) -> bool {
        self.0.seen.load().book.is_empty()
    }

    /// Whether `code` is that of the account's second factor; and uses it up, also across a restart.
    ///
    /// # Errors
    /// [`CodeRefused`]: answer 503, never "wrong code".
    pub async fn accepts_code(&self, name: &AccountName, code: String) -> Result<bool, CodeRefused> {
        let (this, name) = (self.clone(), name.clone());
        blocking(move || this.use_code(&name, &code, SystemClock.now())).await.map_err(CodeRefused::Interrupted)?
    }

    fn use_code(&self, name: &AccountName, code: &str, now: Moment) -> Result<bool, CodeRefused> {
        let locked = self.0.folder.lock()?;
        let mut book = self.0.folder.read()?;
        let Some(account) = book.get(name).filter(|account| account.disabled.is_none()) else { return Ok(false) };
        let Some(totp) = &account.totp else { return Ok(false) };
        let opened = self.0.sealer.open_secret(PURPOSE, name.as_str(), &totp.sealed);
        let opened = opened.map_err(|source| CodeRefused::Secret { name: name.clone(), source })?;
        let secret = opened.as_slice().try_into().ok().and_then(|bytes| TotpSecret::from_bytes(bytes).ok());
        let Some(secret) = secret else { return Err(CodeRefused::NoSecret { name: name.clone() }) };
        let mut used = totp.used;
        if !secret.accepts(code, now, &mut used) {
            return Ok(false);
        }
        book.use_code(name, used);
        self.take_up(&locked, book)?;
        Ok(true)
    }

    /// Replaces the password of `name` if `current` is right and `new` is acceptable.
    ///
    /// # Errors
    /// [`SelfServiceRefused`]; nothing changed.
    pub async fn change_password(
        &self,
        name: &AccountName,
        current: Password,
        new: Password,
    ) -> Result<Pending, SelfServiceRefused> {
        RULES.check(&new, name.as_str(), Some(&current))?;
        let against = self.0.seen.load().book.get(name).map(|account| account.password.clone());
        let Verified::Yes { .. } = self.verify(Some(name), current).await? else {
            return Err(SelfServiceRefused::WrongCurrent);
        };
        let hash = self.0.hasher.hash(new).await?;
        self.change(name, AccountChange::PasswordChanged, move |book, account, name, now| {
            // Somebody else set another one while this one was checked: theirs stands.
            if Some(&account.password) != against.as_ref() || account.disabled.is_some() {
                return Err(SelfServiceRefused::WrongCurrent);
            }
            book.set_password(name, hash, now).map_err(|_| SelfServiceRefused::WrongCurrent)
        })
        .await
    }

    /// Takes `secret` into use as the second factor of `name`, if `code` shows that an app has it.
    ///
    /// # Errors
    /// [`SelfServiceRefused`]; nothing changed.
    pub async fn enrol(
        &self,
        name: &AccountName,
        secret: TotpSecret,
        code: &str,
    ) -> Result<Pending, SelfServiceRefused> {
        let mut used = 0;
        if !secret.accepts(code, SystemClock.now(), &mut used) {
            return Err(SelfServiceRefused::WrongCode);
        }
        let sealed = self.0.sealer.seal_secret(PURPOSE, name.as_str(), &*secret.to_bytes())?;
        self.change(name, AccountChange::MfaChanged, move |book, account, name, now| {
            if account.totp.is_some() {
                return Err(SelfServiceRefused::Enrolled);
            }
            book.set_totp(name, sealed, used, now).map_err(|_| SelfServiceRefused::None)
        })
        .await
    }

    /// Takes the second factor of `name` away.
    ///
    /// # Errors
    /// [`SelfServiceRefused`]; nothing changed.
    pub async fn remove_totp(&self, name: &AccountName) -> Result<Pending, SelfServiceRefused> {
        let remove = |book: &mut Book, _: &Account, name: &AccountName, _| {
            book.remove_totp(name).map_err(|_| SelfServiceRefused::None)
        };
        self.change(name, AccountChange::MfaChanged, remove).await
    }

    async fn change(
        &self,
        name: &AccountName,
        what: AccountChange,
        change: impl FnOnce(&mut Book, &Account, &AccountName, Moment) -> Result<(), SelfServiceRefused> + Send + 'static,
    ) -> Result<Pending, SelfServiceRefused> {
        let (accounts, name) = (self.clone(), name.clone());
        let work = move || {
            let locked = accounts.0.folder.lock()?;
            let mut book = accounts.0.folder.read()?;
            let before = book.get(&name).cloned().ok_or(SelfServiceRefused::None)?;
            change(&mut book, &before, &name, SystemClock.now())?;
            let left = locked.leave(&name, what)?;
            if let Err(error) = accounts.take_up(&locked, book) {
                left.remove()?;
                return Err(error.into());
            }
            Ok(Pending { accounts, locked, left, name, before })
        };
        blocking(work).await.map_err(SelfServiceRefused::Interrupted)?
    }

    /// Reads the file again if it is another one. What cannot be read changes nothing.
    pub(super) fn look(&self) -> Result<(), AccountsError> {
        let folder = &self.0.folder;
        // A file that is gone changes nothing either: somebody moves it about, and who was known stays known.
        if folder.mark()?.is_some_and(|mark| Some(mark) != self.0.seen.load().mark)
            && let Some(seen) = Seen::of(folder)?
        {
            self.0.seen.store(Arc::new(seen));
        }
        Ok(())
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.0.folder
    }

    /// Puts `book` into the file, and before the eyes of whoever checks passwords.
    fn take_up(&self, locked: &Locked, book: Book) -> Result<(), AccountsError> {
        let mark = Some(locked.write(&book)?);
        self.0.seen.store(Arc::new(Seen { book, mark }));
        Ok(())
    }
}

impl Pending {
    /// The sessions know.
    ///
    /// # Errors
    /// [`SelfServiceRefused::Files`]: the change stands; its note could not be removed, so every session ends soon.
    pub async fn done(self) -> Result<(), SelfServiceRefused> {
        let Self { locked, left, .. } = self;
        let removed = move || {
            let removed = left.remove();
            drop(locked);
            removed
        };
        Ok(blocking(removed).await.map_err(SelfServiceRefused::Interrupted)??)
    }

    /// Puts the account back as it was before.
    ///
    /// # Errors
    /// [`SelfServiceRefused::Files`]: the change stands, and so does its note, so every session ends soon.
    pub async fn undo(self) -> Result<(), SelfServiceRefused> {
        let Self { accounts, locked, left, name, before } = self;
        let undo = move || {
            let mut book = locked.folder().read()?;
            book.put_back(name, before);
            accounts.take_up(&locked, book)?;
            left.remove()
        };
        Ok(blocking(undo).await.map_err(SelfServiceRefused::Interrupted)??)
    }
}

impl Seen {
    fn of(folder: &Folder) -> Result<Option<Self>, AccountsError> {
        Ok(folder.read_marked()?.map(|(book, mark)| Self { book, mark: Some(mark) }))
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Accounts").field("folder", &self.0.folder).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Pending").field("name", &self.name).field("left", &self.left.note).finish_non_exhaustive()
    }
}

/// Files and locks may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, tokio::task::JoinError> {
    tokio::task::spawn_blocking(work).await
}

/// What secrets of accounts are sealed for.
const PURPOSE: &str = "account.totp";
