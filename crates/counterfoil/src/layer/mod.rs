//! The tower layers: sessions with their CSRF decision, and security headers.

mod form;
mod headers;
mod session;

pub use self::headers::{HeadersFuture, HeadersLayer, HeadersService};
pub use self::session::{SessionFuture, SessionLayer, SessionService};
