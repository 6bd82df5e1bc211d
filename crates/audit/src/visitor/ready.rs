//! A request filled in: what the profile says, what the page's form brings along, and where its CSRF token is.

use std::collections::BTreeMap;

use http::Method;
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

use super::{Trouble, Visitor};
use crate::exchange::Exchange;
use crate::html::{self, Form};
use crate::profile::{Account, Step};

/// A request that can be sent, also with one thing changed.
#[derive(Clone)]
pub struct Ready {
    /// Its method.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// What it carries.
    pub body: Body,
    /// Header fields beyond those of every request.
    pub headers: Vec<(String, String)>,
    /// Where its CSRF token is, if it has one.
    pub token: Option<TokenPlace>,
    /// The page it was filled in from.
    pub page: Option<Exchange>,
}

/// What a request carries.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    Empty,
    /// A form, url-encoded.
    Form(Vec<(String, String)>),
    /// The same as `multipart/form-data`.
    Multipart(Vec<(String, String)>),
    /// JSON.
    Json(Value),
    /// Anything, as a type of one's own choice.
    Raw(&'static str, String),
}

/// Where a CSRF token is in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPlace {
    /// A form field, or a top-level field of JSON.
    Field(String),
    /// A header field.
    Header(String),
    /// A parameter of the address.
    Query(String),
}

/// What the placeholders of a profile stand for.
#[derive(Clone, Default)]
pub struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// `{user}` and `{password}`.
    pub fn of(account: &Account) -> Self {
        Self::default().with("user", &account.user).with("password", &account.password).with("random", &random())
    }

    /// With one more.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.insert(name, value.to_owned());
        self
    }

    pub(crate) fn next_secret(&mut self) {
        self.0.insert("random", random());
    }

    /// What `{random}` stands for.
    pub fn random(&self) -> &str {
        self.0.get("random").map_or("", String::as_str)
    }

    pub(crate) fn fill(&self, text: &str, csrf: Option<&str>) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.0 {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        csrf.map_or(text.clone(), |csrf| text.replace(CSRF, csrf))
    }

    fn fill_json(&self, value: &Value, csrf: Option<&str>) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text, csrf)),
            Value::Array(items) => items.iter().map(|item| self.fill_json(item, csrf)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.fill_json(value, csrf))).collect()
            }
            other => other.clone(),
        }
    }
}

impl Ready {
    /// A page to be read.
    pub fn get(url: Url) -> Self {
        Self { method: Method::GET, url, body: Body::Empty, headers: Vec::new(), token: None, page: None }
    }

    /// The body and its type.
    pub(crate) fn encoded(&self) -> (Option<String>, Vec<u8>) {
        match &self.body {
            Body::Empty => (None, Vec::new()),
            Body::Form(fields) => (Some(URLENCODED.to_owned()), urlencoded(fields).into_bytes()),
            Body::Multipart(fields) => (Some(format!("multipart/form-data; boundary={BOUNDARY}")), multipart(fields)),
            Body::Json(value) => (Some("application/json".to_owned()), value.to_string().into_bytes()),
            Body::Raw(kind, text) => (Some((*kind).to_owned()), text.clone().into_bytes()),
        }
    }

    /// Its fields, whatever they are written as.
    pub fn fields(&self) -> Vec<(String, String)> {
        match &self.body {
            Body::Form(fields) | Body::Multipart(fields) => fields.clone(),
            Body::Json(Value::Object(fields)) => fields
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
                .collect(),
            Body::Empty | Body::Json(_) | Body::Raw(..) => Vec::new(),
        }
    }

    /// The token it carries.
    pub fn token_value(&self) -> Option<String> {
        match self.token.as_ref()? {
            TokenPlace::Field(name) => self.fields().into_iter().find(|(key, _)| key == name).map(|(_, value)| value),
            TokenPlace::Header(name) => {
                self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
            }
            TokenPlace::Query(name) => {
                self.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
            }
        }
    }

    /// With another token, or without one.
    pub fn with_token(mut self, value: Option<&str>) -> Self {
        match self.token.clone() {
            None => {}
            Some(TokenPlace::Header(name)) => {
                self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(&name));
                self.headers.extend(value.map(|value| (name, value.to_owned())));
            }
            Some(TokenPlace::Query(name)) => {
                let mut pairs: Vec<(String, String)> = self.url.query_pairs().into_owned().collect();
                pairs.retain(|(key, _)| *key != name);
                pairs.extend(value.map(|value| (name, value.to_owned())));
                self.url.set_query((!pairs.is_empty()).then(|| urlencoded(&pairs)).as_deref());
            }
            Some(TokenPlace::Field(name)) => match &mut self.body {
                Body::Form(fields) | Body::Multipart(fields) => {
                    fields.retain(|(key, _)| *key != name);
                    fields.extend(value.map(|value| (name, value.to_owned())));
                }
                Body::Json(Value::Object(fields)) => {
                    fields.remove(&name);
                    fields.extend(value.map(|value| (name, Value::String(value.to_owned()))));
                }
                Body::Empty | Body::Json(_) | Body::Raw(..) => {}
            },
        }
        self
    }

    /// With one word replaced wherever it stands in the body.
    pub fn with_word(mut self, from: &str, to: &str) -> Self {
        match &mut self.body {
            Body::Form(fields) | Body::Multipart(fields) => {
                for (_, value) in fields {
                    *value = value.replace(from, to);
                }
            }
            Body::Json(value) => {
                let text = value.to_string().replace(from, to);
                *value = serde_json::from_str(&text).unwrap_or(Value::Null);
            }
            Body::Raw(_, text) => *text = text.replace(from, to),
            Body::Empty => {}
        }
        self
    }
}

