//! Structured fields (RFC 9651), as far as device-bound sessions use them: lists of strings or of inner lists, with
//! parameters.

/// A member of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Member {
    /// What is in the inner list; the one item where it is not a list.
    pub(super) items: Vec<String>,
    parameters: Vec<(String, String)>,
}

impl Member {
    /// The last of that name, as the standard has it.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().rfind(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A whole list; none where it is not one.
pub(super) fn list(text: &str) -> Option<Vec<Member>> {
    let mut rest = text.trim();
    let mut members = Vec::new();
    loop {
        let (member, after) = member(rest)?;
        members.push(member);
        rest = after.trim_start();
        if rest.is_empty() {
            return Some(members);
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
}

fn member(text: &str) -> Option<(Member, &str)> {
    let mut member = Member::default();
    let mut rest = text;
    if let Some(inner) = text.strip_prefix('(') {
        rest = inner.trim_start();
        while !rest.starts_with(')') {
            let (item, after) = item(rest)?;
            member.items.push(item);
            rest = after.trim_start();
        }
        rest = rest.strip_prefix(')')?;
    } else {
        let (item, after) = item(rest)?;
        member.items.push(item);
        rest = after;
    }
    while let Some(after) = rest.strip_prefix(';') {
        let (name, after) = bare(after.trim_start())?;
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => item(after)?,
            None => (String::new(), after),
        };
        member.parameters.push((name, value));
        rest = after;
    }
    Some((member, rest))
}

/// A string without its quotes, or a token, a number, a boolean or bytes as they are written.
fn item(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else { return bare(text) };
    let mut said = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((said, quoted.get(at + 1..)?)),
            '\\' => said.push(letters.next().map(|(_, next)| next).filter(|next| matches!(next, '"' | '\\'))?),
            _ => said.push(letter),
        }
    }
    None
}

fn bare(text: &str) -> Option<(String, &str)> {
    let end = text.find(|letter: char| "()=;, \t\"".contains(letter)).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    (!word.is_empty()).then(|| (word.to_owned(), rest))
}
