//! Receivers over real sockets and real TLS, and what the client makes of them.

use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;

/// Answers the first request on each connection with these bytes, and then does what is said.
async fn receiver(answer: impl Into<Vec<u8>>, then: Then) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in?key=s3cret", listener.local_addr().unwrap());
    let answer = answer.into();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            head(&mut stream).await;
            let _ = stream.write_all(&answer).await;
            match then {
                Then::Close => {}
                Then::Hold => held.push(stream),
                Then::Pour => while stream.write_all(&[b'x'; 16 * 1024]).await.is_ok() {},
            }
        }
    });
    Endpoint::checked(&url, PlainHttp::Loopback).unwrap()
}

#[derive(Clone, Copy)]
enum Then {
    Close,
    Hold,
    Pour,
}

async fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.windows(4).any(|four| four == b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { break };
        read.push(byte);
    }
    String::from_utf8_lossy(&read).into_owned()
}

/// One that nothing but the receiver keeps waiting.
fn patient() -> Client {
    Client::new(&Trust::System, Limits { whole: Duration::from_mins(1), ..Limits::default() }).unwrap()
}

#[tokio::test]
async fn an_answer_is_its_status_its_fields_and_its_body() {
    let to = receiver("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nwait", Then::Hold).await;
    let answer = patient().post(&to, HeaderMap::new(), "{}".into()).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["retry-after"], &answer.body[..]),
        (429, &http::HeaderValue::from_static("7"), &b"wait"[..])
    );
    assert!(answer.is_whole);
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = target.local_addr().unwrap();
    let to =
        receiver(format!("HTTP/1.1 307 No\r\nLocation: http://{location}/\r\nContent-Length: 0\r\n\r\n"), Then::Hold)
            .await;
    assert_eq!(patient().post(&to, HeaderMap::new(), "{}".into()).await.unwrap().status, 307);
    let came = tokio::time::timeout(Duration::from_millis(50), target.accept()).await;
    assert!(came.is_err(), "nobody comes");
}

#[tokio::test]
async fn of_a_body_without_end_no_more_is_read_than_the_limit() {
    let heads = ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"];
    for head in heads {
        let to = receiver(head, Then::Pour).await;
        let answer = patient().post(&to, HeaderMap::new(), "{}".into()).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.body.len(), answer.is_whole), (200, 4 * 1024, false));
    }
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_whole_and_one_cut_off_is_not() {
    //  declared  sent        whole
    for (declared, sent, whole) in [(4_096, 4_096, true), (4_097, 4_097, false), (4_096, 4_095, false), (0, 0, true)] {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {declared}\r\n\r\n{}", "x".repeat(sent));
        let to = receiver(answer, Then::Close).await;
        let answer = patient().post(&to, HeaderMap::new(), "{}".into()).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.is_whole), (200, whole), "{declared} {sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_without_the_promised_body_is_an_answer_all_the_same() {
    let (client, mut connections) = memory::client(Limits::default());
    let to = Endpoint::checked("https://a.example/", PlainHttp::Loopback).unwrap();
    let answers = tokio::spawn(async move {
        let mut connection = connections.recv().await.unwrap();
        assert!(connection.read(&mut [0; 1024]).await.unwrap() > 0);
        connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").await.unwrap();
        connection.read_to_end(&mut Vec::new()).await
    });
    let answer = client.post(&to, HeaderMap::new(), "{}".into()).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..], answer.is_whole), (200, &b"ab"[..], false));
    answers.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_no_answer_is_told_apart() {
    let broken = receiver("HTTP/1.1 200", Then::Close).await;
    let foreign = receiver("220 mail.example ESMTP\r\n", Then::Close).await;
    let long = receiver(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(16 * MOST_HEAD)), Then::Hold).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let nobody = Endpoint::checked(&url, PlainHttp::Loopback).unwrap();
    for to in [broken, foreign, long] {
        let found = patient().post(&to, HeaderMap::new(), "{}".into()).await;
        assert!(matches!(found, Err(PostError::Broken(_))), "{found:?}");
    }
    let found = patient().post(&nobody, HeaderMap::new(), "{}".into()).await;
    assert!(matches!(found, Err(PostError::Connect(_))), "{found:?}");
}

/// A receiver with a certificate for `localhost`, and that certificate.
async fn encrypted() -> (Endpoint, Vec<u8>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = KeyPair::serialize_der(&signing_key).try_into().unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/in", listener.local_addr().unwrap().port());
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 204 OK\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    (Endpoint::checked(&url, PlainHttp::Loopback).unwrap(), cert.pem().into_bytes())
}

#[tokio::test]
async fn a_receiver_is_believed_by_its_certificate_alone() {
    let (to, pem) = encrypted().await;
    let (_, another) = encrypted().await;
    let limits = Limits { whole: Duration::from_mins(1), ..Limits::default() };
    let believes = |pem: Vec<u8>| Client::new(&Trust::Pem(pem), limits).unwrap();
    assert_eq!(believes(pem).post(&to, HeaderMap::new(), "{}".into()).await.unwrap().status, 204);
    for stranger in [believes(another), Client::new(&Trust::System, limits).unwrap()] {
        let found = stranger.post(&to, HeaderMap::new(), "{}".into()).await;
        assert!(matches!(found, Err(PostError::Connect(_))), "{found:?}");
    }
}

#[test]
fn authorities_that_cannot_be_read_are_refused() {
    for pem in ["", "not PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(Client::new(&Trust::Pem(pem.into()), Limits::default()).is_err(), "{pem:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_never_answers_costs_the_time_limit_and_no_more() {
    let (client, mut connections) = memory::client(Limits::default());
    let to = Endpoint::checked("https://a.example/", PlainHttp::Loopback).unwrap();
    let began = tokio::time::Instant::now();
    let found = client.post(&to, HeaderMap::new(), "{}".into()).await;
    assert!(matches!(found, Err(PostError::TimedOut)));
    assert_eq!(began.elapsed().as_secs(), 10);
    let mut sent = Vec::new();
    connections.recv().await.unwrap().read_to_end(&mut sent).await.unwrap();
    assert!(sent.starts_with(b"POST / HTTP/1.1\r\n"), "and the connection is closed then");
}
