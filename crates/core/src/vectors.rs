//! The published vectors of `docs/spec/token-v1.md`, which another implementation made, hold for this one.

use std::time::Duration;

use serde::Deserialize;

use crate::csrf::token as csrf;
use crate::entropy::{Entropy, NoEntropy};
use crate::id::{SessionId, Subject};
use crate::keys::{KeyError, KeyId, KeyMaterial, KeyRing, KeySource};
use crate::moment::Moment;
use crate::rules::family::{self, Context, Family, Renewal, Verdict};
use crate::token::{Nonce, Token, TokenHash, TokenKind};

#[test]
fn every_token_is_printed_and_read_as_published() {
    let vectors = Vectors::read();
    for row in &vectors.tokens {
        let keys = vectors.ring(&row.kid);
        let token = row.token();
        assert_eq!(token.reveal(&keys).as_str(), row.text, "{}", row.name);
        let read = Token::parse(kind(&row.kind), &row.text, &keys).unwrap();
        assert_eq!((read.id(), read.generation()), (token.id(), row.generation), "{}", row.name);
        assert_eq!((read.id().to_string(), hex(read.hash().as_bytes())), (row.session_id.clone(), row.hash.clone()));
    }
}

#[test]
fn every_successor_is_derived_as_published() {
    let vectors = Vectors::read();
    for row in &vectors.successors {
        let keys = vectors.ring(&row.text_signed_by);
        let of = vectors.tokens.iter().find(|token| token.name == row.of).unwrap();
        let nonce = Nonce::from_bytes(bytes(&row.nonce));
        let next = of.token().successor(&nonce, KeyId::new(&row.kid).unwrap(), &keys).unwrap();
        assert_eq!((hex(next.hash().as_bytes()), next.generation()), (row.hash.clone(), row.generation));
        assert_eq!(next.reveal(&keys).as_str(), row.text);
    }
    let last = vectors.tokens.iter().find(|token| token.generation == u32::MAX).unwrap().token();
    let keys = vectors.ring("k1");
    assert!(last.successor(&Nonce::from_bytes([0; 16]), keys.signing_id(), &keys).is_none());
}

#[test]
fn what_is_published_as_refused_is_refused() {
    let vectors = Vectors::read();
    let keys = vectors.ring("k1");
    assert!(vectors.refused.len() >= 25);
    for row in &vectors.refused {
        assert!(Token::parse(kind(&row.kind), &row.text, &keys).is_err(), "{}", row.name);
    }
}

#[test]
fn csrf_tokens_and_references_are_as_published() {
    let vectors = Vectors::read();
    for row in &vectors.csrf {
        let keys = vectors.ring(&row.kid);
        let binding = csrf::Binding {
            session: SessionId::from_bytes(bytes(&row.session)),
            signed_in_at: Moment::from_unix_millis(row.signed_in_at),
            host: &row.host,
        };
        assert_eq!(csrf::issue(&keys, &binding, &Pad(bytes(&row.pad))).unwrap(), row.text, "{}", row.name);
        assert!(csrf::verify(&vectors.ring("k1"), &binding, &row.text), "{}", row.name);
    }
    for row in &vectors.references {
        let subject = Subject::new(&row.subject).unwrap();
        assert_eq!(hex(vectors.ring("k1").reference(&subject).as_bytes()), row.reference, "{}", row.subject);
    }
}

#[test]
fn every_presentation_is_judged_as_published() {
    let vectors = Vectors::read();
    let grace = Duration::from_millis(vectors.grace);
    for row in &vectors.judgements {
        let now = Moment::from_unix_millis(row.now);
        let judged = row.family.family().judge(&row.token.presented(), context(&row.context), now, grace);
        assert_eq!(judged.verdict, verdict(&row.verdict), "{}", row.name);
        assert_eq!(judged.becomes, row.becomes.as_ref().map(FamilyRow::family), "{}", row.name);
    }
}

#[test]
fn every_response_carries_the_cookie_published() {
    let vectors = Vectors::read();
    let every = Duration::from_millis(vectors.rotate_every);
    for row in &vectors.conclusions {
        let family = row.family.family();
        let now = Moment::from_unix_millis(row.now);
        let renewal = match family.conclude(&row.token.presented(), verdict(&row.verdict), now, every) {
            Renewal::Keep => "keep",
            Renewal::Offer => "offer",
            Renewal::Repeat(_) => "repeat",
        };
        assert_eq!(renewal, row.renewal, "{}", row.name);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "title")]
    _title: String,
    ring: Vec<KeyRow>,
    reference_root_base64: String,
    tokens: Vec<TokenRow>,
    successors: Vec<SuccessorRow>,
    refused: Vec<RefusedRow>,
    csrf: Vec<CsrfRow>,
    references: Vec<ReferenceRow>,
    grace: u64,
    rotate_every: u64,
    judgements: Vec<JudgementRow>,
    conclusions: Vec<ConclusionRow>,
}

