//! Chromium's `DevTools` socket: commands, and their answers. Events are not needed: the way out tells what happens.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// One socket to one browser. It is closed when all clones are gone.
#[derive(Debug, Clone)]
pub(super) struct DevTools {
    commands: mpsc::UnboundedSender<Message>,
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>,
    last: Arc<AtomicU64>,
}

/// The browser did not do as told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevToolsError {
    /// There is nobody.
    #[error("the browser's socket cannot be reached: {0}")]
    Connect(#[source] Box<tungstenite::Error>),
    /// It ended meanwhile.
    #[error("the browser is gone")]
    Gone,
    /// It takes too long.
    #[error("the browser did not answer {0} within {PATIENCE:?}")]
    Late(&'static str),
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
    pub(super) async fn connect(port: u16, path: &str) -> Result<Self, DevToolsError> {
        let connect = |error: tungstenite::Error| DevToolsError::Connect(Box::new(error));
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| connect(error.into()))?;
        let (socket, _) = client_async(format!("ws://127.0.0.1:{port}{path}"), stream).await.map_err(connect)?;
        let (commands, outgoing) = mpsc::unbounded_channel();
        let waiting = Arc::default();
        tokio::spawn(pump(socket, outgoing, Arc::clone(&waiting)));
        Ok(Self { commands, waiting, last: Arc::default() })
    }

    /// To the browser itself, or to one of its tabs.
    pub(super) async fn call(
        &self,
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
        lock(&self.waiting).insert(id, answer);
        self.commands.send(Message::text(command.to_string())).map_err(|_| DevToolsError::Gone)?;
        let answer = timeout(PATIENCE, answered).await.map_err(|_| DevToolsError::Late(method))?;
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

type Waiting = Mutex<HashMap<u64, oneshot::Sender<Value>>>;

/// Moves messages both ways until either side is gone; whoever still waits is then told so.
async fn pump(
    mut socket: WebSocketStream<TcpStream>,
    mut commands: mpsc::UnboundedReceiver<Message>,
    waiting: Arc<Waiting>,
) {
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => {
                    if socket.send(command).await.is_err() {
                        break;
                    }
                }
                None => break,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => hear(&text, &waiting),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
        }
    }
    // Later calls fail when they are sent; those under way are answered by the end of their channel.
    drop(commands);
    lock(&waiting).clear();
}

fn hear(text: &str, waiting: &Waiting) {
    let Ok(message) = serde_json::from_str::<Value>(text) else { return };
    let asked = message.get("id").and_then(Value::as_u64).and_then(|id| lock(waiting).remove(&id));
    if let Some(asked) = asked {
        // Whoever asked may have given up.
        let _ = asked.send(message);
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Value>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Far above what anything takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
