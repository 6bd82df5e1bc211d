//! Every rule, pure: no clock, no store, nothing asynchronous. A test reads these sources to keep it so.

pub mod assurance;
pub mod clock;
pub mod family;
pub mod lifetime;
pub mod trigger;

pub use assurance::{Amr, Assurance, Factor};
pub use clock::{ClockReading, Correction};
pub use family::{Context, Family, Judgement, Link, Presented, Renewal, Seen, Verdict};
pub use lifetime::{EndReason, Life, Limits, Standing};
pub use trigger::{Reaction, Trigger};
