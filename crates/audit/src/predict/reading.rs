//! Every plausible way to read a column of tokens: decoded, taken apart, or as it is.

use std::collections::BTreeSet;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

use super::Sample;

/// A column: one cell of each token, and the ways to read it.
#[derive(Debug)]
pub(super) struct Node {
    /// Its place in the tree, to find what was learnt about it.
    pub(super) index: usize,
    /// What it is of the token.
    pub(super) part: String,
    /// One for each token.
    pub(super) cells: Vec<Vec<u8>>,
    /// Whether every cell is printable.
    pub(super) text: bool,
    /// Whether the name of the user was in every cell; it is a mark now.
    pub(super) user: bool,
    /// Each a sequence of columns that together are this one.
    pub(super) ways: Vec<Vec<Node>>,
}

/// Stands where the name of the user was.
pub(super) const USER: u8 = 1;

impl Node {
    /// All readings of the samples.
    pub(super) fn tree(samples: &[Sample]) -> Self {
        let cells = samples.iter().map(|sample| bare(&sample.value)).collect();
        let users: Vec<_> = samples.iter().map(|sample| sample.user.as_str()).collect();
        let mut index = 0;
        Self::read("the token".to_owned(), cells, &users, 0, &mut index)
    }

    /// This column and all below it that vary and can hold a hash or a generator's output.
    pub(super) fn targets(&self) -> Vec<&Self> {
        let mut all: Vec<_> = self.ways.iter().flatten().flat_map(Self::targets).collect();
        if self.cells.iter().all(|cell| cell.len() >= 4) {
            all.push(self);
        }
        all
    }

    /// Whether every cell is the same.
    pub(super) fn constant(&self) -> bool {
        self.cells.windows(2).all(|pair| pair.first() == pair.last())
    }

    /// The length of every cell, where it is one.
    pub(super) fn width(&self) -> Option<usize> {
        let first = self.cells.first()?.len();
        self.cells.iter().all(|cell| cell.len() == first).then_some(first)
    }

    fn read(part: String, mut cells: Vec<Vec<u8>>, users: &[&str], depth: u8, index: &mut usize) -> Self {
        let text = cells.iter().flatten().all(|byte| (b' '..=b'~').contains(byte) || *byte == USER);
        let user = text && mark_user(&mut cells, users);
        *index += 1;
        let mut node = Self { index: *index, part, cells, text, user, ways: Vec::new() };
        if depth < DEEPEST && text {
            let different: BTreeSet<_> = node.cells.iter().collect();
            let worth_reading = different.len() > 1 || depth < 2;
            node.ways = if worth_reading { node.all_ways(users, depth + 1, index) } else { Vec::new() };
        }
        node
    }

    fn all_ways(&self, users: &[&str], depth: u8, index: &mut usize) -> Vec<Vec<Self>> {
        let mut ways = Vec::new();
        let mut add = |columns: Option<Vec<(String, Vec<Vec<u8>>)>>| {
            let columns = columns.unwrap_or_default();
            let read = |(part, cells): (String, _)| Self::read(part, cells, users, depth, index);
            let way: Vec<_> = columns.into_iter().map(read).collect();
            if !way.is_empty() {
                ways.push(way);
            }
        };
        add(self.uuid_with_time());
        add(self.decoded("without dashes", without_dashes));
        add(self.decoded("hex-decoded", unhex));
        if !self.all(|cell| unhex(cell).is_some() || cell.iter().all(u8::is_ascii_digit)) {
            add(self.decoded("base64-decoded", unbase64));
        }
        if !self.user && depth <= 2 {
            add(self.decoded_user("in ROT13", users, |cell| Some(rot13(cell))));
            add(self.decoded_user("reversed", users, |cell| Some(cell.iter().rev().copied().collect())));
        }
        add(self.parts(|byte| !byte.is_ascii_alphanumeric()));
        add(self.runs());
        ways
    }

    fn all(&self, holds: impl Fn(&Vec<u8>) -> bool) -> bool {
        self.cells.iter().all(holds)
    }

