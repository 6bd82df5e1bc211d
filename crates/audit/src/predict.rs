//! Whether session tokens can be computed: what is learnt from the first of them must compute the others.
//!
//! Statistics can refute, never prove: a report without an explanation says nothing in favour of a site.

mod bound;
mod digest;
mod fold;
mod generator;
mod reading;
mod series;
#[cfg(test)]
mod tests;
mod windows;

use std::collections::{BTreeMap, BTreeSet};

use self::fold::Worth;
pub(crate) use self::fold::real;
use self::reading::Node;
pub(crate) use self::reading::{percent_decoded, unbase64, unhex};

/// A token as it came, in the order of coming.
#[derive(Clone)]
pub struct Sample {
    /// The token, as in the cookie.
    pub value: String,
    /// When it was here, by our clock, in milliseconds since 1970.
    pub at_millis: u64,
    /// When it was made, by the site's clock: the `Date` of the response, in seconds since 1970.
    pub server_date: Option<u64>,
    /// Who signed in; empty for nobody.
    pub user: String,
}

/// What tokens came to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// What computes them, or parts of them, where so little remains that it can be guessed.
    pub explained: Vec<Explained>,
    /// Whether what was learnt computes whole tokens, but for a few candidates.
    pub computed: bool,
    /// No token holds more bits that an observer does not know; none where there were too few samples to say.
    pub bits_at_most: Option<f64>,
    /// Whether each user got the same token at every sign-in.
    pub static_per_user: bool,
    /// How much was looked at, and what that leaves open.
    pub note: String,
}

/// Something that computes tokens.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Explained {
    /// What it is.
    pub how: How,
    /// What it computes: the token, or a part of it.
    pub part: String,
    /// How many of the tokens it had not learnt from it computed.
    pub hits: usize,
    /// How many there were.
    pub held_out: usize,
    /// How many values it leaves to try.
    pub candidates: f64,
    /// For a report.
    pub sentence: String,
}

/// What computes tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum How {
    /// A number that goes up or down.
    Counter,
    /// The time.
    Time,
    /// The name of the user, encoded.
    User,
    /// A hash of a small number or a counter.
    HashOfCounter,
    /// A hash of the user alone.
    HashOfUser,
    /// A hash of the time, with or without something small beside it.
    HashOfTime,
    /// A hash of the user and the time.
    HashOfUserAndTime,
    /// A generator whose seed was found.
    Seed,
    /// A generator whose state is in what it gave.
    State,
}

/// Looks for whatever computes `samples`, which must be in the order of coming.
pub fn predict(samples: &[Sample]) -> Report {
    let repeated = repeated(samples);
    let static_per_user = is_static(samples);
    let root = Node::tree(samples);
    let clock: Vec<u64> = samples.iter().map(Sample::clock).collect();
    let mut worth = fold::fold(&root, &clock, &[]);
    if samples.len() >= LEAST_FOR_HASHES && !is_computed(&worth) {
        let targets = root.targets();
        let mut fits = generator::search(&targets, &clock);
        if fits.is_empty() {
            fits = digest::search(&targets, samples, &clock);
        }
        worth = fold::fold(&root, &clock, &fits);
    }
    let computed = is_computed(&worth);
    let enough = samples.len() >= LEAST_FOR_BITS && !static_per_user;
    let bits = repeated.map_or(worth.bits, |most| worth.bits.min(most));
    let weak = computed || static_per_user || (enough && bits < GUESSABLE_BITS);
    Report {
        explained: if weak { worth.explained } else { Vec::new() },
        computed,
        bits_at_most: enough.then_some(bits),
        static_per_user,
        note: note(samples.len(), repeated.is_some()),
    }
}

impl Report {
    /// Whether there is anything to report: tokens that can be computed, are always the same, or are short.
    pub fn raises(&self) -> bool {
        self.computed || self.static_per_user || self.bits_at_most.is_some_and(|bits| bits < GUESSABLE_BITS)
    }
}

impl std::fmt::Debug for Sample {
    /// Without the token.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Sample({} bytes at {})", self.value.len(), self.at_millis)
    }
}

impl Sample {
    /// When the token was made, in milliseconds: our clock, or the site's where the two differ.
    fn clock(&self) -> u64 {
        match self.server_date {
            Some(date) if (self.at_millis / 1000).abs_diff(date) > 3 => date * 1000 + 500,
            _ => self.at_millis,
        }
    }
}

/// Whether what remains to guess is little: a few candidates, or more where nothing but a clock was read.
fn is_computed(worth: &Worth) -> bool {
    let most = if worth.unexplained == 0.0 { COMPUTED_BITS_OF_A_CLOCK } else { COMPUTED_BITS };
    !worth.explained.is_empty() && worth.bits <= most
}

/// Each user has several tokens, all alike.
fn is_static(samples: &[Sample]) -> bool {
    let mut by_user: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for sample in samples {
        by_user.entry(&sample.user).or_default().push(&sample.value);
    }
    let alike = |values: &Vec<&str>| values.iter().collect::<BTreeSet<_>>().len() == 1;
    by_user.values().any(|values| values.len() >= 3) && by_user.values().filter(|values| values.len() >= 2).all(alike)
}

/// The most bits tokens can have of which some came twice: of more, none in a million audits would see that.
fn repeated(samples: &[Sample]) -> Option<f64> {
    let different: BTreeSet<_> = samples.iter().map(|sample| &sample.value).collect();
    if different.len() == samples.len() || different.len() < 2 {
        return None;
    }
    let pairs = fold::real(samples.len()).powi(2) / 2.0;
    Some(pairs.log2() + 20.0)
}

fn note(count: usize, repeated: bool) -> String {
    let mut note = format!("{count} tokens looked at");
    if repeated {
        note.push_str("; some came more than once");
    }
    if count < ENOUGH {
        note.push_str("; 20 are needed for counters and times, 3 for hashes of numbers and seeds near the time");
    }
    note.push_str("; finding nothing proves nothing");
    note
}

/// What a determined visitor can try online or in an afternoon; NIST SP 800-63B section 5.1 asks for 64.
const GUESSABLE_BITS: f64 = 64.0;
const COMPUTED_BITS: f64 = 20.5;
/// A second in nanoseconds is 30 bits, and none of them is a secret.
const COMPUTED_BITS_OF_A_CLOCK: f64 = 34.0;
const LEAST_FOR_BITS: usize = 6;
const LEAST_FOR_HASHES: usize = 3;
const ENOUGH: usize = 20;
