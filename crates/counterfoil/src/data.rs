//! Session data: the trait, its derive, and typed keys.
//!
//! Each field of a struct is one key of the session, so that two requests that change different fields both win, and
//! several structs share one session.
//!
//! # Examples
//! ```
//! use counterfoil::data::SessionData;
//!
//! #[derive(SessionData, Default)]
//! struct Shop {
//!     cart: Vec<u32>,
//!     #[session(portable)] // follows its user when they sign in
//!     theme: String,
//! }
//!
//! #[derive(SessionData, Default)]
//! #[session(prefix = "checkout.v2")]
//! struct Checkout { step: u8 }
//!
//! assert_eq!(Shop::THEME.name(), "shop.theme");
//! assert_eq!(Checkout::STEP.name(), "checkout.v2.step");
//! ```
//!
//! A key is set with its own type:
//! ```
//! # use counterfoil::{Error, Session, data::SessionData};
//! # #[derive(SessionData, Default)] struct Shop { theme: String }
//! fn dark(session: &Session<Shop>) -> Result<(), Error> {
//!     session.set(Shop::THEME, &"dark".to_owned())
//! }
//! ```
//! and with no other:
//! ```compile_fail,E0308
//! # use counterfoil::{Error, Session, data::SessionData};
//! # #[derive(SessionData, Default)] struct Shop { theme: String }
//! fn dark(session: &Session<Shop>) -> Result<(), Error> {
//!     session.set(Shop::THEME, &7)
//! }
//! ```
//!
//! A typing error in an attribute does not compile:
//! ```compile_fail
//! #[derive(counterfoil::data::SessionData, Default)]
//! struct Shop { #[session(portabel)] theme: String }
//! ```
//! ```compile_fail
//! #[derive(counterfoil::data::SessionData, Default)]
//! struct Shop { #[session(portable, secret)] theme: String }
//! ```
//! nor does a struct whose fields have no names, for what would their keys be called:
//! ```compile_fail
//! #[derive(counterfoil::data::SessionData, Default)]
//! struct Shop(String);
//! ```

pub use counterfoil_core::data::{DataError, Field, Fields, Key, Keys, SessionData};
#[cfg(feature = "derive")]
pub use counterfoil_derive::SessionData;
