//! A detector in the demo's policy file: asked over a real socket before a sign-in counts.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::browser::Demo;

/// Answers each question alike, one connection after another; what it was sent last.
fn judge(answer: &'static str) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/judge", listener.local_addr().unwrap());
    let sent = Arc::<Mutex<String>>::default();
    let last = Arc::clone(&sent);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut read) = (stream.unwrap(), Vec::new());
            let mut byte = [0];
            // All members of a question but the braces around it: it ends with the last of those.
            while !read.ends_with(b"}}}") && stream.read_exact(&mut byte).is_ok() {
                read.extend(byte);
            }
            *last.lock().unwrap() = String::from_utf8(read).unwrap();
            let length = answer.len();
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{answer}");
        }
    });
    (url, sent)
}

async fn demo(url: &str, more: &str) -> Demo {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("[detector]\nurl = \"{url}\"\ntimeout = \"5s\"\n{more}")).unwrap();
    Demo::keeping(&format!("--test-mode --policy {}", file.path().display())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_doubted_goes_on_after_a_step_up() {
    let (url, sent) = judge(r#"{"signals":[{"signal":"own_list","decision":"step_up"}]}"#);
    let demo = demo(&url, "").await;
    let mut ada = demo.signed_in("ada").await;
    let asked = sent.lock().unwrap().clone();
    assert!(asked.contains(r#""asked_on":["sign_in"]"#) && !asked.contains("ada") && !asked.contains("127.0.0.1\""));
    let waits = ada.get("/devices").await;
    assert_eq!((waits.status.as_u16(), waits.json()["type"].as_str()), (401, Some("urn:counterfoil:step-up-required")));
    assert_eq!(ada.open("/step-up").await.status, 200);
    ada.step_up("ada").await;
    assert_eq!(ada.get("/devices").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_refused_is_none_and_one_that_nobody_answers_about_counts() {
    let (url, _) = judge(r#"{"signals":[{"signal":"own_list","decision":"revoke"}]}"#);
    let mut ada = demo(&url, "").await.browser();
    assert_eq!(ada.sign_in("ada").await.status, 409);
    assert!(ada.jar.is_empty());
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let demo = demo(&format!("http://{nobody}/"), "").await;
    assert_eq!(demo.signed_in("ada").await.get("/devices").await.status, 200);
}
