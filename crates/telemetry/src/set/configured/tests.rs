//! What cannot be configured, and what it is called.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::*;
use crate::client::{Limits, Trust};
use crate::set::SigningKey;

fn pushed(changes: &Value) -> Value {
    changed(json!({ "id": "mail", "audience": "https://mail.example", "url": "https://mail.example/events" }), changes)
}

fn polled(changes: &Value) -> Value {
    changed(json!({ "id": "soc", "audience": "https://soc.example", "bearer_file": "good" }), changes)
}

fn heard(changes: &Value) -> Value {
    let all = json!({
        "issuer": "https://idp.example", "audience": "https://us.example", "knows_by": ["sub"], "jwks_file": "jwks",
    });
    changed(all, changes)
}

fn changed(mut all: Value, changes: &Value) -> Value {
    for (key, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(all.as_object_mut().unwrap().remove(key)),
            value => all[key] = value.clone(),
        }
    }
    all
}

/// A folder with files that settings name.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write("good", "sixteen-or-more-characters\n", 0o600);
        files.write("short", "short", 0o600);
        files.write("open", "sixteen-or-more-characters", 0o644);
        files.write("jwks", &SigningKey::generate("k").unwrap().key_set(), 0o644);
        files.write("empty", "{\"keys\":[]}", 0o644);
        files
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }

    fn check(&self, signals: Value) -> Result<(), String> {
        let mut settings: SignalSettings = serde_json::from_value(signals).map_err(|error| error.to_string())?;
        settings.begin_in(self.0.path());
        let client = Client::new(&Trust::System, Limits::default()).unwrap();
        settings.check(&client).map_err(|error| error.to_string())
    }
}

const US: &str = "https://us.example";

fn push(changes: &Value) -> Value {
    json!({ "issuer": US, "push": [pushed(changes)] })
}

fn poll(changes: &Value) -> Value {
    json!({ "issuer": US, "poll": [polled(changes)] })
}

fn listen(changes: &Value) -> Value {
    json!({ "issuer": US, "listen": [heard(changes)] })
}

#[test]
fn what_can_be_is_taken() {
    let files = Files::new();
    for good in [
        push(&json!({})),
        push(&json!({ "bearer_file": "good" })),
        poll(&json!({})),
        listen(&json!({})),
        listen(&json!({ "bearer_file": "good", "accepts": ["risk_changed"], "oldest_hours": 1 })),
        listen(&json!({ "jwks_file": null, "jwks_url": "https://idp.example/jwks.json" })),
        json!({ "issuer": US, "push": [pushed(&json!({}))], "poll": [polled(&json!({}))], "listen": [heard(&json!({}))] }),
    ] {
        assert_eq!(files.check(good.clone()), Ok(()), "{good}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_table_and_whose_it_is() {
    let files = Files::new();
    let twice = [pushed(&json!({})), pushed(&json!({}))];
    let same_name = json!({ "issuer": US, "push": [pushed(&json!({}))], "poll": [polled(&json!({ "id": "mail" }))] });
    #[rustfmt::skip]
    let rows = [
        (json!({ "issuer": US }),                                     "names neither push, poll nor listen"),
        (json!({ "issuer": "http://us.example", "push": [pushed(&json!({}))] }), "issuer = \"http://us.example\" must be"),
        (json!({ "issuer": "https://us.example/{{", "listen": [heard(&json!({}))] }), "issuer = \"https://us.example/{{\" must be"),
        (json!({ "issuer": US, "push": twice }),                      "two streams are called `mail`"),
        (same_name,                                                   "two streams are called `mail`"),
        (push(&json!({ "id": "a b" })),                               "push `a b`: id = \"a b\" must be"),
        (push(&json!({ "url": "http://mail.example" })),              "push `mail`: url: http:// reaches"),
        (push(&json!({ "waiting": 0 })),                              "push `mail`: waiting = 0 must be"),
        (push(&json!({ "events": ["sesion.*"] })),                    "no event is called `sesion.*`"),
        (push(&json!({ "bearer_file": "none" })),                     "push `mail`: "),
        (push(&json!({ "bearer": "secret" })),                        "unknown field `bearer`"),
        (poll(&json!({ "bearer_file": null })),                       "missing field `bearer_file`"),
        (poll(&json!({ "bearer_file": "short" })),                    "poll `soc`, bearer_file: "),
        (poll(&json!({ "bearer_file": "open" })),                     "poll `soc`: "),
        (poll(&json!({ "kept": 0 })),                                 "poll `soc`: kept = 0 must be"),
        (listen(&json!({ "knows_by": null })),                        "missing field `knows_by`"),
        (listen(&json!({ "knows_by": [] })),                          "listen `https://idp.example`: knows_by = [] must be"),
        (listen(&json!({ "knows_by": ["name"] })),                    "unknown variant `name`"),
        (listen(&json!({ "jwks_file": null })),                       "listen `https://idp.example`: exactly one of"),
        (listen(&json!({ "jwks_url": "https://idp.example/" })),      "listen `https://idp.example`: exactly one of"),
        (listen(&json!({ "jwks_file": "empty" })),                    "listen `https://idp.example`, jwks_file: "),
        (listen(&json!({ "jwks_file": null, "jwks_url": "http://idp.example" })), "listen `https://idp.example`, jwks_url: "),
        (listen(&json!({ "accepts": ["all"] })),                      "listen `https://idp.example`: accepts = \"all\""),
        (json!({ "issuer": US, "listen": [heard(&json!({})), heard(&json!({}))] }), "listen: `https://idp.example` stands there twice"),
    ];
    for (signals, start) in rows {
        let error = files.check(signals).unwrap_err();
        assert!(error.starts_with(start), "{error}\nexpected: {start}");
        assert!(!error.contains("sixteen"), "{error}");
    }
}
