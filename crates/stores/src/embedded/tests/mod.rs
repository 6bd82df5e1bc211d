//! The store as a whole: the conformance suite, restarts, and disks that fail.

mod archives;
mod conformance;
mod damage;
mod flight;
mod folders;
mod formats;
#[cfg(unix)]
mod full;
mod live;
mod records;
mod restart;
mod retired_keys;
mod stage;
