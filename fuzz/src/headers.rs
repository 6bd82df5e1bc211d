//! Headers that are lists or structured: user agents, client hints, `Accept`, `Upgrade`, `Sec-Fetch-Mode`.

use counterfoil_core::agent::{Agent, Platform};
use counterfoil_core::seam::{is_navigation, is_websocket};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Target, lines};

pub(crate) const TARGET: Target = Target {
    name: "headers",
    check,
    words: &[
        "text/html",
        "application/json",
        ";q=0.9",
        ", ",
        "*/*",
        "websocket",
        "navigate",
        "\"Windows\"",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)",
        "Chrome/156.0.0.0",
        "Edg/",
        "Android",
        "iPhone",
        "curl/8",
    ],
};

/// A line each: `User-Agent`, `Sec-CH-UA-Platform`, `Accept`, `Accept` again, `Upgrade`, `Sec-Fetch-Mode`.
fn check(input: &[u8]) {
    let values: Vec<_> = lines(input).collect();
    let value = |index: usize| values.get(index).copied().unwrap_or_default();
    let agent = Agent::read(value(0), values.get(1).copied());
    let label = agent.label();
    assert!(!label.is_empty() && label.len() <= 40 && label.is_ascii(), "{label:?}");
    // A client hint is one quoted string of a closed list, or it says nothing.
    if agent.platform != Agent::read(value(0), None).platform {
        let quoted = value(1).starts_with(b"\"") && value(1).ends_with(b"\"");
        assert!(quoted && agent.platform != Platform::Other, "{:?}", value(1));
    }

    let mut headers = HeaderMap::new();
    for (name, value) in NAMES.iter().zip(values.iter().skip(2)) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let navigation = is_navigation(&headers);
    if let Some(mode) = headers.get("sec-fetch-mode") {
        assert_eq!(navigation, mode == "navigate");
    }
    if is_websocket(&headers) {
        let value = headers.get("upgrade").map(|value| value.as_bytes().to_ascii_lowercase()).unwrap_or_default();
        assert!(memchr::memmem::find(&value, b"websocket").is_some());
    }
}

const NAMES: [&str; 4] = ["accept", "accept", "upgrade", "sec-fetch-mode"];
