//! Chromium's `DevTools` socket: commands with their answers, and each session's events in the order they came.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::{Notify, mpsc, oneshot},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite};
use tungstenite::Message;

/// One socket to one browser. Cheap to clone; it ends when all clones are gone, or with the browser.
#[derive(Debug, Clone)]
pub struct DevTools {
    outgoing: mpsc::UnboundedSender<Message>,
    shared: Arc<Shared>,
}

/// Everything a session was told, in order. Nothing is ever taken out.
#[derive(Debug, Default)]
pub struct Log {
    events: Mutex<Vec<Event>>,
    grown: Notify,
}

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    /// As the protocol calls it: `Page.loadEventFired`.
    pub name: String,
    /// Its parameters.
    pub body: Value,
}

/// The browser did not do as told. Nothing was shown by it.
#[derive(Debug, thiserror::Error)]
pub enum DevToolsError {
    /// There is nobody.
    #[error("the DevTools socket could not be reached")]
    Connect(#[from] io::Error),
    /// It was closed, or is none.
    #[error("the DevTools socket broke off")]
    Socket(#[from] tungstenite::Error),
    /// The browser ended meanwhile.
    #[error("the browser is gone")]
    Gone,
    /// It will not, or cannot.
    #[error("{method} was refused: {text}")]
    Refused {
        /// What was asked.
        method: String,
        /// Why not.
        text: String,
    },
    /// The answer says something else.
    #[error("{method} was answered without `{member}`")]
    Incomplete {
        /// What was asked.
        method: &'static str,
        /// What its answer lacks.
        member: &'static str,
    },
    /// What was waited for never came.
    #[error("waited {} in vain for {what}", humantime::format_duration(PATIENCE))]
    Patience {
        /// In words.
        what: String,
    },
    /// The browser took it; the disk did not.
    #[error("a picture could not be kept")]
    Picture(#[source] io::Error),
}

#[derive(Debug, Default)]
struct Shared {
    last: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    sessions: Mutex<HashMap<String, Arc<Log>>>,
}

impl DevTools {
    /// Connects to the browser's own socket.
    pub async fn connect(port: u16, path: &str) -> Result<Self, DevToolsError> {
        let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let (socket, _) = client_async(format!("ws://127.0.0.1:{port}{path}"), stream).await?;
        let (outgoing, commands) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::default());
        tokio::spawn(pump(socket, commands, Arc::clone(&shared)));
        Ok(Self { outgoing, shared })
    }

    /// Sends a command to the browser itself, or to one session, and waits for its answer.
    pub async fn call(&self, session: Option<&str>, method: &str, arguments: Value) -> Result<Value, DevToolsError> {
        let id = self.shared.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut command = json!({ "id": id, "method": method, "params": arguments });
        if let (Some(session), Some(command)) = (session, command.as_object_mut()) {
            command.insert("sessionId".to_owned(), session.into());
        }
        let (answer, answered) = oneshot::channel();
        lock(&self.shared.waiting).insert(id, answer);
        self.outgoing.send(Message::text(command.to_string())).map_err(|_| DevToolsError::Gone)?;
        let what = || DevToolsError::Patience { what: format!("the answer to {method}") };
        let mut answer = timeout(PATIENCE, answered).await.map_err(|_| what())?.map_err(|_| DevToolsError::Gone)?;
        if let Some(error) = answer.get("error") {
            let text = error.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
            return Err(DevToolsError::Refused { method: method.to_owned(), text });
        }
        Ok(answer.get_mut("result").map(Value::take).unwrap_or_default())
    }

    /// The events of one session, from its beginning.
    pub fn log(&self, session: &str) -> Arc<Log> {
        Arc::clone(lock(&self.shared.sessions).entry(session.to_owned()).or_default())
    }
}

impl Log {
    /// How many events there are: later ones have come after this moment.
    pub fn mark(&self) -> usize {
        lock(&self.events).len()
    }

    /// The events since `mark`.
    pub fn since(&self, mark: usize) -> Vec<Event> {
        lock(&self.events).get(mark..).unwrap_or_default().to_vec()
    }

    /// Waits until the events since `mark` hold what is sought.
    pub async fn wait<T>(
        &self,
        mark: usize,
        what: &str,
        find: impl Fn(&[Event]) -> Option<T>,
    ) -> Result<T, DevToolsError> {
        let found = async {
            loop {
                let grown = self.grown.notified();
                if let Some(found) = find(lock(&self.events).get(mark..).unwrap_or_default()) {
                    return found;
                }
                grown.await;
            }
        };
        timeout(PATIENCE, found).await.map_err(|_| DevToolsError::Patience { what: what.to_owned() })
    }

    fn push(&self, event: Event) {
        lock(&self.events).push(event);
        self.grown.notify_waiters();
    }
}

impl Event {
    /// A text at a JSON pointer, empty where there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Moves messages both ways until either side is gone. Whoever still waits is then told so.
async fn pump(
    mut socket: WebSocketStream<TcpStream>,
    mut commands: mpsc::UnboundedReceiver<Message>,
    shared: Arc<Shared>,
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
                Some(Ok(Message::Text(text))) => shared.hear(&text),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
        }
    }
    lock(&shared.waiting).clear();
}

impl Shared {
    fn hear(&self, text: &str) {
        let Ok(mut message) = serde_json::from_str::<Value>(text) else { return };
        if let Some(id) = message.get("id").and_then(Value::as_u64) {
            if let Some(waiting) = lock(&self.waiting).remove(&id) {
                // Whoever asked has given up.
                let _ = waiting.send(message);
            }
            return;
        }
        let session = message.get("sessionId").and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = message.get("method").and_then(Value::as_str).unwrap_or_default().to_owned();
        let body = message.get_mut("params").map(Value::take).unwrap_or_default();
        Arc::clone(lock(&self.sessions).entry(session).or_default()).push(Event { name, body });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Far above what anything here takes, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
