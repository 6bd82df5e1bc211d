//! The public keys a site publishes.

use crate::site::Site;
use crate::token::forge::secrets_of;
use crate::token::jwt::Jwt;
use crate::visitor::{From, Trouble};

/// Keys, as what somebody might take for a secret.
pub(super) struct Published {
    /// Where they are.
    pub(super) at: String,
    pub(super) secrets: Vec<Vec<u8>>,
}

/// What is published where keys usually are, or where the token says.
pub(super) async fn published(site: &Site, jwt: &Jwt) -> Result<Published, Trouble> {
    let mut visitor = site.visitor();
    let mut paths: Vec<String> = Vec::new();
    let said = jwt.header.get("jku").or_else(|| jwt.header.get("x5u")).and_then(serde_json::Value::as_str);
    paths.extend(said.map(str::to_owned));
    for discovery in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let page = visitor.get(discovery, From::Address).await?;
        let metadata: Option<serde_json::Value> = serde_json::from_slice(&page.answer.body).ok();
        let uri = metadata.as_ref().and_then(|metadata| metadata.get("jwks_uri")?.as_str());
        paths.extend(uri.map(str::to_owned));
    }
    paths.extend(USUAL.map(str::to_owned));
    for path in paths {
        // `jwks_uri` may be elsewhere; nobody else is asked.
        if !site.wire().reaches(&site.url(&path)) {
            continue;
        }
        let page = visitor.get(&path, From::Address).await?;
        let secrets = if page.answer.status == 200 { secrets_of(&page.answer.text()) } else { Vec::new() };
        if secrets.iter().any(|secret| secret.windows(6).any(|part| part == b"PUBLIC") || secret.starts_with(&[0x30])) {
            return Ok(Published { at: page.sent.url.path().to_owned(), secrets });
        }
    }
    Ok(Published { at: String::new(), secrets: Vec::new() })
}

const USUAL: [&str; 10] = [
    "/.well-known/jwks.json",
    "/jwks.json",
    "/jwks",
    "/oauth/jwks",
    "/api/jwks.json",
    "/public.pem",
    "/.well-known/public.pem",
    "/public-key.pem",
    "/publickey.pem",
    "/api/public-key",
];
