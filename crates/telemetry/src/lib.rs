//! Where events go once they have happened: to files, receivers and readers, none of whom a request ever waits for.
//!
//! A [`Telemetry`] takes events as the engine tells them, which costs a lock and a copy. One thread of its own gives each an
//! id, writes it down ([`Told`]) and hands it to every [`Sink`] in turn. What finds the queue full is lost, and counted.
//!
//! # Security
//! An event names sessions by their public id and subjects by a keyed reference; nothing in it authenticates anybody, and no
//! address is in it. So nothing that leaves through here can be used to sign in, and only who has the keys can tell whom an
//! event is about.

mod cause;
pub mod client;
mod figures;
mod hub;
pub mod lines;
mod losses;
mod meters;
mod only;
#[cfg(feature = "otlp")]
pub mod otlp;
mod outbox;
mod outlet;
mod patience;
mod private_file;
mod range;
pub mod set;
mod settings;
mod told;
pub mod trail;
pub mod webhook;

pub use self::cause::Cause;
pub use self::figures::Figures;
pub use self::hub::{Builder, Sink, SiteEvents, Telemetry};
pub use self::losses::Lost;
pub use self::meters::{EventMeters, SERIES_PER_SITE, SiteEventMeters};
pub use self::only::{NoSuchEvent, Only};
pub use self::outlet::Sent;
pub use self::private_file::{Unread, read_public, read_secret};
pub use self::range::OutOfRange;
pub use self::settings::{EventSettings, EventsFailed, Running};
pub use self::told::{EventId, EvidenceLine, NotAnEventId, Severity, Told, to_the_millisecond};
