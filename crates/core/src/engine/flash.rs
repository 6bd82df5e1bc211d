//! Words for the next page, and only that: "saved", "signed out". Strangers get theirs without a record.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq as _;

use super::error::SessionError;
use super::exchange::Exchange;
use crate::data::{DataError, Field, Fields, Key, SessionData};
use crate::keys::PurposeKeys;
use crate::moment::Moment;

impl Exchange {
    /// Keeps `words` for the next page that [takes](Self::take_words) them: in the session where there is one, written
    /// now. For a stranger nothing is stored: the answer is then the words, sealed, to be carried by the address of the
    /// next page, where they count for a minute.
    ///
    /// # Security
    /// Sealed words cannot be made up, so nobody can have this site say something by a link; they can be read, and a
    /// reload shows them again. Keep what is personal out of words to strangers.
    ///
    /// # Errors
    /// [`SessionError::TooLarge`] for words of more than 512 bytes; others as [`update`](Self::update).
    pub async fn leave_words(&self, words: &str) -> Result<Option<String>, SessionError> {
        if words.len() > LONGEST {
            return Err(SessionError::TooLarge { bytes: words.len(), max: LONGEST });
        }
        if self.presence().await?.holding().is_none() {
            return Ok(Some(self.seal(words)));
        }
        let keep = |kept: &mut Words| {
            kept.0.push(words.to_owned());
            let surplus = kept.0.len().saturating_sub(MOST);
            kept.0.drain(..surplus);
        };
        self.update(keep).await.map(|()| None)
    }

    /// What the request before left for this page, oldest first. Taken from the session now, by compare-and-set: of two
    /// pages at once one gets it. `carried` are the sealed words in this page's address, if any.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn take_words(&self, carried: Option<&str>) -> Result<Vec<String>, SessionError> {
        let mut words: Vec<String> = carried.and_then(|sealed| self.unseal(sealed)).into_iter().collect();
        if self.read::<Words>().await?.0.is_empty() {
            return Ok(words);
        }
        words.extend(self.update(|kept: &mut Words| std::mem::take(&mut kept.0)).await?);
        Ok(words)
    }

    /// `base64url(tag ‖ until ‖ words)`, readable and not to be made up.
    fn seal(&self, words: &str) -> String {
        let until = (self.engine.now() + COUNTS_FOR).unix_millis().to_be_bytes();
        let tag = self.tag(self.engine.keys().signing(), &until, words.as_bytes());
        let tag = tag.as_ref().iter().take(TAG).copied();
        URL_SAFE_NO_PAD.encode(tag.chain(until).chain(words.bytes()).collect::<Vec<u8>>())
    }

    fn unseal(&self, sealed: &str) -> Option<String> {
        if sealed.len() > LONGEST * 2 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (claimed, rest) = bytes.split_first_chunk::<TAG>()?;
        let (until, words) = rest.split_first_chunk::<8>()?;
        let genuine = |key: &PurposeKeys| {
            let tag = self.tag(key, until, words);
            bool::from(tag.as_ref().get(..TAG).unwrap_or_default().ct_eq(claimed))
        };
        let in_time = self.engine.now() < Moment::from_unix_millis(u64::from_be_bytes(*until));
        let good = in_time && self.engine.keys().all().any(genuine);
        good.then(|| std::str::from_utf8(words).ok().map(ToOwned::to_owned)).flatten()
    }

    /// Bound to the origin, so that words of one site of a deployment are not words of another.
    fn tag(&self, key: &PurposeKeys, until: &[u8], words: &[u8]) -> hmac::Tag {
        let origin = self.engine.policy().public_origins().iter().nth(self.arrival.origin);
        let host = origin.map_or("", crate::origin::Origin::host);
        let mut context = hmac::Context::with_key(&key.flash);
        context.update(LABEL);
        context.update(host.as_bytes());
        context.update(&[0]);
        context.update(until);
        context.update(words);
        context.sign()
    }
}

/// What is kept in a session for its next page.
#[derive(Default)]
struct Words(Vec<String>);

const WORDS: Key<Vec<String>> = Key::new("counterfoil.flash");

impl SessionData for Words {
    fn read(fields: &Fields) -> Result<Self, DataError> {
        Ok(Self(WORDS.decode(fields)?.unwrap_or_default()))
    }

    fn write(&self) -> Result<Vec<(&'static str, Field)>, DataError> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![(WORDS.name(), WORDS.encode(&self.0)?)])
    }
}

/// A few sentences; an address must carry them, too.
const LONGEST: usize = 512;
/// The last ones count: nobody reads more, and whoever never looks must not fill the session.
const MOST: usize = 4;
/// Long enough for a slow redirect.
const COUNTS_FOR: std::time::Duration = std::time::Duration::from_mins(1);
const TAG: usize = 16;
const LABEL: &[u8] = b"counterfoil/v1/flash";
