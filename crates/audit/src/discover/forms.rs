//! Which form is for what: pure, by fields and words. None is sent from here.

use std::collections::BTreeMap;

use http::Method;
use url::Url;

use super::{path_and_query, words};
use crate::html::{Field, Form, Link, Page};
use crate::profile::Step;
use crate::visitor::telling;

/// The fields that carry the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignInForm {
    /// None where a password or a token alone is asked for.
    pub(super) user: Option<String>,
    pub(super) password: String,
}

/// A request that signs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignOut {
    pub(super) page: String,
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) form: BTreeMap<String, String>,
}

/// A form that changes something, and the fields that a person fills in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changing {
    pub(super) page: String,
    pub(super) target: String,
    pub(super) fields: Vec<String>,
}

impl SignInForm {
    /// Its fields, and what goes into them.
    pub(super) fn filled(&self) -> Vec<(&str, &'static str)> {
        let user = self.user.as_deref().map(|name| (name, "{user}"));
        user.into_iter().chain([(self.password.as_str(), "{password}")]).collect()
    }
}

/// The form with one password: two are for those who make an account or change one.
pub(super) fn sign_in(page: &Page) -> Option<SignInForm> {
    let fits = |form: &&Form| passwords(form).len() == 1;
    let makes = |form: &Form| words::means_register(&label(form), form.action.as_deref().unwrap_or_default());
    let form = page.forms.iter().filter(fits).min_by_key(|form| makes(form))?;
    let at = form.fields.iter().position(|field| field.kind == "password" && !field.name.is_empty())?;
    let password = form.fields.get(at)?.name.clone();
    let before = || form.fields.iter().take(at).rev().filter(|field| is_typed(field));
    let named = |field: &&Field| {
        NAMES.iter().any(|word| field.name.to_lowercase().contains(word) || field.words.contains(word))
    };
    let user = before().find(named).or_else(|| before().next());
    let user = user.or_else(|| form.fields.iter().skip(at).find(|field| is_typed(field)));
    Some(SignInForm { user: user.map(|field| field.name.clone()), password })
}

/// Where the page says one signs in.
pub(super) fn sign_in_page(page: &Page, url: &Url) -> Option<String> {
    linked(page, url, words::means_sign_in).into_iter().next()
}

/// Pages about somebody, a few of them.
pub(super) fn account_pages(page: &Page, url: &Url) -> Vec<String> {
    linked(page, url, words::means_account).into_iter().take(3).collect()
}

/// Pages that speak of passwords, a few of them.
pub(super) fn password_pages(page: &Page, url: &Url) -> Vec<String> {
    linked(page, url, words::means_password).into_iter().take(2).collect()
}

/// The page that shows where somebody is signed in.
pub(super) fn sessions_page(page: &Page, url: &Url) -> Option<String> {
    linked(page, url, words::means_sessions).into_iter().next()
}

/// By a form or, where there is none, by a link.
pub(super) fn sign_out(page: &Page, url: &Url) -> Option<SignOut> {
    page.forms.iter().find_map(|form| sign_out_form(page, form, url)).or_else(|| sign_out_link(page, url))
}

fn sign_out_form(page: &Page, form: &Form, url: &Url) -> Option<SignOut> {
    let buttons = || form.fields.iter().filter(|field| field.kind == "submit");
    let pressed = buttons().find(|button| words::means_sign_out(&button.words, &button.value));
    let leads = form.action.as_deref().is_some_and(|action| words::means_sign_out("", action));
    if (pressed.is_none() && !leads) || !passwords(form).is_empty() || form.fields.iter().any(is_typed) {
        return None;
    }
    // The first button is pressed anyway.
    let other = pressed.filter(|pressed| Some(*pressed) != form.button() && !pressed.name.is_empty());
    Some(SignOut {
        page: path_and_query(url),
        method: if form.method == "POST" { Method::POST } else { Method::GET },
        target: target(page, form, url)?,
        form: other.map(|button| (button.name.clone(), button.value.clone())).into_iter().collect(),
    })
}

