//! Every page, rendered with hostile values.
