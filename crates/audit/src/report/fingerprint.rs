//! What stays the same of a finding from run to run: its rule and its place, without what is random in it.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};

use super::Entry;

/// Of a rule at a place that is masked already.
pub(super) fn of(rule: &str, place: &str) -> String {
    let digest = digest(&SHA256, format!("{rule}\n{}", normal(place)).as_bytes());
    digest.as_ref().iter().take(8).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// Two findings of one rule whose places differ only in what is random are told apart by their order.
pub(super) fn tell_apart(entries: &mut [Entry]) {
    let mut seen: HashMap<String, u32> = HashMap::new();
    for entry in entries {
        let count = seen.entry(entry.fingerprint.clone()).or_default();
        *count += 1;
        if *count > 1 {
            entry.fingerprint = format!("{}-{count}", entry.fingerprint);
        }
    }
}

/// Numbers below a path, long runs of hex and digits, and whatever was masked become `*`.
fn normal(place: &str) -> String {
    let mut out = String::new();
    let word = |letter: char| letter.is_alphanumeric() || letter == '…' || letter == '-';
    let mut rest = place;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|letter| !word(letter)).unwrap_or(rest.len()).max(first.len_utf8());
        let (piece, after) = rest.split_at(length);
        let in_path = out.ends_with(['/', '=']) && !out.ends_with("//");
        if let Some(masked) = after.strip_prefix('(').filter(|_| piece.ends_with('…')) {
            out.push('*');
            rest = masked.split_once(')').map_or("", |(_, rest)| rest);
            continue;
        }
        out.push_str(if random(piece, in_path) { "*" } else { piece });
        rest = after;
    }
    out
}

fn random(piece: &str, in_path: bool) -> bool {
    let digits = piece.bytes().filter(u8::is_ascii_digit).count();
    let hex = piece.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let long = piece.len() >= 16 && digits >= 2 && (hex || digits * 8 >= piece.len());
    long || in_path && digits == piece.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_random_in_a_place_is_left_out() {
        #[rustfmt::skip]
        let cases = [
            ("POST /note",                                          "POST /note"),
            ("POST /note/17",                                       "POST /note/*"),
            ("POST /note/17/edit?page=3",                           "POST /note/*/edit?page=*"),
            ("http://127.0.0.1:8080",                               "http://127.0.0.1:8080"),
            ("__Host-session",                                      "__Host-session"),
            ("wordpress_logged_in_5c016e8f0f95f039102cbe8366c5c7f3", "wordpress_logged_in_*"),
            ("/reset/3f2504e0-4f89-41d3-9a0c-0305e82c3301",         "/reset/*"),
            ("GET /t?key=Xk3f…(43)&a=b",                            "GET /t?key=*&a=b"),
            ("…(9)",                                                "*"),
            ("oauth2 PHPSESSID v1",                                 "oauth2 PHPSESSID v1"),
        ];
        for (place, expected) in cases {
            assert_eq!(normal(place), expected);
        }
    }

    #[test]
    fn rules_and_places_that_differ_have_other_fingerprints() {
        assert_eq!(of("a", "POST /note/1"), of("a", "POST /note/2"));
        assert_ne!(of("a", "POST /note/1"), of("b", "POST /note/1"));
        assert_ne!(of("a", "POST /note"), of("a", "POST /notes"));
    }
}
