//! Tokens that are hashes of what can be tried: small numbers, the user, the time.

mod moment;

use std::collections::{BTreeSet, HashMap};
use std::io::Write as _;

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};
use md5::{Digest as _, Md5};

use self::moment::Format;
use super::reading::Node;
use super::series::{self, Fit};
use super::{How, Sample, fold};

/// What was found, with the index of the column it computes.
pub(super) fn search(nodes: &[&Node], samples: &[Sample], clock: &[u64]) -> Vec<(usize, Fit)> {
    let mut seen = BTreeSet::new();
    let fresh = nodes.iter().filter(|node| seen.insert(&node.cells));
    let targets = fresh.filter_map(|node| Some((node.index, Target::of(node, samples, clock)?))).take(MOST_TARGETS);
    targets.filter_map(|(index, target)| Some((index, target.explain()?))).collect()
}

/// A column of what may be hashes.
struct Target<'a> {
    cells: &'a [Vec<u8>],
    width: usize,
    samples: &'a [Sample],
    clock: &'a [u64],
    /// Which samples begin with these two bytes: most hashes end here.
    begins: Vec<bool>,
    by_start: HashMap<&'a [u8], usize>,
}

/// How a message became a cell: by which hash, and which part of it is there.
#[derive(Clone, Copy, PartialEq)]
struct Cut {
    algorithm: Algorithm,
    offset: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl<'a> Target<'a> {
    fn of(node: &'a Node, samples: &'a [Sample], clock: &'a [u64]) -> Option<Self> {
        let width = node.width().filter(|width| !node.text && (4..=64).contains(width))?;
        let mut begins = vec![false; 1 << 16];
        let mut by_start = HashMap::new();
        for (at, cell) in node.cells.iter().enumerate() {
            if let Some(flag) = begins.get_mut(start_of(cell)) {
                *flag = true;
            }
            by_start.entry(cell.as_slice()).or_insert(at);
        }
        Some(Self { cells: &node.cells, width, samples, clock, begins, by_start })
    }

    fn explain(&self) -> Option<Fit> {
        self.of_user().or_else(|| self.of_number()).or_else(|| self.of_time()).or_else(|| self.of_time_and_random())
    }

    /// The sample whose cell is a part of the message's hash.
    fn find(&self, algorithm: Algorithm, message: &[u8]) -> Option<(usize, Cut)> {
        let hash = algorithm.hash(message);
        let longer = hash.len().checked_sub(self.width)?;
        let offsets = [0, longer, longer / 2];
        let count = if longer == 0 { 1 } else { 3 };
        offsets.into_iter().take(count).find_map(|offset| {
            let part = hash.get(offset..offset + self.width)?;
            let maybe = self.begins.get(start_of(part)).copied().unwrap_or_default();
            let at = maybe.then(|| self.by_start.get(part).copied()).flatten()?;
            Some((at, Cut { algorithm, offset }))
        })
    }

    /// Two samples may have the same token.
    fn alike(&self, one: usize, other: usize) -> bool {
        self.cells.get(one) == self.cells.get(other)
    }

    fn is(&self, at: usize, cut: Cut, message: &[u8]) -> bool {
        let hash = cut.algorithm.hash(message);
        self.cells.get(at).is_some_and(|cell| hash.get(cut.offset..cut.offset + self.width) == Some(cell))
    }

    fn of_user(&self) -> Option<Fit> {
        let held_out = self.cells.len();
        let made = |algorithm: Algorithm| {
            let hit = |sample: &&Sample| {
                let user = sample.user.as_bytes();
                !user.is_empty() && self.find(algorithm, user).is_some_and(|(at, _)| self.user(at) == sample.user)
            };
            let hits = self.samples.iter().filter(hit).count();
            let says = format!("is the {} hash of the name of the user", algorithm.name());
            Some(Fit { how: How::HashOfUser, says, candidates: 1.0, hits, held_out }).filter(Fit::holds)
        };
        Algorithm::ALL.into_iter().find_map(made)
    }

    fn of_number(&self) -> Option<Fit> {
        let users: BTreeSet<_> = self.samples.iter().map(|sample| sample.user.as_str()).collect();
        let mut tries = vec![(String::new(), String::new(), PLAIN_NUMBERS)];
        for user in users.into_iter().take(2) {
            let around =
                AROUND.iter().filter(|(before, _)| user.is_empty() != before.contains(NAME) || !before.contains(NAME));
            tries
                .extend(around.map(|(before, after)| (before.replace(NAME, user), after.replace(NAME, user), NUMBERS)));
        }
        tries.dedup();
        tries.iter().find_map(|(before, after, limit)| {
            Algorithm::ALL.into_iter().find_map(|algorithm| self.of_number_in(algorithm, before, after, *limit))
        })
    }

    fn of_number_in(&self, algorithm: Algorithm, before: &str, after: &str, limit: u64) -> Option<Fit> {
        let limit = if algorithm == Algorithm::Sha512 { limit.min(NUMBERS) } else { limit };
        let mut found: Vec<Option<u64>> = vec![None; self.cells.len()];
        let mut message = Vec::new();
        for number in 0..limit {
            message.clear();
            write!(message, "{before}{number}{after}").ok()?;
            if let Some((at, _)) = self.find(algorithm, &message)
                && let Some(place) = found.get_mut(at)
            {
                *place = Some(number);
            }
        }
        let learnt = series::learnt(found.len()).min(found.len().saturating_sub(2));
        let found: Vec<_> = self.cells.iter().map(|cell| *found.get(*self.by_start.get(cell.as_slice())?)?).collect();
        let later = found.get(learnt..)?;
        let hits = later.iter().flatten().count();
        let numbers: Vec<_> = found.iter().flatten().copied().collect();
        let candidates = series::counter(&numbers).map_or(fold::real(limit), |fit| fit.candidates);
        let says = format!("is the {} hash of a small number", algorithm.name());
        let says = if before.is_empty() && after.is_empty() { says } else { format!("{says} beside known text") };
        Some(Fit { how: How::HashOfCounter, says, candidates, hits, held_out: later.len() }).filter(Fit::holds)
    }

    fn of_time(&self) -> Option<Fit> {
        moment::FORMATS.iter().find_map(|format| {
            let around: Vec<_> = if format.many() {
                WITH_TIME_SHORT.iter().take(2).collect()
            } else {
                WITH_TIME.iter().chain(&WITH_TIME_SHORT).collect()
            };
            (0..format.begun()).find_map(|at| self.of_time_in(at, format, &around))
        })
    }

    fn of_time_in(&self, at: usize, format: &Format, around: &[&(&str, &str)]) -> Option<Fit> {
        let user = self.user(at);
        let wraps: Vec<_> = around
            .iter()
            .filter(|(before, after)| !user.is_empty() || !(before.contains(NAME) || after.contains(NAME)))
            .map(|(before, after)| (before.replace(NAME, user), after.replace(NAME, user), (*before, *after)))
            .collect();
        for tick in format.window(*self.clock.get(at)?) {
            let time = format.write(tick);
            for (before, after, wrap) in &wraps {
                let message = format!("{before}{time}{after}");
                let seen = Algorithm::ALL
                    .into_iter()
                    .take(if format.many() { 3 } else { 4 })
                    .find_map(|algorithm| self.find(algorithm, message.as_bytes()));
                if let Some((_, cut)) = seen.filter(|(found, _)| self.alike(*found, at)) {
                    let offset = format.offset(tick, *self.clock.get(at)?);
                    return self.confirm(at, cut, format, *wrap, offset);
                }
            }
        }
        None
    }

    fn confirm(&self, at: usize, cut: Cut, format: &Format, wrap: (&str, &str), offset: i64) -> Option<Fit> {
        let later: Vec<usize> = (0..self.cells.len()).filter(|other| *other != at).take(format.confirmed()).collect();
        let near = |other: &&usize| {
            let user = self.user(**other);
            let (before, after) = (wrap.0.replace(NAME, user), wrap.1.replace(NAME, user));
            let clock = self.clock.get(**other).copied().unwrap_or_default();
            let mut ticks = format.near(clock, offset);
            ticks.any(|tick| self.is(**other, cut, format!("{before}{}{after}", format.write(tick)).as_bytes()))
        };
        let hits = later.iter().filter(near).count();
        let with_user = wrap.0.contains(NAME) || wrap.1.contains(NAME);
        let how = if with_user { How::HashOfUserAndTime } else { How::HashOfTime };
        let of = if with_user { "the user and the time" } else { "the time" };
        let says = format!("is the {} hash of {of} in {}", cut.algorithm.name(), format.name);
        Some(Fit { how, says, candidates: format.candidates(), hits, held_out: later.len() }).filter(Fit::holds)
    }

    /// A process number or a small random number beside the seconds.
    fn of_time_and_random(&self) -> Option<Fit> {
        let (first, held_out) = (0, (self.cells.len() - 1).min(5));
        let found = BESIDE.iter().find_map(|wrap| {
            Algorithm::ALL
                .into_iter()
                .take(3)
                .find_map(|algorithm| self.random_at(first, algorithm, *wrap).map(|_| (algorithm, *wrap)))
        });
        let (algorithm, wrap) = found?;
        let hits = (1..=held_out).filter(|at| self.random_at(*at, algorithm, wrap).is_some()).count();
        let says = format!("is the {} hash of the time in seconds and a small number", algorithm.name());
        let candidates = fold::real(RANDOMS * 2);
        Some(Fit { how: How::HashOfTime, says, candidates, hits, held_out }).filter(Fit::holds)
    }

    fn random_at(&self, at: usize, algorithm: Algorithm, (before, between): (&str, &str)) -> Option<u64> {
        let user = self.user(at);
        if user.is_empty() && before.contains(NAME) {
            return None;
        }
        let seconds = self.clock.get(at)? / 1000;
        let mut message = Vec::new();
        (seconds - 1..=seconds).rev().find_map(|second| {
            let known = format!("{}{second}{between}", before.replace(NAME, user));
            (0..RANDOMS).find(|random| {
                message.clear();
                let written = write!(message, "{known}{random}").is_ok();
                written && self.find(algorithm, &message).is_some_and(|(found, _)| self.alike(found, at))
            })
        })
    }

    fn user(&self, at: usize) -> &str {
        self.samples.get(at).map_or("", |sample| &sample.user)
    }
}

impl Algorithm {
    const ALL: [Self; 4] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }

