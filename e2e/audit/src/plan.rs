//! A profile as exploits use it: how to sign in, out and change something. Reads the same text auditors get.

use std::collections::BTreeMap;
use std::io;

use serde::Deserialize;

use crate::visitor::{Draft, FORM, Got, Visitor};

/// A profile; what exploits do not use is left unread.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Plan {
    pub(crate) sign_in: Step,
    pub(crate) signed_in: Marker,
    pub(crate) sign_out: Option<Step>,
    #[serde(default)]
    pub(crate) changes: Vec<Change>,
    #[serde(default)]
    pub(crate) raises: Vec<Raise>,
    pub(crate) password_change: Option<Step>,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) slow: Option<Step>,
    pub(crate) socket: Option<Socket>,
    #[serde(default)]
    pub(crate) pending: Vec<Pending>,
    #[serde(default)]
    pub(crate) limits: Limits,
}

/// A request, and what is read before it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Step {
    pub(crate) page: Option<String>,
    pub(crate) request: Option<String>,
    #[serde(default)]
    pub(crate) form: BTreeMap<String, String>,
    pub(crate) json: Option<serde_json::Value>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) then: Vec<Step>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Marker {
    pub(crate) url: String,
    pub(crate) marker: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Change {
    #[serde(flatten)]
    pub(crate) step: Step,
    pub(crate) read: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Raise {
    #[serde(flatten)]
    pub(crate) step: Step,
    pub(crate) reaches: Marker,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_field: String,
    pub(crate) refresh_field: Option<String>,
    pub(crate) refresh: Option<Step>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Socket {
    pub(crate) url: String,
    pub(crate) send: Option<String>,
    pub(crate) expects: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Pending {
    pub(crate) kind: String,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Limits {
    pub(crate) idle_seconds: Option<u64>,
    pub(crate) absolute_seconds: Option<u64>,
}

/// What stands for `{user}` and the like.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words(pub(crate) BTreeMap<&'static str, String>);

impl Words {
    /// Those of an account.
    pub(crate) fn of(user: &str, password: &str) -> Self {
        Self(BTreeMap::from([("user", user.to_owned()), ("password", password.to_owned())]))
    }

    /// With one more.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.insert(name, value.to_owned());
        self
    }

    /// A text with everything put in.
    pub(crate) fn put(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

impl Step {
    /// The request as the site's own page would make it, after that page was read.
    pub(crate) fn draft(&self, visitor: &mut Visitor, words: &Words) -> io::Result<Draft> {
        let page = match &self.page {
            Some(target) => visitor.get(&words.put(target))?.body,
            None => String::new(),
        };
        let form = form_for(&page, self);
        let token = form.as_ref().and_then(Form::token).or_else(|| meta_token(&page)).or_else(|| cookie_token(visitor));
        let words = words.clone().with("csrf", &token.unwrap_or_default());
        let (method, target) = match (&self.request, &form) {
            (Some(request), _) => request.split_once(' ').unwrap_or(("GET", request)),
            (None, Some(form)) => (form.method.as_str(), form.action.as_str()),
            (None, None) => ("POST", self.page.as_deref().unwrap_or("/")),
        };
        let mut draft = Draft::new(method, &words.put(target));
        if let Some(json) = &self.json {
            draft = Draft::json(method, &draft.target, &put_json(json, &words));
        } else if method == "POST" || !self.form.is_empty() {
            let mut fields = form.map(|form| form.hidden).unwrap_or_default();
            fields.extend(self.form.iter().map(|(name, value)| (name.clone(), words.put(value))));
            let mut body = url::form_urlencoded::Serializer::new(String::new());
            draft.body = body.extend_pairs(fields).finish();
            draft = draft.header("Content-Type", FORM);
        }
        for (name, value) in &self.headers {
            draft = draft.header(name, &words.put(value));
        }
        Ok(draft)
    }

    /// Makes the request, and those that follow.
    pub(crate) fn walk(&self, visitor: &mut Visitor, words: &Words) -> io::Result<Got> {
        let draft = self.draft(visitor, words)?;
        let mut got = visitor.send(draft)?;
        for step in &self.then {
            let cookies: Vec<_> = got.cookies().map(str::to_owned).collect();
            got = step.walk(visitor, words)?;
            got.headers.extend(cookies.into_iter().map(|line| ("set-cookie".to_owned(), line)));
        }
        Ok(got)
    }
}

/// A form of a page.
#[derive(Debug, Clone)]
struct Form {
    method: String,
    action: String,
    hidden: BTreeMap<String, String>,
    names: Vec<String>,
}

impl Form {
    fn token(&self) -> Option<String> {
        let (_, value) = self.hidden.iter().find(|(name, _)| is_token(name))?;
        Some(value.clone())
    }
}

/// The form a step means: the one that goes where the request does, else the one that has its fields.
fn form_for(page: &str, step: &Step) -> Option<Form> {
    let forms: Vec<_> = page.split("<form").skip(1).filter_map(|text| text.split("</form").next()).map(form).collect();
    let target = step.request.as_deref().and_then(|request| request.split_once(' ')).map(|(_, target)| target);
    let by_target = forms.iter().find(|form| Some(form.action.as_str()) == target);
    let has_all = |form: &&Form| step.form.keys().all(|key| form.names.contains(key));
    by_target.or_else(|| forms.iter().find(has_all)).or(forms.first()).cloned()
}

fn form(text: &str) -> Form {
    let opening = text.split('>').next().unwrap_or_default();
    let inputs: Vec<_> = text.split("<input").skip(1).filter_map(|text| text.split('>').next()).collect();
    let named = |input: &str| attribute(input, "name");
    Form {
        method: attribute(opening, "method").unwrap_or_default().to_ascii_uppercase(),
        action: attribute(opening, "action").unwrap_or_default(),
        hidden: inputs
            .iter()
            .filter(|input| attribute(input, "type").is_some_and(|kind| kind == "hidden"))
            .filter_map(|input| Some((named(input)?, attribute(input, "value")?)))
            .collect(),
        names: inputs.iter().filter_map(|input| named(input)).collect(),
    }
}

fn meta_token(page: &str) -> Option<String> {
    let tags = page.split("<meta").skip(1).filter_map(|text| text.split('>').next());
    let mut found = tags.filter(|tag| attribute(tag, "name").is_some_and(|name| is_token(&name)));
    attribute(found.next()?, "content")
}

fn cookie_token(visitor: &Visitor) -> Option<String> {
    visitor.jar.iter().find(|(name, _)| name.contains("csrf") || name.contains("XSRF")).map(|(_, value)| value.clone())
}

pub(crate) fn is_token(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["csrf", "xsrf", "token", "nonce"].iter().any(|word| name.contains(word))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let after = tag.split(&format!(" {name}=")).nth(1)?;
    let quote = after.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    after.split(quote).nth(1).map(|value| value.replace("&amp;", "&").replace("&quot;", "\""))
}

fn put_json(value: &serde_json::Value, words: &Words) -> serde_json::Value {
    match value {
        serde_json::Value::String(text) => serde_json::Value::String(words.put(text)),
        serde_json::Value::Array(items) => items.iter().map(|item| put_json(item, words)).collect(),
        serde_json::Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), put_json(value, words))).collect()
        }
        other => other.clone(),
    }
}
