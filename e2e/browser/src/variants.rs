//! Malformed and unusual `Set-Cookie` lines: what a browser has to do with each, and which of our rules rests on it.

/// One answer, and what becomes of it.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) what: &'static str,
    /// What an earlier answer set, over https; empty where there was none.
    pub(crate) before: &'static str,
    /// The `Set-Cookie` lines of the answer. `{host}` stands for its host, `{parent}` for the domain above.
    pub(crate) lines: Vec<Vec<u8>>,
    pub(crate) over: Over,
    pub(crate) claim: Claim,
    pub(crate) rule: Rule,
}

/// How the answer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    Https,
    Http,
    /// Https, at a host right below a public suffix.
    HttpsBelowSuffix,
}

/// What the browser holds afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nothing of this host.
    Nothing,
    /// One cookie: as it is sent back, its attributes, and for how long.
    One(&'static str, &'static str, Lasts),
    /// The answer as a whole is refused.
    NoAnswer,
}

/// How long a cookie lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasts {
    UntilClosed,
    Seconds(u64),
}

/// What we do because browsers do this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Our names carry a prefix.
    Prefix,
    /// A cookie and its removal come from one shape.
    Removal,
    /// `Max-Age` is between one second and 400 days.
    Lifetime,
    /// Name and value are checked before they are sent.
    Octets,
    /// `SameSite=None` and `Partitioned` do not build without https.
    Secure,
    /// Ours have no `Domain`, and two of one name are never both believed.
    Domain,
    /// One writer prints every attribute, once.
    Shape,
}

impl Rule {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Prefix => "names begin with `__Host-Http-`",
            Self::Removal => "a removal has the attributes of what it removes",
            Self::Lifetime => "`Max-Age` is 1 s to 400 days",
            Self::Octets => "name and value are checked before they leave",
            Self::Secure => "over https all are `Secure`; `SameSite=None` does not build over http",
            Self::Domain => "no `Domain`; of two cookies of one name, tags decide",
            Self::Shape => "one writer prints each attribute once",
        }
    }
}

