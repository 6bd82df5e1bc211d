//! Shared Signals by configuration: a provider ends a session of a running demo, and a receiver comes for the news.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{SystemTime, UNIX_EPOCH};

use counterfoil_telemetry::set::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::demo::{Demo, LAPTOP, Tail};

const SECRET: &str = "what-the-soc-shows-when-it-comes";

#[test]
fn a_provider_ends_a_session_and_a_receiver_hears_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let idp = SigningKey::generate("idp").unwrap();
    fs::write(folder.path().join("idp.jwks"), idp.key_set()).unwrap();
    fs::write(folder.path().join("soc.bearer"), SECRET).unwrap();
    fs::set_permissions(folder.path().join("soc.bearer"), Permissions::from_mode(0o600)).unwrap();
    let policy = format!(
        "[events.signals]\nissuer = \"https://bank.example\"\n\
         [[events.signals.poll]]\nid = \"soc\"\naudience = \"https://soc.example\"\nbearer_file = \"{0}/soc.bearer\"\n\
         [[events.signals.listen]]\nissuer = \"https://idp.example\"\naudience = \"https://bank.example\"\n\
         knows_by = [\"sub\"]\njwks_file = \"{0}/idp.jwks\"\n",
        folder.path().display()
    );
    let demo = Demo::with(&policy, &[]);
    let mut tail = Tail::of(&demo, "subject.ended,signal.received");
    let (ada, grace) = (demo.signed_in("ada"), demo.signed_in("grace"));

    assert_eq!(post(&demo, "/.session/signals", "application/secevent+jwt", "", &token(&idp, "ada")).0, 202);
    assert!(!demo.is_signed_in(&ada) && demo.is_signed_in(&grace));
    for name in ["subject.ended", "signal.received"] {
        let told = tail.next();
        assert_eq!((&told["event"], &told["told_by"]), (&json!(name), &json!("https://idp.example")), "{told}");
    }
    let forged = token(&SigningKey::generate("idp").unwrap(), "grace");
    let (status, refusal) = post(&demo, "/.session/signals", "application/secevent+jwt", "", &forged);
    assert_eq!((status, &refusal["err"]), (400, &json!("authentication_failed")));
    assert!(demo.is_signed_in(&grace));

    let ask = r#"{"maxEvents":10}"#;
    assert_eq!(post(&demo, "/.session/signals/soc", "application/json", "not-the-secret-of-soc", ask).0, 401);
    let mut given = Vec::new();
    // Two sign-ins and an end; each poll waits until there is something.
    while given.len() < 3 {
        let (status, answer) = post(&demo, "/.session/signals/soc", "application/json", SECRET, &confirming(&given));
        assert_eq!(status, 200, "{answer}");
        given.extend(answer["sets"].as_object().unwrap().keys().cloned());
    }
    let found = body(&demo.whole("GET /.well-known/ssf-configuration", LAPTOP, "", ""));
    assert_eq!(found["jwks_uri"], "https://bank.example/.well-known/counterfoil/jwks.json");
    let keys = body(&demo.whole("GET /.well-known/counterfoil/jwks.json", LAPTOP, "", ""));
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
}

fn token(key: &SigningKey, subject: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": "https://idp.example", "aud": "https://bank.example", "iat": now, "jti": format!("about {subject}"),
        "sub_id": { "format": "iss_sub", "iss": "https://idp.example", "sub": subject },
        "events": { "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {} },
    });
    key.sign(claims.to_string().as_bytes(), counterfoil::Moment::from_unix_seconds(now)).unwrap()
}

/// A poll that says what has come.
fn confirming(given: &[String]) -> String {
    json!({ "ack": given }).to_string()
}

fn post(demo: &Demo, path: &str, kind: &str, bearer: &str, text: &str) -> (u16, Value) {
    let answer = demo.whole_of(path, &[("content-type", kind), ("authorization", &format!("Bearer {bearer}"))], text);
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), body(&answer))
}

fn body(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap_or_default()
}

/// A demo that could not tell who is who does not start.
#[test]
fn what_cannot_be_is_said_before_the_demo_listens() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, "[events.signals]\nissuer = \"https://bank.example\"\n").unwrap();
    let output = super::demo::counterfoil()
        .args(["demo", "--memory", "--listen", "127.0.0.1:0", "--policy"])
        .arg(&policy)
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{errors}");
    assert!(errors.contains("events.signals: names neither push, poll nor listen"), "{errors}");
}
