//! A simulation of rotation: whole days of browsers, bad networks, crashes and thieves, on a virtual clock.
//!
//! Every verdict and every cookie of ours comes from `counterfoil_core::rules::family`, as in the server. The simulation
//! supplies the world around it, and three other ways to rotate to compare with. A run is a function of its seed: neither
//! the number of threads nor the machine changes a figure.

mod conditions;
mod experiment;
mod history;
pub mod nodes;
pub mod page;
mod plan;
mod rules;
pub mod scale;
mod tally;
mod token;

pub use conditions::{Conditions, Crashes, Follows, Late, Resemblance, Seconds, Thief};
pub use experiment::run;
pub use history::{Delay, End, Outcome, Refusal, Refused, simulate};
pub use plan::{Experiment, Group, Plan, RuleName};
pub use rules::{Counterfoil, PreviousAllowed, Rule, Siblings, SingleUse, Timing};
pub use tally::Tally;
pub use token::Token;