impl Vectors {
    fn read() -> Self {
        serde_json::from_str(include_str!("../../../docs/spec/token-v1.json")).unwrap()
    }

    /// The published ring, with `signing` as the key that signs.
    fn ring(&self, signing: &str) -> KeyRing {
        KeyRing::from_source(&Published { vectors: self, signing }).unwrap()
    }
}

struct Published<'a> {
    vectors: &'a Vectors,
    signing: &'a str,
}

impl KeySource for Published<'_> {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        let (first, rest): (Vec<_>, _) = self.vectors.ring.iter().partition(|key| key.kid == self.signing);
        let keys: Vec<String> =
            first.into_iter().chain(rest).map(|key| format!("{}:{}", key.kid, key.root_base64)).collect();
        KeyMaterial::parse(&keys.join(","), &self.vectors.reference_root_base64)
    }
}

/// The derived keys are published for those who implement; what is made with them is what is compared.
#[derive(Deserialize)]
struct KeyRow {
    kid: String,
    root_base64: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRow {
    name: String,
    kid: String,
    kind: String,
    session: String,
    session_id: String,
    generation: u32,
    secret: String,
    text: String,
    hash: String,
}

impl TokenRow {
    fn token(&self) -> Token {
        Token::assemble(
            kind(&self.kind),
            SessionId::from_bytes(bytes(&self.session)),
            self.generation,
            bytes(&self.secret),
        )
    }
}

#[derive(Deserialize)]
struct SuccessorRow {
    of: String,
    kid: String,
    nonce: String,
    hash: String,
    generation: u32,
    text_signed_by: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefusedRow {
    name: String,
    kind: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CsrfRow {
    name: String,
    session: String,
    signed_in_at: u64,
    host: String,
    kid: String,
    pad: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceRow {
    subject: String,
    reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgementRow {
    name: String,
    family: FamilyRow,
    token: PresentedRow,
    context: String,
    now: u64,
    verdict: String,
    becomes: Option<FamilyRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConclusionRow {
    name: String,
    family: FamilyRow,
    token: PresentedRow,
    verdict: String,
    now: u64,
    renewal: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilyRow {
    generation: u32,
    current: String,
    closed_at: u64,
    next: Option<LinkRow>,
}

impl FamilyRow {
    /// The vectors leave key and nonce out: no verdict rests on them.
    fn family(&self) -> Family {
        let next = self.next.as_ref().map(|link| {
            Box::new(family::Link {
                hash: TokenHash::from_bytes(bytes(&link.hash)),
                key: KeyId::new("k1").unwrap(),
                nonce: Nonce::from_bytes([0; 16]),
                seen: link.seen.as_ref().map(|seen| family::Seen {
                    at: Moment::from_unix_millis(seen.at),
                    context: context(&seen.context),
                }),
                until: link.until.map(Moment::from_unix_millis),
            })
        });
        Family {
            generation: self.generation,
            current: TokenHash::from_bytes(bytes(&self.current)),
            closed_at: Moment::from_unix_millis(self.closed_at),
            next,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkRow {
    hash: String,
    seen: Option<SeenRow>,
    until: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenRow {
    at: u64,
    context: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresentedRow {
    generation: u32,
    hash: String,
}

impl PresentedRow {
    fn presented(&self) -> family::Presented {
        family::Presented { generation: self.generation, hash: TokenHash::from_bytes(bytes(&self.hash)) }
    }
}

/// Not random: the pad that was published.
struct Pad([u8; 32]);

impl Entropy for Pad {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.copy_from_slice(&self.0);
        Ok(())
    }
}

fn kind(name: &str) -> TokenKind {
    match name {
        "session" => TokenKind::Session,
        "visit" => TokenKind::Visit,
        "elevated" => TokenKind::Elevated,
        other => panic!("no kind of token: {other}"),
    }
}

fn verdict(name: &str) -> Verdict {
    match name {
        "accept" => Verdict::Accept,
        "rolled_back" => Verdict::RolledBack,
        "reuse" => Verdict::Reuse,
        "forgotten" => Verdict::Forgotten,
        other => panic!("no verdict: {other}"),
    }
}

fn context(text: &str) -> Context {
    let [platform, network @ ..]: [u8; 8] = bytes(text);
    Context::new(platform, &network)
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let digits: Vec<u8> = text.chars().map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect::<Vec<_>>().try_into().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
