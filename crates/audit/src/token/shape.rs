//! Which make a token is, from the most particular to the least.

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::jwt::Jwt;
use super::{Kind, Seal, Structure};
use crate::predict::{percent_decoded, unbase64, unhex};

/// What `value` is, as it is in a cookie or an `Authorization` header.
pub fn structure(value: &str) -> Structure {
    let text = percent_decoded(value);
    let text = text.trim_matches('"');
    let known = jwt(text).or_else(|| sealed(text)).or_else(|| id(text)).or_else(|| plain(text.as_bytes()));
    known.or_else(|| decoded(text)).unwrap_or_else(|| of(opaque(text), Seal::Reference, None))
}

fn of(kind: Kind, seal: Seal, claims: Option<Value>) -> Structure {
    Structure { kind, seal, claims }
}

fn jwt(text: &str) -> Option<Structure> {
    let text = text.strip_prefix("Bearer ").unwrap_or(text);
    if let Some(jwt) = Jwt::read(text) {
        let seal = if jwt.signature.is_empty() { Seal::None } else { Seal::Signed };
        return Some(of(Kind::Jwt, seal, Some(jwt.claims)));
    }
    let header: Value = serde_json::from_slice(&unbase64(text.split('.').next()?.as_bytes())?).ok()?;
    let encrypted = text.split('.').count() == 5 && header.get("enc").is_some();
    encrypted.then(|| of(Kind::Jwe, Seal::Encrypted, None))
}

/// Makes with a signature or encryption.
fn sealed(text: &str) -> Option<Structure> {
    if let Some((value, _)) = text.strip_prefix("s:").and_then(|signed| signed.rsplit_once('.')) {
        return Some(of(Kind::ExpressSigned, Seal::Signed, structure(value).claims));
    }
    if text.starts_with("CfDJ8") {
        return Some(of(Kind::AspNet, Seal::Encrypted, None));
    }
    if let Some(version) = ["v1.", "v2.", "v3.", "v4."].into_iter().find_map(|version| text.strip_prefix(version)) {
        let public = version.strip_prefix("public.");
        let said = public.and_then(|body| paseto(body.split('.').next()?));
        let seal = if public.is_some() { Seal::Signed } else { Seal::Encrypted };
        return Some(of(Kind::Paseto, seal, said)).filter(|_| public.is_some() || version.starts_with("local."));
    }
    if text.starts_with("gAAAA") && unbase64(text.as_bytes()).is_some_and(|bytes| bytes.len() >= 73) {
        return Some(of(Kind::Fernet, Seal::Encrypted, None));
    }
    rails(text)
        .or_else(|| timestamped(text, ':', Kind::Django))
        .or_else(|| timestamped(text, '.', Kind::Flask))
        .or_else(|| laravel(text))
}

fn paseto(body: &str) -> Option<Value> {
    let bytes = unbase64(body.as_bytes())?;
    serde_json::from_slice(bytes.get(..bytes.len().checked_sub(64)?)?).ok()
}

fn rails(text: &str) -> Option<Structure> {
    let parts: Vec<_> = text.split("--").collect();
    match parts.as_slice() {
        [data, mac] if mac.len() >= 40 && unhex(mac.as_bytes()).is_some() => {
            let claims = unbase64(data.as_bytes()).and_then(|data| read(&data)).map(enveloped);
            Some(of(Kind::RailsSigned, Seal::Signed, claims))
        }
        [data, vector, tag] if [data, vector, tag].iter().all(|part| unbase64(part.as_bytes()).is_some()) => {
            Some(of(Kind::RailsEncrypted, Seal::Encrypted, None))
        }
        _ => None,
    }
}

/// Rails wraps what it signs, with a purpose beside it.
fn enveloped(value: Value) -> Value {
    let message = value.pointer("/_rails/message").and_then(Value::as_str);
    message.and_then(|message| read(&unbase64(message.as_bytes())?)).unwrap_or(value)
}

/// `payload`, a time and a signature.
fn timestamped(text: &str, separator: char, kind: Kind) -> Option<Structure> {
    let (rest, signature) = text.rsplit_once(separator)?;
    let (payload, time) = rest.rsplit_once(separator)?;
    let short =
        (4..=8).contains(&time.len()) && time.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let claims = unpacked(payload).or_else(|| serde_json::from_str(payload).ok())?;
    let signed = signature.len() >= 27 && unbase64(signature.as_bytes()).is_some();
    (short && signed).then(|| of(kind, Seal::Signed, Some(claims)))
}

