//! What this stops and what it does not, and why each default is as it is.
