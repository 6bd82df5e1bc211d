//! A profile as a file that a newcomer understands.

use std::fmt::Write as _;

use super::forms::Changing;
use super::marker::Rank;
use super::{Found, path};

/// What is enough to ask the site anything.
pub(super) fn draft(origin: &str, user: &str) -> String {
    format!(
        "site = {}\n[sign_in]\npage = \"/\"\n[account]\nuser = {}\n[signed_in]\nurl = \"/\"\nmarker = \"?\"\n",
        quoted(origin),
        quoted(user)
    )
}

pub(super) fn profile(origin: &str, found: &Found) -> String {
    let parts = [
        head(origin, found),
        marker(found),
        sign_out(found),
        changes(&found.changes),
        password(found.password.as_ref()),
        sessions(found.sessions.as_deref()),
        LIMITS.to_owned(),
    ];
    parts.join("\n")
}

fn head(origin: &str, found: &Found) -> String {
    let form = table(&found.sign_in.form.filled());
    format!(
        "# How to audit {origin}. Proposed from one sign-in: read it before it is used.

site = {site}

# Where people sign in. The page is read, its form filled in with these fields, and whatever else is in it sent along.
[sign_in]
page = {page}
form = {form}

# Who signs in: best an account that is there for tests alone. The password is asked for, and need not be here.
[account]
user = {user}

# With a second account, more can be tried: whether a token made for one is good for the other.
# [second_account]
# user = \"…\"
",
        site = quoted(origin),
        page = quoted(&found.sign_in.page),
        user = quoted(&found.user),
    )
}

fn marker(found: &Found) -> String {
    let marker = &found.marker;
    let why = match marker.sign.rank {
        Rank::Sentence | Rank::Name => "They name the account.",
        Rank::WayOut => "They are the way out; words with the account's name would tell better.",
        Rank::Other => "They were there twice, and may be there by chance: look whether they always are.",
    };
    let stranger = marker.stranger;
    format!(
        "# What shows that somebody is signed in: words in the source of a page that strangers do not get (they got {stranger}).
# {why} Every verdict rests on them.
[signed_in]
url = {url}
marker = {words}
",
        url = quoted(&path(&marker.page)),
        words = quoted(&marker.sign.words),
    )
}

fn sign_out(found: &Found) -> String {
    let Some((way, worked)) = &found.sign_out else {
        return "# How people sign out: nothing on the page reads like it. Without it, nothing is said about the end of sessions.
# [sign_out]
# page = \"/\"
# request = \"POST /logout\"
"
        .to_owned();
    };
    let tried = if *worked {
        "It was tried, and the words above were gone."
    } else {
        "It was tried, and the words above were still there: is it right?"
    };
    let mut text = format!("# How people sign out. {tried}\n[sign_out]\npage = {}\n", quoted(&way.page));
    let _ = writeln!(text, "request = {}", quoted(&format!("{} {}", way.method, way.target)));
    if !way.form.is_empty() {
        let fields: Vec<_> = way.form.iter().map(|(name, value)| (name, value.as_str())).collect();
        let _ = writeln!(text, "form = {}", table(&fields));
    }
    text
}

fn changes(forms: &[Changing]) -> String {
    let mut text = "# Requests that change something, to see whether other sites can cause them. None is sent that is not declared: take
# away the # before those that may be. {random} is a word that is made up, sent, and looked for on the page `read`.
"
    .to_owned();
    for form in forms {
        let fields: Vec<_> = form.fields.iter().map(|name| (name, "{random}")).collect();
        let _ = write!(
            text,
            "# [[changes]]\n# page = {}\n# request = {}\n# form = {}\n# read = {}\n",
            quoted(&form.page),
            quoted(&format!("POST {}", form.target)),
            table(&fields),
            quoted(&form.page),
        );
    }
    if forms.is_empty() {
        text.push_str("# [[changes]]\n# page = \"/notes\"\n# form = { text = \"{random}\" }\n# read = \"/notes\"\n");
    }
    text
}

fn password(form: Option<&Changing>) -> String {
    let mut text =
        "# The change of the password, to see whether other sessions end by it. It is changed, and changed back.\n"
            .to_owned();
    match form {
        Some(form) => {
            // The old one first, where there are three or more; the new one in all others.
            let two = form.fields.len() == 2;
            let value = |index: usize| if index == 0 && !(two && asks_twice(&form.fields)) { "{password}" } else { "{new_password}" };
            let fields: Vec<_> = form.fields.iter().enumerate().map(|(index, name)| (name, value(index))).collect();
            let _ = write!(
                text,
                "# [password_change]\n# page = {}\n# request = {}\n# form = {}\n",
                quoted(&form.page),
                quoted(&format!("POST {}", form.target)),
                table(&fields)
            );
        }
        None => text.push_str("# [password_change]\n# page = \"/password\"\n# form = { old = \"{password}\", new = \"{new_password}\" }\n"),
    }
    text
}

/// Whether two fields are for the same new password.
fn asks_twice(fields: &[String]) -> bool {
    let old = |name: &String| ["old", "current", "now"].iter().any(|word| name.to_lowercase().contains(word));
    !fields.iter().any(old)
}

fn sessions(page: Option<&str>) -> String {
    let url = quoted(page.unwrap_or("/sessions"));
    format!(
        "# Where people see their sessions, and what is on that page once for each.\n# [sessions]\n# url = {url}\n# each = \"…\"\n"
    )
}

fn table<K: AsRef<str>>(fields: &[(K, &str)]) -> String {
    let bare = |key: &str| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    let key = |key: &str| if bare(key) { key.to_owned() } else { quoted(key) };
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{} = {}", key(name.as_ref()), quoted(value))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// On one line, so that it can stand behind a `#`.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for one in text.chars() {
        match one {
            '"' | '\\' => out.extend(['\\', one]),
            one if one.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(one));
            }
            one => out.push(one),
        }
    }
    out.push('"');
    out
}

const LIMITS: &str =
    "# What the site states about lifetimes, in seconds: without use, and in all. `--wait` looks whether they are kept.
# [limits]
# idle_seconds = 1800
# absolute_seconds = 43200
";
