//! What a detector may say: a few signals, each with a name of its own and what is to be decided on it.

use std::fmt;
use std::str::FromStr;

use crate::rules::Decision;
use crate::store::BoxError;

/// What an operator's detector says about a request: nothing, or up to [`Verdict::MOST`] signals. The strongest decision
/// counts; each is told by its name.
///
/// # Examples
/// ```
/// use counterfoil_core::detector::Verdict;
/// use counterfoil_core::rules::Decision;
///
/// let verdict = Verdict::NOTHING
///     .with("leaked_password".parse()?, Decision::Notify)?
///     .with("known_bot".parse()?, Decision::StepUp)?;
/// assert_eq!(verdict.strongest(), Decision::StepUp);
/// assert!("Known bot!".parse::<counterfoil_core::detector::SignalName>().is_err());
/// # Ok::<_, counterfoil_core::detector::NoVerdict>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict(Vec<Named>);

/// A signal of the operator's own, and what is to be decided on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// How it is called.
    pub signal: SignalName,
    /// What is to be decided.
    pub decision: Decision,
}

/// The name of an operator's own signal: 1 to 32 of `a`–`z`, `0`–`9` and `_`. It stands in events and logs, never in a label
/// of a metric.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SignalName {
    bytes: [u8; Self::MAX_BYTES],
    length: u8,
}

/// A signal cannot be called so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signal's name is 1 to 32 of a-z, 0-9 and _")]
pub struct NotASignalName;

/// One signal more than there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {} signals in one verdict", Verdict::MOST)]
pub struct TooManySignals;

/// A detector did not answer, or not so that it could be understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoVerdict {
    /// Not in time.
    #[error("the detector took too long")]
    TimedOut,
    /// It is answering as many questions as it may at once.
    #[error("the detector is asked too much at once")]
    Busy,
    /// It failed several times in a row, and is left alone for a moment.
    #[error("the detector is left alone for a moment, because it failed several times")]
    Resting,
    /// It panicked.
    #[error("the detector panicked")]
    Panicked,
    /// It failed; the cause says how.
    #[error("the detector failed")]
    Failed(#[source] BoxError),
}

impl Verdict {
    /// Nothing to say.
    pub const NOTHING: Self = Self(Vec::new());
    /// How many signals there may be.
    pub const MOST: usize = 8;

    /// The same and one signal more. Of two with one name the stronger counts; [`Decision::None`] is nothing.
    ///
    /// # Errors
    /// There are as many as there may be.
    pub fn with(mut self, signal: SignalName, decision: Decision) -> Result<Self, TooManySignals> {
        if decision == Decision::None {
            return Ok(self);
        }
        if let Some(named) = self.0.iter_mut().find(|named| named.signal == signal) {
            named.decision = named.decision.max(decision);
            return Ok(self);
        }
        if self.0.len() >= Self::MOST {
            return Err(TooManySignals);
        }
        self.0.push(Named { signal, decision });
        Ok(self)
    }

    /// Its signals.
    pub fn signals(&self) -> &[Named] {
        &self.0
    }

    /// The strongest that is to be decided.
    pub fn strongest(&self) -> Decision {
        self.decisions().max().unwrap_or_default()
    }

    /// What is to be decided on each signal.
    pub fn decisions(&self) -> impl Iterator<Item = Decision> {
        self.0.iter().map(|named| named.decision)
    }
}

impl SignalName {
    /// Bytes in a name at most.
    pub const MAX_BYTES: usize = 32;

    /// Its text.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl FromStr for SignalName {
    type Err = NotASignalName;

    fn from_str(text: &str) -> Result<Self, NotASignalName> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let length = u8::try_from(text.len()).map_err(|_| NotASignalName)?;
        if text.is_empty() || text.len() > Self::MAX_BYTES || !text.bytes().all(fits) {
            return Err(NotASignalName);
        }
        let mut bytes = [0; Self::MAX_BYTES];
        bytes.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        Ok(Self { bytes, length })
    }
}

impl fmt::Display for SignalName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for SignalName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SignalName({self})")
    }
}

impl From<NotASignalName> for NoVerdict {
    fn from(error: NotASignalName) -> Self {
        Self::Failed(error.into())
    }
}

impl From<TooManySignals> for NoVerdict {
    fn from(error: TooManySignals) -> Self {
        Self::Failed(error.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        let longest = "a".repeat(32);
        for text in ["a", "_", "known_bot_7", longest.as_str()] {
            assert_eq!(text.parse::<SignalName>().map(|name| name.to_string()), Ok(text.to_owned()));
        }
        let too_long = "a".repeat(33);
        let far_too_long = "a".repeat(256 + 3);
        for text in ["", " a", "A", "a-b", "a.b", "é", "a\n", too_long.as_str(), far_too_long.as_str()] {
            assert_eq!(text.parse::<SignalName>(), Err(NotASignalName), "{text}");
        }
    }

    #[test]
    fn a_verdict_is_as_strong_as_its_strongest_signal_and_no_longer_than_it_may_be() {
        let name = |number: usize| format!("signal_{number}").parse::<SignalName>().unwrap();
        let mut verdict = Verdict::NOTHING;
        assert_eq!(verdict.strongest(), Decision::None);
        for number in 0..Verdict::MOST {
            verdict = verdict.with(name(number), Decision::Note).unwrap();
        }
        assert_eq!(verdict.clone().with(name(99), Decision::Note), Err(TooManySignals));
        assert_eq!(verdict.clone().with(name(99), Decision::None).as_ref(), Ok(&verdict), "nothing takes no room");
        let verdict = verdict.with(name(3), Decision::Revoke).unwrap().with(name(3), Decision::Note).unwrap();
        assert_eq!((verdict.strongest(), verdict.signals().len()), (Decision::Revoke, Verdict::MOST));
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_that_reads_back_or_none(text in ".{0,40}|[a-z0-9_]{1,32}") {
            if let Ok(name) = text.parse::<SignalName>() {
                prop_assert_eq!(name.as_str(), text);
            }
        }
    }
}
