//! The rules of a web session, and the engine that applies them. No I/O, no clock, no framework.

pub mod address;
pub mod agent;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod cookie;
pub mod csrf;
pub mod data;
pub mod detector;
pub mod device;
pub mod engine;
mod entropy;
mod event;
pub mod headers;
mod id;
pub mod keys;
pub mod limits;
mod memory;
mod moment;
pub mod origin;
pub mod policy;
mod record;
pub mod rules;
pub mod seal;
pub mod seam;
pub mod store;
pub mod stored;
#[cfg(feature = "testing")]
pub mod testing;
pub mod token;
#[cfg(test)]
mod vectors;

pub use engine::{Engine, Exchange};
pub use entropy::{Entropy, NoEntropy, SystemEntropy};
pub use event::{Event, EventKind, EventSink};
pub use id::{BadSubject, Bucket, NotASessionId, NotASubjectRef, SessionId, Subject, SubjectRef};
pub use memory::MemoryStore;
pub use moment::{Clock, FakeClock, Moment, Rfc3339};
pub use policy::Policy;
pub use record::{Change, Elevation, Holder, Member, Pending, Record, Reference, StepUp};
