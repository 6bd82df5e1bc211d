//! One record: taken apart without keys, opened with them, changed section by section.

use std::borrow::Cow;
use std::sync::Arc;

use super::codec::Reader;
use super::{CLOSING, Format, Head, KIND_RECORD, Part, Stored, StoredError, closing, kind_of, listing, verify};
use crate::data::Payload;
use crate::id::SessionId;
use crate::keys::{KeyId, KeyRing};
use crate::moment::Moment;
use crate::record::Record;
use crate::rules::{Context, Family};
use crate::seal::{self, SealError, Sealer, Section};
use crate::store::{Live, StoreError};
use crate::token::Nonce;

/// A session as it lies in a store. Its sections are sealed each by itself: a rotation leaves the data as it was.
#[derive(Clone)]
pub struct StoredRecord<'a> {
    format: Format,
    head: Head,
    sections: Sections<'a>,
    /// Key id and tag.
    closing: [u8; CLOSING],
}

/// The envelopes; an empty one is none.
#[derive(Clone)]
struct Sections<'a> {
    listing: Cow<'a, [u8]>,
    link: Cow<'a, [u8]>,
    data: Cow<'a, [u8]>,
}

impl<'a> StoredRecord<'a> {
    /// Takes a record apart, without keys. Nothing is verified yet.
    ///
    /// # Errors
    /// [`StoredError`] if it is cut, malformed or newer.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, StoredError> {
        let (format, head, rest) = read_head(bytes)?;
        let mut reader = Reader::new(rest, Part::Listing);
        let listing = section(&mut reader, format, Section::Listing, head.subject.is_some() || head.pending)?;
        reader.enter(Part::Link);
        let link = section(&mut reader, format, Section::Link, head.family.next.is_some())?;
        reader.enter(Part::Data);
        let present = reader.rest().first_chunk() != Some(&[0; 4]);
        let data = section(&mut reader, format, Section::Data, present)?;
        reader.enter(Part::Closing);
        let closing = reader.array()?;
        reader.end()?;
        Ok(Self { format, head, sections: Sections { listing, link, data }, closing })
    }

    /// Seals every section of a session, in the format that `sealer` [writes](Sealer::format).
    ///
    /// # Errors
    /// [`SealError`]: nothing may be written then.
    pub fn seal(live: &Live, sealer: &Sealer) -> Result<Self, SealError> {
        let nothing = Sections { listing: [][..].into(), link: [][..].into(), data: [][..].into() };
        let (ring, format) = (sealer.ring(), sealer.format());
        let fresh = Fresh { ring: &ring, sealer, format, before: None, after: &live.record };
        Ok(Self::close(format, Head::of(live), fresh.sections(&nothing)?, &ring))
    }

    /// The record as it becomes when `before`, what it opens to now, becomes `after`. Only what changed is sealed anew,
    /// and what was sealed with another key than the one that signs now. A record that changes takes the format that
    /// `sealer` [writes](Sealer::format), and where that is another one, all of it is sealed anew: a section is read as
    /// the record's format has it. Where nothing but the last activity moved, it keeps its own.
    ///
    /// # Errors
    /// [`SealError`]: nothing may be written then.
    pub fn with(&self, before: &Record, after: &Live, sealer: &Sealer) -> Result<Self, SealError> {
        let ring = sealer.ring();
        let format = if *before == *after.record { self.format } else { sealer.format() };
        let before = (format == self.format).then_some(before);
        let fresh = Fresh { ring: &ring, sealer, format, before, after: &after.record };
        Ok(Self::close(format, Head::of(after), fresh.sections(&self.sections)?, &ring))
    }

    /// The record with its last activity at `seen_at`, if that is later. No section is opened or sealed anew, and the
    /// format stays what it is.
    ///
    /// # Errors
    /// [`StoredError`] if the tag over head and sections is wrong: nothing damaged gets a new one.
    pub fn seen(&self, seen_at: Moment, sealer: &Sealer) -> Result<Self, StoredError> {
        let ring = sealer.ring();
        self.verified(&ring)?;
        let head = Head { seen_at: self.head.seen_at.max(seen_at), ..self.head.clone() };
        Ok(Self::close(self.format, head, self.sections.clone(), &ring))
    }

    /// In which format it is written.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Whose record it is.
    pub const fn id(&self) -> SessionId {
        self.head.id
    }

    /// What stands in clear.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Checks the tag over head and sections, without opening any. What is in a section is checked when it is opened.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn verify(&self, sealer: &Sealer) -> Result<(), StoredError> {
        self.verified(&sealer.ring())
    }

    /// The session, every tag checked.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn open(&self, sealer: &Sealer) -> Result<Live, StoredError> {
        let ring = sealer.ring();
        self.verified(&ring)?;
        let head = &self.head;
        let listing = self.plain(&ring, Section::Listing)?;
        let holder = listing::read(head, listing.as_deref().map(|plain| &plain[..]), self.format)?;
        let link = self.plain(&ring, Section::Link)?.map(|plain| read_link(&plain, head)).transpose()?;
        let data = self.plain(&ring, Section::Data)?;
        let record = Record {
            id: head.id,
            created_at: head.created_at,
            epochs: head.epochs,
            limits: head.limits,
            family: head.family.with(link),
            holder,
            data: data.map(|plain| Payload::from_bytes(&plain)).unwrap_or_default(),
        };
        Ok(Live { record: Arc::new(record), seen_at: head.seen_at, revision: head.revision })
    }

    /// The record sealed with the key that signs now, in the format that `sealer` [writes](Sealer::format), revision and
    /// all else as it was; `None` if it is already.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it does not open, [`StoreError::Unavailable`] if it could not be sealed.
    pub fn renewed(&self, sealer: &Sealer) -> Result<Option<StoredRecord<'static>>, StoreError> {
        let signing = sealer.signing_id();
        if self.format == sealer.format() && self.keys().all(|key| key == signing) {
            return Ok(None);
        }
        Ok(Some(StoredRecord::seal(&self.open(sealer)?, sealer)?))
    }

    /// The keys this record needs to be opened: those it is sealed with, each once or more.
    pub fn keys(&self) -> impl Iterator<Item = KeyId> + '_ {
        let closing = self.closing.first_chunk().copied().and_then(KeyId::from_padded);
        let sections = self.sections.all().into_iter().filter_map(|(_, envelope)| seal::key_of(envelope).ok());
        closing.into_iter().chain(sections.map(|(key, _)| key))
    }

    /// The bytes for a store.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = prelude(self.format, &self.head);
        let sections = self.sections.all();
        out.reserve_exact(sections.iter().map(|(_, envelope)| 4 + envelope.len()).sum::<usize>() + CLOSING);
        for (_, envelope) in sections {
            out.extend_from_slice(&length_of(envelope));
            out.extend_from_slice(envelope);
        }
        out.extend_from_slice(&self.closing);
        out
    }

    #[cfg(test)]
    pub(super) fn envelopes(&self) -> [&[u8]; 3] {
        self.sections.all().map(|(_, envelope)| envelope)
    }

    fn close(format: Format, head: Head, sections: Sections<'a>, ring: &KeyRing) -> Self {
        let closing = covered(&prelude(format, &head), &sections, |parts| closing(ring, parts.iter().copied()));
        Self { format, head, sections, closing }
    }

    fn verified(&self, ring: &KeyRing) -> Result<(), StoredError> {
        let prelude = prelude(self.format, &self.head);
        covered(&prelude, &self.sections, |parts| verify(ring, parts.iter().copied(), &self.closing)).map(drop)
    }

    fn plain(&self, ring: &KeyRing, section: Section) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, StoredError> {
        let envelope = self.sections.of(section);
        if envelope.is_empty() {
            return Ok(None);
        }
        let opened = seal::open(ring, self.format, section, self.head.id, envelope);
        opened.map(Some).map_err(|error| StoredError::of(error, part_of(section)))
    }
}

