//! The routes as others reach them: a token of theirs, ours for them, and what is refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use axum::http::header::AUTHORIZATION;
use axum::http::{Method, Uri};
use counterfoil::SystemClock;
use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::Page;
use counterfoil_core::testing::{Jar, sign_in};
use counterfoil_core::{Clock, MemoryStore, Policy, Subject};
use counterfoil_telemetry::set::{Signer, SigningKey};
use counterfoil_telemetry::{EventSettings, Running};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::*;

const SECRET: &str = "sixteen-or-more-characters";

struct Site {
    _folder: TempDir,
    router: Router,
    engine: Engine,
    running: Running,
    idp: SigningKey,
}

impl Site {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let (idp, own) = (SigningKey::generate("idp").unwrap(), Arc::new(SigningKey::generate("own").unwrap()));
        fs::write(folder.path().join("idp.jwks"), idp.key_set()).unwrap();
        fs::write(folder.path().join("bearer"), SECRET).unwrap();
        fs::set_permissions(folder.path().join("bearer"), Permissions::from_mode(0o600)).unwrap();
        let all = json!({ "signals": {
            "issuer": "https://us.example/tenant",
            "poll": [{ "id": "soc", "audience": "https://soc.example", "bearer_file": "bearer" }],
            "listen": [{
                "issuer": "https://idp.example", "audience": "https://us.example", "knows_by": ["sub"], "jwks_file": "idp.jwks",
            }],
        } });
        let settings = serde_json::from_value::<EventSettings>(all).unwrap().within(folder.path());
        let signer = Arc::clone(&own) as Arc<dyn Signer>;
        let running = settings.start(&(Arc::new(SystemClock) as Arc<dyn Clock>), "node", Some(&signer)).unwrap();
        let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
        let (policy, store) = (Policy::aal2("https://us.example").unwrap(), Arc::new(MemoryStore::new()));
        let engine = Engine::new(policy, ring, store, SystemClock, running.telemetry().clone());
        let (signals, of_router) = (running.signals().unwrap().clone(), engine.clone());
        let router = router(signals, move || Some(of_router.clone())).merge(keys(own.key_set()));
        Self { _folder: folder, router, engine, running, idp }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (StatusCode, Value) {
        ask(&self.router, method, path, fields, body).await
    }

    /// What the provider says of `ada`.
    fn token(&self) -> String {
        let now = SystemClock.now();
        let claims = json!({
            "iss": "https://idp.example", "aud": "https://us.example", "iat": now.unix_seconds(), "jti": "1",
            "sub_id": { "format": "iss_sub", "iss": "https://idp.example", "sub": "ada" },
            "events": { "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {} },
        });
        self.idp.sign(claims.to_string().as_bytes(), now).unwrap()
    }

    async fn sessions(&self) -> usize {
        self.engine.sessions_of(&Subject::new("ada").unwrap(), Page::FIRST).await.unwrap().len()
    }
}

async fn ask(
    router: &Router,
    method: Method,
    path: &str,
    fields: &[(&str, &str)],
    body: impl Into<Body>,
) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path.parse::<Uri>().unwrap());
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let answer = router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// A request, and the status of its answer.
type Row<'a> = (Method, &'a str, &'a [(&'a str, &'a str)], Vec<u8>, u16);

const TOKEN: &[(&str, &str)] = &[("content-type", "application/secevent+jwt")];

#[tokio::test]
async fn a_provider_s_token_ends_sessions_and_whoever_polls_hears_of_it() {
    let site = Site::new();
    sign_in(&site.engine, &mut Jar::default(), &Subject::new("ada").unwrap()).await.unwrap();
    assert_eq!(site.ask(Method::POST, ADDRESS, TOKEN, site.token()).await.0, StatusCode::ACCEPTED);
    assert_eq!(site.sessions().await, 0);
    sign_in(&site.engine, &mut Jar::default(), &Subject::new("ada").unwrap()).await.unwrap();
    assert_eq!(site.ask(Method::POST, ADDRESS, TOKEN, site.token()).await.0, StatusCode::ACCEPTED);
    assert_eq!(site.sessions().await, 1, "the same token, sent again, is accepted and ends nothing");

    site.engine.end_subject(&Subject::new("ada").unwrap(), EndReason::Admin).await.unwrap();
    assert!(site.running.finish(Duration::from_secs(20)).await);
    let bearer = format!("Bearer {SECRET}");
    let fields = [(AUTHORIZATION.as_str(), bearer.as_str())];
    let (status, given) =
        site.ask(Method::POST, "/.session/signals/soc", &fields, r#"{"returnImmediately":true}"#).await;
    // Two sign-ins, an end on the provider's word and one by hand.
    assert_eq!((status, given["sets"].as_object().unwrap().len()), (StatusCode::OK, 4), "{given}");
}

#[tokio::test]
async fn what_is_too_large_unknown_or_somebody_else_s_is_refused() {
    let site = Site::new();
    let large = vec![b'a'; Receiver::MOST_BYTES + 1];
    let larger = vec![b' '; PollStream::MOST_BYTES + 1];
    let forged = site.token().replace("eyJ", "eyK");
    let soc = "/.session/signals/soc";
    #[rustfmt::skip]
    let rows: [Row<'_>; 8] = [
        (Method::POST, ADDRESS,                  TOKEN, large,                        413),
        (Method::POST, ADDRESS,                  TOKEN, forged.into_bytes(),          400),
        (Method::POST, ADDRESS,                  &[],   site.token().into_bytes(),    400),
        (Method::GET,  ADDRESS,                  &[],   Vec::new(),                   405),
        (Method::POST, soc,                      &[],   b"{}".to_vec(),               401),
        (Method::POST, soc,                      &[],   larger,                       413),
        (Method::POST, "/.session/signals/else", &[],   b"{}".to_vec(),               404),
        (Method::GET,  soc,                      &[],   Vec::new(),                   405),
    ];
    for (method, path, fields, body, status) in rows {
        let length = body.len();
        assert_eq!(site.ask(method.clone(), path, fields, body).await.0.as_u16(), status, "{method} {path} {length}");
    }
}

#[tokio::test]
async fn receivers_find_our_keys_by_way_of_the_configuration() {
    let site = Site::new();
    let (status, found) = site.ask(Method::GET, "/.well-known/ssf-configuration/tenant", &[], "").await;
    assert_eq!((status, &found["issuer"]), (StatusCode::OK, &json!("https://us.example/tenant")));
    let path = found["jwks_uri"].as_str().unwrap().strip_prefix("https://us.example").unwrap();
    let (status, keys) = site.ask(Method::GET, path, &[], "").await;
    assert_eq!((status, &keys["keys"][0]["kid"]), (StatusCode::OK, &json!("own")));
    assert_eq!(site.ask(Method::GET, "/.well-known/ssf-configuration", &[], "").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn where_there_are_no_sessions_at_the_moment_a_token_is_to_be_sent_again() {
    let site = Site::new();
    let router = router(site.running.signals().unwrap().clone(), || None);
    assert_eq!(ask(&router, Method::POST, ADDRESS, TOKEN, site.token()).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.ask(Method::POST, ADDRESS, TOKEN, site.token()).await.0, StatusCode::ACCEPTED);
}
