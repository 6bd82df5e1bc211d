//! Cookies as browsers read, keep and send them (RFC 6265bis, section 5).

mod date;
mod jar;
mod read;
mod scope;
#[cfg(test)]
mod tests;

pub(crate) use self::date::read as date;
pub use self::jar::{Jar, Kept, NotKept};
pub use self::read::{Oddity, Prefix, Refused, SameSite, SetCookie};
pub use self::scope::{is_public_suffix, is_trustworthy};
