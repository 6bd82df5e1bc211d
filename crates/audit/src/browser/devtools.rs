//! Chromium's `DevTools` pipe: commands, and their answers. Events are not needed: the way out tells what happens.
//!
//! A pipe, and not a socket: nobody else on this machine can lead the browser, and it ends when the audit does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// One pipe to one browser. It is closed when all clones are gone.
#[derive(Debug, Clone)]
pub(super) struct DevTools {
    commands: mpsc::UnboundedSender<Vec<u8>>,
    waiting: Arc<Waiting>,
    last: Arc<AtomicU64>,
}

/// Who waits for which answer; none once nobody answers any more.
type Waiting = Mutex<Option<HashMap<u64, oneshot::Sender<Value>>>>;

/// The browser did not do as told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevToolsError {
    /// It ended meanwhile.
    #[error("the browser is gone")]
    Gone,
    /// It takes too long.
    #[error("the browser did not answer {method} within {patience:?}")]
    Late {
        /// What.
        method: &'static str,
        /// What it had.
        patience: Duration,
    },
    /// It will not.
    #[error("the browser refuses {method}: {why}")]
    Refused {
        /// What.
        method: &'static str,
        /// In its words.
        why: String,
    },
}

impl DevTools {
    pub(super) fn over(to: Sender, from: Receiver) -> Self {
        let (commands, outgoing) = mpsc::unbounded_channel();
        let waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        tokio::spawn(tell(to, outgoing));
        tokio::spawn(hear(from, Arc::clone(&waiting)));
        Self { commands, waiting, last: Arc::default() }
    }

    /// To the browser itself, or to one of its tabs.
    pub(super) async fn call(
        &self,
        session: Option<&str>,
        method: &'static str,
        arguments: Value,
    ) -> Result<Value, DevToolsError> {
        self.call_within(PATIENCE, session, method, arguments).await
    }

    /// The same with another patience.
    pub(super) async fn call_within(
        &self,
        patience: Duration,
        session: Option<&str>,
        method: &'static str,
        arguments: Value,
    ) -> Result<Value, DevToolsError> {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut command = json!({ "id": id, "method": method, "params": arguments });
        if let (Some(session), Some(command)) = (session, command.as_object_mut()) {
            command.insert("sessionId".to_owned(), session.into());
        }
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting).as_mut().ok_or(DevToolsError::Gone)?.insert(id, answer);
        let mut command = command.to_string().into_bytes();
        command.push(END);
        self.commands.send(command).map_err(|_| DevToolsError::Gone)?;
        let answer = timeout(patience, answered).await.map_err(|_| DevToolsError::Late { method, patience })?;
        let mut answer = answer.map_err(|_| DevToolsError::Gone)?;
        match answer.pointer("/error/message") {
            Some(why) => Err(DevToolsError::Refused { method, why: why.as_str().unwrap_or_default().to_owned() }),
            None => Ok(answer.get_mut("result").map(Value::take).unwrap_or_default()),
        }
    }

    /// As [`DevTools::call`], for one text of the answer.
    pub(super) async fn ask(
        &self,
        method: &'static str,
        arguments: Value,
        member: &str,
    ) -> Result<String, DevToolsError> {
        let answer = self.call(None, method, arguments).await?;
        let text = answer.get(member).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| DevToolsError::Refused { method, why: format!("the answer has no {member}") })
    }
}

/// Until nobody commands any more, which the browser takes for its end.
async fn tell(mut to: Sender, mut commands: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(command) = commands.recv().await {
        if to.write_all(&command).await.is_err() {
            break;
        }
    }
}

/// Until the browser has ended; whoever still waits is then told so.
async fn hear(mut from: Receiver, waiting: Arc<Waiting>) {
    let mut heard = BytesMut::new();
    while heard.len() < LONGEST && from.read_buf(&mut heard).await.is_ok_and(|read| read > 0) {
        while let Some(end) = heard.iter().position(|byte| *byte == END) {
            let message = heard.split_to(end + 1);
            deliver(message.get(..end).unwrap_or_default(), &waiting);
        }
    }
    *lock(&waiting) = None;
}

fn deliver(message: &[u8], waiting: &Waiting) {
    let Ok(message) = serde_json::from_slice::<Value>(message) else { return };
    let id = message.get("id").and_then(Value::as_u64);
    let asked = id.and_then(|id| lock(waiting).as_mut()?.remove(&id));
    if let Some(asked) = asked {
        // Whoever asked may have given up.
        let _ = asked.send(message);
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, Option<HashMap<u64, oneshot::Sender<Value>>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// After each message, either way.
const END: u8 = 0;
/// No answer we ask for comes near it.
const LONGEST: usize = 64 << 20;
/// Far above what anything takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
