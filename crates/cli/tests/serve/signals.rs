//! Shared Signals of a running gateway: what it signs, it takes itself; and it is found where receivers look.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{SystemTime, UNIX_EPOCH};

use counterfoil_telemetry::set::{Signer as _, SigningKey};
use serde_json::{Value, json};

use crate::running::{Gateway, configured, counterfoil};

const SECRET: &str = "what-the-soc-shows-when-it-comes";
const SIGNALS: &str = r#"
[events.signals]
issuer = "https://wiki.example"
[[events.signals.poll]]
id = "soc"
audience = "https://soc.example"
bearer_file = "soc.bearer"
[[events.signals.listen]]
issuer = "https://idp.example"
audience = "https://wiki.example"
knows_by = ["sub"]
jwks_file = "idp.jwks"
"#;

#[test]
fn a_provider_s_word_counts_and_is_passed_on_under_our_own_signature() {
    let (home, file) = configured();
    OpenOptions::new().append(true).open(&file).unwrap().write_all(SIGNALS.as_bytes()).unwrap();
    let (data, idp) = (home.path().join("data"), SigningKey::generate("idp").unwrap());
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
    fs::write(data.join("idp.jwks"), idp.key_set()).unwrap();
    fs::write(data.join("soc.bearer"), SECRET).unwrap();
    fs::set_permissions(data.join("soc.bearer"), Permissions::from_mode(0o600)).unwrap();
    let config = file.to_str().unwrap();
    let checked = counterfoil(home.path(), &["config", "check", "--config", config]).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && said.contains("from https://idp.example: what it tells is done"), "{said}");

    let gateway = Gateway::start(counterfoil(home.path(), &["serve", "--config", config]));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({
        "iss": "https://idp.example", "aud": "https://wiki.example", "iat": now, "jti": "1",
        "sub_id": { "format": "iss_sub", "iss": "https://idp.example", "sub": "ada" },
        "events": { "https://schemas.openid.net/secevent/risc/event-type/account-disabled": {} },
    });
    let token = idp.sign(claims.to_string().as_bytes(), counterfoil::Moment::from_unix_seconds(now)).unwrap();
    assert_eq!(ask(&gateway, "POST /.session/signals", "application/secevent+jwt", "", &token).0, 202);

    let (status, given) = ask(&gateway, "POST /.session/signals/soc", "application/json", SECRET, "{}");
    assert_eq!(status, 200, "{given}");
    let set = given["sets"].as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
    let (_, found) = ask(&gateway, "GET /.well-known/ssf-configuration", "application/json", "", "");
    assert_eq!(found["jwks_uri"], "https://wiki.example/.well-known/counterfoil/jwks.json");
    let (_, keys) = ask(&gateway, "GET /.well-known/counterfoil/jwks.json", "application/json", "", "");
    assert!(is_signed_by(&set, &keys), "{set} by {keys}");
    let (code, log) = gateway.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains(SECRET) && !log.contains(&set), "{log}");
}

fn ask(gateway: &Gateway, head: &str, kind: &str, bearer: &str, text: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(gateway.at("public")).unwrap();
    write!(
        stream,
        "{head} HTTP/1.1\r\nHost: wiki.example\r\nContent-Type: {kind}\r\nAuthorization: Bearer {bearer}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{text}",
        text.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

/// Whether somebody who listens to this gateway, and has its keys, takes the token for genuine: then what is wrong is only that it is
/// for somebody else.
fn is_signed_by(token: &str, keys: &Value) -> bool {
    use counterfoil_telemetry::set::receive::{Code, Keys, KnownBy, Receiver, TransmitterSettings};
    let settings = TransmitterSettings::usual(
        "https://wiki.example".to_owned(),
        "https://somebody.else.example".to_owned(),
        vec![KnownBy::Ours],
    );
    let keys = Keys::fixed(keys.to_string().as_bytes()).unwrap();
    let receiver =
        Receiver::new(vec![settings.check(keys, None).unwrap()], std::sync::Arc::new(counterfoil::SystemClock));
    let kind = ("content-type".parse().unwrap(), "application/secevent+jwt".parse().unwrap());
    let headers = [kind].into_iter().collect();
    let outcome = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(receiver.receive(&headers, token.as_bytes()));
    outcome.unwrap_err().code == Code::InvalidAudience
}
