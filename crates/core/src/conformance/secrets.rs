//! Every secret a case has seen leave the engine, so that it can look for them where none may be.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;

/// The texts of all tokens so far.
#[derive(Clone, Default)]
pub(super) struct Secrets(Arc<Mutex<Vec<String>>>);

impl Secrets {
    /// Notes a token as it stands in a cookie.
    pub(super) fn note(&self, token: &str) {
        self.0.lock().push(token.to_owned());
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether `bytes` hold a token, its body or its secret, as text, in hex or raw.
    pub(super) fn leak_in(&self, bytes: &[u8]) -> bool {
        let forms: Vec<Vec<u8>> = self.0.lock().iter().flat_map(|token| forms_of(token)).collect();
        forms.iter().any(|form| contains(bytes, form))
    }
}

/// How a token, or the part of it that is secret, could be written.
fn forms_of(token: &str) -> Vec<Vec<u8>> {
    let body = token.splitn(3, '_').nth(2).unwrap_or_default();
    let raw = URL_SAFE_NO_PAD.decode(body).unwrap_or_default();
    let secret = raw.get(SECRET).unwrap_or_default();
    let mut forms = vec![body.as_bytes().to_vec()];
    forms.extend(forms_of_bytes(secret));
    forms
}

/// How secret bytes could be written: raw, in hex, in base64, as a list of numbers.
pub(super) fn forms_of_bytes(secret: &[u8]) -> Vec<Vec<u8>> {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    let hex: String = secret.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    let list = format!("{secret:?}");
    let inner = list.trim_matches(['[', ']']).to_owned();
    vec![
        secret.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        URL_SAFE_NO_PAD.encode(secret).into_bytes(),
        inner.into_bytes(),
    ]
}

pub(super) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && bytes.windows(part.len()).any(|window| window == part)
}

/// Where the secret lies in a token's body.
const SECRET: std::ops::Range<usize> = 22..54;
