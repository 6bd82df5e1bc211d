//! What changed since a document was made, and whether that weakens.

use std::collections::BTreeMap;
use std::fmt;

use counterfoil_core::policy::explain::{Effect, Order};
use serde::{Serialize, Serializer};

use super::{App, Explained, NotComparable, Part, Personal, Told};

/// What changed between two documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    format: &'static str,
    version: u32,
    changes: Vec<Change>,
}

/// One thing that is another than it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// `everywhere`, or `apps.` and the app's name.
    #[serde(rename = "where")]
    pub place: String,
    /// The statement's name; empty for an app as a whole.
    pub id: String,
    /// What happened to it.
    pub change: Kind,
    /// What was in force.
    pub old: Option<String>,
    /// What is in force.
    pub new: Option<String>,
    /// What becomes of security by it, or of what is kept about people.
    #[serde(serialize_with = "effect")]
    pub effect: Effect,
    /// Which standard this falls short of now, and did not before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub falls_short_of: Option<String>,
}

/// What happened to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Its value is another.
    Changed,
    /// It was not there.
    Added,
    /// It is not there any more.
    Removed,
}

impl Drift {
    /// What changed from `old` to `new`. Words that explain are not compared, only what is in force and what is kept.
    ///
    /// # Errors
    /// [`NotComparable::AnotherKind`] where one is of a policy and the other of a gateway.
    pub fn between(old: &Explained, new: &Explained) -> Result<Self, NotComparable> {
        if old.of != new.of {
            return Err(NotComparable::AnotherKind { of_old: old.of.words(), of_new: new.of.words() });
        }
        let mut changes = in_part("everywhere", &old.everywhere, &new.everywhere);
        for Pair { name, old, new } in paired(&old.apps, &new.apps, |app: &App| &app.name) {
            let place = format!("apps.{name}");
            match (old, new) {
                (Some(old), Some(new)) => changes.extend(in_part(&place, &old.part, &new.part)),
                (old, new) => changes.extend(Change::of(&place, "", old.map(App::origins), new.map(App::origins))),
            }
        }
        Ok(Self { format: "counterfoil-drift", version: Explained::VERSION, changes })
    }

    /// What changed.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What changed, for programs.
    ///
    /// # Errors
    /// Only where memory does not suffice for it.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

impl App {
    fn origins(&self) -> String {
        let origins = self.part.statements.iter().find(|told| told.id == "origins");
        origins.map(|told| told.value.clone()).unwrap_or_default()
    }
}

fn in_part(place: &str, old: &Part, new: &Part) -> Vec<Change> {
    let statements = paired(&old.statements, &new.statements, |told: &Told| &told.id);
    let collected = paired(&old.collected, &new.collected, |kept: &Personal| &kept.id);
    let statements = statements.into_iter().filter_map(|Pair { name, old, new }| statement(place, name, old, new));
    statements.chain(collected.into_iter().filter_map(|Pair { name, old, new }| kept(place, name, old, new))).collect()
}

fn statement(place: &str, id: &str, old: Option<&Told>, new: Option<&Told>) -> Option<Change> {
    let standard = |told: Option<&Told>| told.and_then(|told| Some(told.deviation.as_ref()?.standard.clone()));
    let (before, now) = (standard(old), standard(new));
    let value = |told: &Told| told.value.clone();
    let effect = match (old, new) {
        (Some(old), Some(new)) if old.value == new.value && before == now => return None,
        (Some(old), Some(new)) => old.order().effect_of(&new.order()),
        _ => Effect::Undecided,
    };
    let falls_short_of = now.filter(|now| before.as_ref() != Some(now));
    Some(Change { effect, falls_short_of, ..Change::of(place, id, old.map(value), new.map(value))? })
}

/// More data, or the same for longer, is less private.
fn kept(place: &str, id: &str, old: Option<&Personal>, new: Option<&Personal>) -> Option<Change> {
    let words = |kept: &Personal| format!("{}: {}", kept.data.join("; "), kept.kept_for);
    let briefly = |kept: &Personal| kept.kept_for.clone();
    let (effect, old, new) = match (old, new) {
        (None, new) => (Effect::Weaker, None, new.map(words)),
        (old, None) => (Effect::Stricter, old.map(words), None),
        (Some(old), Some(new)) if old.data == new.data => {
            if (&old.kept_for, old.at_most_seconds) == (&new.kept_for, new.at_most_seconds) {
                return None;
            }
            (longer(old, new), Some(briefly(old)), Some(briefly(new)))
        }
        (Some(old), Some(new)) => {
            let data = Order::Allows(old.data.clone()).effect_of(&Order::Allows(new.data.clone()));
            let effect = match longer(old, new) {
                Effect::Undecided if old.at_most_seconds == new.at_most_seconds => data,
                longer if longer == data => data,
                _ => Effect::Undecided,
            };
            (effect, Some(words(old)), Some(words(new)))
        }
    };
    Some(Change { effect, ..Change::of(place, id, old, new)? })
}

/// What nothing bounds is kept longest.
fn longer(old: &Personal, new: &Personal) -> Effect {
    let time = |kept: &Personal| kept.at_most_seconds.unwrap_or(u64::MAX);
    match time(old).cmp(&time(new)) {
        std::cmp::Ordering::Less => Effect::Weaker,
        std::cmp::Ordering::Equal => Effect::Undecided,
        std::cmp::Ordering::Greater => Effect::Stricter,
    }
}

impl Change {
    /// `None` where there was nothing and there is nothing.
    fn of(place: &str, id: &str, old: Option<String>, new: Option<String>) -> Option<Self> {
        let change = match (&old, &new) {
            (Some(_), Some(_)) => Kind::Changed,
            (None, Some(_)) => Kind::Added,
            (Some(_), None) => Kind::Removed,
            (None, None) => return None,
        };
        let (place, id) = (place.to_owned(), id.to_owned());
        Some(Self { place, id, change, old, new, effect: Effect::Undecided, falls_short_of: None })
    }
}

/// A name with what it stands for in both documents.
struct Pair<'a, T> {
    name: &'a str,
    old: Option<&'a T>,
    new: Option<&'a T>,
}

