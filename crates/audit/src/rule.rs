//! What can be wrong: an id that never changes, how bad it is, and which public requirement it breaks.

mod table;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::table::*;

/// One thing that can be wrong with a site's session handling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Stable, in reports and baselines.
    pub id: &'static str,
    /// What it belongs to.
    pub group: Group,
    /// How bad it is where the session itself is concerned; a finding may say less.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub title: &'static str,
    /// Of the OWASP Web Security Testing Guide 4.2, such as `WSTG-SESS-03`.
    pub wstg: &'static str,
    /// Of OWASP ASVS 5.0, such as `7.2.4`.
    pub asvs: &'static str,
    /// Of the Common Weakness Enumeration.
    pub cwe: u16,
    /// What to do about it, in words that hold everywhere.
    pub fix: &'static str,
}

/// What rules belong to, in the order in which they are looked at and printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Group {
    /// How cookies are set, and what may keep a copy of them.
    Attributes,
    /// Transport and response headers.
    Transport,
    /// Which cookie is the session.
    Role,
    /// Sessions that were there before the sign-in.
    Fixation,
    /// New tokens where assurance changes.
    Rotation,
    /// The end, by the user's wish.
    SignOut,
    /// The end, by the clock.
    Expiry,
    /// Requests that other sites cause.
    Csrf,
    /// What is inside a token, and whether it can be made or guessed.
    Tokens,
    /// Several sessions of one account.
    Concurrency,
    /// Half a sign-in.
    Pending,
    /// Keys that never leave the machine.
    DeviceBound,
    /// What a real browser lets happen.
    Browser,
    /// Checks of one's own.
    Own,
}

/// How bad, from what is merely said to what gives an account away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing, nothing to mend.
    Info,
    /// One defence fewer.
    Low,
    /// Gives something away under a condition an attacker often finds.
    Medium,
    /// Gives a session away, or keeps a stolen one alive.
    High,
    /// Anybody is anybody.
    Critical,
}

impl Group {
    /// In the order of reports.
    pub const ALL: [Self; 14] = [
        Self::Attributes,
        Self::Transport,
        Self::Role,
        Self::Fixation,
        Self::Rotation,
        Self::SignOut,
        Self::Expiry,
        Self::Csrf,
        Self::Tokens,
        Self::Concurrency,
        Self::Pending,
        Self::DeviceBound,
        Self::Browser,
        Self::Own,
    ];

    /// For headings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attributes => "attributes",
            Self::Transport => "transport and headers",
            Self::Role => "role",
            Self::Fixation => "fixation",
            Self::Rotation => "rotation",
            Self::SignOut => "sign-out",
            Self::Expiry => "expiry",
            Self::Csrf => "CSRF",
            Self::Tokens => "tokens",
            Self::Concurrency => "device and concurrency",
            Self::Pending => "pending states",
            Self::DeviceBound => "device-bound",
            Self::Browser => "browser proof",
            Self::Own => "checks of your own",
        }
    }
}

impl Group {
    /// As on the command line and in reports for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Attributes => "attributes",
            Self::Transport => "transport",
            Self::Role => "role",
            Self::Fixation => "fixation",
            Self::Rotation => "rotation",
            Self::SignOut => "sign-out",
            Self::Expiry => "expiry",
            Self::Csrf => "csrf",
            Self::Tokens => "tokens",
            Self::Concurrency => "concurrency",
            Self::Pending => "pending",
            Self::DeviceBound => "device-bound",
            Self::Browser => "browser",
            Self::Own => "own",
        }
    }
}

impl Severity {
    /// From the least.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// As on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Rule {
    /// The one of that id, among ours.
    pub fn of_id(id: &str) -> Option<&'static Self> {
        ALL.iter().copied().find(|rule| rule.id == id)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_lower_case() {
        let ids: BTreeSet<_> = ALL.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), ALL.len());
        assert!(ids.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
    }

    #[test]
    fn every_rule_names_its_sources_and_a_fix() {
        for rule in ALL.iter() {
            let parts: Vec<_> = rule.asvs.split('.').collect();
            assert!(parts.len() == 3 && parts.iter().all(|part| part.parse::<u8>().is_ok()), "{}", rule.id);
            assert!(rule.wstg.starts_with("WSTG-") && rule.cwe > 0, "{}", rule.id);
            assert!(rule.title.len() > 20 && rule.fix.len() > 20, "{}", rule.id);
        }
    }

    #[test]
    fn every_test_of_the_guide_about_sessions_has_a_rule() {
        for test in 1..=11 {
            let name = format!("WSTG-SESS-{test:02}");
            assert!(ALL.iter().any(|rule| rule.wstg == name), "{name}");
        }
    }

    #[test]
    fn a_group_has_one_word_for_people_and_programs() {
        for group in Group::ALL {
            assert_eq!(serde_json::to_value(group).unwrap(), group.word());
        }
    }

    #[test]
    fn a_rule_is_found_by_its_id() {
        assert!(ALL.iter().all(|rule| Rule::of_id(rule.id) == Some(*rule)));
        assert_eq!(Rule::of_id("no-such-rule"), None);
    }
}
