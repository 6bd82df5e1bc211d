//! A token taken apart: what may stand in its header and its claims. Pure: no clock, key or network.

use std::str;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use counterfoil_core::Moment;
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{Code, Refused};
use crate::set::sign::TYPE;

/// A token, taken apart and not yet verified.
pub(super) struct Envelope<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// The header and the claims, as they are signed.
    pub(super) signed: &'a [u8],
    pub(super) signature: &'a str,
    payload: Vec<u8>,
}

/// RFC 7515, section 4.1. What would have us take a key from the token, or read it in another way, must not be there; what
/// else is there does not matter.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<Value>,
    jwk: Option<Value>,
    jku: Option<Value>,
    x5u: Option<Value>,
    x5c: Option<Value>,
    b64: Option<Value>,
    zip: Option<Value>,
    enc: Option<Value>,
}

/// RFC 8417, section 2.2, as SSF 1.0, section 4, narrows it down.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    aud: OneOrMany,
    iat: f64,
    pub(super) jti: String,
    /// In whatever form: only ours means something here.
    #[serde(default, deserialize_with = "text_or_nothing")]
    pub(super) txn: Option<String>,
    #[serde(rename = "sub_id")]
    pub(super) subject: Option<Value>,
    events: Map<String, Value>,
    sub: Option<Value>,
    exp: Option<Value>,
}

#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl<'a> Envelope<'a> {
    /// Takes a token in its compact form apart (RFC 7515, section 7.1).
    pub(super) fn open(token: &'a [u8]) -> Result<Self, Refused> {
        let malformed = Code::InvalidRequest.because("the body is not a JWS in its compact form");
        let text = str::from_utf8(token).map_err(|_| malformed)?.trim_ascii();
        let (signed, signature) = text.rsplit_once('.').ok_or(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(malformed)?;
        let decoded = |part| BASE64.decode(part).map_err(|_| malformed);
        let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| malformed)?;
        header.check()?;
        let algorithm = header.algorithm()?;
        let payload = decoded(payload)?;
        Ok(Self { algorithm, key_id: header.kid, signed: signed.as_bytes(), signature, payload })
    }

    /// Who says to have made it.
    pub(super) fn issuer(&self) -> Result<String, Refused> {
        let Issuer { iss } = self.parse()?;
        Ok(iss)
    }

    /// What it says. To be believed once the signature is verified.
    pub(super) fn claims(&self) -> Result<Claims, Refused> {
        self.parse()
    }

    fn parse<T: for<'de> Deserialize<'de>>(&self) -> Result<T, Refused> {
        let malformed = Code::InvalidRequest.because("the claims are not those of a security event token");
        serde_json::from_slice(&self.payload).map_err(|_| malformed)
    }
}

impl Header {
    fn check(&self) -> Result<(), Refused> {
        let Self { typ, crit, jwk, jku, x5u, x5c, b64, zip, enc, .. } = self;
        if [crit, b64, zip, enc].iter().any(|member| member.is_some()) {
            return Err(Code::InvalidRequest.because("the header wants something that is not understood"));
        }
        if [jwk, jku, x5u, x5c].iter().any(|member| member.is_some()) {
            return Err(Code::InvalidKey.because("the header brings a key: keys are taken from the key set only"));
        }
        // RFC 7515, section 4.1.9: `application/` may be left out.
        let typ = typ.as_deref().unwrap_or_default().to_ascii_lowercase();
        if typ.strip_prefix("application/").unwrap_or(&typ) != TYPE {
            return Err(Code::InvalidRequest.because("the header's typ is not secevent+jwt"));
        }
        Ok(())
    }

    fn algorithm(&self) -> Result<Algorithm, Refused> {
        match self.alg.as_str() {
            "ES256" => Ok(Algorithm::ES256),
            "EdDSA" => Ok(Algorithm::EdDSA),
            "RS256" => Ok(Algorithm::RS256),
            "PS256" => Ok(Algorithm::PS256),
            _ => Err(Code::InvalidKey.because("the algorithm is not ES256, EdDSA, RS256 or PS256")),
        }
    }
}