/// In the order of the second, and at the end what is in the first alone.
fn paired<'a, T>(old: &'a [T], new: &'a [T], name: impl Fn(&'a T) -> &'a String) -> Vec<Pair<'a, T>> {
    let mut gone: BTreeMap<&str, &T> = old.iter().map(|item| (name(item).as_str(), item)).collect();
    let both = new.iter().map(|item| Pair { name: name(item), old: gone.remove(name(item).as_str()), new: Some(item) });
    let mut pairs: Vec<_> = both.collect();
    pairs.extend(gone.into_iter().map(|(name, item)| Pair { name, old: Some(item), new: None }));
    pairs
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn effect<S: Serializer>(effect: &Effect, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match effect {
        Effect::Weaker => "weaker",
        Effect::Stricter => "stricter",
        Effect::Undecided => "undecided",
    })
}

/// What weakens comes first. The earlier document may have been written by anybody: nothing in it moves the cursor.
impl fmt::Display for Drift {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            return writeln!(out, "nothing has changed");
        }
        let weaker = |change: &&Change| change.effect == Effect::Weaker;
        let (weak, others): (Vec<_>, Vec<_>) = self.changes.iter().partition(weaker);
        for change in weak.iter().chain(&others) {
            writeln!(out, "{change}")?;
        }
        let changes = if self.changes.len() == 1 { "change" } else { "changes" };
        writeln!(out, "\n{} {changes}, {} weaker", self.changes.len(), weak.len())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = if self.id.is_empty() { self.place.clone() } else { format!("{} {}", self.place, self.id) };
        let shown = |value: &Option<String>| printable(value.as_deref().unwrap_or_default());
        write!(out, "{}: ", printable(&named))?;
        match self.change {
            Kind::Changed if self.old == self.new => write!(out, "{} as before", shown(&self.new))?,
            Kind::Changed => write!(out, "{} -> {}", shown(&self.old), shown(&self.new))?,
            Kind::Added => write!(out, "added: {}", shown(&self.new))?,
            Kind::Removed => write!(out, "removed: {}", shown(&self.old))?,
        }
        match self.effect {
            Effect::Weaker => write!(out, ", which is weaker")?,
            Effect::Stricter => write!(out, ", which is stricter")?,
            Effect::Undecided => {}
        }
        let now = self.falls_short_of.as_deref();
        now.map_or(Ok(()), |standard| write!(out, "; falls short of {}", printable(standard)))
    }
}

/// Without what a terminal would act on, and not without end.
fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let shown = text.chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).take(LONGEST_SHOWN);
    let cut = if text.chars().nth(LONGEST_SHOWN).is_some() { "…" } else { "" };
    shown.chain(cut.chars()).collect()
}

/// In characters; longer than anything we say.
const LONGEST_SHOWN: usize = 1_000;
