//! Paths as rules see them: every way an app may read one, and patterns to match them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A pattern: a path, or a path and what lies below it.
///
/// `/login` is that path alone; `/files/*` is everything below `/files/`, and that path itself; `/*` is everything.
/// `/*/edit` is every path that ends so, with one segment or more before it. Patterns are anchored at both ends and match
/// whole segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Decoded, as far as the star.
    start: Text,
    below: bool,
    /// What follows a star in between, with its slash.
    end: Option<Text>,
}

/// A part of a pattern, as it is and without upper case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Text {
    plain: Box<str>,
    folded: Box<str>,
}

/// Not a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// It does not begin with a slash.
    #[error("a path begins with a slash")]
    NotAPath,
    /// A star is not a segment of its own, or there are two.
    #[error("one star may be a segment: the last, as in /files/*, or one before the end, as in /*/edit")]
    Star,
    /// It names a query, or something no request can ask for and be let through.
    #[error("write the path decoded, without query, parameters, empty or dot segments: {0}")]
    NotPlain(Unreadable),
}

/// A path that apps may read in ways we cannot foresee. Deny the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// It does not begin with a slash.
    #[error("the target is not a path")]
    NotAPath,
    /// A segment is `.` or `..`, in any spelling.
    #[error("the path has a dot segment")]
    DotSegment,
    /// A slash or backslash is encoded, or a backslash stands there as it is.
    #[error("the path has an encoded slash, or a backslash")]
    HiddenSlash,
    /// A control character, as it is or encoded; NUL is one.
    #[error("the path has a control character")]
    Control,
    /// A `#`.
    #[error("the path has a fragment")]
    Fragment,
    /// A percent sign that encodes nothing, or encodes itself; or bytes that are no UTF-8.
    #[error("the path has a broken or a doubled encoding")]
    Encoding,
    /// More than [`MAX_PATH`] bytes.
    #[error("the path is longer than {MAX_PATH} bytes")]
    TooLong,
}

/// One way to read a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading<'a> {
    path: Cow<'a, str>,
    /// Whether the app may not tell upper case from lower.
    fold: bool,
    /// Whether the app may not tell `/page/` from `/page`.
    slashless: bool,
}

/// The longest path that is looked at, in bytes.
pub const MAX_PATH: usize = 8 * 1024;

/// Every way in which an app may read the path of `target`: as it is, and without what some leave out. Each once with
/// and once without a difference between upper and lower case; and all that without a final slash, where paths, or patterns
/// as `slashed` says, have any.
pub(super) fn readings(target: &str, slashed: bool) -> Result<Vec<Reading<'_>>, Unreadable> {
    let raw = target.split('?').next().unwrap_or_default();
    let paths = if is_plain(raw) { vec![Cow::Borrowed(raw)] } else { spellings(raw)? };
    let slashed = slashed || paths.iter().any(|path| path.ends_with('/'));
    let mut readings = Vec::with_capacity(4 * paths.len());
    for path in paths {
        readings.push(Reading { path: folded(&path), fold: true, slashless: false });
        readings.push(Reading { path, fold: false, slashless: false });
    }
    if slashed {
        let slashless: Vec<_> = readings.iter().map(Reading::slashless).collect();
        readings.extend(slashless);
    }
    Ok(readings)
}

/// Whether every app reads a path as it stands there, but for its case: nothing is encoded, cut or left out.
fn is_plain(raw: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/');
    let bytes = raw.as_bytes();
    // No empty segment, and none that begins with a dot, as dot segments do.
    let segments = bytes.windows(2).all(|pair| !matches!(pair, [b'/', b'/' | b'.']));
    bytes.first() == Some(&b'/') && bytes.len() <= MAX_PATH && segments && bytes.iter().all(|byte| is_plain(*byte))
}

/// A path decoded, and without what some apps leave out.
fn spellings(raw: &str) -> Result<Vec<Cow<'_, str>>, Unreadable> {
    let mut paths = vec![decoded(raw)?];
    for simplify in [without_parameters, without_empty_segments] {
        let simpler: Vec<String> = paths.iter().map(|path| simplify(path)).filter(|new| !paths.contains(new)).collect();
        paths.extend(simpler);
    }
    // What is left when parameters are cut must not become a dot segment: `/..;x/admin`.
    if paths.iter().any(|path| has_dot_segment(path)) {
        return Err(Unreadable::DotSegment);
    }
    Ok(paths.into_iter().map(Cow::Owned).collect())
}

/// As apps that fold case see it. Some compare capitals, and to them `\u{17f}` is an S and `\u{131}` an I.
fn folded<'a>(path: &Cow<'a, str>) -> Cow<'a, str> {
    if !path.is_ascii() {
        return path.to_uppercase().to_lowercase().into();
    }
    if path.bytes().any(|byte| byte.is_ascii_uppercase()) { path.to_ascii_lowercase().into() } else { path.clone() }
}

impl<'a> Reading<'a> {
    /// The same where the app does not see a final slash.
    fn slashless(&self) -> Self {
        let path: Cow<'a, str> = match &self.path {
            Cow::Borrowed(path) => Cow::Borrowed(without_final_slash(path)),
            Cow::Owned(path) => Cow::Owned(without_final_slash(path).to_owned()),
        };
        Self { path, slashless: true, ..*self }
    }
}

