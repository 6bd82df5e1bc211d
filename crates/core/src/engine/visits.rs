//! Whose an anonymous session is: of whoever brings its token, and of nobody who only knows its id, keys or not.

use std::sync::Arc;

use futures_executor::block_on;

use super::Engine;
use crate::data::Key;
use crate::entropy::SystemEntropy;
use crate::keys::{GeneratedKeys, KeyRing};
use crate::memory::MemoryStore;
use crate::moment::{FakeClock, Moment};
use crate::policy::Policy;
use crate::testing::{Jar, Request};
use crate::token::{Token, TokenKind};

#[test]
fn a_genuine_token_for_a_visitors_id_with_another_secret_opens_nothing() {
    let clock = FakeClock::at(Moment::from_unix_seconds(1_795_000_000));
    let keys = KeyRing::from_source(&GeneratedKeys).unwrap();
    let policy = Policy::aal2("https://app.example").unwrap();
    let engine = Engine::new(policy, keys, Arc::new(MemoryStore::new()), clock, ());
    let mut jar = Jar::default();
    block_on(Request::new(&engine, &mut jar).send(async |exchange| exchange.set(NOTE, &7))).unwrap();
    let note = |jar: &mut Jar| block_on(Request::new(&engine, jar).send(async |exchange| exchange.get(NOTE).await));
    assert_eq!(note(&mut jar).unwrap(), Some(7));

    let ring = engine.keys();
    let theirs = Token::parse(TokenKind::Visit, jar.value(COOKIE).unwrap(), &ring).unwrap();
    let made = Token::fresh(TokenKind::Visit, theirs.id(), &SystemEntropy).unwrap();
    let mut other = Jar::default();
    other.put(COOKIE, &made.reveal(&ring));
    assert_eq!(note(&mut other).unwrap(), None);
    assert_eq!(note(&mut jar).unwrap(), Some(7), "and nothing happened to whoever has it");
}

const COOKIE: &str = "__Host-Http-an";
const NOTE: Key<u8> = Key::new("note");
