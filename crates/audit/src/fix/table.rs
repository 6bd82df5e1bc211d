//! The words, by rule and framework.

use crate::outcome::Framework;

/// What the rule's fix is called there.
pub(super) fn words(rule: &str, framework: Framework) -> Option<&'static str> {
    WORDS.iter().find(|(id, of, _)| *id == rule && *of == framework).map(|(_, _, words)| *words)
}

#[rustfmt::skip]
const WORDS: &[(&str, Framework, &str)] = &[
    ("cookie-not-secure", Framework::Express, "`cookie: { secure: true }` in the options of express-session, with `app.set('trust proxy', 1)` behind a proxy."),
];