/// The path with its percent-encoding undone, once.
fn decoded(raw: &str) -> Result<String, Unreadable> {
    if raw.len() > MAX_PATH {
        return Err(Unreadable::TooLong);
    }
    if !raw.starts_with('/') {
        return Err(Unreadable::NotAPath);
    }
    if raw.contains('#') {
        return Err(Unreadable::Fragment);
    }
    if raw.contains('\\') {
        return Err(Unreadable::HiddenSlash);
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        bytes.push(if byte == b'%' { encoded(rest.next(), rest.next())? } else { byte });
    }
    let path = String::from_utf8(bytes).map_err(|_| Unreadable::Encoding)?;
    if path.chars().any(char::is_control) {
        return Err(Unreadable::Control);
    }
    Ok(path)
}

/// The byte that two digits encode. A slash or a percent sign is not encoded for any good reason that we could follow.
fn encoded(high: Option<&u8>, low: Option<&u8>) -> Result<u8, Unreadable> {
    let digit = |byte: Option<&u8>| {
        byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
    };
    match digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low) {
        None | Some(b'%') => Err(Unreadable::Encoding),
        Some(b'/' | b'\\') => Err(Unreadable::HiddenSlash),
        Some(byte) => Ok(byte),
    }
}

fn without_parameters(path: &str) -> String {
    let segments = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
    segments.collect::<Vec<_>>().join("/")
}

fn without_empty_segments(path: &str) -> String {
    let mut simpler = String::with_capacity(path.len());
    for character in path.chars() {
        if !(character == '/' && simpler.ends_with('/')) {
            simpler.push(character);
        }
    }
    simpler
}

/// `/` itself stays.
fn without_final_slash(path: &str) -> &str {
    path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path)
}

fn has_dot_segment(path: &str) -> bool {
    path.split('/').any(|segment| matches!(segment, "." | ".."))
}

impl Pattern {
    /// Whether every path that `other` is about is one that this pattern is about too.
    pub fn covers(&self, other: &Self) -> bool {
        if self.end.is_some() {
            return self == other;
        }
        match (self.below, other.below) {
            (true, false) if self.start.plain.strip_suffix('/') == Some(&other.start.plain) => true,
            (true, _) => other.start.plain.starts_with(&*self.start.plain),
            (false, _) => !other.below && other.start == self.start,
        }
    }

    /// Whether it names how paths end, wherever they begin.
    pub const fn is_about_endings(&self) -> bool {
        self.end.is_some()
    }

    /// Whether it is about paths that have a slash at their end.
    pub(super) fn is_slashed(&self) -> bool {
        match &self.end {
            Some(end) => end.plain.ends_with('/'),
            None => !self.below && self.start.plain.len() > 1 && self.start.plain.ends_with('/'),
        }
    }

    /// Whether it is about this path.
    pub(super) fn matches(&self, reading: &Reading<'_>) -> bool {
        let start = self.start.of(reading);
        if let Some(end) = &self.end {
            let end = end.of(reading);
            let end = end.strip_suffix('/').filter(|_| reading.slashless).unwrap_or(end);
            let between = reading.path.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            return between.is_some_and(|between| !between.is_empty());
        }
        if reading.slashless && !self.below {
            return without_final_slash(start) == reading.path;
        }
        match reading.path.strip_prefix(start) {
            Some(rest) => self.below || rest.is_empty(),
            None => self.below && start.strip_suffix('/').is_some_and(|itself| itself == reading.path),
        }
    }
}

impl Text {
    /// Checked to be plain.
    fn read(text: &str) -> Result<Self, PatternError> {
        if text.contains('*') {
            return Err(PatternError::Star);
        }
        if text.contains(['?', '%', ';']) || text.contains("//") {
            return Err(PatternError::NotPlain(Unreadable::Encoding));
        }
        if has_dot_segment(text) {
            return Err(PatternError::NotPlain(Unreadable::DotSegment));
        }
        let plain = decoded(text).map_err(PatternError::NotPlain)?;
        Ok(Self { folded: folded(&Cow::Borrowed(&*plain)).into(), plain: plain.into() })
    }

    /// As this reading writes.
    fn of(&self, reading: &Reading<'_>) -> &str {
        if reading.fold { &self.folded } else { &self.plain }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if !text.starts_with('/') {
            return Err(PatternError::NotAPath);
        }
        if let Some(parent) = text.strip_suffix("/*") {
            return Ok(Self { start: Text::read(&format!("{parent}/"))?, below: true, end: None });
        }
        match text.split_once("/*/") {
            None => Ok(Self { start: Text::read(text)?, below: false, end: None }),
            Some((parent, rest)) => {
                let end = Some(Text::read(&format!("/{rest}"))?);
                Ok(Self { start: Text::read(&format!("{parent}/"))?, below: true, end })
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.end.as_ref().map_or("", |end| &*end.plain);
        write!(out, "{}{}{end}", self.start.plain, if self.below { "*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Or the short way round would get around a rule.
        #[test]
        fn a_plain_path_has_one_spelling_and_that_is_it(raw in "[/.a-zA-Z0-9~_;%é\\\\#-]{0,12}") {
            if is_plain(&raw) {
                prop_assert_eq!(spellings(&raw), Ok(vec![Cow::Borrowed(raw.as_str())]));
            }
        }

        #[test]
        fn what_pages_are_called_is_plain(segments in prop::collection::vec("[a-zA-Z0-9_-][a-zA-Z0-9._~-]{0,8}", 1..5)) {
            let path = format!("/{}", segments.join("/"));
            prop_assert!(is_plain(&path), "{path}");
        }
    }
}
