//! The key file: which keys there are, from when each signs, until when it verifies. Text in, text out; no I/O here.

mod parse;
#[cfg(test)]
mod tests;

use std::time::Duration;

use zeroize::Zeroizing;

pub use self::parse::{KeyFileError, KeyFileProblem};
use super::{KeyError, KeyId, KeyMaterial, RootKey};
use crate::entropy::{Entropy, random};
use crate::moment::{Moment, Rfc3339};
use crate::policy::Span;

/// The keys of a site, as its key file holds them.
///
/// A file of lines, for people to read and for `counterfoil keys` to change:
///
/// ```text
/// counterfoil-keys 1
/// sessions last=30days
/// reference key=<base64>
/// key id=m4x7qa created=2026-11-22T03:00:00Z signs=2026-11-22T03:00:00Z until=2026-12-23T04:10:00Z key=<base64>
/// key id=c2wz5k created=2026-11-23T03:00:00Z signs=2026-11-23T03:10:00Z key=<base64>
/// ```
///
/// Of the keys that have not ended, the one signs whose `signs` passed last; all verify. A key's `until` is written when
/// the next one is added: from when that one signs, the longest a session may last, and an hour.
#[derive(Debug)]
pub struct KeyFile {
    sessions_last: Duration,
    reference: RootKey,
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    entry: KeyEntry,
    root: RootKey,
}

/// What may be told of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEntry {
    /// Its name, which stands in every token made with it.
    pub id: KeyId,
    /// When it was made.
    pub created: Moment,
    /// From when it signs; it verifies before that already.
    pub signs: Moment,
    /// Until when it verifies; `None` while no other key follows it.
    pub until: Option<Moment>,
}

/// A key for another purpose.
pub struct Offshoot {
    /// What may be told of the key it was made of.
    pub entry: KeyEntry,
    /// The key itself.
    pub key: Zeroizing<[u8; 32]>,
}

/// What a key is good for at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It verifies, and will sign.
    WillSign,
    /// It signs and verifies.
    Signs,
    /// It verifies what was made with it.
    Verifies,
    /// It is over, and left out wherever the file is read.
    Ended,
}

/// No key was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RotateError {
    /// The last rotation is not over.
    #[error("key `{id}` was added and signs from {} on: rotate again after that", Rfc3339(*from))]
    UnderWay {
        /// The key that is about to sign.
        id: KeyId,
        /// From when.
        from: Moment,
    },
    /// Every token is checked against all keys.
    #[error("the file holds {max} keys: retire those that have ended")]
    TooMany {
        /// The most there may be.
        max: usize,
    },
    /// The generator failed.
    #[error(transparent)]
    NoEntropy(#[from] crate::entropy::NoEntropy),
}

/// No key was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetireError {
    /// There is no such key.
    #[error("there is no key `{0}` in the file: `counterfoil keys list` shows which there are")]
    Unknown(KeyId),
    /// Nothing would sign.
    #[error("key `{0}` signs: `counterfoil keys rotate` first, so that another one does")]
    Signs(KeyId),
    /// Sessions may still need it.
    #[error("key `{id}` verifies until {}: sessions made with it may last that long; `--now` ends them", Rfc3339(*until))]
    Needed {
        /// Which key.
        id: KeyId,
        /// Until when.
        until: Moment,
    },
}

impl KeyFile {
    /// How long sessions last at most unless it is said otherwise: the longest of the presets, `aal1`.
    pub const SESSIONS_LAST: Duration = Duration::from_hours(30 * 24);
    /// The most keys a file may hold: the id of each token and record is looked up among them.
    pub const MOST: usize = 32;

