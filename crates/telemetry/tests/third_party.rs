//! Our tokens before a JOSE library of others, its tokens before us, and our records before OpenTelemetry's decoder.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, thread};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use counterfoil_core::rules::{EndReason, Trigger};
use counterfoil_core::{Event, EventKind, EventSink as _, FakeClock, Moment, SessionId, SubjectRef};
use counterfoil_telemetry::Telemetry;
use counterfoil_telemetry::client::{Client, Endpoint, Limits, PlainHttp, Trust};
use counterfoil_telemetry::set::receive::{About, Keys, Receiver, TransmitterSettings, UserName, What};
use counterfoil_telemetry::set::{Bearer, Delivery, PushStream, SigningKey, Stream, StreamSettings, Writer};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

/// What a script says that uses packages of others.
fn asked(script: &str, arguments: &[&str]) -> Output {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let python = here.join("../../target/judges/bin/python");
    assert!(python.is_file(), "no packages of others in target/judges: `cargo xtask judges` installs them");
    let script = here.join("tests/third_party").join(script);
    Command::new(python).args(["-W", "ignore"]).arg(script).args(arguments).output().unwrap()
}

/// What the judge reads in a token by these keys; nothing if it refuses it.
fn read(token: &str, keys: &[Value]) -> Option<Value> {
    let folder = tempfile::tempdir().unwrap();
    let (file, set) = (folder.path().join("token"), folder.path().join("jwks.json"));
    fs::write(&file, token).unwrap();
    fs::write(&set, json!({ "keys": keys }).to_string()).unwrap();
    let output = asked("judge.py", &["read", file.to_str().unwrap(), set.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() || text.starts_with("refused: "), "{output:?}");
    output.status.success().then(|| serde_json::from_str(&text).unwrap())
}

/// A receiver that takes one request: its address, and the request's head and body when it has come.
fn receiver(path: &str) -> (String, thread::JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}{path}", listener.local_addr().unwrap());
    let request = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut request, mut some) = (Vec::new(), [0; 4096]);
        let (head, body) = loop {
            let read = stream.read(&mut some).unwrap();
            request.extend_from_slice(&some[..read]);
            let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
            if request.len() >= end + 4 + length.parse::<usize>().unwrap() {
                break (head, request[end + 4..].to_vec());
            }
        };
        stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").unwrap();
        (head, body)
    });
    (url, request)
}

