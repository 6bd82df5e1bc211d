//! For sites that keep accounts of their own: passwords hashed by argon2id, and one-time codes. How often they may be tried
//! is limited in [`limits`](crate::limits).
//!
//! These are the parts that are the same everywhere; where accounts are kept, and what they are called, is yours.
//!
//! # Examples
//! ```
//! use counterfoil::accounts::{Cost, Hasher, Password, PasswordRules};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let hasher = Hasher::new(Cost::Owasp)?;
//! let chosen = Password::new("correct horse battery staple");
//! PasswordRules::ALONE.check(&chosen, "ada", None)?;
//! let kept = hasher.hash(chosen).await?.to_string(); // a PHC string: `$argon2id$v=19$…`
//!
//! assert!(hasher.matches(Password::new("correct horse battery staple"), kept.parse()?).await?);
//! assert!(!hasher.matches(Password::new("a wrong one"), kept.parse()?).await?);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod hashing;
mod password;
mod totp;
mod words;

pub use self::hashing::{BadPasswordHash, Cost, Hasher, HashingFailed, LONGEST_WAIT, PasswordHash};
pub use self::password::{MAXIMUM_BYTES, NewPasswordRefused, Password, PasswordRules};
pub use self::totp::{NoSecret, Offer, TotpSecret};
pub use self::words::sentence;
