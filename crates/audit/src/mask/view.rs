//! A text as it reads once its escapes are taken for what they stand for, with the way back.

/// Bytes, and where in the text each came from.
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    from: Vec<(usize, usize)>,
}

impl View {
    /// The text as it is.
    pub(super) fn plain(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), from: (0..text.len()).map(|at| (at, at + 1)).collect() }
    }

    /// The text, then what it stands for, then what that stands for.
    pub(super) fn all(text: &str) -> Vec<Self> {
        let mut views = vec![Self::plain(text)];
        while views.len() < DEPTH {
            match views.last().and_then(Self::unescaped) {
                Some(next) => views.push(next),
                None => break,
            }
        }
        views
    }

    /// Where in the text the bytes from `start` on are.
    pub(super) fn origin(&self, start: usize, length: usize) -> Option<std::ops::Range<usize>> {
        let first = self.from.get(start)?;
        let last = self.from.get(start + length - 1)?;
        Some(first.0..last.1)
    }

    /// `None` where nothing is escaped.
    fn unescaped(&self) -> Option<Self> {
        let mut next = Self { bytes: Vec::with_capacity(self.bytes.len()), from: Vec::with_capacity(self.bytes.len()) };
        let mut at = 0;
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (length, value) = escape(rest).unwrap_or_else(|| (1, rest.iter().copied().take(1).collect()));
            let origin = self.origin(at, length)?;
            next.from.extend(value.iter().map(|_| (origin.start, origin.end)));
            next.bytes.extend(value);
            at += length;
        }
        (next.bytes.len() < self.bytes.len()).then_some(next)
    }
}

/// How long the escape is that a text begins with, and what it stands for.
fn escape(rest: &[u8]) -> Option<(usize, Vec<u8>)> {
    match rest {
        [b'%', high, low, ..] => Some((3, vec![hex(*high)? * 16 + hex(*low)?])),
        [b'\\', b'u', digits @ ..] => {
            let unit = number(digits.get(..4)?, 16)?;
            match (unit, digits.get(4..6), digits.get(6..10)) {
                (0xd800..=0xdbff, Some(b"\\u"), Some(more)) => {
                    let low = number(more, 16)?.checked_sub(0xdc00)?;
                    character(0x1_0000 + ((unit - 0xd800) << 10) + low).map(|value| (12, value))
                }
                _ => character(unit).map(|value| (6, value)),
            }
        }
        [b'\\', b'x', high, low, ..] => Some((4, vec![hex(*high)? * 16 + hex(*low)?])),
        [b'\\', short, ..] => Some((
            2,
            vec![match short {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'b' => 8,
                b'f' => 12,
                b'"' | b'\'' | b'\\' | b'/' => *short,
                _ => return None,
            }],
        )),
        [b'&', ..] => {
            let end = rest.iter().take(12).position(|byte| *byte == b';')?;
            Some((end + 1, entity(rest.get(1..end)?)?))
        }
        _ => None,
    }
}

fn entity(name: &[u8]) -> Option<Vec<u8>> {
    match name {
        [b'#', b'x' | b'X', digits @ ..] => character(number(digits, 16)?),
        [b'#', digits @ ..] => character(number(digits, 10)?),
        b"amp" => Some(vec![b'&']),
        b"lt" => Some(vec![b'<']),
        b"gt" => Some(vec![b'>']),
        b"quot" => Some(vec![b'"']),
        b"apos" => Some(vec![b'\'']),
        _ => None,
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

fn character(code: u32) -> Option<Vec<u8>> {
    char::from_u32(code).map(|character| character.to_string().into_bytes())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A value in a link in a string in a script in a page.
const DEPTH: usize = 5;