    fn hash(self, message: &[u8]) -> Hash {
        let mut hash = Hash { bytes: [0; 64], len: 0 };
        match self {
            Self::Md5 => hash.fill(&Md5::digest(message)),
            Self::Sha1 => hash.fill(digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, message).as_ref()),
            Self::Sha256 => hash.fill(digest::digest(&SHA256, message).as_ref()),
            Self::Sha512 => hash.fill(digest::digest(&SHA512, message).as_ref()),
        }
        hash
    }
}

/// On the stack: millions are made.
struct Hash {
    bytes: [u8; 64],
    len: usize,
}

impl Hash {
    fn fill(&mut self, bytes: &[u8]) {
        self.len = bytes.len();
        self.bytes.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    }

    const fn len(&self) -> usize {
        self.len
    }

    fn get(&self, range: std::ops::Range<usize>) -> Option<&[u8]> {
        self.bytes.get(range)
    }
}

fn start_of(cell: &[u8]) -> usize {
    cell.first_chunk::<2>().map_or(0, |start| usize::from(u16::from_be_bytes(*start)))
}

/// Stands for the user in what is around a number.
const NAME: &str = "{user}";
const AROUND: [(&str, &str); 12] = [
    (NAME, ""),
    ("{user}:", ""),
    ("{user}-", ""),
    ("{user}_", ""),
    ("", NAME),
    ("", ":{user}"),
    ("session", ""),
    ("session-", ""),
    ("session_", ""),
    ("session:", ""),
    ("sess", ""),
    ("id", ""),
];
#[rustfmt::skip]
const WITH_TIME: [(&str, &str); 18] = [
    ("{user}:", ""), ("{user}-", ""), ("{user}_", ""), ("{user}.", ""), ("{user}|", ""), ("{user} ", ""), ("{user},", ""), ("{user}@", ""), ("{user}/", ""),
    ("", ":{user}"), ("", "-{user}"), ("", "_{user}"), ("", ".{user}"), ("", "|{user}"), ("", " {user}"), ("", ",{user}"), ("", "@{user}"), ("", "/{user}"),
];
const WITH_TIME_SHORT: [(&str, &str); 3] = [("", ""), (NAME, ""), ("", NAME)];
const BESIDE: [(&str, &str); 4] = [("", ""), ("", "-"), ("", ":"), (NAME, "")];
const PLAIN_NUMBERS: u64 = 1 << 18;
const NUMBERS: u64 = 1 << 13;
/// As many as there are process numbers on most systems.
const RANDOMS: u64 = 1 << 15;
const MOST_TARGETS: usize = 2;
