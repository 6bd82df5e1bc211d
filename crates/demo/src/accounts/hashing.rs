//! argon2id on its own threads, a bounded number at a time.

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc::PasswordHash},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Password;

/// How much work one password hash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// argon2id with 19 MiB, 2 passes, 1 lane: the OWASP Password Storage Cheat Sheet's minimum.
    Owasp,
    /// argon2id with 32 KiB and 1 pass: worthless against a stolen database; only for `--test-mode`.
    Test,
}

/// A password could not be hashed or checked. Answer 503: this says nothing about the password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashingFailed {
    /// Every slot stayed taken for [`LONGEST_WAIT`]; ask again later.
    #[error("too many passwords are being checked at the moment")]
    Busy,
    /// The hash function gave up: no memory, no randomness.
    #[error("the password hash function failed")]
    Function(#[source] password_hash::Error),
    /// The parameters are outside what the hash function takes.
    #[error("the password hash parameters are not valid")]
    Parameters(#[source] argon2::Error),
    /// The thread ended early: the process is shutting down.
    #[error("the password hash was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// After this long in the queue an attempt is refused instead of answered late.
pub const LONGEST_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub(super) struct Hasher {
    argon2: Argon2<'static>,
    slots: Arc<Semaphore>,
}

impl Hasher {
    pub(super) fn new(cost: Cost) -> Result<Self, HashingFailed> {
        let (memory_kib, passes) = match cost {
            Cost::Owasp => (19 * 1024, 2),
            Cost::Test => (32, 1),
        };
        let params = Params::new(memory_kib, passes, 1, None).map_err(HashingFailed::Parameters)?;
        // One slot per core: more would only make everyone wait longer, and each holds 19 MiB.
        let slots = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            slots: Arc::new(Semaphore::new(slots)),
        })
    }

    pub(super) fn hash_now(&self, password: &Password) -> Result<PasswordHash, HashingFailed> {
        let bytes = password.bytes_to_hash().unwrap_or_default();
        self.argon2.hash_password(bytes).map_err(HashingFailed::Function)
    }

    pub(super) async fn hash(&self, password: Password) -> Result<PasswordHash, HashingFailed> {
        let hasher = self.clone();
        self.in_slot(move || hasher.hash_now(&password)).await
    }

    /// An over-long password is compared like any other (as an empty one) and then refused.
    pub(super) async fn matches(&self, password: Password, hash: PasswordHash) -> Result<bool, HashingFailed> {
        let argon2 = self.argon2.clone();
        self.in_slot(move || {
            let bytes = password.bytes_to_hash();
            match argon2.verify_password(bytes.unwrap_or_default(), &hash) {
                Ok(()) => Ok(bytes.is_some()),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(HashingFailed::Function(error)),
            }
        })
        .await
    }

    async fn in_slot<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashingFailed> + Send + 'static,
    ) -> Result<T, HashingFailed> {
        let slot = self.slot().await?;
        let run = move || {
            // Moved in, so that a caller who stops waiting does not free the slot while its work still runs.
            let _slot = slot;
            work()
        };
        tokio::task::spawn_blocking(run).await.map_err(HashingFailed::Interrupted)?
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit, HashingFailed> {
        match tokio::time::timeout(LONGEST_WAIT, Arc::clone(&self.slots).acquire_owned()).await {
            Ok(Ok(slot)) => Ok(slot),
            // The semaphore is never closed, so this is the time-out.
            _ => Err(HashingFailed::Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_cost_is_what_owasp_asks_for() {
        let hash = Hasher::new(Cost::Owasp).unwrap().hash_now(&Password::new("ada-demo-1")).unwrap();
        assert!(hash.to_string().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_for_a_slot_is_told_so() {
        let hasher = Hasher { slots: Arc::new(Semaphore::new(0)), ..Hasher::new(Cost::Test).unwrap() };
        assert!(matches!(hasher.hash(Password::new("ada-demo-1")).await, Err(HashingFailed::Busy)));
    }
}
