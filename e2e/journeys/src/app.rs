//! The app behind the gateway: it knows nothing of sessions, and believes what it is told about who is there.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Form, Router,
    extract::{
        Request, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{
        Html, IntoResponse as _, Redirect, Response,
        sse::{Event, Sse},
    },
    routing::{any, get, post},
};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use tokio::{net::TcpListener, task::JoinHandle};

/// It serves until it is dropped.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    heard: Heard,
    serving: JoinHandle<()>,
}

/// A request that reached it.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
}

type Heard = Arc<Mutex<Vec<Told>>>;

/// What was saved, with nobody's name to it.
type Notes = Arc<Mutex<Vec<String>>>;

#[derive(Deserialize)]
struct Note {
    #[serde(default)]
    text: String,
}

impl App {
    /// Opens it on a free port of loopback.
    pub(crate) async fn open() -> io::Result<Self> {
        let (heard, notes) = (Heard::default(), Notes::default());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/note", post(save))
            .route("/notes", get(saved))
            .route("/socket", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }))
            .route("/stream", get(events))
            .fallback(page)
            .with_state(notes)
            .layer(middleware::from_fn_with_state(Arc::clone(&heard), note));
        let serving = tokio::spawn(async move {
            // It ends with the runtime or with the app.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, heard, serving })
    }

    /// What it heard since it was last asked.
    pub(crate) fn heard(&self) -> Vec<Told> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Told {
    /// What it was told under this name; nothing where it is absent, empty or repeated.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        let value = all.next().filter(|_| all.next().is_none())?;
        value.to_str().ok().filter(|value| !value.is_empty())
    }
}

/// Remembers every request, and marks every answer as one that is not to be kept.
async fn note(State(heard): State<Heard>, request: Request, next: Next) -> Response {
    let target = request.uri().to_string();
    let told = Told { method: request.method().clone(), target, headers: request.headers().clone() };
    heard.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in POLICIES {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}

async fn page(request: Request) -> Response {
    let (headers, uri) = (request.headers(), request.uri());
    let told = headers.get("counterfoil-subject").and_then(|value| value.to_str().ok());
    // Names of accounts have no character that means something in HTML; anything else is nobody.
    let plain = |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let subject = told.filter(plain).filter(|name| !name.is_empty()).unwrap_or("nobody");
    let (title, query) =
        (uri.path().replace(|c: char| !c.is_ascii_alphanumeric(), " "), uri.query().unwrap_or_default());
    let query = query.replace(|c: char| !c.is_ascii_alphanumeric(), " ");
    Html(format!(
        "<!doctype html><html lang=en><title>{title}</title><link rel=icon href=data:><h1>You are {subject}</h1>\
         <p>At {title}, with {query}.</p><p><a href=/page>Again</a> <a href=/.session/devices>Devices</a> <a href=/.session/logout>Sign out</a></p>\
         <form method=post action=/note><label>Note <input name=text></label><button>Save</button></form>"
    ))
    .into_response()
}

async fn save(State(notes): State<Notes>, Form(note): Form<Note>) -> Redirect {
    notes.lock().unwrap_or_else(PoisonError::into_inner).push(note.text);
    Redirect::to("/page?saved")
}

async fn saved(State(notes): State<Notes>) -> String {
    notes.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
}

/// Two events, then silence.
async fn events() -> Response {
    let two = stream::iter(["one", "two"].map(|word| Ok::<_, Infallible>(Event::default().data(word))));
    Sse::new(two.chain(stream::pending())).into_response()
}

/// What its pages may do is the app's to say: nothing but connections of its own, no script.
const POLICIES: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("strict-transport-security", "max-age=63072000"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];