impl Sections<'_> {
    fn of(&self, section: Section) -> &[u8] {
        match section {
            Section::Listing => &self.listing,
            Section::Link => &self.link,
            Section::Data => &self.data,
        }
    }

    /// In the order in which they are written.
    fn all(&self) -> [(Section, &[u8]); 3] {
        [Section::Listing, Section::Link, Section::Data].map(|section| (section, self.of(section)))
    }
}

/// Seals what changed between two states of a session.
struct Fresh<'s> {
    ring: &'s KeyRing,
    sealer: &'s Sealer,
    format: Format,
    /// None where nothing that lies there may stay.
    before: Option<&'s Record>,
    after: &'s Record,
}

impl Fresh<'_> {
    fn sections<'a>(&self, kept: &Sections<'a>) -> Result<Sections<'a>, SealError> {
        let (before, after) = (self.before, self.after);
        let holder_same = before.is_some_and(|before| sealed_alike(before, after, self.format));
        let listing = || listing::write(&after.holder, self.format).ok_or(too_large(Section::Listing, usize::MAX));
        let link_same = before.is_some_and(|before| link_of(&before.family) == link_of(&after.family));
        let data_same = before.is_some_and(|before| before.data == after.data);
        Ok(Sections {
            listing: self.section(Section::Listing, &kept.listing, holder_same, listing)?,
            link: self.section(Section::Link, &kept.link, link_same, || Ok(link_of(&after.family)))?,
            data: self.section(Section::Data, &kept.data, data_same, || Ok(after.data.as_bytes().to_vec()))?,
        })
    }

    fn section<'a>(
        &self,
        section: Section,
        kept: &Cow<'a, [u8]>,
        same: bool,
        plain: impl FnOnce() -> Result<Vec<u8>, SealError>,
    ) -> Result<Cow<'a, [u8]>, SealError> {
        let current = kept.is_empty() || seal::key_of(kept).is_ok_and(|(key, _)| key == self.ring.signing_id());
        if same && current {
            return Ok(kept.clone());
        }
        let plain = zeroize::Zeroizing::new(plain()?);
        if plain.len() > LONGEST {
            return Err(too_large(section, plain.len()));
        }
        if plain.is_empty() {
            return Ok(Cow::Borrowed(&[]));
        }
        self.sealer.seal(self.ring, self.format, section, self.after.id, &plain).map(Cow::Owned)
    }
}

