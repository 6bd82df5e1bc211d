//! Session data: named fields in one sealed payload, and the typed view of them.

mod fields;
mod typed;

pub use self::fields::{BadPayload, Field, Fields, Payload};
pub use self::typed::{DataError, Key, Keys, SessionData};
