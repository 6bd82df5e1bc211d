//! The cookie reader and writer: as a plain reader would, never more than the bound, and what is written is read back.

use counterfoil_core::Moment;
use counterfoil_core::cookie::{
    CookieKind, CookieLifetime, CookieNames, CookieShape, HeaderJoin, MAX_CANDIDATES, MAX_COOKIE_BYTES, SameSite, scan,
    without_ours,
};
use counterfoil_core::testing::Jar;

use crate::{Target, lines};

pub(crate) const TARGET: Target = Target {
    name: "cookie",
    check,
    words: &[
        "__Host-Http-id=",
        "__Host-Http-el",
        "__Host-Http-an=",
        "dev-id=",
        "; ",
        ",",
        "=",
        "\"",
        "\t",
        "cfoil1_k1_AbC",
    ],
};

fn check(input: &[u8]) {
    for names in [CookieNames::https(), CookieNames::plain_http_loopback()] {
        for join in [HeaderJoin::Standard, HeaderJoin::Comma] {
            reads_as_a_plain_reader(input, names, join);
            takes_out_what_it_reads(input, names, join);
        }
        if let Ok(text) = std::str::from_utf8(input) {
            writes_only_what_it_reads(text, names);
        }
    }
}

fn reads_as_a_plain_reader(input: &[u8], names: CookieNames, join: HeaderJoin) {
    let scanned = scan(lines(input), names, join);
    for kind in CookieKind::ALL {
        let found = scanned.of(kind);
        let values: Vec<_> = lines(input).flat_map(|line| plainly(line, names.name(kind).as_str(), join)).collect();
        let good: Vec<_> = values.iter().copied().filter(|value| is_fine(value, names.name(kind).as_str())).collect();
        let kept: Vec<_> = found.candidates().iter().map(|text| text.as_bytes()).collect();
        assert_eq!(kept, good.iter().copied().take(MAX_CANDIDATES).collect::<Vec<_>>());
        assert_eq!(found.overflow(), good.len() > MAX_CANDIDATES);
        assert_eq!(found.malformed(), values.len() - good.len());
        assert_eq!(found.is_present(), !values.is_empty());
    }
    let shown = format!("{scanned:?}");
    assert!(shown.len() < 400, "{shown}");
}

fn takes_out_what_it_reads(input: &[u8], names: CookieNames, join: HeaderJoin) {
    let left = without_ours(lines(input), names, join);
    assert!(!scan([left.as_slice()], names, join).is_cookie_bearing(), "a cookie of ours is left");
    if !scan(lines(input), names, join).is_cookie_bearing() {
        let whole: Vec<_> = lines(input).filter(|line| !line.is_empty()).collect();
        assert_eq!(left, whole.join(&b"; "[..]), "nothing of ours was there, and something is gone");
    }
}

/// The values under one name, by the plainest reading.
fn plainly<'a>(header: &'a [u8], name: &str, join: HeaderJoin) -> Vec<&'a [u8]> {
    let pairs = header.split(|byte| *byte == b';' || (join == HeaderJoin::Comma && *byte == b','));
    pairs
        .filter_map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let (left, right) = pair.split_at(at);
            (trimmed(left) == name.as_bytes()).then(|| trimmed(right.get(1..).unwrap_or_default()))
        })
        .collect()
}

fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn is_fine(value: &[u8], name: &str) -> bool {
    let ours = value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
    !value.is_empty() && ours && name.len() + value.len() <= MAX_COOKIE_BYTES
}

fn writes_only_what_it_reads(value: &str, names: CookieNames) {
    let shape = CookieShape::new(names, SameSite::Lax).expect("Lax is for every listener");
    for kind in CookieKind::ALL {
        let Ok(cookie) = shape.set(kind, value, CookieLifetime::UntilBrowserCloses) else {
            continue;
        };
        let name = cookie.name().as_str();
        assert!(value.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)));
        assert!(name.len() + value.len() <= MAX_COOKIE_BYTES);
        let mut jar = Jar::default();
        jar.take(cookie.as_str(), Moment::EPOCH).expect("a browser keeps it");
        let header = jar.header(Moment::EPOCH).expect("it is there");
        assert_eq!(header.as_bytes(), format!("{name}={value}").as_bytes());
        if is_fine(value.as_bytes(), name) {
            let scanned = scan([header.as_bytes()], names, HeaderJoin::Standard);
            assert_eq!(scanned.of(kind).candidates(), [value]);
        }
        let _ = jar.take(shape.removal(kind).as_str(), Moment::EPOCH);
        assert_eq!(jar.header(Moment::EPOCH), None, "the removal fits what it removes");
    }
}
