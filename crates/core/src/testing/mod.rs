//! For tests of what stands on the engine: a store that fails when told to, a cookie jar, and requests without a
//! transport.
//!
//! With the feature `testing` only. Applications use `counterfoil::testing`, which stands on this.

mod direct;
mod faulty;
mod hooked;
mod jar;

pub use self::direct::{Request, csrf_token, sign_in, sign_in_with, step_up};
pub use self::faulty::{Fault, Faults, FaultyStore};
pub use self::hooked::{Hook, Hooked, Verb};
pub use self::jar::{CookieRefused, Jar};
pub use crate::keys::Letters;