/// Reads what stands in front of the sections, and gives them back unread.
pub(super) fn read_head(bytes: &[u8]) -> Result<(Format, Head, &[u8]), StoredError> {
    match kind_of(bytes)? {
        Stored::Record => {}
        Stored::Tombstone => return Err(StoredError::NotA { wanted: "session" }),
    }
    let mut reader = Reader::new(bytes, Part::Head);
    let [version, _] = reader.array()?;
    let format = Format::of_version(version).ok_or(StoredError::Version { part: Part::Head, version })?;
    let head = Head::read(&mut reader)?;
    Ok((format, head, reader.rest()))
}

/// `length ‖ envelope`, there if and only if the head says so.
fn section<'a>(
    reader: &mut Reader<'a>,
    format: Format,
    section: Section,
    present: bool,
) -> Result<Cow<'a, [u8]>, StoredError> {
    let length = usize::try_from(reader.u32()?).map_err(|_| reader.malformed())?;
    let sealed = length.saturating_sub(seal::OVERHEAD);
    let fits = sealed > 0 && sealed <= format.sealed_length(section, LONGEST);
    if (length > 0) != present || (present && !(fits && format.is_sealed_length(section, sealed))) {
        return Err(reader.malformed());
    }
    reader.bytes(length).map(Cow::Borrowed)
}

/// What the closing tag covers: what stands in clear, and of each section what tells it from every other one.
fn covered<T>(prelude: &[u8], sections: &Sections<'_>, then: impl FnOnce(&[&[u8]]) -> T) -> T {
    let lengths = sections.all().map(|(_, envelope)| length_of(envelope));
    let [first, second, third] = sections.all().map(|(_, envelope)| seal::fingerprint(envelope));
    let [one, two, three] = &lengths;
    then(&[prelude, one, first.0, first.1, two, second.0, second.1, three, third.0, third.1])
}

fn prelude(format: Format, head: &Head) -> Vec<u8> {
    let mut out = Vec::with_capacity(USUAL_HEAD);
    out.extend_from_slice(&[format.version(), KIND_RECORD]);
    head.write(&mut out);
    out
}

fn length_of(envelope: &[u8]) -> [u8; 4] {
    u32::try_from(envelope.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// What of an open link is sealed: its nonce, and once the successor was used, what the client looked like.
fn link_of(family: &Family) -> Vec<u8> {
    let Some(link) = family.next.as_deref() else {
        return Vec::new();
    };
    let context = link.seen.map(|seen| *seen.context.as_bytes());
    link.nonce.as_bytes().iter().copied().chain(context.into_iter().flatten()).collect()
}

fn read_link(plain: &[u8], head: &Head) -> Result<(Nonce, Context), StoredError> {
    let mut reader = Reader::new(plain, Part::Link);
    let nonce = Nonce::from_bytes(reader.array()?);
    let seen = head.family.next.is_some_and(|link| link.seen_at.is_some());
    let context = if seen { Context::from_bytes(reader.array()?) } else { Context::UNSEEN };
    reader.end().map(|()| (nonce, context))
}

/// Whether two states of a holder read the same once sealed: what the head says in clear does not count.
fn sealed_alike(one: &Record, other: &Record, format: Format) -> bool {
    listing::write(&one.holder, format) == listing::write(&other.holder, format)
}

const fn part_of(section: Section) -> Part {
    match section {
        Section::Listing => Part::Listing,
        Section::Link => Part::Link,
        Section::Data => Part::Data,
    }
}

const fn too_large(section: Section, bytes: usize) -> SealError {
    SealError::TooLarge { part: section.name(), bytes, max: LONGEST }
}

impl std::fmt::Debug for StoredRecord<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("StoredRecord").field("id", &self.head.id).finish_non_exhaustive()
    }
}

/// The most a section may hold, in bytes before padding: sixteen times what the engine lets an application keep, so that no
/// record it makes is refused, and no damaged length makes a reader ask for gigabytes.
const LONGEST: usize = 16 * crate::policy::Policy::MAX_DATA_BYTES;
/// As long as a signed-in session's head with an open link: one allocation for most.
const USUAL_HEAD: usize = 256;
