//! The tower layers: sessions with their CSRF decision, and security headers.

mod answer;
mod csrf;
mod form;
mod gate;
mod headers;
mod service;
mod session;

pub use self::csrf::CsrfLayer;
pub use self::headers::{HeadersFuture, HeadersLayer, HeadersService};
pub use self::service::{GuardedFuture, GuardedService};
pub use self::session::SessionLayer;
