//! Who may go where in an app: its rules, in order; what none of them names is denied.

mod path;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Deserialize;

use self::path::readings;
pub use self::path::{MAX_PATH, Pattern, PatternError, Unreadable};

/// The rules of an app. Of those that match a path the first one counts; without one the request is denied.
///
/// # Security
/// Apps differ in how they read a path: some fold case, cut `;parameters`, take `//` for `/`, or `/page/` for `/page`. Each
/// of these readings is looked up, and the request must meet the demands of all: a spelling never gets around a rule. A
/// path that cannot be read safely (dot segments, encoded slashes, control characters) is denied. Methods play no part, and
/// of a query only whether there is one ([`ChangesState::WithQuery`]).
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
    /// Which `GET`s there change something, so that the CSRF decision is made for them too.
    pub changes_state: ChangesState,
    /// Requests there are polling, and do not count as activity.
    pub quiet: bool,
    /// The session is asked of the store itself, whatever this node remembers; where a step-up is demanded, it is anyway.
    pub sensitive: bool,
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

/// Which `GET`s on a path change something.
///
/// # Security
/// Apps that were not written with other sites in mind act on links: `/logout`, `/page?do=delete`. Browsers send a `Lax`
/// cookie along with a link from anywhere, so such a request has to be held to where it comes from. What a query says is
/// not looked at: apps read names in it in more ways than we could follow. A question mark counts, encoded ones too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangesState {
    /// None: links from other sites lead there.
    #[default]
    Never,
    /// Those with a query. Links from other sites lead to the paths alone.
    WithQuery,
    /// All of them.
    Always,
}

/// What a request must meet, by all readings of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one demand, and any of them may come with any other")]
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
    /// The session is asked of the store itself.
    pub sensitive: bool,
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
            let demands = rule.demands(target);
            all = Some(all.map_or(demands, |before| before.and(demands)));
        }
        Ok(all)
    }
}

impl Rule {
    /// A rule with no limits of its own.
    pub const fn new(path: Pattern, access: Access) -> Self {
        Self {
            path,
            access,
            max_idle: None,
            max_auth_age: None,
            changes_state: ChangesState::Never,
            quiet: false,
            sensitive: false,
        }
    }

    fn demands(&self, target: &str) -> Demands {
        Demands {
            signed_in: self.access != Access::Public,
            step_up: match self.access {
                Access::StepUp(max_age) => Some(max_age),
                Access::Public | Access::SignedIn => None,
            },
            max_idle: self.max_idle,
            max_auth_age: self.max_auth_age,
            changes_state: self.changes_state.by(target),
            quiet: self.quiet,
            sensitive: self.sensitive,
        }
    }
}

impl ChangesState {
    /// As it is written in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::WithQuery => "with-query",
            Self::Always => "always",
        }
    }

    /// Whether a `GET` for `target` does.
    fn by(self, target: &str) -> bool {
        match self {
            Self::Never => false,
            Self::WithQuery => target.contains('?') || target.to_ascii_lowercase().contains("%3f"),
            Self::Always => true,
        }
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
            sensitive: self.sensitive || other.sensitive,
        }
    }
}
