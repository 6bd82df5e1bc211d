//! The way out as a browser's connections see it, which come and go as they like.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::wire::WireLimits;

/// A site that never answers, and the way to it.
async fn silent() -> (TcpListener, Outlet, String) {
    let site = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", site.local_addr().unwrap());
    let wire = Wire::new(&[url.parse().unwrap()], WireLimits::default(), None).unwrap();
    let outlet = Outlet::open(Arc::new(wire)).await.unwrap();
    (site, outlet, url)
}

async fn ask(outlet: &Outlet, text: String) -> TcpStream {
    let mut browser = TcpStream::connect(outlet.address()).await.unwrap();
    browser.write_all(text.as_bytes()).await.unwrap();
    browser
}

#[tokio::test]
async fn whoever_leaves_before_the_answer_does_not_wait_for_it() {
    let (site, outlet, url) = silent().await;
    let browser = ask(&outlet, format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    let _asked = site.accept().await.unwrap();
    assert!(outlet.is_busy());
    drop(browser);
    while outlet.is_busy() {
        assert!(outlet.changes(Duration::from_secs(30)).await, "still waited for");
    }
}

#[tokio::test]
async fn what_a_script_sends_has_a_limit() {
    let (_site, outlet, url) = silent().await;
    let length = LONGEST_SENT + 1;
    let mut browser = ask(&outlet, format!("POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n")).await;
    let mut answer = vec![0; 12];
    let (mut hears, mut tells) = browser.split();
    // Refused by what is announced, or once it has come; the rest may find nobody any more.
    let body = vec![b'x'; length];
    let (read, _) = tokio::join!(hears.read_exact(&mut answer), tells.write_all(&body));
    assert_eq!((read.unwrap(), answer), (12, b"HTTP/1.1 413".to_vec()));
}

#[tokio::test]
async fn what_went_out_before_a_turn_is_forgotten() {
    let (_site, outlet, url) = silent().await;
    let url: Url = url.parse().unwrap();
    outlet.set(vec![Trap::new(&url, "here")]);
    let mut browser = ask(&outlet, format!("GET {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
    let mut answer = String::new();
    browser.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("here"), "{answer}");
    assert_eq!((outlet.mark(), outlet.since(0).len()), (1, 1));
    outlet.forget();
    assert_eq!((outlet.mark(), outlet.since(0).len()), (0, 0));
}
