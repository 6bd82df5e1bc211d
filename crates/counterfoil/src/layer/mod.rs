//! The tower layers: sessions with their CSRF decision, and security headers.

mod csrf;
mod form;
pub(crate) mod gate;
mod headers;
mod session;

pub use self::csrf::{CsrfFuture, CsrfLayer, CsrfService};
pub use self::headers::{HeadersFuture, HeadersLayer, HeadersService};
pub use self::session::{SessionFuture, SessionLayer, SessionService};
