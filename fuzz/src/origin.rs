//! Origins: one canonical form, read back as itself, and no header names an origin that it does not parse to.

use counterfoil_core::origin::{Origin, PublicOrigins, TrustedOrigins};

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "origin",
    check,
    words: &[
        "https://",
        "http://",
        "shop.example",
        ":443",
        ":8443",
        "[::1]",
        "xn--",
        "bücher",
        "null",
        "*",
        "@",
        "。",
        ".",
    ],
};

fn check(input: &[u8]) {
    let text = std::str::from_utf8(input).ok();
    let parsed = text.and_then(|text| Origin::parse(text).ok());
    if let Some(origin) = &parsed {
        is_canonical(origin);
    }
    let own: Origin = OWN.parse().expect("an origin");
    let public = PublicOrigins::new([own.clone()]).expect("one origin");
    // A header is this origin only if it parses to it.
    let same = parsed.as_ref() == Some(&own);
    assert!(!own.matches_header(input) || same, "{text:?} passed for {OWN}");
    assert_eq!(public.matches_header(input), own.matches_header(input));
    assert_eq!(TrustedOrigins::new([own.clone()]).find_header(input).is_some(), own.matches_header(input));
    // A page is ours only if what stands before its path is.
    if public.matches_referer(input) {
        let written = input.get(.."https://".len() + 1).unwrap_or_default().to_ascii_lowercase();
        assert!(written.starts_with(b"https://s"), "{text:?} passed for a page of {OWN}");
    }
    let page = [OWN.as_bytes(), b"/", input].concat();
    assert!(public.matches_referer(&page), "a page of {OWN} did not pass");
}

fn is_canonical(origin: &Origin) {
    let text = origin.as_str();
    assert_eq!(Origin::parse(text).as_ref(), Ok(origin), "{text}");
    assert!(text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_uppercase()), "{text}");
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:/[]".contains(&byte)), "{text}");
    assert!(origin.matches_header(text.as_bytes()) || text.len() > LONGEST, "{text}");
    assert!(!text.ends_with(['.', '/', ':']), "{text}");
}

const OWN: &str = "https://shop.example";
/// Beyond this no header is read.
const LONGEST: usize = 300;
