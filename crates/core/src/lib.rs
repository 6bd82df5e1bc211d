//! The rules of a web session, and the engine that applies them. No I/O, no clock, no framework.

pub mod data;
mod entropy;
mod event;
mod id;
pub mod keys;
mod memory;
mod moment;
mod record;
pub mod rules;
pub mod store;
pub mod token;

pub use entropy::{Entropy, NoEntropy, SystemEntropy};
pub use event::{Event, EventKind, EventSink};
pub use id::{BadSubject, Bucket, NotASessionId, SessionId, Subject, SubjectRef};
pub use memory::MemoryStore;
pub use moment::{Clock, FakeClock, Moment};
pub use record::{Change, Elevation, Holder, Member, Pending, Record, Reference};
