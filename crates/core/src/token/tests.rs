//! A token is believed only if we issued it, for that cookie, unaltered.

use proptest::prelude::*;

use super::*;
use crate::entropy::SystemEntropy;
use crate::id::Bucket;
use crate::keys::{GeneratedKeys, KeyMaterial};

fn ring() -> KeyRing {
    KeyRing::from_source(&GeneratedKeys).unwrap()
}

fn token(kind: TokenKind) -> Token {
    let id = SessionId::fresh(Bucket::random(&SystemEntropy).unwrap(), &SystemEntropy).unwrap();
    Token::fresh(kind, id, &SystemEntropy).unwrap()
}

#[test]
fn a_token_reads_back_as_it_was_printed() {
    let (keys, token) = (ring(), token(TokenKind::Session));
    let text = token.reveal(&keys);
    let read = Token::parse(TokenKind::Session, &text, &keys).unwrap();
    assert_eq!((read.id(), read.generation(), read.hash()), (token.id(), token.generation(), token.hash()));
    assert!(
        text.len() <= 112 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)),
        "{}",
        text.len()
    );
}

/// Worked out by another program: what is in browsers' jars must stay good.
#[test]
fn a_token_is_written_and_read_as_in_version_1() {
    let text = "cfoil1_a_AAECAwQFBgcICQoLDA0ODxARAAAAAAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\
                HGzae76CIDoEQ-k-4SHWUpQ";
    let keys =
        KeyRing::from_source(&Fixed("a:b25lIHJvb3Qga2V5IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE".into(), REFERENCE)).unwrap();
    let id = SessionId::from_bytes(std::array::from_fn(|index| u8::try_from(index).unwrap()));
    let token = Token::fresh(TokenKind::Session, id, &Sevens).unwrap();
    assert_eq!(token.reveal(&keys).as_str(), text);
    assert_eq!(Token::parse(TokenKind::Session, text, &keys).unwrap().hash(), TokenHash::of(&[7; 32]));
}

struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(7);
        Ok(())
    }
}

const REFERENCE: &str = "cmVmZXJlbmNlIGtleSBvZiAzMiBieXRlcyBmb3IgdGVzdHM";

#[test]
fn a_token_counts_only_in_the_cookie_of_its_kind() {
    let keys = ring();
    for made in TokenKind::ALL {
        let text = token(made).reveal(&keys);
        for presented in TokenKind::ALL {
            assert_eq!(Token::parse(presented, &text, &keys).is_ok(), made == presented, "{made:?} as {presented:?}");
        }
    }
}

#[test]
fn a_token_of_another_ring_is_forged() {
    let text = token(TokenKind::Session).reveal(&ring());
    assert!(Token::parse(TokenKind::Session, &text, &ring()).is_err());
}

#[test]
fn the_tag_of_another_session_does_not_fit() {
    let keys = ring();
    let (one, two) = (token(TokenKind::Session).reveal(&keys), token(TokenKind::Session).reveal(&keys));
    let spliced = format!("{}{}", one.split_at(one.len() - 20).0, two.split_at(two.len() - 20).1);
    assert!(Token::parse(TokenKind::Session, &spliced, &keys).is_err());
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let keys = ring();
    let text = token(TokenKind::Session).reveal(&keys);
    for index in 0..text.len() {
        assert!(Token::parse(TokenKind::Session, &text[..index], &keys).is_err(), "cut at {index}");
        for bit in 0..7 {
            let mut bytes = text.as_bytes().to_vec();
            bytes[index] ^= 1 << bit;
            let Ok(flipped) = String::from_utf8(bytes) else {
                continue;
            };
            assert!(Token::parse(TokenKind::Session, &flipped, &keys).is_err(), "bit {bit} of byte {index}");
        }
    }
    for extension in ["A", "=", "AAAA", " ", "_"] {
        assert!(Token::parse(TokenKind::Session, &format!("{}{extension}", *text), &keys).is_err());
    }
}

#[test]
fn a_successor_is_always_the_same_one() {
    let (keys, token, nonce) = (ring(), token(TokenKind::Session), Nonce::from_bytes([7; 16]));
    let kid = keys.signing_id();
    let (one, two) = (token.successor(&nonce, kid, &keys).unwrap(), token.successor(&nonce, kid, &keys).unwrap());
    assert_eq!((one.hash(), one.generation()), (two.hash(), 1));
    let other = token.successor(&Nonce::from_bytes([8; 16]), kid, &keys).unwrap();
    assert_ne!(one.hash(), other.hash());
    assert_ne!(one.hash(), token.hash());
}

#[test]
fn a_successor_survives_a_rotated_key_but_not_a_removed_one() {
    const A: &str = "a:b25lIHJvb3Qga2V5IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE";
    const B: &str = "b:dHdvIHJvb3Qga2V5cyBvZiAzMiBieXRlcyBmb3IgdGVzdHM";
    let ring = |keys: String| KeyRing::from_source(&Fixed(keys, REFERENCE)).unwrap();
    let (before, after, without) = (ring(format!("{A},{B}")), ring(format!("{B},{A}")), ring(B.into()));
    let (token, nonce, offered) = (token(TokenKind::Session), Nonce::from_bytes([7; 16]), before.signing_id());
    let made = token.successor(&nonce, offered, &before).unwrap().hash();
    assert_eq!(token.successor(&nonce, offered, &after).map(|next| next.hash()), Some(made));
    assert!(token.successor(&nonce, offered, &without).is_none());
}

struct Fixed(String, &'static str);

impl crate::keys::KeySource for Fixed {
    fn keys(&self) -> Result<KeyMaterial, crate::keys::KeyError> {
        KeyMaterial::parse(&self.0, self.1)
    }
}

#[test]
fn a_token_is_known_by_its_beginning_wherever_it_stands() {
    let keys = ring();
    let text = token(TokenKind::Session).reveal(&keys);
    for (text, looks_so) in [
        (text.as_str(), true),
        (&format!("/back?next={}&x=1", text.as_str()), true),
        ("cfoil1_", true),
        ("cfoil2_k1_abc", false),
        ("CFOIL1_k1_abc", false),
        ("", false),
    ] {
        assert_eq!(looks_like_token(text), looks_so, "{text}");
    }
}

#[test]
fn nothing_of_a_token_shows_in_debug() {
    let token = token(TokenKind::Session);
    let shown = format!("{token:?} {:?} {:?}", token.hash(), Nonce::from_bytes([7; 16]));
    assert_eq!(shown, "Token(redacted) TokenHash(redacted) Nonce(redacted)");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text: String, kid in "[a-z0-9]{0,9}", body in "[A-Za-z0-9_-]{0,120}") {
        let keys = ring();
        prop_assert!(Token::parse(TokenKind::Session, &text, &keys).is_err());
        let close = format!("cfoil1_{kid}_{body}");
        prop_assert!(Token::parse(TokenKind::Visit, &close, &keys).is_err());
    }
}
