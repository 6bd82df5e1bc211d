//! Words that a member sees and a stranger does not. Pure: compares pages as text.

use std::ops::Range;

use super::words;

/// Words to know a member by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sign {
    /// As they stand in the page's source, the user's name as `{user}`.
    pub(super) words: String,
    /// From the best.
    pub(super) rank: Rank,
}

/// How well words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The name within a sentence.
    Sentence,
    /// The name alone.
    Name,
    /// A way out.
    WayOut,
    /// Anything else.
    Other,
}

impl Sign {
    pub(super) fn names_user(&self) -> bool {
        matches!(self.rank, Rank::Sentence | Rank::Name)
    }
}

/// What is in `page` and in `again`, and not in what a `stranger` is shown.
pub(super) fn find(page: &str, again: &str, stranger: &str, user: &str) -> Option<Sign> {
    let tells = |words: &str| again.contains(words) && !stranger.contains(words);
    let mut best = member_of_json(page, user)
        .filter(|words| tells(words))
        .map(|words| Sign { words: words.replace(user, "{user}"), rank: Rank::Sentence });
    for run in runs(page) {
        let Some(text) = page.get(run.clone()) else { continue };
        for (words, rank) in candidates(page, &run, text, user, stranger.is_empty()) {
            if tells(words) && best.as_ref().is_none_or(|best| rank < best.rank) {
                let words = if user.is_empty() { words.to_owned() } else { words.replace(user, "{user}") };
                best = Some(Sign { words, rank });
            }
        }
    }
    best
}

/// `"username":"alice"`, where the page is JSON.
fn member_of_json<'a>(page: &'a str, user: &str) -> Option<&'a str> {
    let value =
        Some(format!("\"{user}\"")).filter(|_| !user.is_empty() && page.trim_start().starts_with(['{', '[']))?;
    page.match_indices(&value).find_map(|(at, _)| {
        let key = page.get(..at)?.trim_end().strip_suffix(':')?.trim_end().strip_suffix('"')?;
        page.get(key.rfind('"')?..at + value.len()).filter(|words| words.len() <= LONGEST)
    })
}

/// What a run of text may serve as. Where strangers are shown nothing, a title of one word tells.
fn candidates<'a>(
    page: &'a str,
    run: &Range<usize>,
    text: &'a str,
    user: &str,
    is_closed: bool,
) -> Vec<(&'a str, Rank)> {
    let mut found = Vec::new();
    // A number is another one tomorrow.
    let lasting = !text.replace(user, "").contains(|one: char| one.is_ascii_digit());
    if !user.is_empty() && text.contains(user) && lasting {
        let more = text.replace(user, "").chars().filter(|one| one.is_alphabetic()).count();
        if more >= 3 {
            found.push((text, Rank::Sentence));
        } else {
            found.extend(with_before(page, run).map(|words| (words, Rank::Sentence)));
            if user.len() >= 4 {
                found.push((text, Rank::Name));
            }
        }
    } else if words::means_sign_out(text, "") {
        found.push((text, Rank::WayOut));
    } else if lasting
        && (is_closed || text.contains(' '))
        && text.chars().filter(|one| one.is_alphabetic()).count() >= 8
    {
        found.push((text, Rank::Other));
    }
    found
}

/// `Signed in as <b>alice`, for `alice`.
fn with_before<'a>(page: &'a str, run: &Range<usize>) -> Option<&'a str> {
    let before = page.get(..run.start)?;
    let tag = before.rfind('<')?;
    let plain = before.get(tag..)?;
    let text_from = before.get(..tag)?.rfind('>').map_or(0, |at| at + 1);
    let text = before.get(text_from..tag)?;
    let from = text_from + (text.len() - text.trim_start().len());
    let fits = plain.len() <= 10 && !plain.contains('=') && plain.ends_with('>');
    let says = text.chars().filter(|one| one.is_alphabetic()).count() >= 3 && !text.trim().contains('\n');
    let words = page.get(from..run.end)?;
    (fits && says && words.len() <= LONGEST).then_some(words)
}

/// The pieces of text between tags, each on one line, as they stand in the source.
fn runs(page: &str) -> Vec<Range<usize>> {
    // The same length in bytes, so that places are the same.
    let lower = page.to_ascii_lowercase();
    let mut runs = Vec::new();
    let mut at = 0;
    while let Some(begin) = lower.get(at..).and_then(|rest| rest.find('>')).map(|found| at + found + 1) {
        let tag = lower.get(at..begin).and_then(|before| before.rfind('<').and_then(|from| before.get(from..)));
        let code =
            CODE.iter().find(|name| tag.is_some_and(|tag| tag.get(1..).is_some_and(|tag| tag.starts_with(*name))));
        let ends = code.map_or_else(|| "<".to_owned(), |name| format!("</{name}"));
        let end = lower.get(begin..).and_then(|rest| rest.find(&ends)).map_or(page.len(), |found| begin + found);
        let mut line_at = begin;
        for line in page.get(begin..end).unwrap_or_default().split('\n').filter(|_| code.is_none()) {
            let from = line_at + (line.len() - line.trim_start().len());
            let run = from..from + line.trim().len();
            if (3..=LONGEST).contains(&run.len()) && runs.len() < MOST {
                runs.push(run);
            }
            line_at += line.len() + 1;
        }
        at = end;
    }
    runs
}

/// Elements whose text is no text.
const CODE: &[&str] = &["script", "style", "textarea"];
const LONGEST: usize = 80;
const MOST: usize = 5_000;
