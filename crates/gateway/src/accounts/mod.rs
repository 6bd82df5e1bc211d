//! Local accounts: who may sign in where no identity provider says so. One file in the data folder, changed by
//! `counterfoil user` and by people themselves, read again when it changed.

mod book;
mod folder;
mod follow;
mod format;
mod generated;
mod live;
mod name;
mod note;
#[cfg(test)]
mod tests;

use counterfoil::accounts::PasswordRules;

pub use self::book::{Account, Book, Refused, Totp};
pub use self::folder::{AccountsError, AccountsProblem, ChangeFailed, Folder};
pub use self::follow::{NotSettled, follow, settle};
pub use self::format::Malformed;
pub use self::generated::generated;
pub use self::live::{Accounts, CodeRefused, Pending, SelfServiceRefused, Verified};
pub use self::name::{AccountName, BadAccountName};
pub use self::note::{AccountChange, NotANote, Note};
pub use crate::private::FileProblem;

/// What a new password must be. A second factor may be added and taken away, so a password must do alone: 15 characters
/// (NIST SP 800-63B-4, 3.1.1.2; OWASP ASVS 6.2.1 strongly recommends the same).
pub const RULES: PasswordRules = PasswordRules::ALONE;
