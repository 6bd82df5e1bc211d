//! What programs that serve have in common: connections, accepted, encrypted if asked for, bounded in time and number, and
//! let go gently at the end; and the folder they keep sessions and keys in.

mod bound;
mod connection;
pub mod inherited;
pub mod keep;
mod peers;
mod proxy_protocol;
mod signals;
mod tls;

pub use self::bound::{Bound, Bounds};
pub use self::connection::LONGEST_HANDSHAKE;
pub use self::peers::{NotANetwork, Peers};
pub use self::signals::stop_signal;
pub use self::tls::{Certificate, CertificateFailed, VALID_FOR};

#[cfg(test)]
mod tests;
