//! The page that says what browsers do with malformed cookies. Every row is held to a real browser by the suite.

use std::fmt::Write as _;

use crate::variants::{Claim, Lasts, Over, Variant};

/// The page, as Markdown.
pub(crate) fn write(variants: &[Variant], version: &str) -> String {
    let mut page = format!(
        "# Cookies in browsers\n\nWhat a browser does with {} kinds of `Set-Cookie`, and which of our rules rests on it. \
         Made by `cargo xtask browser malformed\n--write docs/cookies-in-browsers.md`; every run of the suite holds each \
         row to the browser it runs.\n\n{SEEN}{version}\n\n| what | `Set-Cookie` | what the browser has afterwards | our \
         rule |\n|---|---|---|---|\n",
        variants.len()
    );
    for variant in variants {
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| {}{} | {} | {} | {} |",
            variant.what,
            circumstances(variant),
            lines(variant),
            outcome(&variant.claim),
            variant.rule.words()
        );
    }
    page
}

fn circumstances(variant: &Variant) -> String {
    let over = if variant.over == Over::Http { " (over http)" } else { "" };
    let before =
        if variant.before.is_empty() { String::new() } else { format!(", after {}", code(variant.before.as_bytes())) };
    format!("{over}{before}")
}

fn lines(variant: &Variant) -> String {
    variant.lines.iter().map(|line| code(line)).collect::<Vec<_>>().join(" then ")
}

fn outcome(claim: &Claim) -> String {
    match claim {
        Claim::Nothing => "nothing".to_owned(),
        Claim::NoAnswer => "nothing: it refuses the whole answer".to_owned(),
        Claim::One("", attributes, _) => format!("the cookie, with `{attributes}`"),
        Claim::One(pair, attributes, lasts) => {
            let lasts = match lasts {
                Lasts::UntilClosed => String::new(),
                Lasts::Seconds(seconds) if seconds % 86_400 == 0 => format!(", for {} days", seconds / 86_400),
                Lasts::Seconds(seconds) => format!(", for {seconds} s"),
            };
            format!("{} with `{attributes}`{lasts}", code(pair.as_bytes()))
        }
    }
}

/// As code in a table's cell: what cannot be seen is written as an escape, what is long is cut.
fn code(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line).replace('\u{fffd}', "\\xff");
    let mut shown = String::new();
    for letter in text.chars() {
        match letter {
            '|' => shown.push_str("\\|"),
            '\t' => shown.push_str("\\t"),
            letter if letter.is_control() => shown.extend(letter.escape_default()),
            letter => shown.push(letter),
        }
    }
    if shown.len() > LONGEST {
        let (start, end): (String, String) =
            (shown.chars().take(12).collect(), shown.chars().skip(shown.len() - 24).collect());
        return format!("`{start}…{end}`");
    }
    // Spaces at either end would be lost in the code of Markdown.
    if shown.starts_with(' ') || shown.ends_with(' ') {
        format!("<code>{}</code>", shown.replace(' ', "&nbsp;"))
    } else {
        format!("`{shown}`")
    }
}

const LONGEST: usize = 200;
const SEEN: &str = "Last written with ";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variants;

    #[test]
    fn the_page_is_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cookies-in-browsers.md");
        let kept = std::fs::read_to_string(path).unwrap();
        let without_version =
            |page: &str| page.lines().filter(|line| !line.starts_with(SEEN)).collect::<Vec<_>>().join("\n");
        let expected = without_version(&write(&variants::all(), ""));
        assert!(without_version(&kept) == expected, "write it anew: cargo xtask browser malformed --write {path}");
    }

    #[test]
    fn what_cannot_be_seen_is_written_as_an_escape() {
        assert_eq!(code(b"a=1\x012\t|"), "`a=1\\u{1}2\\t\\|`");
        assert_eq!(code(b" a"), "<code>&nbsp;a</code>");
        assert!(code(&[b'n'; 300]).len() < 60);
    }
}