impl Claims {
    /// Whether the token is for us, and for now.
    pub(super) fn check(&self, audience: &str, oldest: Duration, now: Moment) -> Result<(), Refused> {
        let for_us = match &self.aud {
            OneOrMany::One(one) => one == audience,
            OneOrMany::Many(many) => many.iter().any(|one| one == audience),
        };
        if !for_us {
            return Err(Code::InvalidAudience.because("the token is for somebody else"));
        }
        if self.sub.is_some() || self.exp.is_some() {
            return Err(Code::InvalidRequest.because("a token with sub or exp is of another kind"));
        }
        if !(1..=MOST_JTI).contains(&self.jti.len()) {
            return Err(Code::InvalidRequest.because("jti is not 1 to 256 bytes long"));
        }
        let issued = Moment::from_unix_seconds(seconds(self.iat).unwrap_or(u64::MAX));
        if issued.since(now) > SKEW || now.since(issued) > oldest {
            return Err(Code::InvalidRequest.because("iat lies in the future, or too far back"));
        }
        Ok(())
    }

    /// The type and the object of its one event (SSF 1.0, section 4.2.1).
    pub(super) fn event(&self) -> Result<(&str, &Map<String, Value>), Refused> {
        let mut events = self.events.iter();
        match (events.next(), events.next()) {
            (Some((uri, Value::Object(body))), None) => Ok((uri, body)),
            _ => Err(Code::InvalidRequest.because("a token has one event, and that is an object")),
        }
    }
}

/// A `NumericDate` may have a fraction (RFC 7519, section 2).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked before, and the fraction is of no use"
)]
fn seconds(date: f64) -> Option<u64> {
    (0.0..=253_402_300_799.0).contains(&date).then_some(date as u64)
}

/// A text; `None` for anything else.
fn text_or_nothing<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// How far clocks may differ.
pub(super) const SKEW: Duration = Duration::from_mins(1);
const MOST_JTI: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{About, What};
    use super::*;

    /// All that is read of a token before and after its signature, whoever made it.
    fn read(token: &str) {
        let Ok(envelope) = Envelope::open(token.as_bytes()) else { return };
        let (_, Ok(claims)) = (envelope.issuer(), envelope.claims()) else { return };
        let _ = claims.check("https://us.example", Duration::from_hours(24), Moment::from_unix_seconds(1_700_000_000));
        let _ = About::of(claims.subject.as_ref(), true);
        let _ = claims.event().and_then(|(uri, body)| What::of(uri, body));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            prop_oneof![Just("complex"), Just("opaque"), Just("email"), Just("iss_sub"), Just("HIGH"), Just("create")]
                .prop_map(Value::from),
        ];
        let name = prop_oneof![
            ".{0,8}".boxed(),
            prop_oneof![Just("format"), Just("id"), Just("user"), Just("session"), Just("email"), Just("state")]
                .prop_map(str::to_owned)
                .boxed(),
            prop_oneof![Just("credential_type"), Just("change_type"), Just("current_level"), Just("except_session")]
                .prop_map(str::to_owned)
                .boxed(),
        ];
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name.clone(), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(token in ".*", parts in "[A-Za-z0-9_.-]{0,200}") {
            read(&token);
            read(&parts);
        }

        #[test]
        fn no_claims_make_the_reader_panic(iat in json(), about in json(), body in json(), family in "caep|risc|ssf", name in 0_usize..8) {
            let names = ["session-revoked", "credential-change", "assurance-level-change", "risk-level-change", "verification",
                "account-disabled", "sessions-revoked", ""];
            let uri = format!("https://schemas.openid.net/secevent/{family}/event-type/{}", names[name]);
            let iat = if iat.is_number() { iat } else { json!(1) };
            let claims = json!({ "iss": "i", "aud": "a", "iat": iat, "jti": "j", "sub_id": about, "events": { uri: body } });
            let header = json!({ "alg": "ES256", "typ": "secevent+jwt" });
            read(&format!("{}.{}.", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string())));
        }

        #[test]
        fn no_json_as_a_header_makes_the_reader_panic(header in json()) {
            read(&format!("{}.{}.", BASE64.encode(header.to_string()), BASE64.encode("{}")));
        }
    }
}
