//! The typed view of session data: each field of a struct is one key.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};

use super::fields::{Field, Fields};

/// The name and type of one field of session data.
///
/// # Examples
/// ```
/// use counterfoil_core::data::Key;
///
/// const THEME: Key<String> = Key::new("shop.theme").portable();
/// assert_eq!(THEME.name(), "shop.theme");
/// ```
pub struct Key<V, N = &'static str> {
    name: N,
    portable: bool,
    value: PhantomData<fn() -> V>,
}

/// Keys that get their names while the program runs: a prefix, and whatever follows it. Each name is a key of its own,
/// so that two requests which set different names both survive.
///
/// # Security
/// Names may come from users; bound their length and number, as a session holds little. Choose a prefix that no other
/// key begins with: it ends in a character that the others do not have, such as `/`.
///
/// # Examples
/// ```
/// use counterfoil_core::data::{Fields, Keys};
///
/// const NOTES: Keys<String> = Keys::new("app.notes/");
/// let mut fields = Fields::default();
/// fields.apply("app.notes/milk", Some(NOTES.key("milk").encode(&"two litres".to_owned())?));
/// assert_eq!(NOTES.decode(&fields)?["milk"], "two litres");
/// # Ok::<_, counterfoil_core::data::DataError>(())
/// ```
pub struct Keys<V> {
    prefix: &'static str,
    portable: bool,
    value: PhantomData<fn() -> V>,
}

impl<V> Key<V> {
    /// A key that stays with its session.
    pub const fn new(name: &'static str) -> Self {
        Self { name, portable: false, value: PhantomData }
    }

    /// The same key, carried over when its user signs in.
    pub const fn portable(self) -> Self {
        Self { portable: true, ..self }
    }

    /// Its name in the session.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<V, N: AsRef<str>> Key<V, N> {
    pub(crate) fn text(&self) -> &str {
        self.name.as_ref()
    }
}

impl<V: Serialize, N: AsRef<str>> Key<V, N> {
    /// Encodes a value for this key.
    ///
    /// # Errors
    /// [`DataError::Encode`] if the value cannot be written as JSON.
    pub fn encode(&self, value: &V) -> Result<Field, DataError> {
        let value =
            serde_json::to_vec(value).map_err(|source| DataError::Encode { key: self.text().into(), source })?;
        Ok(Field { portable: self.portable, value: value.into() })
    }
}

impl<V: DeserializeOwned, N: AsRef<str>> Key<V, N> {
    /// Decodes this key's value, if the session has one.
    ///
    /// # Errors
    /// [`DataError::Decode`] if there is a value but not of this type. That is never absence.
    pub fn decode(&self, fields: &Fields) -> Result<Option<V>, DataError> {
        fields.get(self.text()).map(|field| decode(self.text(), field)).transpose()
    }
}

impl<V> Keys<V> {
    /// Keys that stay with their session.
    pub const fn new(prefix: &'static str) -> Self {
        Self { prefix, portable: false, value: PhantomData }
    }

    /// The same keys, carried over when their user signs in.
    pub const fn portable(self) -> Self {
        Self { portable: true, ..self }
    }

    /// One of them.
    pub fn key(&self, name: &str) -> Key<V, String> {
        Key { name: format!("{}{name}", self.prefix), portable: self.portable, value: PhantomData }
    }
}

impl<V: DeserializeOwned> Keys<V> {
    /// Decodes all that the session has, by name.
    ///
    /// # Errors
    /// [`DataError::Decode`] if one of the values is not of this type.
    pub fn decode(&self, fields: &Fields) -> Result<BTreeMap<String, V>, DataError> {
        let named = |(key, field)| Some((str::strip_prefix(key, self.prefix)?, key, field));
        let ours = fields.iter().filter_map(named);
        ours.map(|(name, key, field)| Ok((name.to_owned(), decode(key, field)?))).collect()
    }
}

fn decode<V: DeserializeOwned>(key: &str, field: &Field) -> Result<V, DataError> {
    serde_json::from_slice(&field.value).map_err(|source| DataError::Decode { key: key.into(), source })
}

impl<V, N: Clone> Clone for Key<V, N> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), ..*self }
    }
}

impl<V, N: Copy> Copy for Key<V, N> {}

impl<V> Clone for Keys<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Keys<V> {}

impl<V, N: AsRef<str>> std::fmt::Debug for Key<V, N> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Key({:?})", self.text())
    }
}

impl<V> std::fmt::Debug for Keys<V> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Keys({:?})", self.prefix)
    }
}

/// A struct whose fields are keys of the session. Derive it, or write it by hand as below.
///
/// # Examples
/// ```
/// use counterfoil_core::data::{DataError, Field, Fields, Key, SessionData};
///
/// #[derive(Default)]
/// struct Shop { cart: Vec<u32> }
/// const CART: Key<Vec<u32>> = Key::new("shop.cart");
///
/// impl SessionData for Shop {
///     fn read(fields: &Fields) -> Result<Self, DataError> {
///         Ok(Self { cart: CART.decode(fields)?.unwrap_or_default() })
///     }
///     fn write(&self) -> Result<Vec<(&'static str, Field)>, DataError> {
///         Ok(vec![(CART.name(), CART.encode(&self.cart)?)])
///     }
/// }
/// ```
pub trait SessionData: Sized + Send + Sync + 'static {
    /// Reads the struct; a key the session does not have gets its default.
    ///
    /// # Errors
    /// [`DataError::Decode`] if a key holds something else.
    fn read(fields: &Fields) -> Result<Self, DataError>;

    /// Every key with its encoded value. Only what differs from the stored value is written; a key that was there before
    /// a change and is left out after it is removed.
    ///
    /// # Errors
    /// [`DataError::Encode`] if a value cannot be written.
    fn write(&self) -> Result<Vec<(&'static str, Field)>, DataError>;
}

impl SessionData for () {
    fn read(_: &Fields) -> Result<Self, DataError> {
        Ok(())
    }

    fn write(&self) -> Result<Vec<(&'static str, Field)>, DataError> {
        Ok(Vec::new())
    }
}

/// A value does not fit its key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The stored value is not of the key's type: another program, or another version, wrote it.
    #[error("session key `{key}` holds something else than expected")]
    Decode {
        /// Which key.
        key: Box<str>,
        /// What the decoder said.
        source: serde_json::Error,
    },
    /// The value cannot be encoded.
    #[error("the value of session key `{key}` cannot be stored")]
    Encode {
        /// Which key.
        key: Box<str>,
        /// What the encoder said.
        source: serde_json::Error,
    },
}
