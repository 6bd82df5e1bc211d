//! What was configured, as it was written: values, and where each of them stands.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::error::Mistake;

/// Where something was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a file.
    Line(Arc<Path>, usize),
    /// A file as a whole.
    File(Arc<Path>),
    /// A variable of the environment.
    Variable(Arc<str>),
    /// An option of the command line.
    Option(&'static str),
    /// Nowhere: nobody said otherwise.
    Assumed,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What was written.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    /// From a variable: read as what the key wants.
    Raw(String),
    Integer(String),
    Boolean(bool),
    /// What no key takes: the name of its kind, and the text.
    Other(&'static str, String),
    List(Vec<Node>),
    /// In the order of the file.
    Table(Vec<(String, Node)>),
}

impl Node {
    /// An empty table.
    pub(super) const fn empty(place: Place) -> Self {
        Self { place, value: Value::Table(Vec::new()) }
    }

    /// What a file holds.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, Mistake> {
        let path: Arc<Path> = path.into();
        let place = |at: usize| Place::Line(Arc::clone(&path), line(text, at));
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            Mistake::new(place(at), "", format!("this is not TOML: {}", error.message().replace('\n', ", ")))
        })?;
        let value = table_of(table.get_ref(), &place);
        Ok(Self { place: Place::File(path), value })
    }

    /// Puts what a variable says below this table, at the keys of `path`; a number names the element of a list.
    pub(super) fn set(&mut self, path: &[&str], place: &Place, value: Value) {
        let Some((first, rest)) = path.split_first() else {
            *self = Self { place: place.clone(), value };
            return;
        };
        if let Value::List(elements) = &mut self.value
            && let Some(index) = first.parse::<usize>().ok().filter(|index| *index <= elements.len())
        {
            if index == elements.len() {
                elements.push(Self::empty(place.clone()));
            }
            if let Some(element) = elements.get_mut(index) {
                element.set(rest, place, value);
            }
            return;
        }
        if !matches!(self.value, Value::Table(_)) {
            *self = Self::empty(place.clone());
        }
        let Value::Table(entries) = &mut self.value else { return };
        if *first == "0" && entries.is_empty() {
            self.value = Value::List(Vec::new());
            return self.set(path, place, value);
        }
        // Variables have no hyphens: an underscore may stand for one.
        let named = entries.iter_mut().find(|(name, _)| name == first || name.replace('-', "_") == *first);
        if let Some((_, node)) = named {
            return node.set(rest, place, value);
        }
        let mut node = Self::empty(place.clone());
        node.set(rest, place, value);
        entries.push(((*first).to_owned(), node));
    }

    /// The value at a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            Value::List(elements) => key.parse::<usize>().ok().and_then(|index| elements.get(index)),
            _ => None,
        }
    }

    /// Where the value at a dotted path stands, or the nearest table around it that was written.
    pub(super) fn place_of(&self, path: &str) -> Place {
        let mut node = self;
        for key in path.split('.') {
            match node.get(key) {
                Some(below) => node = below,
                None => break,
            }
        }
        node.place.clone()
    }

    /// This table with what `above` says on top, key by key.
    pub(super) fn under(mut self, above: &Self) -> Self {
        let Value::Table(new) = &above.value else { return above.clone() };
        let Value::Table(entries) = &mut self.value else { return above.clone() };
        for (key, node) in new {
            match entries.iter_mut().find(|(name, _)| name == key) {
                Some((_, old)) => *old = old.clone().under(node),
                None => entries.push((key.clone(), node.clone())),
            }
        }
        self
    }
}

impl Value {
    /// What it is, for people.
    pub(super) fn described(&self) -> String {
        match self {
            Self::Text(text) | Self::Raw(text) => format!("`{}`", short(text)),
            Self::Integer(text) => format!("the number {}", short(text)),
            Self::Boolean(flag) => format!("`{flag}`"),
            Self::Other(kind, text) => format!("{kind} ({})", short(text)),
            Self::List(_) => "a list".into(),
            Self::Table(_) => "a table".into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(path, line) => write!(out, "{}:{line}", path.display()),
            Self::File(path) => write!(out, "{}", path.display()),
            Self::Variable(name) => out.write_str(name),
            Self::Option(name) => out.write_str(name),
            Self::Assumed => out.write_str("assumed"),
        }
    }
}

/// As much of a text as an error should repeat.
pub(super) fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

/// A table's values, each at the line of its key.
fn table_of(table: &DeTable<'_>, place: &dyn Fn(usize) -> Place) -> Value {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let node = |at: usize, value: &DeValue<'_>| Node { place: place(at), value: value_of(value, place) };
    let named = |(key, value): (&toml::Spanned<std::borrow::Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| {
        (key.get_ref().clone().into_owned(), node(key.span().start, value.get_ref()))
    };
    Value::Table(entries.into_iter().map(named).collect())
}

fn value_of(value: &DeValue<'_>, place: &dyn Fn(usize) -> Place) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => Value::Integer(number.to_string()),
        DeValue::Float(number) => Value::Other("a number with a point", number.as_str().to_owned()),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(date) => Value::Other("a date", date.to_string()),
        DeValue::Array(elements) => {
            let node = |element: &toml::Spanned<DeValue<'_>>| Node {
                place: place(element.span().start),
                value: value_of(element.get_ref(), place),
            };
            Value::List(elements.iter().map(node).collect())
        }
        DeValue::Table(table) => table_of(table, place),
    }
}

/// The elements of a list that a variable holds: TOML in brackets, or texts with commas between them.
pub(super) fn elements(raw: &str, at: &Place) -> Vec<Node> {
    let place = |_: usize| at.clone();
    if let Ok(value) = DeValue::parse(raw)
        && let Value::List(elements) = value_of(value.get_ref(), &place)
    {
        return elements;
    }
    let texts = raw.split(',').map(str::trim).filter(|text| !text.is_empty());
    texts.map(|text| Node { place: at.clone(), value: Value::Raw(text.to_owned()) }).collect()
}

fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}
