//! Streams, server-sent events and `WebSocket`s pass through, and learn when their session ends.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use counterfoil::testing::{Cookies, Site, Verb};
use counterfoil::{EndReason, Error, EventKind, Policy, Session, SignedIn};
use futures_util::{SinkExt as _, StreamExt as _, stream};
use http::{Request, StatusCode};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message as Frame};
use tower::ServiceExt as _;

use crate::app::{Kept, NOTE, VISITOR, app};

/// Longer than anything here may take, shorter than the hub's unasked looks.
const SOON: Duration = Duration::from_secs(5);

fn streaming(site: &Site) -> Router {
    let routes = Router::new()
        .route("/ws", any(async |session: Session, socket: WebSocketUpgrade| socket.on_upgrade(|ws| echo(session, ws))))
        .route("/sse", get(events))
        .route("/chunks", get(chunks))
        .layer(site.sessions().quiet());
    routes.merge(app(site))
}

/// Echoes until the session ends.
async fn echo(session: Session, mut socket: WebSocket) {
    loop {
        tokio::select! {
            () = session.ended() => {
                let _ = socket.send(Message::Close(None)).await;
                return;
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => socket.send(Message::Text(text)).await.unwrap(),
                Some(Ok(_)) => {}
                _ => return,
            },
        }
    }
}

async fn events(session: Session) -> Sse<impl futures_util::Stream<Item = Result<Event, Infallible>>> {
    let hello = stream::once(async { Ok(Event::default().data("hello")) });
    let goodbye = stream::once(async move {
        session.ended().await;
        Ok(Event::default().data("goodbye"))
    });
    Sse::new(hello.chain(goodbye))
}

async fn chunks() -> Body {
    Body::from_stream(stream::iter(["one ", "two ", "three"]).then(async |chunk| {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok::<_, Infallible>(Bytes::from(chunk))
    }))
}

/// A site on a real listener, and its address.
async fn served() -> (Arc<Site>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let site = Arc::new(Site::with(Policy::aal2(&format!("http://{address}")).unwrap()));
    let app = streaming(&site);
    tokio::spawn(async move { axum::serve(listener, app).await });
    (site, address)
}

type Socket = tokio_tungstenite::WebSocketStream<TcpStream>;

async fn socket(address: &str, cookies: &Cookies, origin: &str) -> Result<Socket, SocketError> {
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    request.headers_mut().insert("cookie", cookies.header().clone());
    request.headers_mut().insert("origin", origin.parse().unwrap());
    let stream = TcpStream::connect(address).await.unwrap();
    tokio_tungstenite::client_async(request, stream).await.map(|(socket, _)| socket)
}

async fn said(socket: &mut Socket) -> Option<Frame> {
    timeout(SOON, socket.next()).await.unwrap().and_then(Result::ok)
}

#[tokio::test]
async fn a_web_socket_echoes_until_its_session_is_signed_out() {
    let (site, address) = served().await;
    let cookies = site.signed_in("ada").await;
    let mut socket = socket(&address, &cookies, &format!("http://{address}")).await.unwrap();
    socket.send(Frame::text("hello")).await.unwrap();
    assert_eq!(said(&mut socket).await, Some(Frame::text("hello")));

    let ada = site.browser(&app(&site)).with(cookies);
    assert_eq!(ada.post_form("/logout", &[]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(said(&mut socket).await, Some(Frame::Close(None)));
}

#[tokio::test]
async fn another_site_opens_no_web_socket() {
    let (site, address) = served().await;
    let refused = socket(&address, &site.signed_in("ada").await, "https://evil.example").await;
    assert!(matches!(refused, Err(SocketError::Http(answer)) if answer.status() == StatusCode::FORBIDDEN));
}

/// A GET over a real connection, read piece by piece.
async fn ask(address: &str, path: &str, cookies: &Cookies) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let cookies = cookies.header().to_str().unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookies}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1_024];
    while !text.contains(end) {
        let count = timeout(SOON, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(count > 0, "{end:?} does not come: {text}");
        text.push_str(std::str::from_utf8(buffer.get(..count).unwrap()).unwrap());
    }
    text
}

#[tokio::test]
async fn events_arrive_at_once_and_end_with_the_session() {
    let (site, address) = served().await;
    let cookies = site.signed_in("ada").await;
    let mut stream = ask(&address, "/sse", &cookies).await;
    let head = read_until(&mut stream, "data: hello").await;
    assert!(head.contains("content-type: text/event-stream") && head.contains("cache-control: no-store"), "{head}");
    let other = site.browser(&app(&site)).with(site.signed_in("ada").await);
    assert_eq!(other.post_form("/end-others", &[]).await.status(), StatusCode::OK);
    read_until(&mut stream, "data: goodbye").await;
}

#[tokio::test]
async fn a_body_is_streamed_as_it_is() {
    let (site, address) = served().await;
    let mut stream = ask(&address, "/chunks", &site.signed_in("ada").await).await;
    let text = read_until(&mut stream, "\r\n0\r\n").await;
    assert!(text.contains("transfer-encoding: chunked") && text.contains("4\r\ntwo "), "{text}");
}

