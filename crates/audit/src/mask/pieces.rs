//! Every piece of eight bytes that a known secret has, in each way it may be written; and short secrets as a whole.

use std::collections::HashSet;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::view::View;

/// What is looked for.
#[derive(Default)]
pub(super) struct Pieces {
    windows: HashSet<[u8; LEAST]>,
    heads: HashSet<[u8; LEAST]>,
    short: HashSet<Vec<u8>>,
}

impl Pieces {
    pub(super) fn add(&mut self, secret: &str) {
        for view in View::all(secret) {
            self.add_bytes(&view.bytes);
            if view.bytes.contains(&b' ') {
                let form: Vec<u8> = view.bytes.iter().map(|byte| if *byte == b' ' { b'+' } else { *byte }).collect();
                self.add_bytes(&form);
            }
        }
    }

    /// What everybody knows anyway.
    pub(super) fn leave(&mut self, public: &str) {
        for window in public.as_bytes().windows(LEAST).filter_map(window) {
            self.windows.remove(&window);
        }
        self.short.retain(|short| !public.as_bytes().windows(short.len()).any(|part| part == short));
    }

    /// Where a text holds a piece of a secret.
    pub(super) fn within(&self, text: &str) -> Vec<Range<usize>> {
        if self.windows.is_empty() && self.short.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for view in View::all(text) {
            let long = view
                .bytes
                .windows(LEAST)
                .enumerate()
                .filter(|(_, bytes)| window(bytes).is_some_and(|piece| self.windows.contains(&piece)));
            found.extend(long.filter_map(|(at, _)| view.origin(at, LEAST)));
            found.extend(self.short_within(&view));
        }
        found
    }

    /// Whether a text begins as a secret does.
    pub(super) fn begins(&self, text: &str) -> bool {
        text.as_bytes().get(..LEAST).and_then(window).is_some_and(|head| self.heads.contains(&head))
    }

    fn add_bytes(&mut self, secret: &[u8]) {
        if (SHORT..LEAST).contains(&secret.len()) {
            self.short.insert(secret.to_vec());
        }
        self.windows.extend(secret.windows(LEAST).filter_map(window));
        self.heads.extend(secret.get(..LEAST).and_then(window));
        if secret.len() >= SHORT {
            for shift in 0..3 {
                self.add_base64(secret, shift);
            }
        }
    }

    /// As it reads inside a longer text that is encoded as a whole: what the neighbours have a part in is left out.
    fn add_base64(&mut self, secret: &[u8], shift: usize) {
        let shifted: Vec<u8> = std::iter::repeat_n(0, shift).chain(secret.iter().copied()).collect();
        let own = shift.saturating_mul(4).div_ceil(3)..shifted.len() * 4 / 3;
        for encoded in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            let own = encoded.as_bytes().get(own.clone()).unwrap_or_default();
            self.windows.extend(own.windows(LEAST).filter_map(window));
            if (6..LEAST).contains(&own.len()) {
                self.short.insert(own.to_vec());
            }
        }
    }

    /// A short secret is found only as a word: within words it would be everywhere.
    fn short_within(&self, view: &View) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for length in (SHORT..LEAST).filter(|length| self.short.iter().any(|short| short.len() == *length)) {
            for (at, bytes) in view.bytes.windows(length).enumerate() {
                let part_of_word =
                    |at: Option<usize>| at.and_then(|at| view.bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
                let alone = !part_of_word(at.checked_sub(1)) && !part_of_word(Some(at + length));
                if alone && self.short.contains(bytes) {
                    found.extend(view.origin(at, length));
                }
            }
        }
        found
    }
}

fn window(bytes: &[u8]) -> Option<[u8; LEAST]> {
    bytes.try_into().ok()
}

/// Pieces from here on are looked for.
pub(super) const LEAST: usize = 8;
/// Below this a value is a word like `en` or `1`, and guessed at once if it is a secret.
const SHORT: usize = 4;
