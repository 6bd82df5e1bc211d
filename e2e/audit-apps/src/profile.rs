//! The auditor's profile as it is read here: a few keys, understood by a reader of its own.

use std::collections::BTreeMap;
use std::io;

use aws_lc_rs::rand;
use serde::Deserialize;
use url::Url;

use crate::browser::{Body, Browser, Request, target_of};
use crate::house::Failure;
use crate::page::{Form, form_with, forms};

/// What of it is used here. The auditor reads more.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Profile {
    pub(crate) sign_in: Step,
    pub(crate) account: Account,
    second_account: Option<Account>,
    pub(crate) signed_in: Marker,
    pub(crate) sign_out: Option<Step>,
    #[serde(default)]
    pub(crate) changes: Vec<Change>,
    pub(crate) password_change: Option<Step>,
    pub(crate) socket: Option<Socket>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Step {
    page: Option<String>,
    request: Option<String>,
    #[serde(default)]
    form: BTreeMap<String, String>,
    json: Option<serde_json::Value>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) password: String,
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
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Socket {
    pub(crate) url: String,
}

/// What the placeholders stand for.
#[derive(Debug, Clone)]
pub(crate) struct Values<'a> {
    pub(crate) account: &'a Account,
    pub(crate) new_password: &'a str,
    pub(crate) random: &'a str,
}

impl Profile {
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        Ok(toml::from_str(text)?)
    }

    /// Somebody else, where there is anybody else.
    pub(crate) fn other(&self) -> &Account {
        self.second_account.as_ref().unwrap_or(&self.account)
    }

    /// The page where people sign in.
    pub(crate) fn sign_in_page(&self) -> &str {
        self.sign_in.page.as_deref().unwrap_or(&self.signed_in.url)
    }
}

impl Account {
    pub(crate) const fn values(&self) -> Values<'_> {
        Values { account: self, new_password: "", random: "" }
    }
}

impl Step {
    /// Filled in from its page, as a browser would send it. `token` names what protects it from other sites.
    pub(crate) fn prepare(
        &self,
        browser: &mut Browser,
        values: &Values<'_>,
        token: Option<&str>,
    ) -> io::Result<Option<Request>> {
        let page = self.page.as_ref().map(|page| browser.open(page)).transpose()?;
        let declared = self.request.as_deref().and_then(|request| request.split_once(' '));
        let text = page.as_ref().map_or("", |page| page.text.as_str());
        let goes_there = |form: &Form| declared.is_some_and(|(_, to)| !to.is_empty() && form.action.contains(to));
        let form = form_with(text, &self.form.keys()).or_else(|| forms(text).into_iter().find(goes_there));
        let csrf = token.and_then(|name| token_of(text, name).or_else(|| browser.jar.get(name).cloned()));
        let fill = |text: &str| values.fill(text, csrf.as_deref().unwrap_or_default());
        let base = page.as_ref().map_or("/", |page| page.at.as_str());
        let (method, target) = match (declared, &form) {
            (Some((method, target)), _) => (method.to_owned(), fill(target)),
            (None, Some(form)) => ("POST".to_owned(), resolved(base, &form.action)),
            (None, None) => return Ok(None),
        };
        let untouched = form.into_iter().flat_map(|form| form.fields).filter(|(name, _)| !self.form.contains_key(name));
        let own = self.form.iter().map(|(name, value)| (name.clone(), fill(value)));
        let fields: Vec<_> = untouched.chain(own).collect();
        let body = match &self.json {
            Some(json) => Body::Raw("application/json", fill(&json.to_string())),
            None if method == "GET" || fields.is_empty() => Body::Nothing,
            None => Body::Form(fields),
        };
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), fill(value))).collect();
        Ok(Some(Request { method, target, headers, body }))
    }

    /// Prepared, sent as from a page of the site, and followed.
    pub(crate) fn perform(
        &self,
        browser: &mut Browser,
        values: &Values<'_>,
        token: Option<&str>,
        port: u16,
    ) -> io::Result<bool> {
        let Some(mut request) = self.prepare(browser, values, token)? else { return Ok(false) };
        request.headers.push(("Origin".to_owned(), format!("http://127.0.0.1:{port}")));
        request.headers.push(("Referer".to_owned(), format!("http://127.0.0.1:{port}/")));
        let answer = browser.send(&request)?;
        browser.follow(answer)?;
        Ok(true)
    }
}

impl Values<'_> {
    fn fill(&self, text: &str, csrf: &str) -> String {
        let Self { account, new_password, random } = self;
        let values = [
            ("{user}", account.user.as_str()),
            ("{password}", &account.password),
            ("{new_password}", new_password),
            ("{random}", random),
            ("{csrf}", csrf),
        ];
        values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

/// A word nobody has said before.
pub(crate) fn word() -> String {
    let mut bytes = [0_u8; 8];
    // Without randomness the word is said twice, which shows at once.
    let _ = rand::fill(&mut bytes);
    bytes.iter().fold("w".to_owned(), |word, byte| format!("{word}{byte:02x}"))
}

/// The value of the first field of that name, in whatever form.
fn token_of(text: &str, name: &str) -> Option<String> {
    let mut fields = forms(text).into_iter().flat_map(|form| form.fields);
    fields.find(|(key, _)| key == name).map(|(_, value)| value)
}

fn resolved(base: &str, action: &str) -> String {
    let url = Url::parse("http://127.0.0.1").and_then(|site| site.join(base)).and_then(|page| page.join(action));
    url.map_or_else(|_| base.to_owned(), |url| target_of(&url))
}
