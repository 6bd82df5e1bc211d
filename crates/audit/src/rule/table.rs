//! The rules themselves: data, a row for each.

mod browser;
mod cookies;
mod csrf;
mod life;
mod people;
mod tokens;
mod transport;

use std::sync::LazyLock;

pub use self::browser::*;
pub use self::cookies::*;
pub use self::csrf::*;
pub use self::life::*;
pub use self::people::*;
pub use self::tokens::*;
pub use self::transport::*;
use super::Rule;

/// Every rule, in the order of reports.
pub static ALL: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
    [cookies::ALL, transport::ALL, life::ALL, csrf::ALL, tokens::ALL, people::ALL, browser::ALL].concat()
});

/// Rows of: the constant, the id, the group, the severity, WSTG, ASVS, CWE, what is wrong, what to do about it.
macro_rules! rules {
    ($($name:ident: $id:literal, $group:ident, $severity:ident, $wstg:literal, $asvs:literal, $cwe:literal, $title:literal, $fix:literal;)+) => {
        use $crate::rule::{Group, Rule, Severity};

        $(
            #[doc = concat!($title, ".")]
            pub static $name: Rule = Rule {
                id: $id,
                group: Group::$group,
                severity: Severity::$severity,
                title: $title,
                wstg: $wstg,
                asvs: $asvs,
                cwe: $cwe,
                fix: $fix,
            };
        )+

        pub(super) static ALL: &[&Rule] = &[$(&$name),+];
    };
}
use rules;
