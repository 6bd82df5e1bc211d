//! What is on a page: its forms with what a browser would send, its links, its words.

mod reader;
#[cfg(test)]
mod tests;

use url::Url;

/// A page, as far as an audit needs to know it. Nothing in it runs.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Page {
    /// In the order of the document.
    pub forms: Vec<Form>,
    /// Whatever has an address, in the order of the document.
    pub links: Vec<Link>,
    /// Its `meta` elements: name or property or http-equiv in lower case, and content.
    pub metas: Vec<(String, String)>,
    /// Its title.
    pub title: String,
    /// Its visible words, a line for each block.
    pub text: String,
    base: Option<String>,
}

/// A form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Form {
    /// Where it goes, as written; without it, to the page itself.
    pub action: Option<String>,
    /// `GET`, `POST` or `DIALOG`.
    pub method: String,
    /// As written, in lower case; `application/x-www-form-urlencoded` without it.
    pub enctype: String,
    /// Its id, name and class, in lower case.
    pub words: String,
    /// In the order of the document, with those outside of it that name it.
    pub fields: Vec<Field>,
}

/// A field of a form.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// Empty where only a script can mean it.
    pub name: String,
    /// The type of an `input` or a `button`, `textarea` or `select`.
    pub kind: String,
    /// What a browser sends where nobody touches it.
    pub value: String,
    /// Whether it does: not what has no name, is disabled, unchecked or a button.
    pub sent: bool,
    /// What else tells what it is for: id, autocomplete, placeholder and labels, in lower case; of a button, its words.
    pub words: String,
}

/// An address on a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// Of which element, such as `a` or `img`.
    pub element: String,
    /// As written.
    pub to: String,
    /// Its words, with what images in it and labels say.
    pub text: String,
}

/// The forms of a page, in the order of the document.
pub fn forms(text: &str) -> Vec<Form> {
    Page::read(text).forms
}

/// The content of the `meta` element of that name.
pub fn meta(text: &str, name: &str) -> Option<String> {
    Page::read(text).meta(name).map(str::to_owned)
}

impl Page {
    /// Reads as much of a page as is read of a body.
    pub fn read(text: &str) -> Self {
        reader::read(text)
    }

    /// The content of the `meta` element of that name.
    pub fn meta(&self, name: &str) -> Option<&str> {
        self.metas.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, content)| content.as_str())
    }

    /// Where an address on a page that came from `url` leads.
    pub fn resolve(&self, url: &Url, to: &str) -> Option<Url> {
        let base = self.base.as_deref().and_then(|base| url.join(base.trim()).ok());
        base.as_ref().unwrap_or(url).join(to.trim()).ok()
    }
}

impl Form {
    /// What a browser sends where nobody touches the form, without a button.
    pub fn untouched(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().filter(|field| field.sent).map(|field| (field.name.as_str(), field.value.as_str()))
    }

    /// The button that is pressed by the enter key.
    pub fn button(&self) -> Option<&Field> {
        self.fields.iter().find(|field| matches!(field.kind.as_str(), "submit" | "image"))
    }

    /// The first field of that type.
    pub fn of_kind(&self, kind: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.kind == kind)
    }
}

impl std::fmt::Debug for Field {
    /// Without the value: it may be a token.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {:?}", self.kind, self.name)
    }
}
