//! From what was written to settings: every error knows its key and its place, and keys nobody knows are all named.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use super::error::{Mistake, did_you_mean};
use super::tree::{Node, Value, elements, short};

/// What is found on the way and does not stop it.
pub(super) type Found = RefCell<Vec<Mistake>>;

/// Reads `node`, which stands at `key`.
pub(super) fn read<T: de::DeserializeOwned>(node: &Node, key: &str, found: &Found) -> Result<T, Mistake> {
    let reader = Reader { node, key: key.to_owned(), found };
    T::deserialize(reader).map_err(|refused| refused.at(node, key))
}

#[derive(Clone)]
struct Reader<'a> {
    node: &'a Node,
    key: String,
    found: &'a Found,
}

/// Why it was not read.
#[derive(Debug)]
enum Refused {
    /// Whoever asked says where.
    Somewhere(String),
    At(Box<Mistake>),
}

impl Refused {
    fn at(self, node: &Node, key: &str) -> Mistake {
        match self {
            Self::At(mistake) => *mistake,
            Self::Somewhere(text) => Mistake::new(node.place.clone(), key, text),
        }
    }
}

impl<'a> Reader<'a> {
    fn below(&self, key: &str, node: &'a Node) -> Self {
        let key = if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) };
        Self { node, key, found: self.found }
    }

    fn element(&self, index: usize, node: &'a Node) -> Self {
        Self { node, key: format!("{}[{index}]", self.key), found: self.found }
    }

    /// Reads, and says where it went wrong.
    fn located<'de, S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Refused> {
        let (node, key) = (self.node, self.key.clone());
        seed.deserialize(self).map_err(|refused| Refused::At(Box::new(refused.at(node, &key))))
    }

    fn wants<T>(&self, what: &str) -> Result<T, Refused> {
        Err(Refused::Somewhere(format!("wants {what}, and is {}", self.node.value.described())))
    }

    fn text(&self) -> Result<&'a str, Refused> {
        match &self.node.value {
            Value::Text(text) | Value::Raw(text) => Ok(text),
            _ => self.wants("a text in quotes"),
        }
    }

    fn table<'de, V: Visitor<'de>>(
        &self,
        known: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let Value::Table(entries) = &self.node.value else { return self.wants("a table") };
        let mut left = Vec::new();
        for (key, node) in entries {
            match known {
                Some(known) if !known.contains(&key.as_str()) => {
                    let at = self.below(key, node).key;
                    let text = format!("there is no such key{}", did_you_mean(key, known.iter().copied()));
                    self.found.borrow_mut().push(Mistake::new(node.place.clone(), at, text));
                }
                _ => left.push((key.as_str(), node)),
            }
        }
        visitor.visit_map(Entries { reader: self.clone(), left: left.into_iter(), value: None })
    }
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match &self.node.value {
            Value::Text(text) | Value::Raw(text) => visitor.visit_str(text),
            Value::Boolean(flag) => visitor.visit_bool(*flag),
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Table(_) => self.table(None, visitor),
            Value::Integer(_) => self.deserialize_u64(visitor),
            Value::Other(..) => self.wants("something else"),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match &self.node.value {
            Value::Boolean(flag) => visitor.visit_bool(*flag),
            Value::Raw(text) if text == "true" || text == "false" => visitor.visit_bool(text == "true"),
            _ => self.wants("true or false"),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let number = match &self.node.value {
            Value::Integer(text) | Value::Raw(text) => text.parse::<u64>().ok(),
            _ => None,
        };
        number.map_or_else(|| self.wants("a whole number"), |number| visitor.visit_u64(number))
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let of_variable;
        let nodes = match &self.node.value {
            Value::List(nodes) => nodes,
            Value::Raw(text) => {
                of_variable = elements(text, &self.node.place);
                &of_variable
            }
            _ => return self.wants("a list in brackets"),
        };
        visitor.visit_seq(Elements { reader: self.clone(), nodes: nodes.iter().enumerate() })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.table(None, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.table(Some(known), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let text = self.text()?;
        if !known.contains(&text) {
            let (text, near) = (short(text), did_you_mean(text, known.iter().copied()));
            return Err(Refused::Somewhere(format!("`{text}` is none of {}{near}", known.join(", "))));
        }
        let variant: StrDeserializer<'_, Refused> = text.into_deserializer();
        visitor.visit_enum(variant)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

/// The entries of a table.
struct Entries<'a> {
    reader: Reader<'a>,
    left: std::vec::IntoIter<(&'a str, &'a Node)>,
    value: Option<(&'a str, &'a Node)>,
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        self.value = self.left.next();
        let key = |(key, _): (&str, &Node)| seed.deserialize(IntoDeserializer::<Refused>::into_deserializer(key));
        self.value.map(key).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        match self.value.take() {
            Some((key, node)) => self.reader.below(key, node).located(seed),
            None => Err(de::Error::custom("there is no value")),
        }
    }
}

/// The elements of a list.
struct Elements<'a> {
    reader: Reader<'a>,
    nodes: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'de> de::SeqAccess<'de> for Elements<'_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        let Some((index, node)) = self.nodes.next() else { return Ok(None) };
        self.reader.element(index, node).located(seed).map(Some)
    }
}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::Somewhere(text.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Somewhere(format!("`{field}` is missing"))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Somewhere(text) => out.write_str(text),
            Self::At(mistake) => mistake.fmt(out),
        }
    }
}

impl std::error::Error for Refused {}
