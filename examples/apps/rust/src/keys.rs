//! The gateway's published keys, kept for five minutes.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{JwkSet, KeyAlgorithm};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::counterfoil::Refused;

/// Keys of a JWK set.
pub(crate) struct Keys {
    url: Uri,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    keys: HashMap<String, DecodingKey>,
    tried: Option<Instant>,
    fetched: Option<Instant>,
}

impl Keys {
    /// Those published there: at the gateway's own listener, or by https through the proxy, for which the client below
    /// wants a connector that speaks TLS.
    pub(crate) fn at(url: Uri) -> Self {
        Self { url, kept: Mutex::default() }
    }

    /// The key of that name. For an unknown one the set is fetched again, at most every three seconds.
    pub(crate) async fn find(&self, kid: &str) -> Result<DecodingKey, Refused> {
        // One fetches, the others wait.
        let mut kept = self.kept.lock().await;
        if (kept.old() || !kept.keys.contains_key(kid)) && kept.tried.is_none_or(|tried| tried.elapsed() >= COOLING) {
            kept.tried = Some(Instant::now());
            if let Ok(Some(keys)) = timeout(COOLING, fetch(self.url.clone())).await {
                kept.keys = keys;
                kept.fetched = kept.tried;
            }
        }
        match kept.keys.get(kid) {
            _ if kept.old() => Err(Refused::Unavailable),
            Some(key) => Ok(key.clone()),
            None if kept.tried == kept.fetched => Err(Refused::Bypassed("no such key")),
            // It may be a new one.
            None => Err(Refused::Unavailable),
        }
    }
}

impl Kept {
    fn old(&self) -> bool {
        self.fetched.is_none_or(|fetched| fetched.elapsed() > LIFE)
    }
}

async fn fetch(url: Uri) -> Option<HashMap<String, DecodingKey>> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let answer = client.get(url).await.ok().filter(|answer| answer.status() == StatusCode::OK)?;
    let text = Limited::new(answer.into_body(), 65_536).collect().await.ok()?.to_bytes();
    let set: JwkSet = serde_json::from_slice(&text).ok()?;
    let ours = set.keys.iter().filter(|key| key.common.key_algorithm == Some(KeyAlgorithm::ES256));
    Some(ours.filter_map(|key| Some((key.common.key_id.clone()?, DecodingKey::from_jwk(key).ok()?))).collect())
}

/// As long as the gateway tells caches to keep the set: so a key that it withdraws is soon good for nothing.
const LIFE: Duration = Duration::from_mins(5);
const COOLING: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_key_is_good_for_five_minutes_without_the_gateway() {
        // Nothing listens there.
        let keys = Keys::at(Uri::from_static("http://127.0.0.1:9/"));
        *keys.kept.lock().await = Kept {
            keys: HashMap::from([("k1".to_owned(), DecodingKey::from_secret(b"of no matter"))]),
            tried: Some(Instant::now()),
            fetched: Some(Instant::now()),
        };
        tokio::time::advance(LIFE).await;
        assert!(keys.find("k1").await.is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(keys.find("k1").await.err(), Some(Refused::Unavailable));
    }
}
