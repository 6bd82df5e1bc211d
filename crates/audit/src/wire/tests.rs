//! Against servers that answer badly, slowly or not at all.

use bytes::Bytes;
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Answers each connection's requests with these texts, one after another, then closes it.
async fn site<const N: usize>(answers: [&'static [u8]; N]) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let mut answers = answers.into_iter();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut seen = Vec::new();
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                seen.extend_from_slice(&buffer[..read]);
                if seen.ends_with(b"\r\n\r\n") {
                    seen.clear();
                    let Some(answer) = answers.next() else { return };
                    stream.write_all(answer).await.unwrap();
                    if !answer.windows(14).any(|part| part == b"Content-Length") {
                        break;
                    }
                }
            }
        }
    });
    url
}

fn wire(url: &Url, limits: WireLimits) -> Wire {
    Wire::new(std::slice::from_ref(url), limits, None).unwrap()
}

fn get(url: &Url) -> Sent {
    Sent { method: Method::GET, url: url.clone(), headers: vec![("Host".into(), "x".into())], body: Bytes::new() }
}

#[tokio::test]
async fn what_a_strict_reader_drops_is_kept() {
    let url = site([b"HTTP/1.1 200 OK\r\nSet-Cookie: a=\x01b\r\nSet-Cookie: \xff\r\nSet-Cookie: c=d\r\nConnection: close\r\n\r\nhello"]).await;
    let exchange = wire(&url, WireLimits::default()).send(get(&url)).await.unwrap();
    let lines: Vec<_> = exchange.answer.all("set-cookie").collect();
    assert_eq!(lines, [&b"a=\x01b"[..], b"\xff", b"c=d"]);
    assert_eq!(exchange.answer.text(), "hello");
}

#[tokio::test]
async fn a_connection_is_used_again_and_its_answers_are_told_apart() {
    let first: &[u8] = b"HTTP/1.1 200 OK\r\nX: first\r\nContent-Length: 1\r\n\r\na";
    let second: &[u8] = b"HTTP/1.1 201 OK\r\nX: second\r\nContent-Length: 1\r\n\r\nb";
    let url = site([first, second]).await;
    let wire = wire(&url, WireLimits::default());
    for (status, name) in [(200, "first"), (201, "second")] {
        let answer = wire.send(get(&url)).await.unwrap().answer;
        assert_eq!((answer.status, answer.first("x").unwrap()), (status, name.to_owned()));
    }
    assert_eq!(wire.requests(), 2);
}

#[tokio::test]
async fn a_budget_is_an_end() {
    let answer: &[u8] = b"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n";
    let url = site([answer; 3]).await;
    let wire = wire(&url, WireLimits { budget: 2, ..WireLimits::default() });
    for _ in 0..2 {
        wire.send(get(&url)).await.unwrap();
    }
    assert!(matches!(wire.send(get(&url)).await, Err(WireError::Budget(2))));
    assert_eq!((wire.requests(), wire.left()), (2, 0));
}

#[tokio::test]
async fn nobody_else_is_asked() {
    let url = site([]).await;
    let wire = wire(&url, WireLimits::default());
    let elsewhere = Url::parse("http://elsewhere.example/").unwrap();
    assert!(matches!(wire.send(get(&elsewhere)).await, Err(WireError::Scope(_))));
    assert_eq!(wire.requests(), 0);
}

#[tokio::test]
async fn a_large_body_is_cut() {
    let url = site([b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0123456789"]).await;
    let wire = wire(&url, WireLimits { body_bytes: 4, ..WireLimits::default() });
    let answer = wire.send(get(&url)).await.unwrap().answer;
    assert_eq!((answer.text().as_str(), answer.cut), ("0123", true));
}

#[tokio::test]
async fn a_body_that_ends_early_is_cut() {
    let url = site([b"HTTP/1.1 200 OK\r\nContent-length: 9\r\nConnection: close\r\n\r\n0123"]).await;
    let answer = wire(&url, WireLimits::default()).send(get(&url)).await.unwrap().answer;
    assert_eq!((answer.text().as_str(), answer.cut), ("0123", true));
}

#[tokio::test(start_paused = true)]
async fn where_the_site_asks_for_patience_the_same_is_sent_later() {
    let url = site([
        b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ])
    .await;
    let wire = wire(&url, WireLimits::default());
    let began = tokio::time::Instant::now();
    assert_eq!(wire.send(get(&url)).await.unwrap().answer.status, 200);
    assert!(began.elapsed() >= Duration::from_secs(7));
    assert_eq!(wire.requests(), 2);
}

#[tokio::test]
async fn patience_ends() {
    let url = site([b"HTTP/1.1 429 Slow\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n"]).await;
    assert_eq!(wire(&url, WireLimits::default()).send(get(&url)).await.unwrap().answer.status, 429);
}

#[tokio::test]
async fn who_never_answers_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let wire = wire(&url, WireLimits { answer: Duration::from_millis(50), ..WireLimits::default() });
    assert!(matches!(wire.send(get(&url)).await, Err(WireError::Timeout { .. })));
}

#[tokio::test]
async fn what_is_no_http_is_said() {
    let url = site([b"220 mail.example ESMTP\r\n"]).await;
    let error = wire(&url, WireLimits::default()).send(get(&url)).await.unwrap_err().to_string();
    assert!(error.contains("did not answer in HTTP"), "{error}");
}

#[test]
fn a_file_without_certificates_is_refused() {
    let url = Url::parse("https://a.example").unwrap();
    assert!(matches!(Wire::new(&[url], WireLimits::default(), Some(b"none")), Err(TlsError::NoCertificate)));
}
