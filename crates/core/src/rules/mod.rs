//! Every rule, pure: no clock, no store, nothing asynchronous. A test reads these sources to keep it so.

pub mod assurance;
pub mod burst;
pub mod clock;
pub mod evidence;
pub mod family;
pub mod grade;
pub mod heard;
pub mod history;
pub mod lifetime;
pub mod pace;
pub mod place;
pub mod signal;
pub mod trigger;

pub use assurance::{Amr, Assurance, Factor};
pub use burst::{Bursts, Counted};
pub use clock::{ClockReading, Correction};
pub use evidence::{Evidence, Glimpse};
pub use family::{Context, Family, Judgement, Link, Presented, Renewal, Seen, Verdict};
pub use grade::{Grade, Grades};
pub use heard::Heard;
pub use history::{Finding, History, Known, Network, NetworkRule, Sight, Vigilance};
pub use lifetime::{EndReason, Life, Limits, Standing};
pub use pace::{Pace, Spent};
pub use place::{NetworkKind, Place, Spot};
pub use signal::{Decision, Sensitivity, Signal, Signals};
pub use trigger::{Reaction, Trigger};
