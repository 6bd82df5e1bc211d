//! The forms of a page: where they go, and what a browser would send with them.

use std::convert::Infallible;

use html5gum::{Token, Tokenizer};

/// A form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// As written; empty for the page itself.
    pub(crate) action: String,
    /// Names and values, with the first button.
    pub(crate) fields: Vec<(String, String)>,
    /// All its names, also of what a browser would not send untouched.
    pub(crate) names: Vec<String>,
}

/// Of the page, the form that has most of these names, if it has any.
pub(crate) fn form_with<'a>(text: &str, names: &(impl Iterator<Item = &'a String> + Clone)) -> Option<Form> {
    let shared = |form: &Form| names.clone().filter(|name| form.names.contains(name)).count();
    forms(text).into_iter().rev().max_by_key(shared).filter(|form| shared(form) > 0)
}

/// In the order of the document.
pub(crate) fn forms(text: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut open = false;
    let mut area: Option<(String, String)> = None;
    let mut select: Option<String> = None;
    for Ok::<_, Infallible>(token) in Tokenizer::new(text) {
        match token {
            Token::StartTag(tag) => {
                let attribute =
                    |name: &[u8]| tag.attributes.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
                let name = attribute(b"name").unwrap_or_default();
                let value = attribute(b"value");
                match tag.name.as_slice() {
                    b"form" => {
                        forms.push(Form { action: attribute(b"action").unwrap_or_default(), ..Form::default() });
                        open = true;
                    }
                    b"textarea" => area = Some((name, String::new())),
                    b"select" => select = Some(name),
                    b"option" => {
                        let chosen = attribute(b"selected").is_some();
                        if let (Some(form), Some(name)) = (forms.last_mut().filter(|_| open), &select) {
                            form.choose(name, value.unwrap_or_default(), chosen);
                        }
                    }
                    b"input" | b"button" => {
                        let kind = attribute(b"type").unwrap_or_default().to_ascii_lowercase();
                        let button = matches!(kind.as_str(), "submit" | "image") || *tag.name == b"button"[..];
                        let touched = matches!(kind.as_str(), "checkbox" | "radio") && attribute(b"checked").is_none();
                        let dead = attribute(b"disabled").is_some() || matches!(kind.as_str(), "reset" | "file");
                        if let Some(form) = forms.last_mut().filter(|_| open && !name.is_empty()) {
                            form.take(name, value.unwrap_or_default(), button, touched || dead || kind == "button");
                        }
                    }
                    _ => {}
                }
            }
            Token::EndTag(tag) => match tag.name.as_slice() {
                b"form" => open = false,
                b"select" => select = None,
                b"textarea" => {
                    if let (Some(form), Some((name, value))) = (forms.last_mut().filter(|_| open), area.take()) {
                        form.take(name, value, false, false);
                    }
                }
                _ => {}
            },
            Token::String(words) => {
                if let Some((_, value)) = &mut area {
                    value.push_str(&String::from_utf8_lossy(&words));
                }
            }
            _ => {}
        }
    }
    forms
}

impl Form {
    /// Only the first button, as by the enter key.
    fn take(&mut self, name: String, value: String, button: bool, unsent: bool) {
        self.names.push(name.clone());
        let second = button && self.names.iter().any(|one| one == BUTTON);
        if button {
            self.names.push(BUTTON.to_owned());
        }
        if !unsent && !second {
            self.fields.push((name, value));
        }
    }

    /// The first choice, unless another is made.
    fn choose(&mut self, name: &str, value: String, chosen: bool) {
        match self.fields.iter_mut().find(|(key, _)| key == name) {
            Some((_, kept)) if chosen => *kept = value,
            Some(_) => {}
            None => self.take(name.to_owned(), value, false, false),
        }
    }
}

/// No name a form could have, for the button that is there already.
const BUTTON: &str = "\n";

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<form action="/search"><input name=q><button name=go value=1>Go</button></form>
        <form method=post action="/login?a=1&amp;b=2"><input type=hidden name=t value="x&amp;y"><input name=user>
        <input type=checkbox name=r value=1><textarea name=note>old words</textarea>
        <select name=s><option value=a><option value=b selected></select>
        <input type=submit name=in value=In><input type=submit name=other value=Other></form>"#;

    #[test]
    fn the_form_that_has_the_names_is_read_as_a_browser_would_send_it() {
        let form = form_with(PAGE, &["user".to_owned()].iter()).unwrap();
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(form.action, "/login?a=1&b=2");
        let sent = [("t", "x&y"), ("user", ""), ("note", "old words"), ("s", "b"), ("in", "In")];
        assert_eq!(form.fields, sent.map(|(name, value)| field(name, value)));
    }

    #[test]
    fn a_page_without_such_a_form_has_none() {
        assert_eq!(form_with(PAGE, &["password".to_owned()].iter()), None);
        assert_eq!(form_with("no page at all <", &["q".to_owned()].iter()), None);
    }
}
