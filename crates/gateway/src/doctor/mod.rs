//! The doctor: attacks the chain an operator has deployed, through their own proxy, and says what to change.
//!
//! Nobody but the app sees what reaches the app. So the proxy's configuration sends one path of ours, [`ECHO`], the app's
//! way: past the decision, with everything set on it that is set for the app, and then to us. There the gateway tells what
//! came, and [`RECORD`] tells what the decision was asked. Both are open while the doctor works and shut otherwise: the
//! doctor puts a fresh key into the data folder, signs each of its requests with it, and takes it away at the end.
//!
//! What it finds is true of the echo's path. A location of the operator's own that differs from the app's is found by
//! looking for such in the configuration, which is what the text about it says.

mod checks;
mod door;
mod examine;
mod fix;
mod http;
mod key;
mod probe;
mod report;
mod ticket;

pub use self::door::{Doctor, on_public};
pub use self::examine::{Options, examine};
pub use self::key::{KeyFile, KeyFileError};
pub use self::probe::ProbeError;
pub use self::report::{Finding, Report, Verdict};

/// What came the app's way, told to whoever has a ticket.
pub const ECHO: &str = "/.session/doctor/echo";

/// What the decision was asked, told to whoever has a ticket.
pub const RECORD: &str = "/.session/doctor/record";
