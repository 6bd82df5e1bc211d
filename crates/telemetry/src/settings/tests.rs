//! Settings that are refused before anything is begun, and everybody told at once.

use std::fs;
use std::time::SystemTime;

use counterfoil_core::{Event, EventKind, EventSink as _, Moment};
use serde_json::{Value, from_value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::trail;

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Moment {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Moment::from_unix_millis(u64::try_from(since.as_millis()).unwrap())
    }
}

fn settings(all: Value, folder: &Path) -> EventSettings {
    from_value::<EventSettings>(all).unwrap().within(folder)
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(Wall)
}

fn webhook(name: &str, url: &str) -> Value {
    json!({ "name": name, "url": url, "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] })
}

#[test]
fn what_is_wrong_is_named_before_anything_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    let siem = webhook("siem", "https://siem.example/");
    #[rustfmt::skip]
    let rows = [
        (json!({ "trail": { "folder": "trail", "retain_days": 0 } }),      "events.trail: ",                                  true),
        (json!({ "webhooks": [siem, siem] }),                              "events.webhooks: two are called `siem`",          true),
        (json!({ "webhooks": [webhook("siem", "siem.example")] }),         "events.webhooks: webhook `siem`, url: not a URL", true),
        (json!({ "webhooks": [{ "name": "siem", "url": "https://a/" }] }), "events.webhooks: webhook `siem`: secrets and",    true),
        (json!({ "authorities": "none.pem" }),                             "events.authorities: ",                            true),
    ];
    for (all, start, is_configuration) in rows {
        let error = settings(all, folder.path()).check().unwrap_err();
        assert!(error.to_string().starts_with(start), "{error}");
        assert_eq!(error.is_configuration(), is_configuration, "{error}");
    }
    fs::write(folder.path().join("none.pem"), "nothing").unwrap();
    let error = settings(json!({ "authorities": "none.pem" }), folder.path()).check().unwrap_err();
    assert_eq!(error.to_string(), "events.authorities");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was begun");
    for unknown in [json!({ "trails": {} }), json!({ "lines": { "path": "a" } })] {
        assert!(from_value::<EventSettings>(unknown).is_err());
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_not_a_mistake_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let in_a_file = [
        (json!({ "lines": { "file": "file/events.jsonl" } }), "events.lines: "),
        (json!({ "trail": { "folder": "file/trail" } }), "events.trail: "),
    ];
    for (all, start) in in_a_file {
        let error = settings(all, folder.path()).start(&clock(), "node", None).unwrap_err();
        assert!(error.to_string().starts_with(start) && !error.is_configuration(), "{error}");
    }
}

#[tokio::test]
async fn everybody_who_is_named_is_told_and_says_how_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    let receiver = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4_096];
        let read = connection.read(&mut request).await.unwrap();
        connection.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let all = json!({
        "lines": { "file": "events.jsonl" },
        "trail": { "folder": "trail" },
        "webhooks": [webhook("siem", &url)],
    });
    let running = settings(all, folder.path()).start(&clock(), "node", None).unwrap();
    running.telemetry().emit(&Event { at: Wall.now(), session: None, subject: None, kind: EventKind::SteppedUp });
    assert!(running.finish(Duration::from_secs(20)).await);
    assert!(receiver.await.unwrap().starts_with("POST /in HTTP/1.1\r\n"));
    assert_eq!(fs::read_to_string(folder.path().join("events.jsonl")).unwrap().lines().count(), 1);
    let verified = trail::verify(&folder.path().join("trail"), None).unwrap();
    assert_eq!(verified.entries, 1);
    let sent: Vec<_> =
        running.sent().map(|sent| (sent.kind, sent.name, sent.figures.delivered, sent.figures.lost)).collect();
    assert_eq!(sent, [("trail", "", 0, 0), ("lines", "", 0, 0), ("webhook", "siem", 1, 0), ("queue", "", 0, 0)]);
}

#[tokio::test]
async fn nobody_waits_for_a_receiver_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    // Bound and never answered.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let running =
        settings(json!({ "webhooks": [webhook("siem", &url)] }), folder.path()).start(&clock(), "node", None).unwrap();
    running.telemetry().emit(&Event { at: Wall.now(), session: None, subject: None, kind: EventKind::SteppedUp });
    assert!(!running.finish(Duration::from_millis(50)).await);
    let figures = || running.sent().find(|sent| sent.name == "siem").unwrap().figures;
    // The thread that tells may be slower than that.
    while figures().waiting == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((figures().delivered, figures().waiting), (0, 1));
}
