//! Real sockets: http, https, slow peers, and the end.

use std::time::SystemTime;

use axum::routing::get;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::oneshot,
    task::JoinHandle,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, DigitallySignedStruct, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};

use super::*;
use axum::{Router, extract::ConnectInfo};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};

fn app() -> Router {
    let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() };
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "slow but complete"
    };
    Router::new().route("/peer", get(peer)).route("/slow", get(slow))
}

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

async fn start(certificate: Option<Certificate>) -> Running {
    start_within(certificate, Bounds::OF_BROWSERS).await
}

async fn start_within(certificate: Option<Certificate>, bounds: Bounds) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let bound = match certificate {
        Some(certificate) => Bound::encrypted(listener, &certificate),
        None => Bound::plain(listener),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(bound.within(bounds).serve(app(), async move { drop(stopped.await) }));
    Running { address, stop, server }
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str, more: &str) -> String {
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n");
    // Whoever is not served may be told so before everything is written.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    // A peer that closes without a TLS goodbye is an error here; what was read before counts.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn encrypted(address: SocketAddr, protocol: &[u8]) -> TlsStream<TcpStream> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAnything))
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

#[tokio::test]
async fn handlers_see_the_peer() {
    let running = start(None).await;
    let answer = ask(TcpStream::connect(running.address).await.unwrap(), "/peer", "X-Forwarded-For: 6.6.6.6\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn large_heads_reach_the_application() {
    let running = start(None).await;
    let one_header = format!("Cookie: a={}\r\n", "x".repeat(64 * 1024));
    let many_headers = "Cookie: a=b\r\n".repeat(500);
    for more in [one_header, many_headers] {
        let answer = ask(TcpStream::connect(running.address).await.unwrap(), "/peer", &more).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_server_ends() {
    let running = start(None).await;
    let answer = tokio::spawn(ask(TcpStream::connect(running.address).await.unwrap(), "/slow", ""));
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.stop.send(()).unwrap();
    assert!(answer.await.unwrap().ends_with("slow but complete"));
    running.server.await.unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn https_is_served_and_a_peer_that_never_shakes_hands_holds_up_nobody() {
    let running = start(Some(Certificate::self_made(&[], SystemTime::now()).unwrap())).await;
    let _silent = TcpStream::connect(running.address).await.unwrap();
    let stream = encrypted(running.address, b"http/1.1").await;
    let answer = ask(stream, "/peer", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let plain = ask(TcpStream::connect(running.address).await.unwrap(), "/peer", "").await;
    assert!(!plain.contains("200"), "plain http on an https port");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stays_silent_is_let_go_in_time() {
    let certificate = || Certificate::self_made(&[], SystemTime::now()).unwrap();
    #[rustfmt::skip]
    let table = [
        ("half a head",      None,                &b"GET /peer HTTP/1.1\r\nHost: local"[..], Bounds::OF_BROWSERS.longest_head),
        ("nothing",          None,                b"",                                        Bounds::OF_BROWSERS.longest_head),
        ("no handshake",     Some(certificate()), b"",                                        LONGEST_HANDSHAKE),
    ];
    for (name, certificate, sent, allowed) in table {
        let running = start(certificate).await;
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let began = tokio::time::Instant::now();
        let _ = stream.read_to_end(&mut Vec::new()).await;
        assert!(began.elapsed() >= allowed && began.elapsed() < allowed * 2, "{name}: {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_speaks_http2_and_asks_nothing_is_let_go_in_time() {
    let running = start(Some(Certificate::self_made(&[], SystemTime::now()).unwrap())).await;
    let mut stream = encrypted(running.address, b"h2").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let began = tokio::time::Instant::now();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    assert!(
        began.elapsed() >= Bounds::OF_BROWSERS.longest_head && began.elapsed() < Bounds::OF_BROWSERS.longest_head * 2,
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn http2_without_tls_is_spoken_where_it_is_served_and_http1_beside_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(Bound::plain(listener).with_plain_http2().serve(app(), std::future::pending()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    // The preface in pieces, then a frame of settings without any.
    for piece in [&b"PRI * HT"[..], b"TP/2.0\r\n\r\nSM\r\n\r\n", &[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]] {
        stream.write_all(piece).await.unwrap();
    }
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], SETTINGS);
    let plain = ask(TcpStream::connect(address).await.unwrap(), "/peer", "").await;
    assert!(plain.starts_with("HTTP/1.1 200") && plain.ends_with("127.0.0.1"), "{plain}");
    let mut near = TcpStream::connect(address).await.unwrap();
    near.write_all(b"PROPFIND /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    near.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    server.abort();
}

/// The kind of a frame (RFC 9113, section 6.5).
const SETTINGS: u8 = 4;

#[tokio::test]
async fn two_certificates_have_two_fingerprints() {
    let now = SystemTime::now();
    let fingerprint = |()| Certificate::self_made(&[], now).unwrap().fingerprint().to_owned();
    let [one, two] = [(), ()].map(fingerprint);
    assert_eq!(one.len(), 32 * 3 - 1);
    assert_ne!(one, two);
}

#[derive(Debug)]
struct TrustAnything;

impl ServerCertVerifier for TrustAnything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, tokio_rustls::rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, tokio_rustls::rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, tokio_rustls::rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[tokio::test]
async fn whoever_asks_while_the_server_leaves_is_answered_and_told_to_close() {
    let bounds = Bounds { longest_leave: Duration::from_secs(20), ..Bounds::OF_PROXIES };
    let running = start_within(None, bounds).await;
    let mut kept = TcpStream::connect(running.address).await.unwrap();
    assert!(!ask_and_keep(&mut kept).await.contains("connection: close"));
    running.stop.send(()).unwrap();
    // The flag may be seen a moment later; the connection is not closed before it has been told.
    let mut asked = 0;
    while !ask_and_keep(&mut kept).await.contains("connection: close") {
        asked += 1;
        assert!(asked < 10_000, "nobody says so");
    }
    assert_eq!(kept.read(&mut [0; 1]).await.unwrap(), 0, "and the server keeps its word");
    running.server.abort();
}

#[tokio::test(start_paused = true)]
async fn a_server_without_connections_leaves_at_once_and_with_idle_ones_in_time() {
    for (idle, longest) in [(0, Duration::ZERO), (3, Bounds::OF_PROXIES.longest_leave * 2)] {
        let running = start_within(None, Bounds::OF_PROXIES).await;
        let mut kept = Vec::new();
        for _ in 0..idle {
            let mut stream = TcpStream::connect(running.address).await.unwrap();
            ask_and_keep(&mut stream).await;
            kept.push(stream);
        }
        let began = tokio::time::Instant::now();
        running.stop.send(()).unwrap();
        running.server.await.unwrap();
        assert!(began.elapsed() <= longest + Duration::from_millis(50), "{idle}: {:?}", began.elapsed());
    }
}

type Made<'a> = &'a dyn Fn(TcpListener) -> Bound;

#[tokio::test(start_paused = true)]
async fn a_peer_that_has_not_begun_to_ask_holds_up_no_stop() {
    let peers = || Peers::new(["127.0.0.0/8"]).unwrap();
    let certificate = Certificate::self_made(&[], SystemTime::now()).unwrap();
    #[rustfmt::skip]
    let table: [(&str, Made<'_>, &[u8]); 6] = [
        ("http/1.1",               &|listener| Bound::plain(listener),                                b""),
        ("http/1.1 or 2",          &|listener| Bound::plain(listener).with_plain_http2(),             b""),
        ("half of http/2's first", &|listener| Bound::plain(listener).with_plain_http2(),             b"PRI * HT"),
        ("the PROXY protocol",     &|listener| Bound::plain(listener).announced_by(peers()),          b""),
        ("half of its header",     &|listener| Bound::plain(listener).announced_by(peers()),          b"\r\n\r\n"),
        ("TLS",                    &|listener| Bound::encrypted(listener, &certificate),              b""),
    ];
    for (name, made, sent) in table {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let bound = made(listener).within(Bounds::OF_PROXIES);
        let server = tokio::spawn(bound.serve(app(), async move { drop(stopped.await) }));
        let mut silent = TcpStream::connect(address).await.unwrap();
        silent.write_all(sent).await.unwrap();
        // Time passes once everybody waits: then the server has it.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let began = tokio::time::Instant::now();
        stop.send(()).unwrap();
        server.await.unwrap();
        let longest = Bounds::OF_PROXIES.longest_leave * 2 + Duration::from_millis(50);
        assert!(began.elapsed() <= longest, "{name}: {:?}", began.elapsed());
        drop(silent);
    }
}

#[tokio::test]
async fn with_the_proxy_protocol_handlers_see_whom_the_proxy_speaks_for_and_nobody_goes_without() {
    let header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\x0a\x00\x00\x01\xc7\x38\x01\xbb";
    for (name, trusted, sent, expected) in [
        ("announced", "127.0.0.0/8", &header[..], Some("192.0.2.7")),
        ("not announced", "127.0.0.0/8", b"", None),
        ("by a stranger", "192.0.2.0/24", &header[..], None),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let bound = Bound::plain(listener).announced_by(Peers::new([trusted]).unwrap());
        tokio::spawn(bound.serve(app(), std::future::pending()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let answer = ask(stream, "/peer", "").await;
        match expected {
            Some(peer) => assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(peer), "{name}: {answer}"),
            None => assert_eq!(answer, "", "{name}"),
        }
    }
}

/// Asks without closing, and reads the whole answer.
async fn ask_and_keep(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET /peer HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let (mut answer, mut byte) = (Vec::new(), [0; 1]);
    while !answer.ends_with(b"127.0.0.1") {
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1, "{}", String::from_utf8_lossy(&answer));
        answer.push(byte[0]);
    }
    String::from_utf8(answer).unwrap()
}
