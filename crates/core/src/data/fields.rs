//! The fields of one session, and the payload they travel in.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The data of one session as stores move it: opaque, shared, opened only when a handler looks.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Payload(Option<Arc<[u8]>>);

/// The data of one session, field by field. Fields nobody here knows are kept: another version of the program may.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields(BTreeMap<Box<str>, Field>);

/// One field: its encoded value, and whether it follows its user into a new session.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// Whether sign-in carries it over.
    pub portable: bool,
    /// The encoded value.
    pub value: Arc<[u8]>,
}

impl Payload {
    /// From bytes as a store kept them.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self((!bytes.is_empty()).then(|| bytes.into()))
    }

    /// The bytes, for a store.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Payload({} bytes)", self.as_bytes().len())
    }
}

impl std::fmt::Debug for Field {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Field({} bytes)", self.value.len())
    }
}

impl Fields {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`BadPayload`] if it is damaged or of a version this program does not know. That is never "no data".
    pub fn open(payload: &Payload) -> Result<Self, BadPayload> {
        let Some((version, mut rest)) = payload.as_bytes().split_first() else {
            return Ok(Self::default());
        };
        if *version != VERSION {
            return Err(BadPayload::Version(*version));
        }
        let mut fields = BTreeMap::new();
        while !rest.is_empty() {
            let (name, field) = read_field(&mut rest).ok_or(BadPayload::Damaged)?;
            fields.insert(name, field);
        }
        Ok(Self(fields))
    }

    /// Writes the payload; no fields are no bytes.
    pub fn seal(&self) -> Payload {
        let mut bytes = Vec::new();
        for (name, field) in &self.0 {
            let lengths = u16::try_from(name.len()).ok().zip(u32::try_from(field.value.len()).ok());
            // `set` keeps both far below these limits.
            let Some((name_length, value_length)) = lengths else {
                continue;
            };
            if bytes.is_empty() {
                bytes.push(VERSION);
            }
            bytes.push(u8::from(field.portable));
            bytes.extend_from_slice(&name_length.to_be_bytes());
            bytes.extend_from_slice(&value_length.to_be_bytes());
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(&field.value);
        }
        Payload::from_bytes(&bytes)
    }

    /// A field by its name.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.0.get(name)
    }

    /// All fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.0.iter().map(|(name, field)| (&**name, field))
    }

    /// Sets or removes a field.
    pub fn apply(&mut self, name: &str, field: Option<Field>) {
        match field {
            Some(field) => self.0.insert(name.into(), field),
            None => self.0.remove(name),
        };
    }

    /// Only what follows its user into a new session.
    pub fn portable(mut self) -> Self {
        self.0.retain(|_, field| field.portable);
        self
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes the fields take, names included.
    pub fn size(&self) -> usize {
        self.0.iter().map(|(name, field)| name.len() + field.value.len()).sum()
    }
}

/// A payload cannot be read. Not absence: fail closed, and keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadPayload {
    /// It is cut or damaged.
    #[error("session data is damaged")]
    Damaged,
    /// A newer program wrote it.
    #[error("session data has format {0}, which this version does not know")]
    Version(u8),
}

fn read_field(rest: &mut &[u8]) -> Option<(Box<str>, Field)> {
    let ([flags, n0, n1, v0, v1, v2, v3], tail) = rest.split_first_chunk()?;
    let (name, tail) = tail.split_at_checked(u16::from_be_bytes([*n0, *n1]).into())?;
    let (value, tail) = tail.split_at_checked(u32::from_be_bytes([*v0, *v1, *v2, *v3]).try_into().ok()?)?;
    *rest = tail;
    Some((std::str::from_utf8(name).ok()?.into(), Field { portable: flags & 1 == 1, value: value.into() }))
}

/// The format of a payload.
const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fields_read_back_as_they_were_written(
            map in prop::collection::btree_map("[a-z.]{1,20}", (any::<bool>(), prop::collection::vec(any::<u8>(), 0..200)), 0..8)
        ) {
            let mut fields = Fields::default();
            for (name, (portable, value)) in &map {
                fields.apply(name, Some(Field { portable: *portable, value: value.as_slice().into() }));
            }
            prop_assert_eq!(Fields::open(&fields.seal()), Ok(fields));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = Fields::open(&Payload::from_bytes(&bytes));
        }

        #[test]
        fn a_cut_payload_is_damaged_not_empty(cut in 1_usize..20) {
            let mut fields = Fields::default();
            fields.apply("a.key", Some(Field { portable: false, value: b"value".as_slice().into() }));
            let payload = fields.seal();
            let bytes = payload.as_bytes();
            let cut = bytes.len().saturating_sub(cut).max(2);
            prop_assume!(cut < bytes.len());
            prop_assert_eq!(Fields::open(&Payload::from_bytes(&bytes[..cut])), Err(BadPayload::Damaged));
        }
    }

    #[test]
    fn a_newer_format_is_an_error_not_absence() {
        assert_eq!(Fields::open(&Payload::from_bytes(&[2])), Err(BadPayload::Version(2)));
    }
}