/// What a step is with these values, sent from this page.
pub(super) fn fill(
    visitor: &Visitor<'_>,
    step: &Step,
    values: &Values,
    page: Option<Exchange>,
) -> Result<Ready, Trouble> {
    let site = visitor.site();
    let form = page.as_ref().and_then(|page| fitting(step, page));
    let csrf = page.as_ref().and_then(|page| csrf_of(page, form.as_ref()));
    let csrf = csrf.or_else(|| visitor.jar.iter().find(|kept| telling(&kept.name)).map(|kept| decoded(&kept.value)));
    if csrf.is_none() && asks(step) {
        return Err(Trouble::NoToken { page: place(page.as_ref(), step) });
    }
    let csrf = csrf.as_deref();
    let (method, url) = match (&step.request, &form, &page) {
        (Some((method, target)), form, page) => {
            let declared = site.url(&values.fill(target, csrf));
            // The page may add an id or a token to the same address.
            let action = form.as_ref().zip(page.as_ref()).and_then(|(form, page)| action_of(form, page));
            let same = |action: &Url| plain_path(action.path()) == declared.path() && declared.query().is_none();
            (method.clone(), action.filter(same).unwrap_or(declared))
        }
        (None, Some(form), Some(page)) => {
            let method = if form.method.eq_ignore_ascii_case("get") { Method::GET } else { Method::POST };
            let action = form.action.as_deref().filter(|action| !action.is_empty());
            let base = &page.sent.url;
            (method, action.and_then(|action| base.join(action).ok()).unwrap_or_else(|| base.clone()))
        }
        _ => {
            let status = page.as_ref().map_or(0, |page| page.answer.status);
            return Err(Trouble::NoForm { page: place(page.as_ref(), step), status });
        }
    };
    let headers: Vec<_> = step.headers.iter().map(|(name, value)| (name.clone(), values.fill(value, csrf))).collect();
    let body = match &step.json {
        Some(json) => Body::Json(values.fill_json(json, csrf)),
        None => form_body(step, form.as_ref(), values, csrf),
    };
    let token = token_place(step, form.as_ref(), site.profile.token_field.as_deref());
    Ok(Ready { method, url, body, headers, token, page })
}

fn form_body(step: &Step, form: Option<&Form>, values: &Values, csrf: Option<&str>) -> Body {
    let mut fields: Vec<(String, String)> = Vec::new();
    let untouched = form.into_iter().flat_map(|form| &form.fields).filter(|field| field.sent);
    // As by the enter key.
    for field in untouched.chain(form.and_then(Form::button)) {
        if !field.name.is_empty() && !step.form.contains_key(&field.name) {
            fields.push((field.name.clone(), field.value.clone()));
        }
    }
    fields.extend(step.form.iter().map(|(name, value)| (name.clone(), values.fill(value, csrf))));
    let bodiless = step.request.as_ref().is_some_and(|(method, _)| matches!(*method, Method::GET | Method::DELETE));
    if fields.is_empty() && (bodiless || form.is_none()) { Body::Empty } else { Body::Form(fields) }
}

/// The form of the page that the step is about: the one that goes where the step goes, or has its fields.
fn fitting(step: &Step, page: &Exchange) -> Option<Form> {
    let forms = html::forms(&page.answer.text());
    let path = step.request.as_ref().map(|(_, target)| plain_path(target).to_owned());
    let goes_there = |form: &Form| {
        let action = action_of(form, page).map(|url| plain_path(url.path()).to_owned());
        path.is_some() && action == path
    };
    let shared = |form: &Form| form.fields.iter().filter(|field| step.form.contains_key(&field.name)).count();
    let best = forms.into_iter().max_by_key(|form| (shared(form), goes_there(form)))?;
    let fits =
        shared(&best) > 0 || goes_there(&best) || (step.form.is_empty() && step.json.is_none() && path.is_none());
    fits.then_some(best)
}

/// Where a form goes.
fn action_of(form: &Form, page: &Exchange) -> Option<Url> {
    page.sent.url.join(form.action.as_deref().unwrap_or_default()).ok()
}

/// Without the query, and without parameters such as `;jsessionid=`.
fn plain_path(target: &str) -> &str {
    target.split(['?', ';']).next().unwrap_or_default()
}