#[tokio::test]
async fn in_a_stream_set_is_too_late_and_update_is_not() {
    let site = Site::new();
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let talks = move |session: Session<Kept>, _: SignedIn| {
        let heard = Arc::clone(&heard);
        async move {
            Body::from_stream(stream::once(async move {
                let set = session.set(NOTE, &"late".to_owned());
                heard.lock().push(set.map_err(|error| error.to_string()));
                let updated = session.update(|kept: &mut Kept| kept.count += 5).await;
                heard.lock().push(updated.map_err(|error| error.to_string()));
                Ok::<_, Error>(Bytes::from_static(b"done"))
            }))
        }
    };
    let app = Router::new().route("/talk", get(talks)).layer(site.sessions()).merge(app(&site));
    let ada = site.browser(&app).with(site.signed_in("ada").await);
    assert_eq!(ada.get("/talk").await.text(), "done");
    let too_late = Err("the response was committed already; in a stream, use `update`".to_owned());
    assert_eq!(*said.lock(), [too_late, Ok(())]);
    assert_eq!((ada.get("/kept").await.text(), ada.get("/note").await.text()), ("5 ", ""));
}

#[tokio::test]
async fn an_update_in_a_stream_whose_session_ended_changes_nothing() {
    let site = Site::new();
    let app = app(&site);
    let (handed, mut taken) = tokio::sync::mpsc::channel(1);
    let hand = Router::new()
        .route("/hand", get(async move |session: Session<Kept>| handed.send(session).await.unwrap()))
        .layer(site.sessions());
    let ada = site.browser(&hand.merge(app)).with(site.signed_in("ada").await);
    ada.get("/hand").await;
    let session = taken.recv().await.unwrap();
    ada.post_form("/logout", &[]).await;
    let records = site.records();
    let updated = session.update(|kept| kept.count += 1).await;
    assert!(updated.is_err_and(|error| error.to_string() == "the session ended while the request ran"));
    assert_eq!(site.records(), records, "nothing is created in its place");
}

#[tokio::test]
async fn a_stream_begins_no_session_for_a_stranger() {
    let site = Site::new();
    let (handed, mut taken) = tokio::sync::mpsc::channel(1);
    let hand = Router::new()
        .route("/hand", get(async move |session: Session<Kept>| handed.send(session).await.unwrap()))
        .layer(site.sessions());
    let stranger = site.browser(&hand);
    stranger.get("/hand").await;
    let session = taken.recv().await.unwrap();
    assert!(session.update(|kept| kept.count += 1).await.is_err(), "no cookie can leave any more");
    assert_eq!((site.records(), stranger.cookie(VISITOR)), (0, None));
}

/// Sends a request, drops it while the store holds `verb`, then lets the store go on.
async fn hang_up_during(site: &Site, app: &Router, verb: Verb, request: Request<Body>) {
    site.faults().hold(verb);
    let answer = app.clone().oneshot(request);
    assert!(timeout(Duration::from_millis(50), answer).await.is_err(), "the store holds it");
    site.faults().heal();
    tokio::time::sleep(Duration::from_millis(30)).await;
}

fn form(path: &str, cookies: Option<&http::HeaderValue>, body: &'static str) -> Request<Body> {
    let mut request =
        Request::post(path).header("origin", Site::ORIGIN).header("content-type", "application/x-www-form-urlencoded");
    if let Some(cookies) = cookies {
        request = request.header("cookie", cookies);
    }
    request.body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_no_half_sign_in() {
    let site = Site::new();
    let app = app(&site);
    let old = site.signed_in("ada").await;
    site.take_events();
    hang_up_during(&site, &app, Verb::Replace, form("/login", Some(old.header()), "user=ada")).await;
    // The old session ended and the new one began, together; its reply is lost, so it will lapse.
    let kinds: Vec<EventKind> = site.events().into_iter().map(|event| event.kind).collect();
    assert!(
        matches!(
            kinds.as_slice(),
            [
                EventKind::SessionEnded { reason: EndReason::Superseded },
                EventKind::SessionCreated { previous: Some(_) },
            ]
        ),
        "{kinds:?}"
    );
    assert_eq!(site.browser(&app).with(old).get("/me").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_client_that_hangs_up_is_signed_out_all_the_same() {
    let site = Site::new();
    let app = app(&site);
    let ada = site.signed_in("ada").await;
    hang_up_during(&site, &app, Verb::End, form("/logout", Some(ada.header()), "")).await;
    assert_eq!(site.browser(&app).with(ada).get("/me").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_panic_in_a_handler_changes_nothing() {
    let site = Site::new();
    let panics = async |session: Session| -> Response {
        session.set(NOTE, &"half".to_owned()).unwrap();
        assert!(session.identity().await.unwrap().is_none(), "somebody is signed in");
        StatusCode::OK.into_response()
    };
    let app = Router::new().route("/panic", get(panics)).layer(site.sessions()).merge(app(&site));
    let ada = site.browser(&app).with(site.signed_in("ada").await);
    let panicked = {
        let ada = ada.clone();
        tokio::spawn(async move { ada.get("/panic").await.status() })
    };
    assert!(panicked.await.unwrap_err().is_panic());
    assert_eq!(ada.get("/note").await.text(), "");
    assert_eq!(ada.get("/me").await.status(), StatusCode::OK);
}
