//! What a policy comes to, in words: a statement for each thing in force, and what is kept about people. Decides nothing.

mod defence;
mod lifetimes;
mod limits;
mod people;
mod sizes;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::time::Duration;

pub use self::people::Collected;
pub use self::sizes::sizes;
use super::{Policy, Span};

/// One thing that is in force.
///
/// # Examples
/// ```
/// use counterfoil_core::policy::Policy;
///
/// let statements = Policy::aal2("https://shop.example")?.explain();
/// let idle = statements.iter().find(|statement| statement.id == "timeouts.idle").ok_or("said")?;
/// assert_eq!((idle.value.as_str(), idle.deviation.is_none()), ("1h", true));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// A stable name: the key of the setting that changes it, where there is one.
    pub id: Cow<'static, str>,
    /// What is in force, as settings are written.
    pub value: String,
    /// What that means, in a sentence or two.
    pub meaning: Cow<'static, str>,
    /// Which requirements it is about.
    pub sources: &'static [&'static str],
    /// Where it falls short of a standard.
    pub deviation: Option<Deviation>,
    /// How two values of it compare.
    pub order: Order,
}

/// Where something in force falls short of a standard.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deviation {
    /// Which standard, and where in it.
    pub standard: &'static str,
    /// What it asks for.
    pub says: Cow<'static, str>,
    /// What to change to meet it.
    pub to_meet: Cow<'static, str>,
}

/// How two values of one statement compare.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Neither is stricter than the other.
    None,
    /// The stricter one is greater in at least one of these numbers, and less in none.
    Strength(Vec<i64>),
    /// The stricter one lacks some of these, and has no other.
    Allows(Vec<String>),
}

/// What becomes of security where one value takes another's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is less strict.
    Weaker,
    /// It is stricter.
    Stricter,
    /// Nobody can tell by the values alone.
    Undecided,
}

impl Order {
    /// What happens where `new` takes the place of this.
    pub fn effect_of(&self, new: &Self) -> Effect {
        let (less, more) = match (self, new) {
            (Self::Strength(old), Self::Strength(new)) if old.len() == new.len() => {
                let pairs = || old.iter().zip(new);
                (pairs().any(|(old, new)| new < old), pairs().any(|(old, new)| new > old))
            }
            (Self::Allows(old), Self::Allows(new)) => {
                (new.iter().any(|item| !old.contains(item)), old.iter().any(|item| !new.contains(item)))
            }
            _ => (false, false),
        };
        match (less, more) {
            (true, false) => Effect::Weaker,
            (false, true) => Effect::Stricter,
            _ => Effect::Undecided,
        }
    }
}

impl Policy {
    /// Everything this policy decides: a statement for each setting, and a few that follow from several.
    pub fn explain(&self) -> Vec<Statement> {
        let parts = [
            lifetimes::lifetimes(self),
            lifetimes::sessions(self),
            lifetimes::triggers(self),
            defence::detection(self),
            defence::decisions(self),
            defence::browsers(self),
            defence::address(self),
            defence::danger(self),
        ];
        parts.into_iter().flatten().collect()
    }
}

impl Statement {
    /// What is in force under this name.
    pub fn new(
        id: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
        meaning: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (id, value, meaning) = (id.into(), value.into(), meaning.into());
        Self { id, value, meaning, sources: &[], deviation: None, order: Order::None }
    }

    /// The same, about these requirements.
    #[must_use]
    pub fn about(self, sources: &'static [&'static str]) -> Self {
        Self { sources, ..self }
    }

    /// The same; a value that is greater in one of these and less in none is stricter.
    #[must_use]
    pub fn of_strength(self, strength: impl Into<Vec<i64>>) -> Self {
        Self { order: Order::Strength(strength.into()), ..self }
    }

    /// The same; it allows these, and more of them is weaker.
    #[must_use]
    pub fn allowing(self, allowed: Vec<String>) -> Self {
        Self { order: Order::Allows(allowed), ..self }
    }

    /// The same, with what it falls short of.
    #[must_use]
    pub fn short_of(self, deviation: Option<Deviation>) -> Self {
        Self { deviation, ..self }
    }
}

impl Deviation {
    /// It falls short of what `standard` says.
    pub fn from(
        standard: &'static str,
        says: impl Into<Cow<'static, str>>,
        to_meet: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { standard, says: says.into(), to_meet: to_meet.into() }
    }
}

/// A time as settings are written, in whole days where it is that: months differ in length.
fn span(time: Duration) -> String {
    match (time.as_secs() / DAY, time.as_secs() % DAY, time.subsec_nanos()) {
        (1, 0, 0) => "1day".into(),
        (days @ 2.., 0, 0) => format!("{days}days"),
        _ => Span::from(time).to_string(),
    }
}

/// A time as a number to compare by.
fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

const DAY: u64 = 24 * 3_600;