/// The table.
#[expect(clippy::too_many_lines, reason = "it is one table")]
#[rustfmt::skip]
pub(crate) fn all() -> Vec<Variant> {
    use Claim::{NoAnswer, Nothing, One};
    use Lasts::{Seconds, UntilClosed};
    use Over::{Http, Https, HttpsBelowSuffix};
    const OURS: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";
    const LONGEST: u64 = 400 * 86_400;
    let of = |over, rule, what, line: &str, claim| Variant { what, before: "", lines: vec![line.as_bytes().to_vec()], over, claim, rule };
    let raw = |rule, what, line: &[u8], claim| Variant { what, before: "", lines: vec![line.to_vec()], over: Https, claim, rule };
    let after = |over, rule, what, before, line: &str, claim| Variant { what, before, lines: vec![line.as_bytes().to_vec()], over, claim, rule };
    let both = |rule, what, lines: [&str; 2], claim| Variant { what, before: "", lines: lines.map(|line| line.as_bytes().to_vec()).into(), over: Https, claim, rule };
    let long = |name: usize, value: usize| format!("{}={}; Path=/; Secure", "n".repeat(name), "v".repeat(value));

    vec![
        of(Https, Rule::Prefix, "ours", "__Host-Http-id=1; Max-Age=3600; Path=/; Secure; HttpOnly; SameSite=Lax", One("__Host-Http-id=1", OURS, Seconds(3600))),
        of(Https, Rule::Prefix, "ours without Secure", "__Host-Http-id=1; Path=/; HttpOnly; SameSite=Lax", Nothing),
        of(Https, Rule::Prefix, "ours without HttpOnly", "__Host-Http-id=1; Path=/; Secure; SameSite=Lax", Nothing),
        of(Https, Rule::Prefix, "ours with Domain: its own host", "__Host-Http-id=1; Path=/; Domain={host}; Secure; HttpOnly", Nothing),
        of(Https, Rule::Prefix, "ours with Domain: the one above", "__Host-Http-id=1; Path=/; Domain={parent}; Secure; HttpOnly", Nothing),
        of(Https, Rule::Prefix, "ours with another path", "__Host-Http-id=1; Path=/app; Secure; HttpOnly", Nothing),
        of(Https, Rule::Prefix, "ours without a path", "__Host-Http-id=1; Secure; HttpOnly", Nothing),
        of(Http, Rule::Prefix, "ours over plain http", "__Host-Http-id=1; Path=/; Secure; HttpOnly", Nothing),
        of(Https, Rule::Prefix, "our prefix in lower case, without Secure", "__host-http-id=1; Path=/; HttpOnly", Nothing),
        of(Https, Rule::Prefix, "our prefix in mixed case, without HttpOnly", "__HoSt-hTtP-id=1; Path=/; Secure", Nothing),
        of(Https, Rule::Prefix, "a space before our name, without Secure", "  __Host-Http-id=1; Path=/; HttpOnly", Nothing),
        of(Https, Rule::Prefix, "our name as the value of a cookie without a name", "=__Host-Http-id=1; Path=/; Secure; HttpOnly", Nothing),
        of(Https, Rule::Prefix, "our name alone", "__Host-Http-id; Path=/; Secure; HttpOnly", Nothing),
        of(Https, Rule::Prefix, "`__Host-` without Secure", "__Host-id=1; Path=/", Nothing),
        of(Https, Rule::Prefix, "`__Http-` without HttpOnly", "__Http-id=1; Path=/; Secure", Nothing),
        of(Https, Rule::Prefix, "`__Secure-` without Secure", "__Secure-id=1; Path=/", Nothing),
        of(Http, Rule::Prefix, "`__Secure-` over plain http", "__Secure-id=1; Path=/; Secure", Nothing),

        of(Http, Rule::Secure, "Secure over plain http", "a=1; Path=/; Secure", Nothing),
        after(Http, Rule::Secure, "over plain http, a name that is Secure already", "a=1; Path=/; Secure", "a=2; Path=/", One("a=1", "Path=/; Secure", UntilClosed)),
        of(Https, Rule::Secure, "SameSite=None without Secure", "a=1; Path=/; SameSite=None", Nothing),
        of(Https, Rule::Secure, "Partitioned without Secure", "a=1; Path=/; SameSite=None; Partitioned", Nothing),
        of(Https, Rule::Secure, "SameSite=None; Secure", "a=1; Path=/; Secure; SameSite=None", One("a=1", "Path=/; Secure; SameSite=None", UntilClosed)),
        of(Https, Rule::Shape, "SameSite of an unknown kind", "a=1; Path=/; SameSite=Sometimes", One("a=1", "Path=/", UntilClosed)),

        of(Https, Rule::Octets, "4,096 bytes of name and value", &long(96, 4_000), One("", "Path=/; Secure", UntilClosed)),
        of(Https, Rule::Octets, "4,097 bytes of name and value", &long(96, 4_001), Nothing),
        of(Https, Rule::Octets, "4,097 bytes, all name", &long(4_097, 0), Nothing),
        of(Https, Rule::Shape, "a path of 1,025 bytes", &format!("a=1; Path=/{}; Secure", "p".repeat(1_024)), One("a=1", "Path=/; Secure", UntilClosed)),
        raw(Rule::Octets, "a control character in the value", b"a=1\x012; Path=/", Nothing),
        raw(Rule::Octets, "DEL in the value", b"a=1\x7f2; Path=/", Nothing),
        raw(Rule::Octets, "a control character in the name", b"a\x01b=1; Path=/", Nothing),
        raw(Rule::Octets, "a control character in an attribute", b"a=1; Path=/\x01", Nothing),
        raw(Rule::Octets, "NUL in the value", b"a=1\x002; Path=/", NoAnswer),
        raw(Rule::Octets, "a tab in the value", b"a=1\t2; Path=/", Nothing),
        raw(Rule::Octets, "UTF-8 in the value", "a=käse; Path=/".as_bytes(), One("a=käse", "Path=/", UntilClosed)),
        raw(Rule::Octets, "a byte that is no UTF-8", b"a=1\xff2; Path=/", One("a=1\u{fffd}2", "Path=/", UntilClosed)),
        of(Https, Rule::Octets, "a comma in the value", "a=1, b=2; Path=/", One("a=1, b=2", "Path=/", UntilClosed)),
        of(Https, Rule::Octets, "a semicolon in quotes", "a=\"1;2\"; Path=/", One("a=\"1", "Path=/", UntilClosed)),
        of(Https, Rule::Octets, "quotes", "a=\"1\"; Path=/", One("a=\"1\"", "Path=/", UntilClosed)),
        of(Https, Rule::Octets, "spaces around name and value", "  a  =  1  ; Path=/", One("a=1", "Path=/", UntilClosed)),
        of(Https, Rule::Octets, "no equals sign", "abc; Path=/", One("abc", "Path=/", UntilClosed)),
        of(Https, Rule::Octets, "an empty value", "a=; Path=/", One("a=", "Path=/", UntilClosed)),
        of(Https, Rule::Octets, "neither name nor value", "=; Path=/", Nothing),
        of(Https, Rule::Octets, "nothing but attributes", "; Path=/; Secure", Nothing),

        of(Https, Rule::Lifetime, "Max-Age=0", "a=1; Path=/; Max-Age=0", Nothing),
        of(Https, Rule::Lifetime, "a negative Max-Age", "a=1; Path=/; Max-Age=-1", Nothing),
        of(Https, Rule::Lifetime, "Max-Age beyond 400 days", "a=1; Path=/; Max-Age=99999999", One("a=1", "Path=/", Seconds(LONGEST))),
        of(Https, Rule::Lifetime, "Max-Age beyond any number", "a=1; Path=/; Max-Age=99999999999999999999999", One("a=1", "Path=/", Seconds(LONGEST))),
        of(Https, Rule::Lifetime, "Max-Age that is no number", "a=1; Path=/; Max-Age=1h", One("a=1", "Path=/", UntilClosed)),
        of(Https, Rule::Lifetime, "Max-Age in quotes", "a=1; Path=/; Max-Age=\"60\"", One("a=1", "Path=/", UntilClosed)),
        of(Https, Rule::Lifetime, "Expires beyond 400 days", "a=1; Path=/; Expires=Fri, 01 Jan 2100 00:00:00 GMT", One("a=1", "Path=/", Seconds(LONGEST))),
        of(Https, Rule::Lifetime, "Expires long ago, Max-Age ahead", "a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", One("a=1", "Path=/", Seconds(60))),
        of(Https, Rule::Lifetime, "Expires as asctime writes it", "a=1; Path=/; Expires=Fri Jan  1 00:00:00 2100", One("a=1", "Path=/", Seconds(LONGEST))),
        of(Https, Rule::Lifetime, "Expires with a year of two digits", "a=1; Path=/; Expires=Thursday, 01-Jan-69 00:00:00 GMT", One("a=1", "Path=/", Seconds(LONGEST))),
        of(Https, Rule::Lifetime, "Expires that is no date", "a=1; Path=/; Expires=tomorrow", One("a=1", "Path=/", UntilClosed)),

        of(HttpsBelowSuffix, Rule::Domain, "Domain: a public suffix", "a=1; Path=/; Domain=co.uk", Nothing),
        of(Https, Rule::Domain, "Domain: a top-level domain", "a=1; Path=/; Domain=test", Nothing),
        of(Https, Rule::Domain, "Domain: somebody else's", "a=1; Path=/; Domain=other.test", Nothing),
        of(Https, Rule::Domain, "Domain: below its host", "a=1; Path=/; Domain=deeper.{host}", Nothing),
        of(Https, Rule::Domain, "Domain: the one above, which all siblings get", "a=1; Path=/; Domain={parent}", One("a=1", "Path=/; Domain={parent}", UntilClosed)),
        of(Https, Rule::Domain, "Domain with a dot in front", "a=1; Path=/; Domain=.{parent}", One("a=1", "Path=/; Domain={parent}", UntilClosed)),
        of(Https, Rule::Domain, "an empty Domain", "a=1; Path=/; Domain=", One("a=1", "Path=/", UntilClosed)),

        of(Https, Rule::Shape, "two paths", "a=1; Path=/x; Path=/", One("a=1", "Path=/", UntilClosed)),
        of(Https, Rule::Shape, "two kinds of SameSite", "a=1; Path=/; SameSite=Strict; SameSite=Lax", One("a=1", "Path=/; SameSite=Lax", UntilClosed)),
        of(Https, Rule::Shape, "attributes in capitals", "a=1; PATH=/; SECURE; HTTPONLY; SAMESITE=LAX", One("a=1", OURS, UntilClosed)),
        of(Https, Rule::Shape, "attributes that say no", "a=1; Path=/; Secure=false; HttpOnly=no", One("a=1", "Path=/; Secure; HttpOnly", UntilClosed)),
        of(Https, Rule::Shape, "attributes nobody knows", "a=1; Path=/; Flavour=bitter; Fresh", One("a=1", "Path=/", UntilClosed)),
        of(Https, Rule::Shape, "a path that is not one", "a=1; Path=nowhere", One("a=1", "Path=/", UntilClosed)),
        both(Rule::Shape, "one name twice in one answer", ["a=1; Path=/", "a=2; Path=/"], One("a=2", "Path=/", UntilClosed)),

        after(Https, Rule::Removal, "our removal", "__Host-Http-id=1; Path=/; Secure; HttpOnly", "__Host-Http-id=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; Secure; HttpOnly; SameSite=Lax", Nothing),
        after(Https, Rule::Removal, "a removal without Secure", "__Host-Http-id=1; Path=/; Secure; HttpOnly", "__Host-Http-id=; Max-Age=0; Path=/; HttpOnly", One("__Host-Http-id=1", "Path=/; Secure; HttpOnly", UntilClosed)),
        after(Https, Rule::Removal, "a removal with another path", "a=1; Path=/", "a=; Max-Age=0; Path=/x", One("a=1", "Path=/", UntilClosed)),
        after(Https, Rule::Removal, "a removal with Domain", "a=1; Path=/", "a=; Max-Age=0; Path=/; Domain={host}", One("a=1", "Path=/", UntilClosed)),
        after(Https, Rule::Removal, "a removal by Expires alone", "a=1; Path=/", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/", Nothing),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_many_and_each_is_said_once() {
        let all = all();
        assert!(all.len() >= 25, "{}", all.len());
        assert_eq!(all.iter().map(|variant| variant.what).collect::<BTreeSet<_>>().len(), all.len());
    }
}
