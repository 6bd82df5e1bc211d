//! The rules of a web session, and the engine that applies them. No I/O, no clock, no framework.

mod entropy;
mod id;
pub mod keys;
mod moment;
pub mod rules;
pub mod token;

pub use entropy::{Entropy, NoEntropy, SystemEntropy};
pub use id::{BadSubject, Bucket, NotASessionId, SessionId, Subject, SubjectRef};
pub use moment::{Clock, FakeClock, Moment};
