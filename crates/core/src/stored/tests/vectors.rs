//! The published vectors of both formats, made by references that share nothing with this code, hold for it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Deserialize;

use super::contexts::ContextRow;
use crate::data::Payload;
use crate::entropy::{Entropy, NoEntropy};
use crate::id::{SessionId, Subject, SubjectRef};
use crate::keys::{KeyError, KeyId, KeyMaterial, KeyRing, KeySource};
use crate::moment::Moment;
use crate::record::{Elevation, Holder, Member, Pending, Record, Reference};
use crate::rules::{Amr, Context, EndReason, Factor, Family, History, Limits, Link, Seen};
use crate::seal::{Sealer, Section};
use crate::store::{Epoch, Epochs, Live, Revision};
use crate::stored::{Format, StoredRecord, Tombstone, decode, decode_head, encode};
use crate::token::{Nonce, TokenHash};

#[test]
fn every_record_is_written_and_read_as_published() {
    for (format, vectors) in [(Format::One, Vectors::read()), (Format::Two, Vectors::read_two())] {
        for row in &vectors.records {
            let (live, published) = (row.session.live(), bytes(&row.bytes));
            let sealer = vectors.sealer(&row.kid, &row.salts).writing(format);
            assert_eq!(encode(&live, &sealer).unwrap(), published, "{}", row.name);
            let read = decode(live.record.id, &published, &vectors.sealer("k1", &[])).unwrap();
            assert_eq!(
                (&read.record, read.seen_at, read.revision),
                (&live.record, live.seen_at, live.revision),
                "{}",
                row.name
            );
            let stored = StoredRecord::from_bytes(&published).unwrap();
            assert_eq!((stored.format(), stored.to_bytes()), (format, published.clone()), "{}", row.name);
            assert_eq!(decode_head(&published).unwrap().id, live.record.id);
        }
    }
}

#[test]
fn every_tombstone_is_written_and_read_as_published() {
    let vectors = Vectors::read();
    for row in &vectors.tombstones {
        let tombstone =
            Tombstone { id: id(&row.session), reason: reason(&row.reason), forget_at: moment(row.forget_at) };
        let sealer = vectors.sealer(&row.kid, &[]);
        assert_eq!(tombstone.to_bytes(&sealer), bytes(&row.bytes), "{}", row.name);
        assert_eq!(Tombstone::verify(&bytes(&row.bytes), &sealer), Ok(tombstone), "{}", row.name);
    }
}

#[test]
fn what_is_published_as_refused_is_refused() {
    for vectors in [Vectors::read(), Vectors::read_two()] {
        let sealer = vectors.sealer("k1", &[]);
        assert!(vectors.refused.len() >= 18);
        for row in &vectors.refused {
            let read = decode(id(&row.session), &bytes(&row.bytes), &sealer);
            assert!(read.is_err(), "{}", row.name);
        }
    }
}

#[test]
fn every_length_is_padded_as_published() {
    let vectors = Vectors::read_two();
    assert!(vectors.lengths.len() > 20);
    for (length, sealed) in vectors.lengths {
        assert_eq!(Format::Two.sealed_length(Section::Data, length), sealed, "{length}");
    }
}

#[test]
fn hashes_of_names_and_of_the_reference_key_are_as_published() {
    let vectors = Vectors::read();
    let sealer = vectors.sealer("k1", &[]);
    assert_eq!(sealer.reference_mark().to_vec(), bytes(&vectors.reference_mark));
    for row in &vectors.externals {
        let hash = sealer.external(&row.kind, &row.value);
        assert_eq!(hash.as_bytes().to_vec(), bytes(&row.hash), "{} {}", row.kind, row.value);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "title")]
    _title: String,
    ring: Vec<KeyRow>,
    reference_root_base64: String,
    /// What follows is published with version 1, and did not change since.
    #[serde(default)]
    reference_mark: String,
    #[serde(default)]
    externals: Vec<ExternalRow>,
    /// Version 2 alone has any.
    #[serde(default)]
    lengths: Vec<(usize, usize)>,
    records: Vec<RecordRow>,
    #[serde(default)]
    tombstones: Vec<TombstoneRow>,
    refused: Vec<RefusedRow>,
}

impl Vectors {
    fn read() -> Self {
        serde_json::from_str(include_str!("../../../../../docs/spec/record-v1.json")).unwrap()
    }

    fn read_two() -> Self {
        serde_json::from_str(include_str!("../../../../../docs/spec/record-v2.json")).unwrap()
    }

