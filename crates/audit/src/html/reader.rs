//! From tokens to a page, without a tree: what a browser's parser would mend is read as it comes.

use std::collections::BTreeMap;

use html5gum::{DefaultEmitter, HtmlString, Spanned, StartTag, Token, Tokenizer};

use super::{Field, Form, Link, Page};

pub(super) fn read(text: &str) -> Page {
    let mut reader = Reader::default();
    reader.eat(text, true);
    reader.end()
}

#[derive(Default)]
struct Reader {
    page: Page,
    /// The id of each form, in the order of forms.
    form_ids: Vec<String>,
    fields: Vec<(Owner, Field)>,
    open_form: Option<usize>,
    anchor: Option<usize>,
    into: Into,
    select: Option<Select>,
    /// How many `template` elements are open: nothing in them is on the page.
    templates: u32,
    /// What a browser without scripts would see.
    noscript: Option<String>,
    labels: BTreeMap<String, String>,
}

/// Whose a field is.
enum Owner {
    Form(usize),
    Named(String),
    Nobody,
}

/// What text belongs to, beside the page.
#[derive(Default)]
enum Into {
    #[default]
    Page,
    Nothing,
    Title,
    Label(String),
    Button(usize),
    Textarea(usize),
}

#[derive(Default)]
struct Select {
    field: Field,
    owner: Option<String>,
    disabled: bool,
    multiple: bool,
    chosen: Option<String>,
    first: Option<String>,
    option: Option<Choice>,
}

struct Choice {
    value: Option<String>,
    text: String,
    selected: bool,
}

type Attributes = BTreeMap<HtmlString, Spanned<HtmlString, ()>>;

impl Reader {
    fn eat(&mut self, text: &str, outermost: bool) {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        for Ok(token) in Tokenizer::new_with_emitter(text, emitter) {
            match token {
                Token::StartTag(tag) if tag.name == b"noscript" && outermost => self.noscript = Some(String::new()),
                Token::StartTag(tag) => self.start(&tag),
                Token::EndTag(tag) if tag.name == b"noscript" => {
                    if let Some(inner) = self.noscript.take() {
                        self.eat(&inner, false);
                    }
                }
                Token::EndTag(tag) => self.finish(&tag.name),
                Token::String(text) => self.text(&String::from_utf8_lossy(&text.value)),
                Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
            }
        }
    }

    fn start(&mut self, tag: &StartTag<()>) {
        let name = String::from_utf8_lossy(&tag.name);
        let name = name.as_ref();
        if name == "template" {
            self.templates += 1;
        }
        if self.templates > 0 {
            return;
        }
        if !INLINE.contains(&name) {
            self.page.text.push('\n');
        }
        let of = &tag.attributes;
        self.link(name, of);
        match name {
            "form" if self.open_form.is_none() => self.form(of),
            "input" => self.input(of),
            "button" => self.button(of),
            "textarea" => self.textarea(of),
            "select" => self.select(of),
            "option" => self.option(of),
            "script" | "style" | "iframe" | "xmp" | "noembed" | "noframe" => self.into = Into::Nothing,
            "title" => self.into = Into::Title,
            "label" => self.label(of),
            "meta" => self.meta(of),
            "base" if self.page.base.is_none() => self.page.base = attribute(of, "href"),
            _ => {}
        }
    }

