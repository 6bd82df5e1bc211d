//! The workspace's sources as words of the language, so that comments and strings are never mistaken for code.

use std::fs;
use std::path::Path;
use std::str::FromStr as _;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One source file.
pub(crate) struct Source {
    /// As seen from the workspace.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Code without comments.
pub(crate) struct Tokens(Vec<TokenTree>);

/// Every Rust source of the workspace.
pub(crate) fn all(root: &Path) -> Vec<Source> {
    let top = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let ours = top.filter(|path| path.is_dir() && !is_foreign(path));
    ours.flat_map(|folder| below(root, &folder)).collect()
}

/// Every Rust source below `folder`.
pub(crate) fn below(root: &Path, folder: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !is_foreign(&path) {
            found.extend(below(root, &path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(root).unwrap().display().to_string();
            found.push(Source { path, text });
        }
    }
    found
}

/// Build output, and folders of other programs.
fn is_foreign(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.starts_with("target") || name.starts_with('.')
}

impl Source {
    pub(crate) fn tokens(&self) -> Tokens {
        Tokens::of(&self.text)
    }

    /// Whether the whole file is a test's.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }
}

impl Tokens {
    pub(crate) fn of(text: &str) -> Self {
        Self(TokenStream::from_str(text).unwrap().into_iter().collect())
    }

    /// The first word of which `wanted` is true.
    pub(crate) fn find(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        self.words().into_iter().find(|word| wanted(word))
    }

    /// Whether a lint is allowed anywhere, instead of expected.
    pub(crate) fn allows(&self) -> bool {
        let mut attribute = false;
        for token in &self.0 {
            let TokenTree::Group(group) = token else {
                // `#` or `#!` before a bracket.
                attribute = matches!(token, TokenTree::Punct(mark) if mark.as_char() == '#' || attribute && mark.as_char() == '!');
                continue;
            };
            let inner = Self(group.stream().into_iter().collect());
            let names_allow = || inner.find(|word| word == "allow").is_some();
            if attribute && group.delimiter() == Delimiter::Bracket && names_allow() || inner.allows() {
                return true;
            }
            attribute = false;
        }
        false
    }

    /// Without what follows a `#[cfg(test)]`.
    pub(crate) fn without_tests(&self) -> Self {
        let mut kept = Vec::new();
        let mut tokens = self.0.iter();
        while let Some(token) = tokens.next() {
            if is_cfg_test(token) {
                // Up to the end of the item: its body, or its semicolon.
                let ends = |token: &TokenTree| match token {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    TokenTree::Punct(mark) => mark.as_char() == ';',
                    _ => false,
                };
                let _ = tokens.by_ref().find(|token| ends(token));
            } else {
                kept.push(token.clone());
            }
        }
        Self(kept)
    }

    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        for token in &self.0 {
            match token {
                TokenTree::Ident(word) => words.push(word.to_string()),
                TokenTree::Group(group) => words.extend(Self(group.stream().into_iter().collect()).words()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        words
    }
}

fn is_cfg_test(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}
