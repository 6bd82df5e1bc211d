//! One entry as a line of text, in which no byte can be changed unseen.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use counterfoil_core::{Moment, Rfc3339};

use crate::told::to_the_millisecond;

/// What the next entry carries of all before it: a SHA-256 hash, as text in base64url.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link([u8; 32]);

/// The end of a trail. Noted elsewhere, it shows later whether the trail up to it is as it was. Its text is `12:` and the link.
///
/// # Examples
/// ```
/// use counterfoil_telemetry::trail::Head;
///
/// let text = "12:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// assert_eq!(text.parse::<Head>()?.to_string(), text);
/// # Ok::<_, counterfoil_telemetry::trail::NotALink>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of the last entry.
    pub number: u64,
    /// Its link.
    pub link: Link,
}

/// The text names no place in a trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place in a trail: expected a number, a colon and 43 characters of base64url")]
pub struct NotALink;

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// It ends in the middle of a line: cut off, or a crash that nobody has gone on after.
    #[error("it ends in the middle of an entry")]
    CutOff,
    /// It is no entry.
    #[error("not an entry")]
    NotAnEntry,
    /// Its number, time, commitment or the link before were changed.
    #[error("the entry was changed")]
    Changed,
    /// Its event or its salt were changed.
    #[error("the event was changed")]
    EventChanged,
    /// Some are missing before it.
    #[error("entries are missing before it: expected number {expected}, found {found}")]
    Missing {
        /// Which should stand here.
        expected: u64,
        /// Which does.
        found: u64,
    },
    /// It stands where another should: repeated, inserted or moved.
    #[error("repeated or out of order: expected number {expected}, found {found}")]
    OutOfOrder {
        /// Which should stand here.
        expected: u64,
        /// Which does.
        found: u64,
    },
    /// It continues another chain.
    #[error("it does not continue the entry before it")]
    Unlinked,
    /// It was erased, and the trail does not say so.
    #[error("the event was removed, and no erasure is recorded")]
    NotRecorded,
    /// The noted head is not in this trail: changed, or cut off before it.
    #[error("the noted head is not in the trail")]
    NotTheHead,
    /// What is left begins after the noted head.
    #[error("the noted head is older than what is left")]
    HeadGone,
}

/// An entry as it stands in a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: u64,
    pub(super) time: Moment,
    pub(super) lost: u64,
    pub(super) previous: Link,
    pub(super) link: Link,
    /// All up to the link.
    sealed: &'a str,
    pub(super) rest: Rest<'a>,
}

/// What stands after the link.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rest<'a> {
    Event { json: &'a str, salt: [u8; 16], committed: Link },
    Erased { at: Moment, by: u64 },
}

/// What goes into an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draft<'a> {
    pub(super) number: u64,
    pub(super) time: Moment,
    pub(super) lost: u64,
    pub(super) previous: Link,
    pub(super) salt: [u8; 16],
    pub(super) json: &'a str,
}

