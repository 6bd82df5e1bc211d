//! What programs that serve have in common: connections, accepted, encrypted if asked for, bounded in time and number, and
//! let go gently at the end; the folder they keep sessions and keys in; the socket by which their operator asks them; Shared
//! Signals; and log lines, which hold up nobody.

mod bound;
mod connection;
pub mod control;
pub mod detector;
pub mod inherited;
pub mod keep;
mod log;
mod peers;
pub mod place;
mod proxy_protocol;
pub mod shared_signals;
mod signals;
mod tls;
pub mod upkeep;

pub use self::bound::{App, Bound, Bounds};
pub use self::connection::LONGEST_HANDSHAKE;
pub use self::log::{Line, Log};
pub use self::peers::{NotANetwork, Peers};
pub use self::signals::stop_signal;
pub use self::tls::{Certificate, CertificateFailed, VALID_FOR};

#[cfg(test)]
mod tests;
