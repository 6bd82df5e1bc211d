//! Who made this request, as the gateway says: verifies the header `Counterfoil-Assertion`.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, Validation, decode, decode_header, get_current_timestamp};
use serde::Deserialize;

use crate::keys::Keys;

/// Which assertions are meant for this app.
pub(crate) struct Verifier {
    validation: Validation,
    keys: Keys,
}

/// What the gateway says of one request. An extension of every request that [`only_through_the_gateway`] lets in.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Claims {
    /// The person; `None` where nobody is signed in.
    pub(crate) sub: Option<String>,
    iat: u64,
    req: String,
}

/// Why a request was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It did not come through the gateway, or not as it is.
    Bypassed(&'static str),
    /// The gateway's keys cannot be had.
    Unavailable,
}

impl Verifier {
    /// For the app of this name in the gateway's configuration, which browsers find at these origins.
    pub(crate) fn new(app: &str, origins: &[&str], keys: Keys) -> Self {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.leeway = 5;
        validation.set_audience(&[app]);
        validation.set_issuer(origins);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        Self { validation, keys }
    }

    async fn verify(&self, request: &Parts) -> Result<Claims, Refused> {
        let mut assertions = request.headers.get_all("counterfoil-assertion").iter();
        let (Some(token), None) = (assertions.next(), assertions.next()) else {
            return Err(Refused::Bypassed("not exactly one assertion"));
        };
        let header = decode_header(token).map_err(|_| Refused::Bypassed("not a token"))?;
        let kid = header.kid.filter(|_| header.typ.as_deref() == Some("counterfoil+jwt") && header.crit.is_none());
        let key = self.keys.find(&kid.ok_or(Refused::Bypassed("another kind of token"))?).await?;
        let claims =
            decode(token, &key, &self.validation).map_err(|_| Refused::Bypassed("forged, old or another's"))?;
        let claims: Claims = claims.claims;
        if claims.iat > get_current_timestamp() + 5 || Some(&claims.req) != binding(request).as_ref() {
            return Err(Refused::Bypassed("made for another time or request"));
        }
        Ok(claims)
    }
}

/// What `req` must be: method, host and target of this request, as they came.
fn binding(request: &Parts) -> Option<String> {
    let host = request.headers.get(HOST)?.to_str().ok()?.to_ascii_lowercase();
    let host = host.strip_suffix(":443").unwrap_or(&host);
    let text = format!("{}\n{host}\n{}", request.method, request.uri.path_and_query()?);
    Some(BASE64.encode(digest(&SHA256, text.as_bytes())))
}

/// The outermost layer: nothing answers before it is known who asks.
pub(crate) async fn only_through_the_gateway(
    State(verifier): State<Arc<Verifier>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match verifier.verify(&parts).await {
        Ok(claims) => {
            parts.extensions.insert(claims);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(refused) => refused.into_response(),
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        eprintln!("refused: {self:?}");
        match self {
            Self::Bypassed(_) => (StatusCode::FORBIDDEN, "bypassed\n").into_response(),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "the gateway's keys are unavailable\n").into_response()
            }
        }
    }
}