    fn finish(&mut self, name: &[u8]) {
        match name {
            b"template" => self.templates = self.templates.saturating_sub(1),
            b"form" => self.open_form = None,
            b"a" => self.anchor = None,
            b"option" => self.end_option(),
            b"select" => self.end_select(),
            b"script" | b"style" | b"iframe" | b"xmp" | b"noembed" | b"noframe" | b"title" | b"label" | b"button"
            | b"textarea" => self.into = Into::Page,
            _ => {}
        }
        if !INLINE.iter().any(|inline| inline.as_bytes() == name) {
            self.page.text.push('\n');
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(noscript) = &mut self.noscript {
            return noscript.push_str(text);
        }
        if self.templates > 0 {
            return;
        }
        if let Some(option) = self.select.as_mut().and_then(|select| select.option.as_mut()) {
            return option.text.push_str(text);
        }
        match &self.into {
            Into::Nothing => return,
            Into::Title => return self.page.title.push_str(text),
            Into::Textarea(at) => {
                if let Some((_, field)) = self.fields.get_mut(*at) {
                    field.value.push_str(text);
                }
                return;
            }
            Into::Button(at) => {
                if let Some((_, field)) = self.fields.get_mut(*at) {
                    field.words.push_str(text);
                }
            }
            Into::Label(of) => self.labels.entry(of.clone()).or_default().push_str(text),
            Into::Page => {}
        }
        if let Some(link) = self.anchor.and_then(|at| self.page.links.get_mut(at)) {
            link.text.push_str(text);
        }
        self.page.text.push_str(text);
    }

    fn form(&mut self, of: &Attributes) {
        if self.page.forms.len() >= MOST_FORMS {
            return;
        }
        let method = match value(of, "method").to_ascii_uppercase().as_str() {
            "POST" => "POST",
            "DIALOG" => "DIALOG",
            _ => "GET",
        };
        self.open_form = Some(self.page.forms.len());
        self.form_ids.push(value(of, "id"));
        self.page.forms.push(Form {
            action: attribute(of, "action").filter(|action| !action.trim().is_empty()),
            method: method.to_owned(),
            enctype: value(of, "enctype").to_ascii_lowercase(),
            words: collapsed(&words(of, &["id", "name", "class"])),
            fields: Vec::new(),
        });
    }

    /// Without `for`, it is that of the field in it.
    fn label(&mut self, of: &Attributes) {
        let id = value(of, "for").to_lowercase();
        self.labels.remove("");
        self.into = Into::Label(id);
    }

    fn input(&mut self, of: &Attributes) {
        let kind = Some(value(of, "type").to_ascii_lowercase()).filter(|kind| !kind.is_empty());
        let kind = kind.unwrap_or_else(|| "text".to_owned());
        let mut field = self.field(of, &kind);
        if matches!(kind.as_str(), "checkbox" | "radio") {
            field.value = attribute(of, "value").unwrap_or_else(|| "on".to_owned());
            field.sent &= attribute(of, "checked").is_some();
        }
        if matches!(kind.as_str(), "submit" | "image" | "button" | "reset") {
            field.words.push_str(&field.value.to_lowercase());
        }
        field.sent &= !matches!(kind.as_str(), "submit" | "image" | "button" | "reset" | "file");
        self.keep(of, field);
    }

    fn button(&mut self, of: &Attributes) {
        let kind = match value(of, "type").to_ascii_lowercase().as_str() {
            "button" => "button",
            "reset" => "reset",
            _ => "submit",
        };
        let mut field = self.field(of, kind);
        field.sent = false;
        if let Some(at) = self.keep(of, field) {
            self.into = Into::Button(at);
        }
    }

    fn textarea(&mut self, of: &Attributes) {
        let field = self.field(of, "textarea");
        self.into = self.keep(of, field).map_or(Into::Nothing, Into::Textarea);
    }

    fn select(&mut self, of: &Attributes) {
        self.end_select();
        let field = self.field(of, "select");
        self.select = Some(Select {
            field,
            owner: attribute(of, "form"),
            disabled: attribute(of, "disabled").is_some(),
            multiple: attribute(of, "multiple").is_some(),
            ..Select::default()
        });
    }

    fn option(&mut self, of: &Attributes) {
        self.end_option();
        if let Some(select) = &mut self.select {
            let selected = attribute(of, "selected").is_some();
            select.option = Some(Choice { value: attribute(of, "value"), text: String::new(), selected });
        }
    }

    fn end_option(&mut self) {
        let Some(select) = &mut self.select else { return };
        let Some(option) = select.option.take() else { return };
        let value = option.value.unwrap_or_else(|| collapsed(&option.text));
        // Of several that are selected, the last is.
        if option.selected {
            select.chosen = Some(value.clone());
        }
        select.first.get_or_insert(value);
    }

    fn end_select(&mut self) {
        self.end_option();
        let Some(mut select) = self.select.take() else { return };
        let value = select.chosen.or(select.first.filter(|_| !select.multiple));
        select.field.sent &= value.is_some() && !select.disabled;
        select.field.value = value.unwrap_or_default();
        let owner = self.owner(select.owner);
        if self.fields.len() < MOST_FIELDS {
            self.fields.push((owner, select.field));
        }
    }

    fn field(&self, of: &Attributes, kind: &str) -> Field {
        let name = value(of, "name");
        let around = matches!(self.into, Into::Label(_)).then(|| self.labels.get("")).flatten();
        Field {
            sent: !name.is_empty() && attribute(of, "disabled").is_none(),
            name,
            kind: kind.to_owned(),
            value: if kind == "textarea" { String::new() } else { value(of, "value") },
            words: words(of, &["id", "autocomplete", "placeholder", "aria-label", "title", "class"])
                + around.map_or("", String::as_str)
                + " ",
        }
    }

    fn keep(&mut self, of: &Attributes, field: Field) -> Option<usize> {
        let owner = self.owner(attribute(of, "form"));
        (self.fields.len() < MOST_FIELDS).then(|| {
            self.fields.push((owner, field));
            self.fields.len() - 1
        })
    }

    fn owner(&self, named: Option<String>) -> Owner {
        named.map_or_else(|| self.open_form.map_or(Owner::Nobody, Owner::Form), Owner::Named)
    }

    fn link(&mut self, element: &str, of: &Attributes) {
        let key = match element {
            "a" | "area" | "link" => "href",
            "img" | "script" | "iframe" | "frame" | "embed" | "source" | "audio" | "video" | "input" => "src",
            "form" => "action",
            "object" => "data",
            _ => "",
        };
        let alt = words(of, &["alt", "aria-label", "title"]);
        if let Some(link) = self.anchor.and_then(|at| self.page.links.get_mut(at)) {
            link.text.push_str(&alt);
        }
        let Some(to) = attribute(of, key).filter(|_| self.page.links.len() < MOST_LINKS) else { return };
        if element == "a" {
            self.anchor = Some(self.page.links.len());
        }
        self.page.links.push(Link { element: element.to_owned(), to, text: alt });
    }

    fn meta(&mut self, of: &Attributes) {
        let name = ["name", "property", "http-equiv"].iter().find_map(|key| attribute(of, key));
        if let (Some(name), true) = (name, self.page.metas.len() < MOST_FORMS) {
            self.page.metas.push((name.to_ascii_lowercase(), value(of, "content")));
        }
    }

    fn end(mut self) -> Page {
        self.end_select();
        for (owner, mut field) in std::mem::take(&mut self.fields) {
            let at = match owner {
                Owner::Form(at) => Some(at),
                Owner::Named(id) => self.form_ids.iter().position(|other| *other == id),
                Owner::Nobody => None,
            };
            let Some(form) = at.and_then(|at| self.page.forms.get_mut(at)) else { continue };
            let id = field.words.split(' ').next().filter(|id| !id.is_empty());
            let label = id.and_then(|id| self.labels.get(id));
            field.words = collapsed(&format!("{} {}", field.words, label.map_or("", String::as_str))).to_lowercase();
            // As the tree has it: a newline that follows the tag is no part of the value.
            if field.kind == "textarea" {
                field.value = field.value.strip_prefix('\n').map(str::to_owned).unwrap_or(field.value);
            }
            form.fields.push(field);
        }
        for link in &mut self.page.links {
            link.text = collapsed(&link.text);
        }
        self.page.title = collapsed(&self.page.title);
        self.page.text =
            self.page.text.lines().map(collapsed).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        self.page
    }
}

fn attribute(of: &Attributes, name: &str) -> Option<String> {
    of.get(name.as_bytes()).map(|value| String::from_utf8_lossy(&value.value).into_owned())
}

fn value(of: &Attributes, name: &str) -> String {
    attribute(of, name).unwrap_or_default()
}

fn words(of: &Attributes, names: &[&str]) -> String {
    let values: Vec<_> = names.iter().map(|name| value(of, name)).collect();
    values.join(" ").to_lowercase() + " "
}

fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "img", "kbd", "mark", "q", "s", "samp", "small",
    "span", "strong", "sub", "sup", "svg", "time", "u", "var", "wbr",
];
const MOST_FORMS: usize = 200;
const MOST_FIELDS: usize = 5_000;
const MOST_LINKS: usize = 10_000;
