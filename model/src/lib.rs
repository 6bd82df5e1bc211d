//! An explicit-state model of the token family: the real rules, explored to a fixpoint against a hostile network.
//!
//! Every verdict, every cookie and every write comes from `counterfoil_core::rules::family`; the model supplies the
//! world around it: a browser with a jar, parallel requests, late and lost responses, two nodes, two networks, a crash,
//! a key rotation, a thief. Times are kept relative to now and capped where no rule can tell them apart, so the states
//! are finitely many and histories of any length are covered.

mod bounds;
mod browser;
mod conclude;
mod event;
mod explore;
mod mutants;
mod plan;
mod present;
mod property;
mod report;
mod rules;
mod server;
mod state;
mod symbol;
mod thief;
mod watch;
mod world;

pub use bounds::{Actor, Bounds, Setting};
pub use event::{Carries, Cookie, Event, Outcome, Party, Source, Way};
pub use explore::{Broken, Explored, FOLLOWED, explore};
pub use mutants::{Mutant, mutants};
pub use plan::{Plan, Size};
pub use property::Property;
pub use report::{ASSUMPTIONS, bounds_line, kinds, mutant_line, result_line, trace};
pub use rules::{CacheMay, Commit, RealRules, Rules, StepUp};
pub use state::State;
pub use world::{Step, World};
