//! The store as a whole: the conformance suite, restarts, and disks that fail.

mod conformance;
mod stage;
