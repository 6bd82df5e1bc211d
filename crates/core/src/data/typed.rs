//! The typed view of session data: each field of a struct is one key.

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
pub struct Key<V> {
    name: &'static str,
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

impl<V: Serialize> Key<V> {
    /// Encodes a value for this key.
    ///
    /// # Errors
    /// [`DataError::Encode`] if the value cannot be written as JSON.
    pub fn encode(&self, value: &V) -> Result<Field, DataError> {
        let value = serde_json::to_vec(value).map_err(|source| DataError::Encode { key: self.name.into(), source })?;
        Ok(Field { portable: self.portable, value: value.into() })
    }
}

impl<V: DeserializeOwned> Key<V> {
    /// Decodes this key's value, if the session has one.
    ///
    /// # Errors
    /// [`DataError::Decode`] if there is a value but not of this type. That is never absence.
    pub fn decode(&self, fields: &Fields) -> Result<Option<V>, DataError> {
        let decode = |field: &Field| serde_json::from_slice(&field.value);
        fields
            .get(self.name)
            .map(decode)
            .transpose()
            .map_err(|source| DataError::Decode { key: self.name.into(), source })
    }
}

impl<V> Clone for Key<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Key<V> {}

impl<V> std::fmt::Debug for Key<V> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Key({:?})", self.name)
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