impl Draft<'_> {
    /// Writes it to the end of `to`, as a line.
    pub(super) fn write(&self, to: &mut String) -> Link {
        let Self { number, time, lost, previous, salt, json } = self;
        let sealed = format!(
            r#"{{"number":{number},"time":"{}","lost":{lost},"previous":"{previous}","commitment":"{}""#,
            to_the_millisecond(*time),
            commitment(salt, json)
        );
        let link = Link::over(sealed.as_bytes());
        let salt = URL_SAFE_NO_PAD.encode(salt);
        to.extend([&sealed, r#","link":""#, &link.to_string(), r#"","salt":""#, &salt, r#"","event":"#, json, "}\n"]);
        link
    }
}

impl<'a> Line<'a> {
    /// Reads a line without its break; everything in it is held against its link and its commitment.
    pub(super) fn read(text: &'a str) -> Result<Self, Flaw> {
        let line = Self::parse(text).ok_or(Flaw::NotAnEntry)?;
        if Link::over(line.sealed.as_bytes()) != line.link {
            return Err(Flaw::Changed);
        }
        if let Rest::Event { json, salt, committed } = line.rest
            && commitment(&salt, json) != committed
        {
            return Err(Flaw::EventChanged);
        }
        Ok(line)
    }

    fn parse(text: &'a str) -> Option<Self> {
        let mut cursor = Cursor(text);
        cursor.skip(r#"{"number":"#)?;
        let number = cursor.number()?;
        cursor.skip(r#","time":""#)?;
        let time = cursor.time()?;
        cursor.skip(r#"","lost":"#)?;
        let lost = cursor.number()?;
        cursor.skip(r#","previous":""#)?;
        let previous = cursor.link()?;
        cursor.skip(r#"","commitment":""#)?;
        let committed = cursor.link()?;
        cursor.skip("\"")?;
        let sealed = text.get(..text.len() - cursor.0.len())?;
        cursor.skip(r#","link":""#)?;
        let link = cursor.link()?;
        cursor.skip("\"")?;
        let whole = |rest| Self { number, time, lost, previous, link, sealed, rest };
        if cursor.skip(r#","salt":""#).is_none() {
            cursor.skip(r#","erased":""#)?;
            let at = cursor.time()?;
            cursor.skip(r#"","by":"#)?;
            let by = cursor.number()?;
            return (cursor.0 == "}").then(|| whole(Rest::Erased { at, by }));
        }
        let salt = cursor.bytes::<16>(22)?;
        cursor.skip(r#"","event":"#)?;
        let json = cursor.0.strip_suffix('}')?;
        Some(whole(Rest::Event { json, salt, committed }))
    }

    /// Without its event and its salt, as a line.
    pub(super) fn write_erased(&self, at: Moment, by: u64, to: &mut String) {
        let (link, at, by) = (self.link.to_string(), to_the_millisecond(at), by.to_string());
        to.extend([self.sealed, r#","link":""#, &link, r#"","erased":""#, &at, r#"","by":"#, &by, "}\n"]);
    }

    /// Whether it is the next after `head`; anything may be the first.
    pub(super) fn follows(&self, head: Option<Head>) -> Result<(), Flaw> {
        let Some(head) = head else { return Ok(()) };
        let (expected, found) = (head.number.saturating_add(1), self.number);
        match found.cmp(&expected) {
            std::cmp::Ordering::Greater => Err(Flaw::Missing { expected, found }),
            std::cmp::Ordering::Less => Err(Flaw::OutOfOrder { expected, found }),
            std::cmp::Ordering::Equal if self.previous != head.link => Err(Flaw::Unlinked),
            std::cmp::Ordering::Equal => Ok(()),
        }
    }

    pub(super) const fn head(&self) -> Head {
        Head { number: self.number, link: self.link }
    }
}

/// What is left to read of a line.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn skip(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    fn take(&mut self, length: usize) -> Option<&'a str> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let text = self.take(digits)?;
        text.parse().ok().filter(|number: &u64| number.to_string() == text)
    }

    fn time(&mut self) -> Option<Moment> {
        let text = self.take(24)?;
        let millis: u64 = text.get(20..23)?.parse().ok()?;
        let time = Moment::from_unix_millis(Rfc3339::read(text)?.unix_millis() + millis);
        (to_the_millisecond(time) == text).then_some(time)
    }

    fn link(&mut self) -> Option<Link> {
        self.bytes(43).map(Link)
    }

    fn bytes<const N: usize>(&mut self, length: usize) -> Option<[u8; N]> {
        URL_SAFE_NO_PAD.decode(self.take(length)?).ok()?.try_into().ok()
    }
}

/// The moment that this text names, as we write it.
pub(super) fn time(text: &str) -> Option<Moment> {
    let mut cursor = Cursor(text);
    cursor.time().filter(|_| cursor.0.is_empty())
}

/// What stands for an event once it is gone.
fn commitment(salt: &[u8; 16], json: &str) -> Link {
    Link::over(&[salt, json.as_bytes()].concat())
}

impl Link {
    /// Before the first.
    pub(super) const NONE: Self = Self([0; 32]);

    fn over(text: &[u8]) -> Self {
        let mut link = [0; 32];
        link.iter_mut().zip(digest(&SHA256, text).as_ref()).for_each(|(to, from)| *to = *from);
        Self(link)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Display for Head {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.number, self.link)
    }
}

impl FromStr for Head {
    type Err = NotALink;

    fn from_str(text: &str) -> Result<Self, NotALink> {
        let mut cursor = Cursor(text);
        let number = cursor.number().ok_or(NotALink)?;
        cursor.skip(":").ok_or(NotALink)?;
        let link = cursor.link().ok_or(NotALink)?;
        if cursor.0.is_empty() { Ok(Self { number, link }) } else { Err(NotALink) }
    }
}
