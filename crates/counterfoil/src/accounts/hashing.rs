//! argon2id on its own threads, a bounded number at a time.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Password;

/// How much work one password hash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// argon2id with 19 MiB, 2 passes, 1 lane: the OWASP Password Storage Cheat Sheet's minimum.
    Owasp,
    /// argon2id with 32 KiB and 1 pass: worthless against a stolen database; only for tests.
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

/// Hashes and checks passwords, one at a time for each core. Cheap to clone; all clones share the slots.
#[derive(Debug, Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    slots: Arc<Semaphore>,
}

/// A password's hash, as it may be kept: argon2id, with its salt and cost (a PHC string).
///
/// # Security
/// Printing it is for storing it. `Debug` does not show it: whoever has it can try passwords at home.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(phc::PasswordHash);

/// The text is no hash that [`Hasher::matches`] would check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an argon2id hash as a PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`) of at most 1 GiB and 32 passes")]
pub struct BadPasswordHash;

impl Hasher {
    /// A hasher of this cost.
    ///
    /// # Errors
    /// [`HashingFailed::Parameters`]: a fault of this library's.
    pub fn new(cost: Cost) -> Result<Self, HashingFailed> {
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

    /// Hashes on the calling thread: a tenth of a second, for commands and for what happens once at start.
    ///
    /// # Errors
    /// [`HashingFailed`]
    pub fn hash_now(&self, password: &Password) -> Result<PasswordHash, HashingFailed> {
        let bytes = password.bytes_to_hash().unwrap_or_default();
        self.argon2.hash_password(bytes).map(PasswordHash).map_err(HashingFailed::Function)
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`HashingFailed`]
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, HashingFailed> {
        let hasher = self.clone();
        self.in_slot(move || hasher.hash_now(&password)).await
    }

    /// Whether it is this password. An over-long one is compared like any other (as an empty one) and then refused.
    ///
    /// # Security
    /// Takes as long whether it is or not. Check a name that has no account against a hash made at start, so that it costs
    /// what a known one costs; and ask [`SignIn::trial`](crate::SignIn::trial) before.
    ///
    /// # Errors
    /// [`HashingFailed`]: answer 503, never "wrong password".
    pub async fn matches(&self, password: Password, hash: PasswordHash) -> Result<bool, HashingFailed> {
        let argon2 = self.argon2.clone();
        self.in_slot(move || {
            let bytes = password.bytes_to_hash();
            match argon2.verify_password(bytes.unwrap_or_default(), &hash.0) {
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

impl FromStr for PasswordHash {
    type Err = BadPasswordHash;

    fn from_str(text: &str) -> Result<Self, BadPasswordHash> {
        let hash = phc::PasswordHash::new(text).map_err(|_| BadPasswordHash)?;
        let params = Params::try_from(&hash).map_err(|_| BadPasswordHash)?;
        let known = hash.algorithm.as_str() == Algorithm::Argon2id.as_str()
            && hash.version == Some(Version::V0x13.into())
            && hash.salt.is_some()
            && hash.hash.is_some();
        // What a file demands of the machine that checks against it.
        let bounded = params.m_cost() <= MOST_KIB && params.t_cost() <= MOST_PASSES && params.p_cost() <= MOST_LANES;
        if known && bounded { Ok(Self(hash)) } else { Err(BadPasswordHash) }
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PasswordHash(redacted)")
    }
}

const MOST_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 32;
const MOST_LANES: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_cost_is_what_owasp_asks_for() {
        let hash = Hasher::new(Cost::Owasp).unwrap().hash_now(&Password::new("ada-demo-1")).unwrap();
        assert!(hash.to_string().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[test]
    fn a_hash_reads_back_as_it_was_printed_and_others_are_no_hashes_of_ours() {
        let made = Hasher::new(Cost::Test).unwrap().hash_now(&Password::new("ada-demo-1")).unwrap();
        assert_eq!(made.to_string().parse(), Ok(made.clone()));
        assert_eq!(format!("{made:?}"), "PasswordHash(redacted)");
        let text = made.to_string();
        let cut = text.rsplit_once('$').unwrap().0.to_owned();
        for (what, text) in [
            ("nothing", String::new()),
            ("a password", "ada-demo-1".to_owned()),
            ("another function", text.replace("argon2id", "argon2i")),
            ("a version that was broken", text.replace("v=19", "v=16")),
            ("no hash", cut),
            ("a gigabyte and more", text.replace("m=32", "m=1048577")),
            ("too many passes", text.replace("t=1", "t=33")),
            ("too many lanes", text.replace("p=1", "p=17").replace("m=32", "m=512")),
            ("a second line", format!("{text}\n")),
        ] {
            assert_eq!(text.parse::<PasswordHash>(), Err(BadPasswordHash), "{what}");
        }
        assert!("$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b27zA".parse::<PasswordHash>().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_for_a_slot_is_told_so() {
        let hasher = Hasher { slots: Arc::new(Semaphore::new(0)), ..Hasher::new(Cost::Test).unwrap() };
        assert!(matches!(hasher.hash(Password::new("ada-demo-1")).await, Err(HashingFailed::Busy)));
    }
}
