//! How the store uses its database.

use std::time::Duration;

use super::error::OpenError;

/// How the store uses its database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The schema that holds its tables, by default `counterfoil`: small letters, digits and `_`. Two stores in one
    /// database have two.
    pub schema: String,
    /// How many connections at most answer verbs; one more listens. By default 16: a read takes one for a fraction of a
    /// millisecond, a write for as long as the disk takes. All nodes' together must stay below `max_connections`.
    pub connections: usize,
    /// How long a verb may take, waiting for a connection included. By default one second.
    pub timeout: Duration,
    /// Records that were read or written a moment ago, sealed and opened, in bytes: what a write is made from without reading
    /// or opening it first. By default 64 MiB, some 35,000 sessions in use.
    pub recent_bytes: u64,
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let Some((first, rest)) = self.schema.as_bytes().split_first() else {
            return Err(OpenError::SchemaName { name: self.schema.clone() });
        };
        let letter = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
        let named = letter(first) && rest.iter().all(|byte| letter(byte) || byte.is_ascii_digit());
        // The server cuts longer names; those that begin so are its own.
        if !named || self.schema.len() > LONGEST || self.schema.starts_with("pg_") {
            return Err(OpenError::SchemaName { name: self.schema.clone() });
        }
        if self.connections == 0 || self.timeout.is_zero() {
            return Err(OpenError::NothingAllowed);
        }
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            schema: "counterfoil".to_owned(),
            connections: 16,
            timeout: Duration::from_secs(1),
            recent_bytes: 64 * 1_024 * 1_024,
        }
    }
}

/// The longest name of a schema: the server's longest, less what we put behind it for the doorbell.
const LONGEST: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_named_so_that_it_needs_no_quotes() {
        #[rustfmt::skip]
        let rows = [
            ("counterfoil", true), ("_shop_2", true), ("a", true),
            ("", false), ("2shop", false), ("Shop", false), ("shop-eu", false), ("a;b", false), ("a\"b", false),
            ("pg_shop", false), ("größe", false),
        ];
        for (schema, good) in rows {
            let settings = Settings { schema: schema.to_owned(), ..Settings::default() };
            assert_eq!(settings.check().is_ok(), good, "{schema}");
        }
        let long = Settings { schema: "a".repeat(49), ..Settings::default() };
        assert!(long.check().is_err());
    }

    #[test]
    fn a_store_without_connections_or_time_is_refused() {
        assert!(Settings { connections: 0, ..Settings::default() }.check().is_err());
        assert!(Settings { timeout: Duration::ZERO, ..Settings::default() }.check().is_err());
    }
}
