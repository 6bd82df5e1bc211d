//! Where secrets stand: in cookies and credentials, and in whatever is named like one.

use std::ops::Range;

/// In a request or a response, as text: first line, fields, an empty line, body.
pub(super) fn in_message(text: &str) -> Vec<Range<usize>> {
    let head = text.find("\n\n").unwrap_or(text.len());
    let mut found = in_text(text);
    let mut at = 0;
    for line in text.get(..head).unwrap_or_default().split_inclusive('\n') {
        if let Some((name, value)) = line.split_once(':').filter(|(name, _)| !name.contains(' ')) {
            found.extend(in_field(&name.to_ascii_lowercase(), value.trim_end(), at + name.len() + 1));
        }
        at += line.len();
    }
    found.extend(in_parts(text, head));
    found
}

/// In any text: addresses and forms, JSON, and the elements of a page.
pub(super) fn in_text(text: &str) -> Vec<Range<usize>> {
    let mut found = in_pairs(text);
    found.extend(in_json(text));
    found.extend(in_elements(text));
    found
}

fn in_field(name: &str, value: &str, at: usize) -> Vec<Range<usize>> {
    match name {
        "cookie" => pieces(value, ';').map(|(start, pair)| after(pair, '=', at + start)).collect(),
        "set-cookie" => vec![after(value.split(';').next().unwrap_or_default(), '=', at)],
        "authorization" | "proxy-authorization" => {
            let lead = value.len() - value.trim_start().len();
            vec![after(value.trim_start(), ' ', at + lead)]
        }
        _ if tells(name) && name != "www-authenticate" && name != "proxy-authenticate" => {
            let lead = value.len() - value.trim_start().len();
            std::iter::once(at + lead..at + value.len()).collect()
        }
        _ => Vec::new(),
    }
}

/// What follows the separator; without one, all of it.
fn after(text: &str, separator: char, at: usize) -> Range<usize> {
    let start = text.find(separator).map_or(0, |found| found + 1);
    let quoted = text.get(start..).unwrap_or_default();
    let (lead, trail) = (quoted.len() - quoted.trim_start_matches(BARE).len(), quoted.trim_end_matches(BARE).len());
    at + start + lead.min(trail)..at + start + trail
}

/// `name=value` in addresses, forms and path parameters.
fn in_pairs(text: &str) -> Vec<Range<usize>> {
    let named = text.match_indices('=').filter(|(at, _)| {
        let before = text.get(..*at).unwrap_or_default();
        let start = before.rfind(|letter: char| !(letter.is_alphanumeric() || "_-.[]%".contains(letter)));
        tells(before.get(start.map_or(0, |at| at + 1)..).unwrap_or_default())
    });
    named
        .map(|(at, _)| until(text, at + 1, &['&', '"', '\'', '<', '>', ' ', '\t', '\r', '\n', '#', ';', ',', '?']))
        .collect()
}

/// `"name": "value"`, with the quotes escaped or not.
fn in_json(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (colon, _) in text.match_indices(':') {
        let name = text.get(..colon).unwrap_or_default().trim_end();
        let Some(name) = name.strip_suffix('"').or_else(|| name.strip_suffix('\'')) else { continue };
        let name = name.trim_end_matches('\\');
        let start = name.rfind(['"', '\'']).map_or(0, |at| at + 1);
        let rest = text.get(colon + 1..).unwrap_or_default();
        let value = rest.trim_start_matches([' ', '\t', '\r', '\n', '\\']);
        let Some(quote) = value.chars().next() else { continue };
        if !tells(name.get(start..).unwrap_or_default()) || "{[".contains(quote) {
            continue;
        }
        let at = text.len() - value.len();
        found.push(match quote {
            '"' | '\'' => quoted(text, at + 1, quote),
            _ => until(text, at, &[',', '}', ']', ' ', '\n', '\r']),
        });
    }
    found
}

/// Up to the quote that nothing escapes.
fn quoted(text: &str, start: usize, quote: char) -> Range<usize> {
    let mut escaped = false;
    for (at, letter) in text.get(start..).unwrap_or_default().char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return start..start + at,
            _ => {}
        }
    }
    start..text.len()
}

/// `<input name=… value=…>` and `<meta name=… content=…>`, whatever the order.
fn in_elements(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (open, _) in text.match_indices('<') {
        let rest = text.get(open..).unwrap_or_default();
        let kind: String =
            rest.chars().skip(1).take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
        if !["input", "meta", "button", "option"].contains(&kind.as_str()) {
            continue;
        }
        let element = rest.get(..rest.find('>').unwrap_or(rest.len())).unwrap_or_default();
        let attributes = attributes(element, open);
        let named = attributes.iter().any(|(name, range)| {
            let value = text.get(range.clone()).unwrap_or_default();
            ["name", "id", "property"].contains(&name.as_str()) && tells(value)
                || name == "type" && value.eq_ignore_ascii_case("password")
        });
        if named {
            let values = attributes.into_iter().filter(|(name, _)| ["value", "content"].contains(&name.as_str()));
            found.extend(values.map(|(_, range)| range));
        }
    }
    found
}

fn attributes(element: &str, at: usize) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    for (equals, _) in element.match_indices('=') {
        let name = element.get(..equals).unwrap_or_default().trim_end();
        let start = name.rfind(|letter: char| letter.is_whitespace() || "\"'".contains(letter)).map_or(0, |at| at + 1);
        let rest = element.get(equals + 1..).unwrap_or_default();
        let value = rest.trim_start();
        let begin = element.len() - value.len();
        let range = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => until(element, begin + 1, &[quote]),
            _ => until(element, begin, &[' ', '\t', '\n', '\r', '>']),
        };
        found.push((name.get(start..).unwrap_or_default().to_ascii_lowercase(), at + range.start..at + range.end));
    }
    found
}

/// The parts of a `multipart/form-data` body.
fn in_parts(text: &str, head: usize) -> Vec<Range<usize>> {
    let body = text.get(head..).unwrap_or_default();
    let parts = body.match_indices("form-data; name=\"").filter_map(|(at, lead)| {
        let name = until(body, at + lead.len(), &['"']);
        let value = name.end + body.get(name.end..)?.find("\r\n\r\n")? + 4;
        let end = body.get(value..)?.find("\r\n").map_or(body.len(), |end| value + end);
        tells(body.get(name)?).then_some(head + value..head + end)
    });
    parts.collect()
}

fn until(text: &str, start: usize, ends: &[char]) -> Range<usize> {
    let length = text.get(start..).and_then(|rest| rest.find(ends));
    start..length.map_or(text.len(), |length| start + length)
}

fn pieces(text: &str, separator: char) -> impl Iterator<Item = (usize, &str)> {
    text.split(separator).scan(0, |at, piece| {
        let start = *at;
        *at += piece.len() + 1;
        Some((start, piece))
    })
}

/// Whether a name tells that its value is a secret.
fn tells(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let part = [
        "token",
        "csrf",
        "xsrf",
        "passw",
        "passphrase",
        "secret",
        "jwt",
        "apikey",
        "credential",
        "samlresponse",
        "viewstate",
        "verifier",
    ];
    let whole = [
        "auth", "sid", "key", "code", "state", "nonce", "otp", "totp", "pin", "sig", "ticket", "pwd", "pass",
        "session", "hmac",
    ];
    let end = ["sessid", "sessionid", "signature", "authorization", "assertion"];
    part.iter().any(|word| name.contains(word))
        || whole.contains(&name.as_str())
        || end.iter().any(|word| name.ends_with(word))
}

const BARE: [char; 3] = [' ', '"', '\t'];
