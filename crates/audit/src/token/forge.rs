//! Tokens made of other tokens: the same make, saying something else.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;
use url::form_urlencoded;

use super::{Kind, renamed, structure};
use crate::predict::{percent_decoded, unbase64, unhex};

/// A token that nothing signs, with one text in it turned into another; none where that text is not in it.
pub fn with_name(value: &str, from: &str, to: &str) -> Option<String> {
    let known = structure(value);
    match known.kind {
        Kind::Json | Kind::Query => with_claims(value, &renamed(known.claims.as_ref()?, from, to)?),
        Kind::PhpSerialized => {
            let counted = |text: &str| format!("s:{}:\"{text}\"", text.len());
            edited(value, |bytes| swapped(bytes, counted(from).as_bytes(), counted(to).as_bytes()))
        }
        Kind::Pickle => {
            let short = |text: &str| Some([&[0x8c, u8::try_from(text.len()).ok()?], text.as_bytes()].concat());
            let long =
                |text: &str| Some([b"X", &u32::try_from(text.len()).ok()?.to_le_bytes()[..], text.as_bytes()].concat());
            let edit = |bytes: &[u8]| {
                swapped(bytes, &short(from)?, &short(to)?).or_else(|| swapped(bytes, &long(from)?, &long(to)?))
            };
            edited(value, edit)
        }
        _ => None,
    }
}

/// A token that nothing signs, saying `claims`, in the encoding of `value`.
pub fn with_claims(value: &str, claims: &Value) -> Option<String> {
    let kind = structure(value).kind;
    edited(value, |_| match (kind, claims) {
        (Kind::Json, claims) => Some(claims.to_string().into_bytes()),
        (Kind::Number, Value::Number(number)) => Some(number.to_string().into_bytes()),
        (Kind::Query, Value::Object(fields)) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for (name, field) in fields {
                query.append_pair(name, field.as_str()?);
            }
            Some(query.finish().into_bytes())
        }
        _ => None,
    })
}

/// One character in the middle of a signature turned into another that means something else.
pub fn broken(signature: &str) -> String {
    let middle = signature.len() / 2;
    let turn = |(at, one): (usize, char)| match one {
        _ if at != middle => one,
        'a' => 'b',
        '0'..='8' | 'b'..='e' | 'A'..='Y' | 'g'..='y' => char::from_u32(u32::from(one) + 1).unwrap_or(one),
        _ => '0',
    };
    signature.chars().enumerate().map(turn).collect()
}

/// The secrets that a published key is where somebody takes it for one: the document, and each key in it as PEM and DER.
pub fn secrets_of(document: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let value: Option<Value> = serde_json::from_str(document).ok();
    let listed = value.as_ref().and_then(|value| value.get("keys")).and_then(Value::as_array).cloned();
    let keys = listed.or_else(|| value.map(|value| vec![value])).unwrap_or_default();
    for key in &keys {
        let ders: Vec<_> = spki(key).into_iter().chain(pkcs1(key).map(|der| (der, "RSA PUBLIC KEY"))).collect();
        for (der, label) in ders {
            let pem = pem(&der, label);
            all.extend([format!("{pem}\n").into_bytes(), pem.into_bytes(), der]);
        }
        all.push(key.to_string().into_bytes());
    }
    if document.contains("-----BEGIN ") {
        let text = document.trim_end();
        all.extend([format!("{text}\n").into_bytes(), text.as_bytes().to_vec(), document.as_bytes().to_vec()]);
        let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
        all.extend(unbase64(body.as_bytes()));
    }
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|secret| seen.insert(secret.clone()));
    all
}

/// What is below the encodings of a token, edited, and encoded again in the same way.
fn edited(value: &str, edit: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> Option<String> {
    let text = percent_decoded(value);
    let bare = text.trim_matches('"');
    let quoted = bare.len() != text.len();
    let bytes = bare.as_bytes();
    let readable = bytes.iter().any(|byte| b"{&=;:".contains(byte)) && unbase64(bytes).is_none();
    let new = if readable || bytes.iter().all(u8::is_ascii_digit) {
        String::from_utf8(edit(bytes)?).ok()?
    } else if let Some(hidden) = unhex(bytes) {
        edit(&hidden)?
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect()
    } else {
        encoding(bare).encode(edit(&unbase64(bytes)?)?)
    };
    let new = if quoted { format!("\"{new}\"") } else { new };
    let escaped = value.contains('%') || !new.bytes().all(sendable);
    Some(if escaped { escape(&new) } else { new })
}

/// The alphabet and padding that `text` has.
fn encoding(text: &str) -> &'static base64::engine::GeneralPurpose {
    let padded = text.ends_with('=') || (text.len().is_multiple_of(4) && !text.contains(['-', '_']));
    match (text.contains(['-', '_']) || (!padded && !text.contains(['+', '/'])), padded) {
        (true, true) => &URL_SAFE,
        (true, false) => &URL_SAFE_NO_PAD,
        (false, true) => &STANDARD,
        (false, false) => &STANDARD_NO_PAD,
    }
}

const fn sendable(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

/// As `encodeURIComponent` does.
fn escape(text: &str) -> String {
    let one = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

fn swapped(bytes: &[u8], from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    let at = bytes.windows(from.len()).position(|part| part == from)?;
    Some([bytes.get(..at)?, to, bytes.get(at + from.len()..)?].concat())
}

/// A public key as its certificate would have it.
fn spki(key: &Value) -> Option<(Vec<u8>, &'static str)> {
    let part = |name: &str| unbase64(key.get(name)?.as_str()?.as_bytes());
    let der = match (key.get("kty")?.as_str()?, key.get("crv").and_then(Value::as_str)) {
        ("RSA", _) => {
            let bits = [vec![0], pkcs1(key)?].concat();
            tagged(0x30, &[unhex(RSA)?, tagged(3, &bits)].concat())
        }
        ("EC", Some("P-256")) => [unhex(P256)?, part("x")?, part("y")?].concat(),
        ("OKP", Some("Ed25519")) => [unhex(ED25519)?, part("x")?].concat(),
        _ => return None,
    };
    Some((der, "PUBLIC KEY"))
}

fn pkcs1(key: &Value) -> Option<Vec<u8>> {
    let integer = |name: &str| {
        let bytes = unbase64(key.get(name)?.as_str()?.as_bytes()).or_else(|| short(key.get(name)?.as_str()?))?;
        let sign = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
        Some(tagged(2, &if sign { [vec![0], bytes].concat() } else { bytes }))
    };
    Some(tagged(0x30, &[integer("n")?, integer("e")?].concat()))
}

/// Exponents are shorter than what counts as base 64 elsewhere.
fn short(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let head = match (content.len(), u8::try_from(length.len())) {
        (0..=127, _) => length,
        (_, count) => [vec![0x80 | count.unwrap_or_default()], length].concat(),
    };
    [vec![tag], head, content.to_vec()].concat()
}

fn pem(der: &[u8], label: &str) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", lines.join("\n"))
}

/// What comes before the key: which kind it is.
const RSA: &[u8] = b"300d06092a864886f70d0101010500";
const P256: &[u8] = b"3059301306072a8648ce3d020106082a8648ce3d03010703420004";
const ED25519: &[u8] = b"302a300506032b6570032100";