fn token_place(step: &Step, form: Option<&Form>, named: Option<&str>) -> Option<TokenPlace> {
    if let Some((name, _)) = step.headers.iter().find(|(_, value)| value.contains(CSRF)) {
        return Some(TokenPlace::Header(name.clone()));
    }
    let target = step.request.as_ref().map(|(_, target)| target.split_once('?').unwrap_or_default().1);
    let in_target = target.into_iter().flat_map(|query| query.split('&')).find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        value.contains(CSRF).then(|| name.to_owned())
    });
    if let Some(name) = in_target {
        return Some(TokenPlace::Query(name));
    }
    let own = step.form.iter().find(|(_, value)| value.contains(CSRF)).map(|(name, _)| name.clone());
    let json = step.json.as_ref().and_then(Value::as_object).and_then(|fields| {
        let holds = |value: &Value| value.as_str().is_some_and(|text| text.contains(CSRF));
        fields.iter().find(|(_, value)| holds(value)).map(|(name, _)| name.clone())
    });
    own.or(json).or_else(|| hidden_token(form?, named)).map(TokenPlace::Field)
}

/// The hidden field that is the token: by the profile, by its name, or because nothing else looks random.
fn hidden_token(form: &Form, named: Option<&str>) -> Option<String> {
    let hidden = || form.fields.iter().filter(|field| field.kind == "hidden");
    let by = |fits: &dyn Fn(&str, &str) -> bool| {
        hidden().find(|field| fits(&field.name, &field.value)).map(|field| field.name.clone())
    };
    by(&|name, _| named == Some(name))
        .or_else(|| by(&|name, _| telling(name)))
        .or_else(|| by(&|_, value| random_looking(value)))
}

fn csrf_of(page: &Exchange, form: Option<&Form>) -> Option<String> {
    let text = page.answer.text();
    let field = |form: &Form| {
        let name = hidden_token(form, None)?;
        form.fields.iter().find(|field| field.name == name).map(|field| field.value.clone())
    };
    let by_form = form.and_then(field);
    let by_meta = || html::Page::read(&text).metas.into_iter().find(|(name, _)| telling(name)).map(|(_, value)| value);
    let by_other_form = || html::forms(&text).iter().find_map(field);
    let by_json = || {
        let body: Value = serde_json::from_str(&text).ok()?;
        let fields = body.as_object()?;
        fields.iter().find(|(name, _)| telling(name)).and_then(|(_, value)| value.as_str().map(str::to_owned))
    };
    by_form.or_else(by_meta).or_else(by_other_form).or_else(by_json)
}

/// Whether a name says that its value is a CSRF token.
pub(crate) fn telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    (name == "token" || TELLING.iter().any(|word| name.contains(word)))
        && !["refresh", "access"].iter().any(|word| name.contains(word))
}

fn random_looking(value: &str) -> bool {
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    value.len() >= 16 && letters >= 4 && digits >= 2 && !value.contains([' ', '/'])
}

fn asks(step: &Step) -> bool {
    if step.request.as_ref().is_some_and(|(_, target)| target.contains(CSRF)) {
        return true;
    }
    let json = step.json.as_ref().map(Value::to_string).unwrap_or_default();
    step.headers.values().chain(step.form.values()).chain([&json]).any(|value| value.contains(CSRF))
}

/// As a script would read it from `document.cookie`.
fn decoded(value: &str) -> String {
    let pair = format!("v={}", value.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map_or_else(|| value.to_owned(), |(_, value)| value.into_owned())
}

fn place(page: Option<&Exchange>, step: &Step) -> String {
    page.map_or_else(|| step.page.clone().unwrap_or_default(), |page| page.sent.url.path().to_owned())
}

pub(crate) fn urlencoded(fields: &[(String, String)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn multipart(fields: &[(String, String)]) -> Vec<u8> {
    let part = |(name, value): &(String, String)| {
        let name = name.replace('"', "%22").replace(['\r', '\n'], "");
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts: Vec<_> = fields.iter().map(part).collect();
    format!("{}--{BOUNDARY}--\r\n", parts.concat()).into_bytes()
}

/// A word no page has.
pub(crate) fn random() -> String {
    let mut bytes = [0; 8];
    // Without randomness the word is merely less unlikely to be there already, which the controls see.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().fold("cf".to_owned(), |word, byte| word + &format!("{byte:02x}"))
}

const CSRF: &str = "{csrf}";
const URLENCODED: &str = "application/x-www-form-urlencoded";
const BOUNDARY: &str = "----counterfoil-audit-5fd1a9";
const TELLING: [&str; 7] = ["csrf", "xsrf", "authenticity", "requestverification", "nonce", "sectok", "_token"];

impl std::fmt::Debug for Ready {
    /// Without what it carries.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", self.method, self.url.path())
    }
}

impl std::fmt::Debug for Body {
    /// Without what it holds.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Body")
    }
}

impl std::fmt::Debug for Values {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}
