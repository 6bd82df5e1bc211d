//! What must not be printed is not: every secret of an audit, in whatever way it is written, and every piece of one.
//!
//! Two things find a secret. What the audit knows of is found anywhere, by pieces of eight bytes, in the text and in
//! what the text stands for. What stands where secrets stand (a cookie's value, a field named `token`) is found there.

mod pieces;
mod places;
#[cfg(test)]
mod tests;
mod view;

use std::fmt::Write as _;
use std::ops::Range;

use self::pieces::Pieces;
use crate::exchange::{Answer, Exchange, Sent};
use crate::outcome::Outcome;

/// What is not printed of one audit.
pub struct Mask {
    pieces: Pieces,
}

/// A request and its response, ready for printing.
#[derive(Debug)]
pub(crate) struct Masked {
    pub(crate) request: String,
    pub(crate) response: String,
}

impl Mask {
    /// For everything secret that the outcome knows of or shows.
    pub fn of(outcome: &Outcome) -> Self {
        let mut pieces = Pieces::default();
        for secret in &outcome.secrets {
            pieces.add(secret);
        }
        for proof in outcome.findings.iter().flat_map(|finding| &finding.evidence) {
            let (request, response) = (raw_request(&proof.exchange.sent), raw_response(&proof.exchange.answer));
            for text in [&request, &response] {
                let found = places::in_message(text).into_iter().filter_map(|range| text.get(range));
                found.filter(|value| value.len() >= pieces::LEAST).for_each(|value| pieces.add(value));
            }
        }
        pieces.leave(&outcome.site);
        outcome.session_cookies.iter().for_each(|name| pieces.leave(name));
        Self { pieces }
    }

    /// A sentence, without secrets and without anything that steers a terminal.
    pub fn text(&self, text: &str) -> String {
        self.without(text, places::in_text(text))
    }

    pub(crate) fn exchange(&self, exchange: &Exchange) -> Masked {
        let (request, response) = (raw_request(&exchange.sent), raw_response(&exchange.answer));
        let mut response = shortened(&self.without(&response, places::in_message(&response)), exchange.answer.cut);
        if response.ends_with("\n\n") {
            response.truncate(response.trim_end().len());
        }
        let request = self.without(&request, places::in_message(&request));
        Masked { request: shortened(request.trim_end(), false), response }
    }

    fn without(&self, text: &str, mut hidden: Vec<Range<usize>>) -> String {
        hidden.extend(self.pieces.within(text));
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for range in joined(text, hidden) {
            out.push_str(text.get(at..range.start).unwrap_or_default());
            out.push_str(&self.stand_in(text.get(range.clone()).unwrap_or_default()));
            at = range.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out.chars().map(visible).collect()
    }

    /// Four characters tell tokens apart; of what is short they would give too much away.
    fn stand_in(&self, secret: &str) -> String {
        let length = secret.chars().count();
        let head: String = secret.chars().take(4).collect();
        let kept = length >= 20 && head.bytes().all(|byte| byte.is_ascii_graphic()) && self.pieces.begins(secret);
        format!("{}…({length})", if kept { &head } else { "" })
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Mask(redacted)")
    }
}

fn raw_request(sent: &Sent) -> String {
    let target =
        sent.url.query().map_or_else(|| sent.url.path().to_owned(), |query| format!("{}?{query}", sent.url.path()));
    let mut text = format!("{} {target} HTTP/1.1\n", sent.method);
    for (name, value) in &sent.headers {
        let _ = writeln!(text, "{name}: {value}");
    }
    let _ = write!(text, "\n{}", String::from_utf8_lossy(sent.body.get(..LOOKED_AT).unwrap_or(&sent.body)));
    text
}

fn raw_response(answer: &Answer) -> String {
    let reason = http::StatusCode::from_u16(answer.status).ok().and_then(|status| status.canonical_reason());
    let mut text = format!("HTTP/1.1 {} {}\n", answer.status, reason.unwrap_or_default());
    for (name, value) in &answer.headers {
        let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(value));
    }
    let _ = write!(text, "\n{}", String::from_utf8_lossy(answer.body.get(..LOOKED_AT).unwrap_or(&answer.body)));
    text
}

/// The head, and so much of the body as shows what it is.
fn shortened(message: &str, more: bool) -> String {
    let (head, body) = message.split_once("\n\n").unwrap_or((message, ""));
    let shown: String = body.chars().take(SHOWN).collect();
    let cut = shown.len() < body.len() || more;
    if shown.is_empty() {
        return head.to_owned();
    }
    format!("{head}\n\n{shown}{}", if cut { "\n[cut]" } else { "" })
}

/// In their order, without overlaps, at the borders of characters.
fn joined(text: &str, mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| range.start < range.end);
    ranges.sort_by_key(|range| range.start);
    let mut out: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        let start = text.floor_char_boundary(range.start);
        let end = text.ceil_char_boundary(range.end);
        match out.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => out.push(start..end),
        }
    }
    out
}

/// Escape sequences and reversed writing are printed, not obeyed.
fn visible(character: char) -> char {
    match character {
        '\n' | '\t' => character,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fffe}'
        | '\u{ffff}' => '\u{fffd}',
        _ => character,
    }
}

/// Of a body, before it is masked: more than is shown, so that no secret is cut into pieces that are not known for one.
const LOOKED_AT: usize = 16 * 1024;
const SHOWN: usize = 2000;
