//! CSRF tokens: bound to one session, masked anew for each response, so that compression tells nothing about them.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::{Choice, ConstantTimeEq as _};

use crate::entropy::{Entropy, NoEntropy, random};
use crate::id::SessionId;
use crate::keys::{KeyRing, PurposeKeys};
use crate::moment::Moment;

/// What a CSRF token is bound to: it survives rotation and dies at sign-in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Binding<'a> {
    pub(crate) session: SessionId,
    pub(crate) signed_in_at: Moment,
    pub(crate) host: &'a str,
}

/// A token: `base64url(pad ‖ pad ⊕ HMAC)`.
pub(crate) fn issue(keys: &KeyRing, binding: &Binding<'_>, entropy: &dyn Entropy) -> Result<String, NoEntropy> {
    let pad: [u8; HALF] = random(entropy)?;
    let mac = mac(keys.signing(), binding);
    let masked = pad.iter().zip(mac.as_ref()).map(|(pad, mac)| pad ^ mac);
    let bytes: Vec<u8> = pad.iter().copied().chain(masked).collect();
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether `token` was issued for `binding`, with any key of the ring. Compared in constant time.
pub(crate) fn verify(keys: &KeyRing, binding: &Binding<'_>, token: &str) -> bool {
    let mut bytes = [0; 2 * HALF];
    if URL_SAFE_NO_PAD.decode_slice(token, &mut bytes) != Ok(2 * HALF) {
        return false;
    }
    let (pad, masked) = bytes.split_at(HALF);
    let claimed: Vec<u8> = pad.iter().zip(masked).map(|(pad, masked)| pad ^ masked).collect();
    let matches = |key: &PurposeKeys| mac(key, binding).as_ref().ct_eq(&claimed);
    keys.all().fold(Choice::from(0), |found, key| found | matches(key)).into()
}

fn mac(key: &PurposeKeys, binding: &Binding<'_>) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&key.csrf);
    context.update(LABEL);
    context.update(binding.session.as_bytes());
    context.update(&binding.signed_in_at.unix_millis().to_be_bytes());
    context.update(binding.host.as_bytes());
    context.sign()
}

const LABEL: &[u8] = b"counterfoil/v1/csrf";
const HALF: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;
    use crate::keys::GeneratedKeys;
    use proptest::prelude::*;

    fn binding(id: u8, at: u64, host: &str) -> Binding<'_> {
        Binding { session: SessionId::from_bytes([id; 18]), signed_in_at: Moment::from_unix_seconds(at), host }
    }

    #[test]
    fn a_token_is_good_for_its_session_sign_in_and_host_only() {
        let keys = KeyRing::from_source(&GeneratedKeys).unwrap();
        let token = issue(&keys, &binding(1, 5, "a.example"), &SystemEntropy).unwrap();
        assert!(verify(&keys, &binding(1, 5, "a.example"), &token));
        for other in [binding(2, 5, "a.example"), binding(1, 6, "a.example"), binding(1, 5, "b.example")] {
            assert!(!verify(&keys, &other, &token));
        }
        let strangers = KeyRing::from_source(&GeneratedKeys).unwrap();
        assert!(!verify(&strangers, &binding(1, 5, "a.example"), &token));
    }

    #[test]
    fn no_two_responses_carry_the_same_token() {
        let keys = KeyRing::from_source(&GeneratedKeys).unwrap();
        let issue = || issue(&keys, &binding(1, 5, "a.example"), &SystemEntropy).unwrap();
        let (one, two) = (issue(), issue());
        assert!(one != two && one.len() == 86);
    }

    proptest! {
        #[test]
        fn no_text_is_taken_for_a_token(text: String, close in "[A-Za-z0-9_-]{86}") {
            let keys = KeyRing::from_source(&GeneratedKeys).unwrap();
            prop_assert!(!verify(&keys, &binding(1, 5, "a.example"), &text));
            prop_assert!(!verify(&keys, &binding(1, 5, "a.example"), &close));
        }
    }
}
