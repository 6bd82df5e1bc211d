//! Why something was done that nobody here asked for: others told of something.

use std::future::Future;
use std::sync::Arc;

use crate::told::EventId;

/// On whose word something is done.
///
/// # Examples
/// ```
/// use counterfoil_core::{Event, EventKind, EventSink as _, Moment};
/// use counterfoil_telemetry::{Cause, Telemetry};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let telemetry = Telemetry::builder().start()?;
/// let mut events = telemetry.follow();
/// let cause = Cause { issuer: "https://idp.example".into(), txn: None };
/// let event = Event { at: Moment::EPOCH, session: None, subject: None, kind: EventKind::SteppedUp };
/// cause.of(async { telemetry.emit(&event) }).await;
/// let told = events.recv().await.unwrap();
/// assert_eq!(&*told.cause.unwrap().issuer, "https://idp.example");
/// # Ok::<_, std::io::Error>(())
/// # })?;
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Who told of it: the `iss` of its tokens.
    pub issuer: Arc<str>,
    /// The event with which it began, where that was one of a Counterfoil: on another site, or here.
    pub txn: Option<EventId>,
}

tokio::task_local! {
    static CAUSE: Arc<Cause>;
}

impl Cause {
    /// Does `work`. Every event that it tells itself, and not by another task, is told as done because of this.
    pub async fn of<F: Future>(self, work: F) -> F::Output {
        CAUSE.scope(Arc::new(self), work).await
    }

    /// Of what the current task is doing.
    pub(crate) fn of_now() -> Option<Arc<Self>> {
        CAUSE.try_with(Arc::clone).ok()
    }
}
