//! What a server must be like, and what is said where it is not.

use std::error::Error as _;

use counterfoil_core::FakeClock;
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Notice, Store};
use counterfoil_servers::{Redis, RedisSettings, free_port};
use futures_util::StreamExt as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::records::{NOW, settings, visitor};
use super::stage::sealer;
use crate::redis::{OpenError, RedisStore, Settings};

async fn refused(address: &str, settings: Settings) -> OpenError {
    RedisStore::open(address, sealer(), FakeClock::at(NOW), settings).await.unwrap_err()
}

async fn with(lines: &[&str]) -> Redis {
    let lines = lines.iter().map(|line| (*line).to_owned()).collect();
    Redis::start_with(RedisSettings { lines, ..RedisSettings::default() }).await.unwrap()
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_said_without_its_password() {
    let nobody = refused("redis://ada:hunter2@127.0.0.1:1/0", settings()).await;
    let OpenError::Unreachable { place, .. } = &nobody else { panic!("{nobody:?}") };
    assert_eq!(&**place, "127.0.0.1:1");
    let odd = refused("postgres://ada:hunter2@localhost", settings()).await;
    assert!(matches!(odd, OpenError::Address(_)), "{odd:?}");
    for error in [nobody, odd] {
        let said = format!("{error} {error:?} {:?}", error.source().map(ToString::to_string));
        assert!(!said.contains("hunter2"), "{said}");
    }
    for prefix in ["", "with space", "{tag}:", "a*", &"x".repeat(65)] {
        let error = refused("redis://127.0.0.1:1", Settings { prefix: prefix.into(), ..settings() }).await;
        assert!(matches!(error, OpenError::Prefix(_)), "{prefix} {error:?}");
    }
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn a_server_that_would_break_the_promises_is_refused() {
    let evicting = with(&["maxmemory 100mb", "maxmemory-policy allkeys-lru"]).await;
    let error = refused(&evicting.url(), settings()).await.to_string();
    assert!(error.contains("`allkeys-lru`") && error.contains("set `noeviction`"), "{error}");
    let master = Redis::start().await.unwrap();
    let replica = with(&[&format!("replicaof 127.0.0.1 {}", master.port())]).await;
    let error = refused(&replica.url(), settings()).await.to_string();
    assert!(error.contains("name its master"), "{error}");
    let node = with(&["cluster-enabled yes"]).await;
    let error = refused(&node.url(), settings()).await.to_string();
    assert!(error.contains("redis+cluster://"), "{error}");
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn who_may_not_is_told_so() {
    let server = with(&["requirepass right", "user reader on >reading ~* +@read +info +hello +client"]).await;
    let at = |who: &str| format!("redis://{who}127.0.0.1:{}", server.port());
    for who in ["", ":wrong@", "nobody:right@"] {
        let error = refused(&at(who), settings()).await;
        assert!(matches!(error, OpenError::Credentials { .. }), "{who} {error:?}");
        assert!(!format!("{error:?}").contains("wrong@"), "{error:?}");
    }
    let error = refused(&at("reader:reading@"), settings()).await;
    assert!(matches!(error, OpenError::Server { .. }), "{error:?}");
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    assert!(said.contains("permission"), "{said}");
    RedisStore::open(&at(":right@"), sealer(), FakeClock::at(NOW), settings()).await.unwrap();
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn the_rights_that_the_manual_names_are_enough_and_all_are_needed() {
    let named = ["+@read", "+@write", "+@scripting", "+@pubsub", "+@connection", "+info", "+time", "+wait"];
    let line = |user: &str, rights: &[&str], channels: &str| {
        format!("user {user} on >secret ~counterfoil:* {channels} {} ", rights.join(" "))
    };
    let mut lines = vec![line("enough", &named, "&counterfoil:*"), line("deaf", &named, "resetchannels")];
    for left_out in ["+@read", "+@write", "+@scripting", "+@pubsub", "+info"] {
        let fewer: Vec<_> = named.into_iter().filter(|right| *right != left_out).collect();
        lines.push(line(&format!("no-{}", &left_out[1..].trim_start_matches('@')), &fewer, "&counterfoil:*"));
    }
    let server = with(&lines.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let at = |user: &str| format!("redis://{user}:secret@127.0.0.1:{}", server.port());
    let ring = sealer();
    let open = async |user: &str| RedisStore::open(&at(user), ring.clone(), FakeClock::at(NOW), settings()).await;
    let store = open("enough").await.unwrap();
    let mut watch = store.watch();
    store.insert(visitor(1), None, NOW).await.unwrap();
    store.end(visitor(1).id, None, EndReason::SignOut, NOW).await.unwrap();
    while watch.next().await != Some(Notice::Ended(visitor(1).id)) {}
    store.time().await.unwrap();
    for user in ["deaf", "no-read", "no-write", "no-pubsub", "no-info"] {
        let error = open(user).await.unwrap_err();
        let said = error.source().map(ToString::to_string).unwrap_or_default();
        assert!(said.contains("permission"), "{user}: {error:?}");
    }
    let refused = open("no-scripting").await.unwrap().load(visitor(1).id, NOW, None).await.unwrap_err();
    assert!(refused.to_string().contains("+@scripting"), "{refused}");
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn other_keys_and_other_programs_are_not_mixed_with_ours() {
    let server = Redis::start().await.unwrap();
    let (ring, url) = (sealer(), server.url());
    let open = |settings| RedisStore::open(&url, ring.clone(), FakeClock::at(NOW), settings);
    let first = open(settings()).await.unwrap();
    open(settings()).await.unwrap();
    let error = refused(&server.url(), settings()).await;
    assert!(matches!(error, OpenError::OtherKeys { .. }), "{error:?}");
    let other = Settings { prefix: "other:".into(), ..settings() };
    for foreign in ["4 0000", "somebody else's"] {
        let mut connection = first.link.line().await.unwrap();
        redis::cmd("SET").arg("other:meta").arg(foreign).query_async::<()>(&mut connection).await.unwrap();
        let error = refused(&server.url(), other.clone()).await;
        assert!(matches!(error, OpenError::Format { .. }), "{error:?}");
    }
}

/// A server that speaks TLS on this port, with a certificate for `localhost` until that year; and who vouches for it.
async fn encrypted(port: u16, until: i32) -> (Redis, tempfile::NamedTempFile) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let mut roots = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut roots, issuer.pem().as_bytes()).unwrap();
    let files = vec![("server.crt", certificate.pem()), ("server.key", key.serialize_pem())];
    let lines = ["tls-cert-file server.crt", "tls-key-file server.key", "tls-auth-clients no"].map(str::to_owned);
    let lines =
        lines.into_iter().chain([format!("tls-port {port}"), "tls-ca-cert-file server.crt".to_owned()]).collect();
    (Redis::start_with(RedisSettings { lines, files, ..RedisSettings::default() }).await.unwrap(), roots)
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn encrypted_to_a_server_with_a_good_certificate_for_its_name_and_to_no_other() {
    let (port, late) = (free_port().unwrap(), free_port().unwrap());
    let (server, roots) = encrypted(port, 4096).await;
    let (_expired, expired) = encrypted(late, 2020).await;
    let url = |host: &str, port: u16, roots: &tempfile::NamedTempFile| {
        format!("rediss://{host}:{port}?sslrootcert={}", roots.path().display())
    };
    let right = url("localhost", port, &roots);
    let store = RedisStore::open(&right, sealer(), FakeClock::at(NOW), settings()).await.unwrap();
    store.insert(visitor(1), None, NOW).await.unwrap();
    #[rustfmt::skip]
    let table = [
        ("another name",   url("127.0.0.1", port, &roots)),
        ("another issuer", url("localhost", port, &expired)),
        ("expired",        url("localhost", late, &expired)),
        ("no TLS there",   url("localhost", server.port(), &roots)),
    ];
    for (name, url) in table {
        let error = refused(&url, settings()).await;
        assert!(matches!(error, OpenError::Unreachable { .. } | OpenError::Tls(_)), "{name}: {error:?}");
    }
    let plain = format!("redis://localhost:{port}");
    refused(&plain, settings()).await;
}
