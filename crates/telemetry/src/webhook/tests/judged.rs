//! What a real receiver got over a socket, verified by the reference library of Standard Webhooks.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;

use super::*;
use crate::client::Trust;

const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const JUDGE: &str = r#"
import json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
case = json.load(sys.stdin)
try:
    event = Webhook(case["secret"]).verify(case["body"], case["headers"])
    print("passes " + event["type"])
except WebhookVerificationError as error:
    print("fails")
"#;

/// A Python that has the library.
fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/judges/bin/python");
    assert!(python.is_file(), "no packages of others in target/judges: `cargo xtask judges` installs them");
    python
}

fn verdict(python: &Path, secret: &str, fields: &HashMap<String, String>, body: &str) -> String {
    let case = serde_json::json!({ "secret": secret, "headers": fields, "body": body });
    let mut judge = Command::new(python);
    let mut judge = judge.args(["-c", JUDGE]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    judge.stdin.take().unwrap().write_all(case.to_string().as_bytes()).unwrap();
    String::from_utf8(judge.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
}

/// The present: the library judges timestamps by it.
struct Present;

impl Clock for Present {
    fn now(&self) -> Moment {
        Moment::EPOCH + SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
    }
}

/// What one event looks like at a receiver.
async fn received(secrets: &[&str]) -> (HashMap<String, String>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    let secrets = secrets.iter().map(|secret| Secret::read(secret).unwrap()).collect();
    let receiver = WebhookSettings { secrets, ..settings(&url) }.check().unwrap();
    let client = Client::new(&Trust::System, Limits::default()).unwrap();
    let (webhook, mut sink, work) = Webhook::new(receiver, Arc::new(Present), client);
    tokio::spawn(work);
    sink.take(&told(7));
    let (mut stream, _) = listener.accept().await.unwrap();
    let found = request(&mut stream).await.unwrap();
    stream.write_all(b"HTTP/1.1 204 x\r\n\r\n").await.unwrap();
    webhook.drained().await;
    assert_eq!(webhook.figures().delivered, 1);
    found
}

#[tokio::test]
#[ignore = "takes packages of others: `cargo xtask judges`"]
async fn the_reference_library_believes_what_we_signed_and_nothing_else() {
    let python = python();
    let (fields, body) = received(&[SECRET]).await;
    let mut old = fields.clone();
    let seconds: u64 = old["webhook-timestamp"].parse().unwrap();
    old.insert("webhook-timestamp".to_owned(), (seconds - 600).to_string());
    //  secret  headers  body                             verdict
    let table = [
        (SECRET, &fields, body.clone(), "passes step_up.done"),
        (OTHER, &fields, body.clone(), "fails"),
        (SECRET, &fields, body.replace("step_up", "step-up"), "fails"),
        (SECRET, &old, body.clone(), "fails"),
    ];
    for (secret, fields, body, expected) in table {
        assert_eq!(verdict(&python, secret, fields, &body), expected, "{secret} {fields:?} {body}");
    }
    let (fields, body) = received(&[SECRET, OTHER]).await;
    for secret in [SECRET, OTHER] {
        assert_eq!(verdict(&python, secret, &fields, &body), "passes step_up.done", "either, while one is exchanged");
    }
}

#[tokio::test]
#[ignore = "takes packages of others: `cargo xtask judges`"]
async fn an_old_event_with_a_genuine_signature_is_refused_for_its_age() {
    let body = body_of(&told(7));
    let secret = Secret::read(SECRET).unwrap();
    let now = Present.now().unix_seconds();
    let verdict_at = |seconds: u64| {
        let fields = [
            ("webhook-id", "evt_7".to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", secret.sign("evt_7", seconds, body.as_bytes())),
        ];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        verdict(&python(), SECRET, &fields, &body)
    };
    assert_eq!((verdict_at(now), verdict_at(now - 600)), ("passes step_up.done".to_owned(), "fails".to_owned()));
}
