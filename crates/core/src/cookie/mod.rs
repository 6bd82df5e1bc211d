//! Our cookies on the wire: what they are called, how they are read from a request and written to a response.

mod foreign;
mod name;
mod scan;
mod strip;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use self::foreign::Brought;
pub use self::foreign::{BadForeignCookie, ForeignCookie, OldCookie};
pub use self::name::{CookieKind, CookieName, CookieNames};
pub use self::scan::{Found, HeaderJoin, MAX_CANDIDATES, Scanned, scan};
pub use self::strip::without_ours;
pub use self::write::{CookieError, CookieLifetime, CookieShape, NeedsSecure, SameSite, SetCookie};

/// Browsers ignore a cookie whose name and value together are longer (RFC 6265bis, section 5.6).
pub const MAX_COOKIE_BYTES: usize = 4096;
