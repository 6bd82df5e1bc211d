//! Session data: the trait, its derive, and typed keys.

pub use counterfoil_core::data::{DataError, Field, Fields, Key, Keys, SessionData};
#[cfg(feature = "derive")]
pub use counterfoil_derive::SessionData;