    /// A file with one key that signs from now on, and a reference key.
    ///
    /// # Errors
    /// [`KeyError::NoEntropy`] if the generator failed.
    pub fn generate(now: Moment, sessions_last: Duration, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let now = whole_seconds(now);
        let entry = KeyEntry { id: fresh_id(entropy)?, created: now, signs: now, until: None };
        let keys = vec![Key { entry, root: RootKey::generate(entropy)? }];
        Ok(Self { sessions_last, reference: RootKey::generate(entropy)?, keys })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`KeyFileError`] names the line and what is wrong with it; never its text, which may be a key.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        parse::read(text)
    }

    /// The file as text. Secret: whoever has it can seal and open what the site stores.
    pub fn print(&self) -> Zeroizing<String> {
        // Wide enough for all of it, so that no earlier copy of the text is left behind by growing.
        let mut out = Zeroizing::new(String::with_capacity(1_024 + 256 * self.keys.len()));
        let last = Span::from(self.sessions_last).to_string().replace(' ', "");
        out.extend([
            parse::HEADER,
            " 1\n",
            REMARK,
            "sessions last=",
            &last,
            "\nreference key=",
            &*self.reference.print(),
        ]);
        for Key { entry, root } in &self.keys {
            let [created, signs] = [entry.created, entry.signs].map(|moment| Rfc3339(moment).to_string());
            let until = entry.until.map(|until| format!(" until={}", Rfc3339(until))).unwrap_or_default();
            let told = ["\nkey id=", entry.id.as_str(), " created=", &created, " signs=", &signs, &until, " key="];
            out.extend(told);
            out.push_str(&root.print());
        }
        out.push('\n');
        out
    }

    /// Adds a key that verifies at once and signs `signs_in` from now on; until then the others go on. Every node must
    /// have the file by then: what one signs, all must verify.
    ///
    /// # Errors
    /// [`RotateError`]; nothing is changed then.
    pub fn rotate(&mut self, now: Moment, signs_in: Duration, entropy: &dyn Entropy) -> Result<KeyEntry, RotateError> {
        if let Some(next) =
            self.entries().find(|entry| entry.signs > now && self.state(entry, now) == KeyState::WillSign)
        {
            return Err(RotateError::UnderWay { id: next.id, from: next.signs });
        }
        if self.keys.len() >= Self::MOST {
            return Err(RotateError::TooMany { max: Self::MOST });
        }
        let mut id = fresh_id(entropy)?;
        while self.entries().any(|entry| entry.id == id) {
            id = fresh_id(entropy)?;
        }
        let root = RootKey::generate(entropy).map_err(|_| crate::entropy::NoEntropy)?;
        let now = whole_seconds(now);
        // Never before another one: where this machine's clock is behind, it is the last in turn all the same.
        let latest = self.entries().map(|entry| entry.signs).max().unwrap_or_default();
        let signs = whole_seconds(now + signs_in).max(latest);
        let entry = KeyEntry { id, created: now, signs, until: None };
        let until = self.end_of_what_is_signed_until(entry.signs);
        for key in &mut self.keys {
            key.entry.until.get_or_insert(until);
        }
        self.keys.push(Key { entry, root });
        Ok(entry)
    }

    /// Takes a key out. `early` does it though sessions may need it: those end.
    ///
    /// # Errors
    /// [`RetireError`]; nothing is changed then.
    pub fn retire(&mut self, id: KeyId, now: Moment, early: bool) -> Result<KeyEntry, RetireError> {
        let entry = self.entries().find(|entry| entry.id == id).ok_or(RetireError::Unknown(id))?;
        match (self.state(&entry, now), entry.until) {
            (KeyState::Signs, _) => return Err(RetireError::Signs(id)),
            (KeyState::Verifies, Some(until)) if !early => return Err(RetireError::Needed { id, until }),
            (KeyState::Verifies, None) if !early => {
                return Err(RetireError::Needed { id, until: self.end_of_what_is_signed_until(now) });
            }
            _ => {}
        }
        self.keys.retain(|key| key.entry.id != id);
        // The key that signs ends only because another one was to follow it.
        if self.state(&entry, now) == KeyState::WillSign
            && let Some(signing) = self.signing(now).map(|key| key.entry.id)
            && let Some(key) = self.keys.iter_mut().find(|key| key.entry.id == signing)
        {
            key.entry.until = None;
        }
        Ok(entry)
    }

    /// What may be told of each key, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = KeyEntry> + '_ {
        self.keys.iter().map(|key| key.entry)
    }

    /// Keys of 32 bytes for another purpose, one from each key of the file, in its order: HKDF-SHA256 of the key with the
    /// info `counterfoil/v1/offshoot/PURPOSE`. For programs that keep a file of their own beside that of the sessions, and
    /// rotate it the same way.
    ///
    /// # Errors
    /// [`KeyError::Derivation`].
    pub fn offshoots(&self, purpose: &str) -> Result<Vec<Offshoot>, KeyError> {
        let label = format!("counterfoil/v1/offshoot/{purpose}");
        let offshoot = |Key { entry, root }: &Key| Ok(Offshoot { entry: *entry, key: super::expanded(root, &label)? });
        self.keys.iter().map(offshoot).collect()
    }

    /// From when another key signed in the place of `entry`; `None` if it is the last in turn.
    pub fn signed_until(&self, entry: &KeyEntry) -> Option<Moment> {
        self.entries().skip_while(|other| other.id != entry.id).skip(1).map(|other| other.signs).min()
    }

    /// When tokens may have been made with `entry`: until an hour after another key began to sign, for times in the file
    /// are whole seconds, and clocks and nodes may be late.
    pub fn may_have_signed(&self, entry: &KeyEntry) -> std::ops::Range<Moment> {
        let to = self.signed_until(entry).map_or(Moment::from_unix_millis(u64::MAX), |to| to + LATE);
        entry.signs..to
    }

    /// What `entry` is good for at `now`.
    pub fn state(&self, entry: &KeyEntry, now: Moment) -> KeyState {
        if entry.is_over(now) {
            KeyState::Ended
        } else if self.signing(now).is_some_and(|key| key.entry.id == entry.id) {
            KeyState::Signs
        } else if entry.signs > now {
            KeyState::WillSign
        } else {
            KeyState::Verifies
        }
    }

    /// How long sessions last at most.
    pub const fn sessions_last(&self) -> Duration {
        self.sessions_last
    }

    /// The keys for a ring at `now`; those that have ended are left out.
    ///
    /// # Errors
    /// [`KeyFileProblem::NoneSigns`] if all have ended.
    pub fn material(self, now: Moment) -> Result<KeyMaterial, KeyFileError> {
        let signing = self.signing(now).map(|key| key.entry.id).ok_or(KeyFileProblem::NoneSigns.anywhere())?;
        let (mut first, mut others, mut left_out) = (None, Vec::new(), Vec::new());
        for Key { entry, root } in self.keys {
            match entry.until {
                Some(until) if entry.is_over(now) => left_out.push((entry.id, until)),
                _ if entry.id == signing => first = Some((entry.id, root)),
                _ => others.push((entry.id, root)),
            }
        }
        let first = first.ok_or(KeyFileProblem::NoneSigns.anywhere())?;
        let material = KeyMaterial::new(first, others, self.reference);
        let material = material.map_err(|error| KeyFileProblem::Key(Box::new(error)).anywhere())?;
        Ok(material.scheduled(self.sessions_last, left_out))
    }

    /// Of the keys that have not ended, the one whose time to sign came last. Where it came for none (a file made a moment
    /// ago, on a machine whose clock is ahead), the one whose time comes first.
    fn signing(&self, now: Moment) -> Option<&Key> {
        let alive = || self.keys.iter().filter(|key| !key.entry.is_over(now));
        let begun = alive().filter(|key| key.entry.signs <= now).max_by_key(|key| key.entry.signs);
        begun.or_else(|| alive().min_by_key(|key| key.entry.signs))
    }

    /// The last moment at which a token or an open link made before `moment` can be alive, also on a node that hears of a
    /// new key late.
    fn end_of_what_is_signed_until(&self, moment: Moment) -> Moment {
        whole_seconds(moment + self.sessions_last + LATE)
    }
}

impl std::fmt::Debug for Offshoot {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Offshoot").field("entry", &self.entry).finish_non_exhaustive()
    }
}

impl KeyEntry {
    fn is_over(&self, now: Moment) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl std::fmt::Display for KeyState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(match self {
            Self::WillSign => "will sign",
            Self::Signs => "signs",
            Self::Verifies => "verifies",
            Self::Ended => "ended",
        })
    }
}

fn whole_seconds(moment: Moment) -> Moment {
    Moment::from_unix_seconds(moment.unix_seconds().min(Rfc3339::LATEST))
}

/// Six characters that cannot be mistaken for one another when read out; which ones says nothing about the key.
fn fresh_id(entropy: &dyn Entropy) -> Result<KeyId, crate::entropy::NoEntropy> {
    let letter = |byte: u8| LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'a');
    let id = random::<6>(entropy)?.map(letter);
    KeyId::from_ascii(&id).ok_or(crate::entropy::NoEntropy)
}

/// How late a node may hear of a new key, or its clock be.
const LATE: Duration = Duration::from_hours(1);
const REMARK: &str = "# Secret. Made and changed by `counterfoil keys`; only its owner may read it (chmod 600).\n";
const LETTERS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345679";
