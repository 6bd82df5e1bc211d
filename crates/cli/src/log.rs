//! Where log lines go, and what they look like.

use std::fs::File;
use std::io::{self, IsTerminal as _, stderr};
use std::os::fd::AsFd as _;
use std::time::Duration;

use clap::ValueEnum;
use counterfoil_serve::Log;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::{layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Begins to log to standard error: line by line where somebody waits for the command, and for who `serves` by way of a
/// queue, so that no request waits for whoever reads the log.
pub(crate) fn begin(filter: Targets, format: LogFormat, serves: bool) -> io::Result<Log> {
    // A descriptor of its own, not behind the lock of `eprintln!`.
    let log = Log::to(File::from(stderr().as_fd().try_clone_to_owned()?))?;
    let writer = if serves {
        let log = log.clone();
        std::panic::set_hook(Box::new(|panic| tracing::error!(rule = "panic", "{panic}")));
        BoxMakeWriter::new(move || log.line())
    } else {
        BoxMakeWriter::new(stderr)
    };
    let to_stderr = tracing_subscriber::fmt::layer().with_writer(writer);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry.with(to_stderr.with_ansi(stderr().is_terminal())).init(),
        LogFormat::Json => registry.with(to_stderr.json().flatten_event(true)).init(),
    }
    Ok(log)
}

/// What waits for a reader at the end; a service manager allows more.
pub(crate) const LONGEST_FLUSH: Duration = Duration::from_secs(2);