/// JSON in base 64, deflated where a dot says so.
pub(super) fn unpacked(payload: &str) -> Option<Value> {
    let bytes = match payload.strip_prefix('.') {
        Some(deflated) => {
            miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(&unbase64(deflated.as_bytes())?, MOST_INFLATED)
                .ok()?
        }
        None => unbase64(payload.as_bytes())?,
    };
    serde_json::from_slice(&bytes).ok()
}

fn laravel(text: &str) -> Option<Structure> {
    let value: Value = serde_json::from_slice(&unbase64(text.as_bytes())?).ok()?;
    let whole = ["iv", "value", "mac"].iter().all(|name| value.get(name).is_some());
    whole.then(|| of(Kind::Laravel, Seal::Encrypted, None))
}

fn id(text: &str) -> Option<Structure> {
    let reference = |kind| Some(of(kind, Seal::Reference, None));
    let dashes = text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
    if dashes && let Some(bytes) = unhex(text.replace('-', "").as_bytes()) {
        return reference(Kind::Uuid(bytes.get(6).map_or(0, |byte| byte >> 4)));
    }
    if text.len() == 24 && unhex(text.as_bytes()).is_some() {
        return reference(Kind::ObjectId);
    }
    let crockford = |byte: u8| byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !b"ILOU".contains(&byte));
    if text.len() == 26 && text.starts_with('0') && text.bytes().all(crockford) {
        return reference(Kind::Ulid);
    }
    let number = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| of(Kind::Number, Seal::None, text.parse::<u64>().ok().map(Value::from)))
}

/// What is readable as it is.
fn plain(bytes: &[u8]) -> Option<Structure> {
    if bytes.starts_with(&[0x80])
        && bytes.ends_with(b".")
        && bytes.get(1).is_some_and(|version| (2..=5).contains(version))
    {
        return Some(of(Kind::Pickle, Seal::None, Some(Value::Object(strings(bytes)))));
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let json: Option<Value> = serde_json::from_str(text).ok();
    if let Some(value) = json.filter(|value| value.is_object() || value.is_array()) {
        return Some(of(Kind::Json, Seal::None, Some(value)));
    }
    if ["a:", "O:", "s:"].iter().any(|start| text.starts_with(start)) && text.ends_with(['}', ';']) {
        return Some(of(Kind::PhpSerialized, Seal::None, Some(Value::Object(strings(bytes)))));
    }
    let fields = text.split('&').all(|field| {
        field.split_once('=').is_some_and(|(name, value)| word(name) && !value.trim_matches('=').is_empty())
    });
    let values =
        || form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
    fields.then(|| of(Kind::Query, Seal::None, Some(Value::Object(values().collect()))))
}

fn word(name: &str) -> bool {
    name.len() >= 2 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte))
}

/// Texts in a format that is not taken apart, by their order.
fn strings(bytes: &[u8]) -> Map<String, Value> {
    let words = bytes.split(|byte| !byte.is_ascii_alphanumeric() && !b"@._- ".contains(byte));
    let words = words.filter(|word| word.len() >= 3).map(|word| String::from_utf8_lossy(word).into_owned());
    words.enumerate().map(|(at, word)| (at.to_string(), Value::String(word))).collect()
}

/// What is readable below base 64 or hexadecimal digits.
fn decoded(text: &str) -> Option<Structure> {
    let bytes = unhex(text.as_bytes()).or_else(|| unbase64(text.as_bytes()))?;
    let plain = plain(&bytes)?;
    // Random bytes are no text.
    Some(plain).filter(|_| bytes.len() >= 6)
}

fn read(bytes: &[u8]) -> Option<Value> {
    plain(bytes)?.claims
}

fn opaque(text: &str) -> Kind {
    if unhex(text.as_bytes()).is_some() {
        Kind::Hex
    } else if unbase64(text.as_bytes()).is_some() {
        Kind::Base64
    } else {
        Kind::Opaque
    }
}

const MOST_INFLATED: usize = 1 << 20;
