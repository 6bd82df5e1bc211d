//! Over a real connection: bytes that no client library would send.

use counterfoil_serve::Bound;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::browser::Demo;

/// What comes back when these bytes are sent, up to the end of the connection.
async fn exchange(address: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may close before everything is written.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn serve(demo: &Demo) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Bound::plain(listener).serve(demo.router.clone(), std::future::pending()));
    address
}

#[tokio::test]
async fn bytes_that_nobody_honest_sends_are_answered_and_harm_nothing() {
    let demo = Demo::test();
    let token = demo.signed_in("ada").await.jar["dev-id"].clone();
    let own = format!("dev-id={token}");
    let address = serve(&demo).await;
    let me = |lines: &str| format!("GET /me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n").into_bytes();
    let hops = "X-Forwarded-For: 203.0.113.9\r\n".repeat(900);
    let mut control = me("Cookie: a=\u{1}X\r\n");
    let place = control.iter().position(|byte| *byte == 1).unwrap();
    let latin = String::from_utf8_lossy(&me(&format!("Cookie: {own}; X=1\r\n"))).replace("X=1", "\u{fffd}");
    let latin: Vec<u8> = latin.into_bytes().into_iter().map(|byte| if byte >= 0x80 { 0xff } else { byte }).collect();
    #[rustfmt::skip]
    let mut table = vec![
        ("honest",               me(&format!("Cookie: {own}\r\n")),                                 "200"),
        ("64 kB and ours",       me(&format!("Cookie: p={}; {own}\r\n", "x".repeat(65_536))),       "200"),
        ("500 lines and ours",   me(&format!("{}Cookie: {own}\r\n", "Cookie: a=b\r\n".repeat(500))), "200"),
        ("900 hops",             me(&format!("{hops}Cookie: {own}\r\n")),                           "200"),
        ("no UTF-8 and ours",    latin,                                                             "200"),
        ("no such thing",        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),                 "400"),
        ("another origin's URL", format!("GET http://evil.example/me HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nCookie: {own}\r\n\r\n").into_bytes(), "200"),
        ("no host",              format!("GET /me HTTP/1.0\r\nCookie: {own}\r\n\r\n").into_bytes(),  "200"),
        ("not http",             b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),  "400"),
        ("two lengths",          b"POST /counter HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_vec(), "400"),
    ];
    for byte in [0_u8, 1, 8, 11, 12, 27, 127] {
        control[place] = byte;
        table.push(("a control character", control.clone(), "400"));
    }
    for (name, bytes, status) in table {
        let answer = exchange(address, &bytes).await;
        assert_eq!(answer.split(' ').nth(1), Some(status), "{name}: {answer}");
        assert!(status != "200" || answer.contains("\"subject\":\"ada\""), "{name}: {answer}");
        assert!(!answer.contains("evil.example") && !answer.contains("Set-Cookie"), "{name}: {answer}");
    }
    let answer = exchange(address, &me(&format!("Cookie: {own}\r\n"))).await;
    assert!(answer.contains("\"subject\":\"ada\""), "the session is as it was: {answer}");
}