fn now() -> Moment {
    Moment::from_unix_seconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

fn ended() -> Event {
    let (session, subject) = (Some(SessionId::from_bytes([7; 18])), Some(SubjectRef::from_bytes([9; 16])));
    Event { at: now(), session, subject, kind: EventKind::SessionEnded { reason: EndReason::Reuse } }
}

/// An event, pushed to a receiver by a real client: the token that came.
async fn pushed(key: SigningKey) -> String {
    let (url, request) = receiver("/events");
    let settings = json!({ "id": "mail", "issuer": "https://login.example", "audience": "https://mail.example" });
    let settings: StreamSettings = serde_json::from_value(settings).unwrap();
    let writer = Writer::new(Stream::try_from(settings).unwrap(), Arc::new(key), None);
    let bearer = Some(Bearer::new("correct-horse-battery").unwrap());
    let delivery = Delivery { bearer, ..Delivery::to(Endpoint::checked(&url, PlainHttp::Loopback).unwrap()) };
    let client = Client::new(&Trust::System, Limits::default()).unwrap();
    let (stream, sink, work) = PushStream::new(writer, Arc::new(FakeClock::at(now())), client, delivery);
    tokio::spawn(work);
    let telemetry = Telemetry::builder().sink(sink).start().unwrap();
    telemetry.emit(&ended());
    assert!(telemetry.finish(Duration::from_mins(1)));
    stream.drained().await;
    assert_eq!(stream.figures().delivered, 1);
    let (head, body) = request.join().unwrap();
    assert!(head.contains("content-type: application/secevent+jwt"), "{head}");
    String::from_utf8(body).unwrap()
}

fn es256() -> SigningKey {
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    SigningKey::es256("one", key.as_ref()).unwrap()
}

fn eddsa() -> SigningKey {
    SigningKey::eddsa("two", Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap().as_ref()).unwrap()
}

#[tokio::test]
#[ignore = "takes packages of others: `cargo xtask judges`"]
async fn a_library_of_others_takes_what_we_push_and_nothing_that_was_changed() {
    for make in [es256, eddsa] {
        let (key, other) = (make(), make().jwk());
        let right = key.jwk();
        let (key_id, algorithm) = (right["kid"].clone(), right["alg"].clone());
        let token = pushed(key).await;
        let found = read(&token, &[right.clone(), es256().jwk()]).expect("what we push is genuine");
        assert_eq!(found["header"], json!({ "alg": algorithm, "kid": key_id, "typ": "secevent+jwt" }));
        assert_eq!(found["claims"]["iss"], "https://login.example");
        let events = found["claims"]["events"].as_object().unwrap();
        assert!(events.keys().eq(["https://schemas.openid.net/secevent/caep/event-type/session-revoked"]));
        assert_eq!(read(&token, &[other]), None, "a key of the same name that is another");
        let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
        let changed = String::from_utf8(BASE64.decode(payload).unwrap()).unwrap().replace("policy", "people");
        let changed = format!("{header}.{}.{signature}", BASE64.encode(changed));
        assert_eq!(read(&changed, &[right]), None, "a changed payload");
    }
}

#[tokio::test]
#[ignore = "takes packages of others: `cargo xtask judges`"]
async fn what_a_library_of_others_signs_with_rsa_is_taken() {
    for algorithm in ["RS256", "PS256"] {
        let made = asked("judge.py", &["write", algorithm]);
        assert!(made.status.success(), "{made:?}");
        let made: Value = serde_json::from_slice(&made.stdout).unwrap();
        let settings =
            json!({ "issuer": "https://idp.example", "audience": "https://us.example", "knows_by": ["email"] });
        let settings: TransmitterSettings = serde_json::from_value(settings).unwrap();
        let keys = Keys::fixed(made["jwks"].to_string().as_bytes()).unwrap();
        let receiver = Receiver::new(vec![settings.check(keys, None).unwrap()], Arc::new(FakeClock::at(now())));
        let headers: HeaderMap =
            [(CONTENT_TYPE, HeaderValue::from_static("application/secevent+jwt"))].into_iter().collect();
        let token = made["token"].as_str().unwrap();
        let verified = receiver.receive(&headers, token.as_bytes()).await.unwrap().unwrap();
        assert_eq!((&verified.what, verified.what.trigger()), (&What::AccountDisabled, Some(Trigger::AccountDisabled)));
        let ada = UserName::Email("ada@example.com".to_owned());
        assert_eq!(verified.about, About { session: None, user: Some(ada) });
        verified.is_done();
        assert!(receiver.receive(&headers, token.as_bytes()).await.unwrap().is_none());
    }
}

#[cfg(feature = "otlp")]
#[tokio::test]
#[ignore = "takes packages of others: `cargo xtask judges`"]
async fn the_decoder_of_opentelemetry_reads_what_a_collector_gets() {
    use counterfoil_telemetry::otlp::{Otlp, OtlpSettings};
    let (url, request) = receiver("/v1/logs");
    let settings: OtlpSettings = serde_json::from_value(json!({ "url": url })).unwrap();
    let export = settings.check("node-1").unwrap();
    let (otlp, sink, work) = Otlp::new(Client::new(&Trust::System, Limits::default()).unwrap(), export);
    tokio::spawn(work);
    let telemetry = Telemetry::builder().sink(sink).start().unwrap();
    telemetry.emit(&ended());
    telemetry.emit(&ended());
    assert!(telemetry.finish(Duration::from_mins(1)));
    otlp.drained().await;
    let (head, body) = request.join().unwrap();
    assert!(head.starts_with("post /v1/logs ") && head.contains("content-type: application/x-protobuf"), "{head}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("request");
    fs::write(&file, body).unwrap();
    let read = asked("collector.py", &[file.to_str().unwrap()]);
    assert!(read.status.success(), "{read:?}");
    let read: Value = serde_json::from_slice(&read.stdout).unwrap();
    let logs = &read["resourceLogs"][0];
    let instance = json!({ "key": "service.instance.id", "value": { "stringValue": "node-1" } });
    assert!(logs["resource"]["attributes"].as_array().unwrap().contains(&instance), "{logs}");
    let records = logs["scopeLogs"][0]["logRecords"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    let session =
        json!({ "key": "session.id", "value": { "stringValue": SessionId::from_bytes([7; 18]).to_string() } });
    for record in records {
        assert_eq!(
            (&record["eventName"], &record["severityNumber"]),
            (&json!("counterfoil.session.ended"), &json!("SEVERITY_NUMBER_INFO"))
        );
        assert!(record["attributes"].as_array().unwrap().contains(&session), "{record}");
    }
}