    /// The published ring, with `signing` as the key that signs, and these salts one after another.
    fn sealer(&self, signing: &str, salts: &[String]) -> Sealer {
        let ring = KeyRing::from_source(&Published { vectors: self, signing }).unwrap();
        Sealer::with_entropy(ring, Salts(Mutex::new(salts.iter().rev().map(|salt| bytes(salt)).collect())))
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

/// Not random: the salts that were published.
struct Salts(Mutex<Vec<Vec<u8>>>);

impl Entropy for Salts {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.copy_from_slice(&self.0.lock().pop().ok_or(NoEntropy)?);
        Ok(())
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
struct ExternalRow {
    kind: String,
    value: String,
    hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordRow {
    name: String,
    kid: String,
    salts: Vec<String>,
    session: SessionRow,
    bytes: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TombstoneRow {
    name: String,
    kid: String,
    session: String,
    reason: String,
    forget_at: u64,
    bytes: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefusedRow {
    name: String,
    session: String,
    bytes: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionRow {
    id: String,
    revision: u64,
    created_at: u64,
    seen_at: u64,
    global_epoch: u64,
    subject_epoch: u64,
    idle: u64,
    absolute: u64,
    remember_for: Option<u64>,
    generation: u32,
    current: String,
    closed_at: u64,
    next: Option<LinkRow>,
    holder: HolderRow,
    data: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkRow {
    hash: String,
    kid: String,
    nonce: String,
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
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum HolderRow {
    Visitor,
    Pending {
        subject: String,
        global_epoch: u64,
        subject_epoch: u64,
        factors: Vec<(String, u64)>,
        remember: bool,
        until: u64,
    },
    Member {
        reference: String,
        presented: bool,
        subject: String,
        factors: Vec<(String, u64)>,
        label: String,
        elevations: [Option<ElevationRow>; 2],
        references: Vec<(String, String)>,
        #[serde(default)]
        history: Vec<ContextRow>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ElevationRow {
    hash: String,
    at: u64,
    until: u64,
}

impl SessionRow {
    fn live(&self) -> Live {
        let span = Duration::from_millis;
        let record = Record {
            id: id(&self.id),
            created_at: moment(self.created_at),
            epochs: epochs(self.global_epoch, self.subject_epoch),
            limits: Limits {
                idle: span(self.idle),
                absolute: span(self.absolute),
                remember_for: self.remember_for.map(span),
            },
            family: Family {
                generation: self.generation,
                current: hash(&self.current),
                closed_at: moment(self.closed_at),
                next: self.next.as_ref().map(|link| Box::new(link.link())),
            },
            holder: self.holder.holder(),
            data: Payload::from_bytes(&bytes(&self.data)),
        };
        Live { record: Arc::new(record), seen_at: moment(self.seen_at), revision: Revision(self.revision) }
    }
}

impl LinkRow {
    fn link(&self) -> Link {
        Link {
            hash: hash(&self.hash),
            key: KeyId::new(&self.kid).unwrap(),
            nonce: Nonce::from_bytes(array(&self.nonce)),
            seen: self
                .seen
                .as_ref()
                .map(|seen| Seen { at: moment(seen.at), context: Context::from_bytes(array(&seen.context)) }),
            until: self.until.map(moment),
        }
    }
}

impl HolderRow {
    fn holder(&self) -> Holder {
        match self {
            Self::Visitor => Holder::Visitor(None),
            Self::Pending { subject, global_epoch, subject_epoch, factors: given, remember, until } => {
                Holder::Visitor(Some(Box::new(Pending {
                    subject: Subject::new(subject).unwrap(),
                    epochs: epochs(*global_epoch, *subject_epoch),
                    factors: factors(given),
                    remember: *remember,
                    until: moment(*until),
                })))
            }
            Self::Member { reference, presented, subject, factors: given, label, elevations, references, history } => {
                let elevation = |row: &Option<ElevationRow>| {
                    let row = row.as_ref()?;
                    Some(Elevation { hash: hash(&row.hash), at: moment(row.at), until: moment(row.until) })
                };
                let [last, before] = elevations;
                let reference_of = |(kind, value): &(String, String)| Reference {
                    kind: kind.as_str().into(),
                    value: value.as_str().into(),
                };
                Holder::Member(Arc::new(Member {
                    subject: Subject::new(subject).unwrap(),
                    reference: SubjectRef::from_bytes(array(reference)),
                    factors: factors(given).into(),
                    presented: *presented,
                    label: label.as_str().into(),
                    elevations: [elevation(last), elevation(before)],
                    references: references.iter().map(reference_of).collect(),
                    history: (!history.is_empty())
                        .then(|| History::of(history.iter().map(ContextRow::known).collect()).unwrap()),
                }))
            }
        }
    }
}

fn factors(rows: &[(String, u64)]) -> Vec<Factor> {
    const ALL: [Amr; 11] =
        [Amr::Pwd, Amr::Otp, Amr::Hwk, Amr::Swk, Amr::Pin, Amr::Fpt, Amr::Face, Amr::Sms, Amr::Tel, Amr::Sc, Amr::Fed];
    let method = |name: &str| ALL.into_iter().find(|amr| amr.as_str() == name).unwrap();
    rows.iter().map(|(name, at)| Factor { amr: method(name), verified_at: moment(*at) }).collect()
}

fn reason(name: &str) -> EndReason {
    [EndReason::SignOut, EndReason::Admin].into_iter().find(|reason| reason.as_str() == name).unwrap()
}

const fn epochs(global: u64, subject: u64) -> Epochs {
    Epochs { global: Epoch(global), subject: Epoch(subject) }
}

pub(super) const fn moment(millis: u64) -> Moment {
    Moment::from_unix_millis(millis)
}

fn id(text: &str) -> SessionId {
    SessionId::from_bytes(array(text))
}

fn hash(text: &str) -> TokenHash {
    TokenHash::from_bytes(array(text))
}

pub(super) fn array<const N: usize>(text: &str) -> [u8; N] {
    bytes(text).try_into().unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
