//! Whether a request wants a page or data: one pure rule, one function.

use axum::http::{HeaderMap, header};

/// What kind of answer the requester can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// A navigation: an HTML page, or a redirect to one.
    Page,
    /// Everything else: JSON, or `application/problem+json`.
    Data,
}

/// A navigation is `Sec-Fetch-Mode: navigate`, or without that header an `Accept` that prefers `text/html`.
///
/// "Prefers" is strict: `text/html` must be named (or covered by `text/*`) with a quality above zero and above what JSON
/// and event streams get. `*/*` alone, and a tie, are data: scripts send those, browsers do not.
///
/// # Security
/// Only the shape of the answer depends on this, never whether a request is allowed. Browsers do not let a page's script
/// set `Sec-Fetch-Mode`, so a script cannot ask for the answer meant for a navigation.
pub fn wants(headers: &HeaderMap) -> Wants {
    let mut modes = headers.get_all("sec-fetch-mode").iter().peekable();
    let page = if modes.peek().is_some() {
        modes.all(|mode| mode.as_bytes() == b"navigate")
    } else {
        let ranges = ranges(headers);
        quality(&ranges, HTML) > RIVALS.iter().map(|rival| quality(&ranges, rival)).max().unwrap_or(0)
    };
    if page { Wants::Page } else { Wants::Data }
}

type MediaType = (&'static str, &'static str);

const HTML: &MediaType = &("text", "html");
const RIVALS: &[MediaType] = &[("application", "json"), ("application", "problem+json"), ("text", "event-stream")];

/// One member of `Accept`, with its quality in thousandths (RFC 9110, 12.4.2: at most three decimals).
struct Range {
    kind: String,
    subtype: String,
    quality: u16,
}

fn ranges(headers: &HeaderMap) -> Vec<Range> {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(range)
        .collect()
}

/// A member that cannot be read is skipped, as RFC 9110 lets a recipient ignore `Accept` altogether.
fn range(member: &str) -> Option<Range> {
    let mut parts = member.split(';').map(str::trim);
    let (kind, subtype) = parts.next()?.split_once('/')?;
    let quality = match parts.find_map(|parameter| parameter.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('=')) {
        Some(text) => thousandths(text.trim())?,
        None => 1000,
    };
    Some(Range { kind: kind.to_ascii_lowercase(), subtype: subtype.to_ascii_lowercase(), quality })
}

fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, fraction) {
        ("0", fraction) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// The quality the most specific matching range gives to a media type; zero when none matches.
fn quality(ranges: &[Range], (kind, subtype): &MediaType) -> u16 {
    ranges
        .iter()
        .filter_map(|range| {
            let specificity = match (range.kind.as_str(), range.subtype.as_str()) {
                ("*", "*") => 0,
                (k, "*") if k == *kind => 1,
                (k, s) if k == *kind && s == *subtype => 2,
                _ => return None,
            };
            Some((specificity, range.quality))
        })
        .max()
        .map_or(0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::{Wants::*, *};

    fn headers(mode: Option<&str>, accept: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(mode) = mode {
            headers.insert("sec-fetch-mode", mode.parse().unwrap());
        }
        if let Some(accept) = accept {
            headers.insert(header::ACCEPT, accept.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_mode_decides_and_without_it_the_accept_header() {
        const CHROME: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
        #[rustfmt::skip]
        let table = [
            //  name                          mode               accept                                     wants
            ("a navigation",                  Some("navigate"),  Some(CHROME),                              Page),
            ("a navigation asking for json",  Some("navigate"),  Some("application/json"),                  Page),
            ("a fetch asking for html",       Some("cors"),      Some("text/html"),                         Data),
            ("same-origin fetch",             Some("same-origin"), Some("*/*"),                             Data),
            ("no-cors image",                 Some("no-cors"),   Some("image/avif,*/*;q=0.8"),              Data),
            ("an invented mode",              Some("Navigate"),  Some("text/html"),                         Data),
            ("an empty mode",                 Some(""),          Some("text/html"),                         Data),
            ("an old browser",                None,              Some(CHROME),                              Page),
            ("nothing at all",                None,              None,                                      Data),
            ("curl",                          None,              Some("*/*"),                               Data),
            ("html alone",                    None,              Some("text/html"),                         Page),
            ("upper case",                    None,              Some("TEXT/HTML; Q=0.5"),                  Page),
            ("any text",                      None,              Some("text/*"),                            Data),
            ("any text, no event stream",     None,              Some("text/*, text/event-stream;q=0"),     Page),
            ("json above html",               None,              Some("text/html;q=0.5, application/json"), Data),
            ("html above json",               None,              Some("application/json;q=0.9, text/html"), Page),
            ("a tie",                         None,              Some("text/html, application/json"),       Data),
            ("a tie with problem json",       None,              Some("text/html, application/problem+json"), Data),
            ("html refused",                  None,              Some("text/html;q=0, */*"),                Data),
            ("html refused, nothing else",    None,              Some("text/html;q=0.000"),                 Data),
            ("below everything else",         None,              Some("*/*, application/json;q=0.1, text/html;q=0.2"), Data),
            ("specific beats the wildcard",   None,              Some("*/*;q=0.1, text/html;q=0.2"),        Page),
            ("also downwards",                None,              Some("*/*, text/html;q=0.9"),              Data),
            ("an event source",               None,              Some("text/event-stream"),                 Data),
            ("a quality out of range",        None,              Some("text/html;q=2"),                     Data),
            ("a quality with four decimals",  None,              Some("text/html;q=0.1234"),                Data),
            ("a negative quality",            None,              Some("text/html;q=-1"),                    Data),
            ("a parameter before quality",    None,              Some("text/html;level=1;q=0.4, */*;q=0.1"), Page),
            ("garbage",                       None,              Some(",;q=,/,;;text/html"),                Data),
        ];
        for (name, mode, accept, expected) in table {
            assert_eq!(wants(&headers(mode, accept)), expected, "{name}");
        }
    }

    #[test]
    fn a_repeated_mode_is_a_navigation_only_if_all_agree() {
        let mut request = headers(Some("navigate"), Some("text/html"));
        request.append("sec-fetch-mode", "cors".parse().unwrap());
        assert_eq!(wants(&request), Data);
    }

    #[test]
    fn accept_lines_are_read_together() {
        let mut request = headers(None, Some("text/html;q=0.5"));
        request.append(header::ACCEPT, "application/json;q=0.9".parse().unwrap());
        assert_eq!(wants(&request), Data);
    }
}
