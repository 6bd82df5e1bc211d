//! A browser's cookie jar, as far as the demo's three cookies go. Reads `Set-Cookie` without any of our own parsers.

use std::fmt;

use http::{HeaderMap, HeaderValue, header::SET_COOKIE};

/// A cookie value that may sign somebody in; it is compared and sent, never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Token(String);

impl Token {
    #[cfg(test)]
    pub(crate) fn made_up(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// Which of the demo's cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Session,
    Elevated,
    Anonymous,
}

/// One `Set-Cookie` of the demo: a new value, or none where the cookie is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetCookie {
    pub(crate) kind: Kind,
    pub(crate) value: Option<Token>,
}

impl SetCookie {
    /// All of ours in a response, in the order in which a browser would apply them.
    pub(crate) fn all(headers: &HeaderMap) -> Vec<Self> {
        headers.get_all(SET_COOKIE).iter().filter_map(|line| Self::parse(line.to_str().ok()?)).collect()
    }

    /// `None` for a cookie that is not one of the demo's three.
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let kind = Kind::named(name)?;
        let removed = value.is_empty() || parts.any(is_in_the_past);
        Some(Self { kind, value: (!removed).then(|| Token(value.to_owned())) })
    }
}

/// The cookies a browser would send now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jar {
    session: Option<Token>,
    elevated: Option<Token>,
    anonymous: Option<Token>,
}

impl Jar {
    /// A jar with nothing but this session token: what a thief, or a check, presents.
    pub(crate) fn only(token: Token) -> Self {
        Self { session: Some(token), ..Self::default() }
    }

    /// The session token in the jar.
    pub(crate) fn session(&self) -> Option<&Token> {
        self.session.as_ref()
    }

    /// The anonymous token in the jar.
    pub(crate) fn anonymous(&self) -> Option<&Token> {
        self.anonymous.as_ref()
    }

    /// What a browser does with these lines, in order.
    pub(crate) fn apply(&mut self, lines: &[SetCookie]) {
        for line in lines {
            let slot = match line.kind {
                Kind::Session => &mut self.session,
                Kind::Elevated => &mut self.elevated,
                Kind::Anonymous => &mut self.anonymous,
            };
            slot.clone_from(&line.value);
        }
    }

    /// The `Cookie` header, none for an empty jar.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let slots =
            [(Kind::Session, &self.session), (Kind::Elevated, &self.elevated), (Kind::Anonymous, &self.anonymous)];
        let pairs: Vec<String> = slots
            .into_iter()
            .filter_map(|(kind, slot)| slot.as_ref().map(|token| format!("{}={}", kind.name(), token.0)))
            .collect();
        if pairs.is_empty() { None } else { HeaderValue::try_from(pairs.join("; ")).ok() }
    }
}

impl Kind {
    const ALL: [Self; 3] = [Self::Session, Self::Elevated, Self::Anonymous];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Session => "dev-id",
            Self::Elevated => "dev-el",
            Self::Anonymous => "dev-an",
        }
    }
}

fn is_in_the_past(attribute: &str) -> bool {
    let Some((name, value)) = attribute.split_once('=') else {
        return false;
    };
    if name.eq_ignore_ascii_case("max-age") {
        return value.trim().parse::<i64>().is_ok_and(|seconds| seconds <= 0);
    }
    name.eq_ignore_ascii_case("expires") && value.contains(" 1970 ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(kind: Kind, value: Option<&str>) -> SetCookie {
        SetCookie { kind, value: value.map(Token::made_up) }
    }

    #[test]
    fn set_cookie_lines_are_read_as_a_browser_reads_them() {
        for (line, expected) in [
            ("dev-id=abc; Path=/; HttpOnly; Max-Age=86400", Some(set(Kind::Session, Some("abc")))),
            ("dev-el=abc", Some(set(Kind::Elevated, Some("abc")))),
            ("dev-an=a=b; path=/", Some(set(Kind::Anonymous, Some("a=b")))),
            ("dev-id=; Path=/; Max-Age=0", Some(set(Kind::Session, None))),
            ("dev-id=abc; max-age=0", Some(set(Kind::Session, None))),
            ("dev-id=abc; Max-Age=-1", Some(set(Kind::Session, None))),
            ("dev-id=abc; Expires=Thu, 01 Jan 1970 00:00:00 GMT", Some(set(Kind::Session, None))),
            ("other=abc", None),
            ("dev-id", None),
            ("", None),
        ] {
            assert_eq!(SetCookie::parse(line), expected, "{line}");
        }
    }

    #[test]
    fn the_last_line_wins_and_a_removal_empties_the_slot() {
        let mut jar = Jar::default();
        assert_eq!(jar.header(), None);
        jar.apply(&[set(Kind::Session, Some("one")), set(Kind::Session, Some("two")), set(Kind::Anonymous, Some("x"))]);
        assert_eq!(jar.header().unwrap(), "dev-id=two; dev-an=x");
        jar.apply(&[set(Kind::Anonymous, None)]);
        assert_eq!(jar.header().unwrap(), "dev-id=two");
    }

    #[test]
    fn a_token_never_shows_itself() {
        let jar = Jar::only(Token::made_up("very-secret"));
        assert!(!format!("{jar:?}").contains("very-secret"));
    }
}
