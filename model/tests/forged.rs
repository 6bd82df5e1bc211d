//! A token with a bad tag never reaches the rules: the real parser refuses every guess.

use counterfoil_core::keys::{GeneratedKeys, KeyRing};
use counterfoil_core::token::{Token, TokenKind};
use proptest::prelude::*;

fn is_forged(text: &str, keys: &KeyRing) -> bool {
    TokenKind::ALL.iter().all(|kind| Token::parse(*kind, text, keys).is_err())
}

#[test]
fn any_text_is_forged() {
    let keys = KeyRing::from_source(&GeneratedKeys).unwrap();
    proptest!(|(text in ".{0,200}")| prop_assert!(is_forged(&text, &keys)));
}

#[test]
fn a_well_formed_token_with_a_guessed_tag_is_forged() {
    let keys = KeyRing::from_source(&GeneratedKeys).unwrap();
    proptest!(|(body in "[A-Za-z0-9_-]{94}")| {
        let text = format!("cfoil1_{}_{body}", keys.signing_id());
        prop_assert!(is_forged(&text, &keys));
        prop_assert!(is_forged(&text[..text.len() - 1], &keys));
    });
}
