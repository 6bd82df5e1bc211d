//! Keys come when they are needed, are asked for again seldom, and go when the transmitter takes them back.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::tests::{NOW, Signing, claims, header};
use super::*;
use crate::client::{Limits, PlainHttp, memory};

fn fetched() -> (Keys, UnboundedReceiver<DuplexStream>) {
    let (client, connections) = memory::client(Limits { body: 16 * 1024, ..Limits::default() });
    let from = Endpoint::checked("https://idp.example/jwks.json", PlainHttp::Loopback).unwrap();
    (Keys::fetched(client, from), connections)
}

fn at(seconds: u64) -> Moment {
    Moment::from_unix_seconds(NOW + seconds)
}

/// Answers the next request with this; how often one came is how often this is called.
async fn publish(connections: &mut UnboundedReceiver<DuplexStream>, status: u16, body: &str) {
    let mut connection = connections.recv().await.unwrap();
    let mut head = vec![0; 4096];
    let read = connection.read(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
    assert!(head.starts_with("get /jwks.json ") && head.contains("accept: application/json"), "{head}");
    let answer = format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let _ = connection.write_all(answer.as_bytes()).await;
}

/// What becomes of a token by this key. `published` is what is answered, if anybody asks.
async fn verified(
    keys: &Keys,
    connections: &mut UnboundedReceiver<DuplexStream>,
    (signing, key): (&Signing, &str),
    now: Moment,
    published: Option<(u16, &str)>,
) -> &'static str {
    let token = signing.sign(&header("ES256", key), &claims().to_string());
    let envelope = Envelope::open(token.as_bytes()).unwrap();
    let verified = keys.verify(&envelope, now);
    let result = match published {
        Some((status, body)) => tokio::join!(verified, publish(connections, status, body)).0,
        None => verified.await,
    };
    assert!(connections.try_recv().is_err(), "nobody asked for more");
    result.map_or_else(|refused| refused.code.as_str(), |()| "ok")
}

#[tokio::test(start_paused = true)]
async fn a_key_set_is_fetched_when_it_is_needed_and_not_for_every_token() {
    let (signing, other) = (Signing::new(), Signing::new());
    let (own, others) = (signing.jwks().to_string(), other.jwks().to_string());
    let own_renamed = own.replace("\"ec\"", "\"ec2\"");
    let (keys, mut connections) = fetched();
    let (hour, day) = (3_600, 86_400);
    #[rustfmt::skip]
    let rows = [
        ("the first token",              &signing, "ec",  0,          Some((200, own.as_str())),         "ok"),
        ("the next",                     &signing, "ec",  1,          None,                              "ok"),
        ("a forged one",                 &other,   "ec",  1,          None,                              "authentication_failed"),
        ("a key of nobody, too soon",    &signing, "ec2", 59,         None,                              "temporarily_unavailable"),
        ("a key of nobody",              &signing, "ec2", 60,         Some((200, own.as_str())),         "invalid_key"),
        ("once more, too soon",          &signing, "ec2", 61,         None,                              "temporarily_unavailable"),
        ("a new key",                    &signing, "ec2", 120,        Some((200, own_renamed.as_str())), "ok"),
        ("the old one was taken back",   &signing, "ec",  180,        Some((200, own_renamed.as_str())), "invalid_key"),
        ("an hour later",                &signing, "ec2", 180 + hour, Some((200, own.as_str())),         "invalid_key"),
        ("it is another's now",          &signing, "ec",  300 + 2 * hour, Some((200, others.as_str())),  "authentication_failed"),
        ("and is not fetched again",     &other,   "ec",  301 + 2 * hour, None,                          "ok"),
        ("it cannot be fetched",         &other,   "ec",  300 + 4 * hour, Some((500, "")),               "ok"),
        ("and is not tried too soon",    &other,   "ec",  301 + 4 * hour, None,                          "ok"),
        ("nor taken if it is none",      &other,   "ec",  400 + 4 * hour, Some((200, "{}")),             "ok"),
        ("nor if it is empty",           &other,   "ec",  500 + 4 * hour, Some((200, "{\"keys\":[]}")),  "ok"),
        ("after a day it is not used",   &other,   "ec",  300 + 2 * hour + day, Some((404, "")),         "temporarily_unavailable"),
        ("until it is there again",      &other,   "ec",  400 + 2 * hour + day, Some((200, others.as_str())), "ok"),
    ];
    for (name, signing, key, seconds, published, expected) in rows {
        let found = verified(&keys, &mut connections, (signing, key), at(seconds), published).await;
        assert_eq!(found, expected, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_set_that_is_too_large_or_does_not_come_is_not_waited_for() {
    let signing = Signing::new();
    let (keys, mut connections) = fetched();
    let large = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(16 * 1024));
    let found = verified(&keys, &mut connections, (&signing, "ec"), at(0), Some((200, &large))).await;
    assert_eq!(found, "temporarily_unavailable");
    let token = signing.sign(&header("ES256", "ec"), &claims().to_string());
    let envelope = Envelope::open(token.as_bytes()).unwrap();
    let began = tokio::time::Instant::now();
    // Nobody answers. Whoever comes meanwhile is not kept waiting at all.
    let (first, second) = tokio::join!(keys.verify(&envelope, at(60)), async {
        tokio::task::yield_now().await;
        let refused = keys.verify(&envelope, at(61)).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        refused
    });
    assert_eq!([first, second].map(|refused| refused.unwrap_err().code), [Code::NotNow; 2]);
    assert_eq!(began.elapsed(), Limits::default().whole);
}

#[tokio::test(start_paused = true)]
async fn whoever_hangs_up_while_keys_are_fetched_keeps_nobody_from_fetching_them() {
    let signing = Signing::new();
    let (keys, mut connections) = fetched();
    let token = signing.sign(&header("ES256", "ec"), &claims().to_string());
    let envelope = Envelope::open(token.as_bytes()).unwrap();
    let hung_up = tokio::time::timeout(Duration::from_secs(1), keys.verify(&envelope, at(0))).await;
    assert!(hung_up.is_err());
    connections.recv().await.unwrap();
    let published = signing.jwks().to_string();
    let found = verified(&keys, &mut connections, (&signing, "ec"), at(60), Some((200, &published))).await;
    assert_eq!(found, "ok");
}

#[test]
fn a_set_is_read_for_what_can_be_used_of_it() {
    let own = Signing::new().jwks();
    let key = |index: usize| own["keys"][index].to_string();
    let count = |text: &str| Keys::fixed(text.as_bytes()).map(|keys| format!("{keys:?}"));
    assert_eq!(count(&own.to_string()).as_deref(), Ok("Keys(2 fixed)"));
    #[rustfmt::skip]
    let rows = [
        ("",                                            BadKeys::NotASet),
        ("[]",                                          BadKeys::NotASet),
        ("{\"keys\":{}}",                               BadKeys::NotASet),
        ("{\"keys\":[]}",                               BadKeys::NoneUsable),
        (&format!("{{\"keys\":[{},{}]}}", key(2), key(3)), BadKeys::NoneUsable),
        (&own.to_string().replace("P-256", "P-384").replace("Ed25519", "X25519"), BadKeys::NoneUsable),
        (&own.to_string().replace("\"sig\"", "\"enc\"").replace("EdDSA", "ES256"), BadKeys::NoneUsable),
    ];
    for (text, expected) in rows {
        assert_eq!(Keys::fixed(text.as_bytes()).unwrap_err(), expected, "{text}");
    }
}
