//! Events as lines of the log.

use counterfoil_core::{Event, EventKind};

/// Writes an event to the log, with the same field names everywhere. This is where events go unless
/// [`Builder::events`](crate::Builder::events) says otherwise; a sink of one's own can call it and do more.
pub fn log_event(event: &Event) {
    let own = match &event.kind {
        EventKind::Signalled { own, .. } => own.as_ref(),
        _ => None,
    };
    tracing::info!(
        session.id = event.session.map(tracing::field::display),
        user.hash = event.subject.map(tracing::field::display),
        reason = event.kind.reason(),
        detector.signal = own.map(tracing::field::display),
        event = event.kind.name(),
        "{}",
        event.kind.name()
    );
}
