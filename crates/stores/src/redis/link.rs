//! The way to the servers, as verbs see it: there or not at this moment, and what the servers must know at least.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use counterfoil_core::store::StoreError;
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::checks;
use super::counts::{Counts, tag_of};
use super::line::Line;
use super::scripts::Call;

/// Connections that the keeper makes and verbs use.
pub(super) struct Link {
    lines: watch::Sender<Option<Lines>>,
    /// Notices that were heard, in their order.
    pub(super) heard: Counts,
    /// Notices that a server must have given, or it has forgotten some: those that were heard, and those of this node.
    pub(super) known: Counts,
    replicas: AtomicBool,
    doubted: Notify,
    broken: Notify,
}

/// What verbs go by.
#[derive(Clone)]
pub(super) struct Lines {
    pub(super) plain: Line,
    /// Whoever waits for replicas waits here, and holds up nobody who does not.
    pub(super) sure: Line,
}

/// Whether a failover keeps what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sure {
    /// A replica has it, or there is none.
    Yes,
    /// No replica is connected at this moment: one may come back, and take over without it.
    Alone,
    /// There are replicas, and none has said that it has it.
    No,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            lines: watch::Sender::new(None),
            heard: Counts::default(),
            known: Counts::default(),
            replicas: AtomicBool::new(false),
            doubted: Notify::new(),
            broken: Notify::new(),
        }
    }
}

impl Link {
    pub(super) fn up(&self, lines: Lines) {
        self.lines.send_replace(Some(lines));
    }

    pub(super) fn down(&self) {
        self.lines.send_replace(None);
    }

    /// Whether there are servers that take over from others.
    pub(super) fn set_replicas(&self, are: bool) {
        self.replicas.store(are, Ordering::Release);
    }

    /// Until somebody found a server that has forgotten.
    pub(super) async fn doubted(&self) {
        self.doubted.notified().await;
    }

    /// Until a verb found the connection broken.
    pub(super) async fn broken(&self) {
        self.broken.notified().await;
    }

    /// Somebody has seen that a server does not know what it must.
    pub(super) fn doubt(&self) {
        self.doubted.notify_one();
    }

    /// Runs a script.
    pub(super) async fn run(&self, call: &Call<'_>) -> Result<RedisResult<Value>, StoreError> {
        let mut line = self.lines().await?.plain;
        Ok(self.seen(call.run(&mut line).await))
    }

    /// Runs a script, and waits for a replica to have what it wrote, where there are any.
    pub(super) async fn run_surely(&self, call: &Call<'_>) -> Result<(RedisResult<Value>, Sure), StoreError> {
        if !self.replicas.load(Ordering::Acquire) {
            return Ok((self.run(call).await?, Sure::Yes));
        }
        let mut line = self.lines().await?.sure;
        let answer = match self.seen(call.run(&mut line).await) {
            Ok(answer) => answer,
            Err(error) => return Ok((Err(error), Sure::No)),
        };
        let mut wait = redis::cmd("WAIT");
        wait.arg(1).arg(PATIENCE_MILLIS);
        let sure = match line.beside(call.key(), &wait).await {
            Ok(Value::Int(have)) if have > 0 => Sure::Yes,
            Ok(_) if checks::is_alone(&mut line, call.key()).await => Sure::Alone,
            _ => Sure::No,
        };
        Ok((Ok(answer), sure))
    }

    /// Asks something that is no script.
    pub(super) async fn line(&self) -> Result<Line, StoreError> {
        Ok(self.lines().await?.plain)
    }

    /// What verbs go by; waited for only a moment, as it takes to connect anew.
    async fn lines(&self) -> Result<Lines, StoreError> {
        if let Some(lines) = &*self.lines.borrow() {
            return Ok(lines.clone());
        }
        let mut lines = self.lines.subscribe();
        let there = timeout(MOMENT, lines.wait_for(Option::is_some)).await;
        let lines = there.ok().and_then(Result::ok).and_then(|lines| lines.clone());
        lines.ok_or_else(|| StoreError::Unavailable("there is no connection to Redis at this moment".into()))
    }

    /// Has the keeper look for the master where this answer shows that it is elsewhere, or nowhere.
    fn seen(&self, answer: RedisResult<Value>) -> RedisResult<Value> {
        if answer.as_ref().is_err_and(is_broken) {
            self.broken.notify_one();
        }
        answer
    }

    /// Up to where the server that has these keys must know everything.
    pub(super) fn known_of(&self, id: &[u8]) -> u64 {
        self.known.get(tag_of(id))
    }
}

fn is_broken(error: &RedisError) -> bool {
    error.is_connection_dropped() || matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ReadOnly))
}

/// The shared way.
pub(super) type SharedLink = Arc<Link>;

/// How long a verb waits for a connection that is being made.
const MOMENT: Duration = Duration::from_millis(250);
/// How long is waited for a replica.
const PATIENCE_MILLIS: u64 = 50;
