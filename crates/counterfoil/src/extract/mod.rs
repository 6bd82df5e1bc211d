//! What handlers take as arguments.

mod csrf_token;
mod fresh;
mod session;
mod sign_in;
mod signed_in;

pub use self::csrf_token::CsrfToken;
pub use self::fresh::{ActiveWithin, SignedInWithin};
pub use self::session::Session;
pub use self::sign_in::{Completed, SignIn, SigningIn, local_path};
pub use self::signed_in::{Recent, SignedIn};