fn sign_out_link(page: &Page, url: &Url) -> Option<SignOut> {
    let link = page
        .links
        .iter()
        .filter(|link| link.element == "a")
        .find(|link| words::means_sign_out(&link.text, &link.to))?;
    let mut to = page.resolve(url, &link.to).filter(|to| to.origin() == url.origin())?;
    let pairs: Vec<(String, String)> = to.query_pairs().into_owned().collect();
    // A token is another one for everybody.
    let target = if pairs.iter().any(|(name, _)| telling(name)) {
        let query: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", if telling(name) { "{csrf}" } else { value }))
            .collect();
        format!("{}?{}", to.path(), query.join("&"))
    } else {
        to.set_fragment(None);
        path_and_query(&to)
    };
    Some(SignOut { page: path_and_query(url), method: Method::GET, target, form: BTreeMap::new() })
}

/// What changes something by a text that somebody types; a few of them.
pub(super) fn changing(page: &Page, url: &Url) -> Vec<Changing> {
    let fits = |form: &&Form| {
        let ways_out = sign_out_form(page, form, url).is_some();
        form.method == "POST" && passwords(form).is_empty() && form.fields.iter().any(is_typed) && !ways_out
    };
    page.forms.iter().filter(fits).filter_map(|form| Changing::of(page, form, url, is_typed)).take(5).collect()
}

/// What asks for two passwords or more.
pub(super) fn password_change(page: &Page, url: &Url) -> Option<Changing> {
    let form = page.forms.iter().find(|form| passwords(form).len() >= 2 && form.method == "POST")?;
    Changing::of(page, form, url, |field| field.kind == "password" && !field.name.is_empty())
}

impl Changing {
    fn of(page: &Page, form: &Form, url: &Url, wanted: fn(&Field) -> bool) -> Option<Self> {
        let fields = form.fields.iter().filter(|field| wanted(field)).map(|field| field.name.clone()).collect();
        Some(Self { page: path_and_query(url), target: target(page, form, url)?, fields })
    }
}

impl SignOut {
    pub(super) fn is_form(&self) -> bool {
        self.method == Method::POST
    }

    pub(super) fn step(&self) -> Step {
        Step {
            page: Some(self.page.clone()),
            request: Some((self.method.clone(), self.target.clone())),
            form: self.form.clone(),
            ..Step::default()
        }
    }
}

/// Where links of the page lead that mean something, below the same site, each once.
fn linked(page: &Page, url: &Url, means: fn(&str, &str) -> bool) -> Vec<String> {
    let fits = |link: &&Link| {
        link.element == "a" && means(&link.text, &link.to) && !words::means_sign_out(&link.text, &link.to)
    };
    let to = page.links.iter().filter(fits).filter_map(|link| page.resolve(url, &link.to));
    let mut found: Vec<String> = Vec::new();
    for path in to.filter(|to| to.origin() == url.origin()).map(|to| path_and_query(&to)) {
        if !found.contains(&path) {
            found.push(path);
        }
    }
    found
}

fn target(page: &Page, form: &Form, url: &Url) -> Option<String> {
    let to = page.resolve(url, form.action.as_deref().unwrap_or_default())?;
    (to.origin() == url.origin()).then(|| path_and_query(&to))
}

fn label(form: &Form) -> String {
    let buttons = form.fields.iter().filter(|field| field.kind == "submit").map(|field| field.words.as_str());
    buttons.chain([form.words.as_str()]).collect::<Vec<_>>().join(" ")
}

fn passwords(form: &Form) -> Vec<&Field> {
    form.fields.iter().filter(|field| field.kind == "password").collect()
}

fn is_typed(field: &Field) -> bool {
    !field.name.is_empty() && matches!(field.kind.as_str(), "text" | "email" | "tel" | "textarea" | "url" | "username")
}

/// Of fields that say who somebody is.
const NAMES: &[&str] = &["user", "login", "email", "mail", "name", "account", "benutzer", "utilisateur", "usuario"];
