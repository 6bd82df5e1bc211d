//! Whether the table fits the rules.
