//! Who may go where in an app: its rules, in order; what none of them names is denied.

mod path;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::path::readings;
pub use self::path::{MAX_PATH, Pattern, PatternError, Unreadable};

/// The rules of an app. Of those that match a path the first one counts; without one the request is denied.
///
/// # Security
/// Apps differ in how they read a path: some fold case, cut `;parameters`, take `//` for `/`, or `/page/` for `/page`. Each
/// of these readings is looked up, and the request must meet the demands of all: a spelling never gets around a rule. A path that cannot
/// be read safely (dot segments, encoded slashes, control characters) is denied. Methods and queries play no part.
///
/// # Examples
/// ```
/// use counterfoil_gateway::rules::{Access, Rule, Rules};
///
/// let rules = Rules::new(vec![
///     Rule::new("/assets/*".parse()?, Access::Public),
///     Rule::new("/admin/*".parse()?, Access::StepUp(std::time::Duration::from_secs(300))),
///     Rule::new("/*".parse()?, Access::SignedIn),
/// ]);
/// assert!(rules.demands("/assets/style.css?v=2")?.is_some_and(|demands| demands.is_public()));
/// assert!(rules.demands("/Admin/users")?.is_some_and(|demands| demands.step_up.is_some()));
/// assert!(rules.demands("/assets/../admin/users").is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Rule>);

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Which paths it is about.
    pub path: Pattern,
    /// Who may go there.
    pub access: Access,
    /// The longest time without activity on such paths (`ActiveWithin`).
    pub max_idle: Option<Duration>,
    /// The longest time since they proved who they are (`SignedInWithin`).
    pub max_auth_age: Option<Duration>,
    /// A `GET` there changes something, so the CSRF decision is made for it too.
    pub changes_state: bool,
    /// Requests there are polling, and do not count as activity.
    pub quiet: bool,
}

/// Who may go somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody; also while the store does not answer.
    Public,
    /// Whoever is signed in; being remembered is not enough.
    SignedIn,
    /// Whoever is signed in and stepped up no longer ago than this.
    StepUp(Duration),
}

/// What a request must meet, by all readings of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demands {
    /// Somebody must be signed in.
    pub signed_in: bool,
    /// They must have stepped up no longer ago than this.
    pub step_up: Option<Duration>,
    /// They must have been active on such paths no longer ago than this.
    pub max_idle: Option<Duration>,
    /// They must have proved who they are no longer ago than this.
    pub max_auth_age: Option<Duration>,
    /// The request changes something, whatever its method says.
    pub changes_state: bool,
    /// The request does not count as activity.
    pub quiet: bool,
}

impl Rules {
    /// Rules in the order in which they are looked up.
    pub const fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter()
    }

    /// What a request for `target`, a path with or without a query, must meet; `None` where no rule matches.
    ///
    /// # Errors
    /// [`Unreadable`]: deny the request.
    pub fn demands(&self, target: &str) -> Result<Option<Demands>, Unreadable> {
        let mut all: Option<Demands> = None;
        let slashed = self.0.iter().any(|rule| rule.path.is_slashed());
        for reading in readings(target, slashed)? {
            let Some(rule) = self.0.iter().find(|rule| rule.path.matches(&reading)) else {
                return Ok(None);
            };
            let demands = Demands::from(rule);
            all = Some(all.map_or(demands, |before| before.and(demands)));
        }
        Ok(all)
    }
}

impl Rule {
    /// A rule with no limits of its own.
    pub const fn new(path: Pattern, access: Access) -> Self {
        Self { path, access, max_idle: None, max_auth_age: None, changes_state: false, quiet: false }
    }
}

impl Demands {
    /// Whether everybody may go there.
    pub const fn is_public(&self) -> bool {
        !self.signed_in
    }

    /// Both.
    fn and(self, other: Self) -> Self {
        let shorter = |one: Option<Duration>, two: Option<Duration>| one.into_iter().chain(two).min();
        Self {
            signed_in: self.signed_in || other.signed_in,
            step_up: shorter(self.step_up, other.step_up),
            max_idle: shorter(self.max_idle, other.max_idle),
            max_auth_age: shorter(self.max_auth_age, other.max_auth_age),
            changes_state: self.changes_state || other.changes_state,
            quiet: self.quiet && other.quiet,
        }
    }
}

impl From<&Rule> for Demands {
    fn from(rule: &Rule) -> Self {
        Self {
            signed_in: rule.access != Access::Public,
            step_up: match rule.access {
                Access::StepUp(max_age) => Some(max_age),
                Access::Public | Access::SignedIn => None,
            },
            max_idle: rule.max_idle,
            max_auth_age: rule.max_auth_age,
            changes_state: rule.changes_state,
            quiet: rule.quiet,
        }
    }
}