    fn decoded(&self, how: &str, decode: fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<(String, Vec<Vec<u8>>)>> {
        let cells: Option<Vec<_>> = self.cells.iter().map(|cell| decode(cell)).collect();
        Some(vec![(format!("{}, {how}", self.part), cells?)])
    }

    /// Only where that brings the name of the user to light: any text can be read so.
    fn decoded_user(
        &self,
        how: &str,
        users: &[&str],
        decode: fn(&[u8]) -> Option<Vec<u8>>,
    ) -> Option<Vec<(String, Vec<Vec<u8>>)>> {
        let columns = self.decoded(how, decode)?;
        let found = columns.iter().any(|(_, cells)| mark_user(&mut cells.clone(), users));
        found.then_some(columns)
    }

    /// Cut at separators, where every token has the same ones.
    fn parts(&self, separates: fn(&u8) -> bool) -> Option<Vec<(String, Vec<Vec<u8>>)>> {
        let separators = |cell: &Vec<u8>| cell.iter().copied().filter(separates).collect::<Vec<_>>();
        let first = separators(self.cells.first()?);
        if first.is_empty() || first.len() > MOST_PARTS || !self.all(|cell| separators(cell) == first) {
            return None;
        }
        Some(self.columns(|cell| cell.split(separates).map(<[u8]>::to_vec).collect()))
    }

    /// Cut where letters and digits meet, where every token has as many such runs.
    fn runs(&self) -> Option<Vec<(String, Vec<Vec<u8>>)>> {
        let cut = |cell: &Vec<u8>| -> Vec<Vec<u8>> {
            cell.chunk_by(|left, right| left.is_ascii_digit() == right.is_ascii_digit()).map(<[u8]>::to_vec).collect()
        };
        let count = cut(self.cells.first()?).len();
        let same = (2..=MOST_RUNS).contains(&count) && self.all(|cell| cut(cell).len() == count);
        same.then(|| self.columns(cut))
    }

    fn columns(&self, cut: impl Fn(&Vec<u8>) -> Vec<Vec<u8>>) -> Vec<(String, Vec<Vec<u8>>)> {
        let rows: Vec<_> = self.cells.iter().map(cut).collect();
        let count = rows.first().map_or(0, Vec::len);
        let column = |at: usize| rows.iter().filter_map(|row| row.get(at).cloned()).collect();
        (0..count).map(|at| (format!("part {} of {}", at + 1, self.part), column(at))).collect()
    }

    /// UUIDs of versions 1 and 6: the time, and what stays.
    fn uuid_with_time(&self) -> Option<Vec<(String, Vec<Vec<u8>>)>> {
        let mut times = Vec::new();
        let mut rest = Vec::new();
        for cell in &self.cells {
            let bytes = unhex(&without_dashes(cell)?)?;
            let (time, node) = (bytes.first_chunk::<8>()?, bytes.get(8..16)?);
            times.push(uuid_time(*time)?.to_string().into_bytes());
            rest.push(node.to_vec());
        }
        let part = &self.part;
        Some(vec![(format!("the time in {part}, a UUID"), times), (format!("the node in {part}, a UUID"), rest)])
    }
}

/// In 100 ns since 1970.
fn uuid_time(bytes: [u8; 8]) -> Option<u64> {
    let whole = u64::from_be_bytes(bytes);
    let ticks = match (whole >> 12) & 0xf {
        1 => (whole >> 32) | ((whole >> 16) & 0xffff) << 32 | (whole & 0xfff) << 48,
        6 => (whole >> 16) << 12 | (whole & 0xfff),
        _ => return None,
    };
    ticks.checked_sub(UUID_EPOCH)
}

/// What the cookie holds without what a proxy or framework wraps around it.
fn bare(value: &str) -> Vec<u8> {
    let decoded = percent_decoded(value);
    if let Some(signed) = decoded.strip_prefix("s:")
        && let Some((token, _)) = signed.rsplit_once('.')
    {
        return token.as_bytes().to_vec();
    }
    decoded.into_bytes()
}

/// With `%` and two digits turned into what they stand for; as it is where that is no text.
pub(crate) fn percent_decoded(value: &str) -> String {
    let mut parts = value.split('%');
    let mut all = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let escaped = part.as_bytes().split_at_checked(2).and_then(|(code, rest)| Some((unhex(code)?, rest)));
        let (byte, rest) = escaped.unwrap_or((vec![b'%'], part.as_bytes()));
        all.extend(byte);
        all.extend(rest);
    }
    String::from_utf8(all).unwrap_or_else(|_| value.to_owned())
}

/// Puts a mark where the name of the user is, if it is in every cell.
fn mark_user(cells: &mut Vec<Vec<u8>>, users: &[&str]) -> bool {
    let mark = |(cell, user): (&Vec<u8>, &&str)| -> Option<Vec<u8>> {
        let at = cell.windows(user.len().max(3)).position(|part| part.eq_ignore_ascii_case(user.as_bytes()))?;
        let (before, after) = (cell.get(..at)?, cell.get(at + user.len()..)?);
        Some([before, &[USER], after].concat())
    };
    let marked: Option<Vec<_>> = cells.iter().zip(users).map(mark).collect();
    let found = marked.is_some() && !cells.is_empty();
    if let Some(marked) = marked {
        *cells = marked;
    }
    found
}

fn without_dashes(cell: &[u8]) -> Option<Vec<u8>> {
    let dashes = [8, 13, 18, 23].iter().all(|at| cell.get(*at) == Some(&b'-'));
    (cell.len() == 36 && dashes).then(|| cell.iter().copied().filter(|byte| *byte != b'-').collect())
}

/// The bytes that pairs of hexadecimal digits stand for.
pub(crate) fn unhex(cell: &[u8]) -> Option<Vec<u8>> {
    if cell.is_empty() || !cell.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    cell.chunks_exact(2).map(|pair| Some(nibble(*pair.first()?)? << 4 | nibble(*pair.last()?)?)).collect()
}

/// The bytes that text in any of the usual alphabets of base64 stands for.
pub(crate) fn unbase64(cell: &[u8]) -> Option<Vec<u8>> {
    if cell.len() < 6 {
        return None;
    }
    STANDARD.decode(cell).or_else(|_| URL_SAFE.decode(cell)).ok()
}

fn rot13(cell: &[u8]) -> Vec<u8> {
    let turn = |byte: &u8| match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        other => *other,
    };
    cell.iter().map(turn).collect()
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
/// 15 October 1582 in 100 ns before 1970.
const UUID_EPOCH: u64 = 0x01b2_1dd2_1381_4000;
const DEEPEST: u8 = 4;
const MOST_PARTS: usize = 40;
const MOST_RUNS: usize = 6;
