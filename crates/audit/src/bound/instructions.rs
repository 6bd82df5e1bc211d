//! What a site answers to a key: which cookies are bound to it, and where they are made anew.

use serde::Deserialize;
use url::Url;

use crate::cookie::{Jar, Kept, SameSite, SetCookie};
use crate::exchange::Exchange;

/// The site's instructions, as far as they are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instructions {
    /// Of the session, for the browser.
    pub(crate) id: String,
    /// Where short-lived cookies are made anew.
    pub(crate) refresh: Url,
    /// Those cookies.
    pub(crate) credentials: Vec<Credential>,
}

/// A cookie that is bound.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Credential {
    /// Its name.
    pub(crate) name: String,
    /// As in Set-Cookie.
    #[serde(default)]
    attributes: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Written {
    session_identifier: String,
    refresh_url: Option<String>,
    #[serde(default = "goes_on", rename = "continue")]
    goes_on: bool,
    credentials: Vec<Credential>,
}

impl Instructions {
    /// Of an answer; none where a browser would not begin a session by it.
    pub(crate) fn of(exchange: &Exchange) -> Option<Self> {
        let written: Written = serde_json::from_slice(&exchange.answer.body).ok()?;
        let url = &exchange.sent.url;
        let refresh = written.refresh_url.map_or_else(|| Ok(url.clone()), |to| url.join(&to)).ok()?;
        let whole = exchange.answer.status < 300
            && written.goes_on
            && !written.session_identifier.is_empty()
            && !written.credentials.is_empty()
            && written.credentials.iter().all(|one| one.kind == "cookie" && !one.name.is_empty());
        whole.then_some(Self { id: written.session_identifier, refresh, credentials: written.credentials })
    }

    /// The bound cookies that an answer sets, those it removes left out.
    pub(crate) fn given<'a>(&'a self, exchange: &'a Exchange) -> impl Iterator<Item = SetCookie> + 'a {
        let all = exchange.answer.all("set-cookie").filter_map(|line| SetCookie::read(line).ok());
        all.filter(|cookie| self.credentials.iter().any(|one| one.name == cookie.name))
            .filter(|cookie| !cookie.value.is_empty() && cookie.max_age.is_none_or(|age| age > 0))
    }
}

impl Credential {
    /// In what the cookie that is kept differs from the one that is promised; empty where it does not.
    pub(crate) fn differs(&self, url: &Url, jar: &Jar) -> Vec<String> {
        let Some(is) = jar.iter().find(|one| one.name == self.name) else {
            return vec!["no cookie of that name was ever set".to_owned()];
        };
        let Some(said) = self.promised(url) else {
            return vec![format!("no browser keeps a cookie with the promised attributes ({})", self.attributes)];
        };
        let domain = |kept: &Kept| if kept.host_only { "none".to_owned() } else { kept.domain.clone() };
        #[rustfmt::skip]
        let pairs = [
            ("Domain",   domain(&said),                 domain(is)),
            ("Path",     said.path.clone(),             is.path.clone()),
            ("Secure",   said.secure.to_string(),       is.secure.to_string()),
            ("HttpOnly", said.http_only.to_string(),    is.http_only.to_string()),
            ("SameSite", same_site(&said).to_owned(),   same_site(is).to_owned()),
        ];
        pairs
            .into_iter()
            .filter(|(_, said, is)| said != is)
            .map(|(name, said, is)| format!("{name} is {is} where {said} is promised"))
            .collect()
    }

    fn promised(&self, url: &Url) -> Option<Kept> {
        let line = format!("{}=promised; {}", self.name, self.attributes);
        let mut cookie = SetCookie::read(line.as_bytes()).ok()?;
        // By the standard, lifetimes are not compared.
        (cookie.max_age, cookie.expires) = (None, None);
        let mut jar = Jar::default();
        jar.keep(url, &cookie, 0).ok()?;
        jar.iter().next().cloned()
    }
}

/// Browsers take what is not said for Lax.
fn same_site(kept: &Kept) -> &'static str {
    match kept.same_site {
        Some(SameSite::Strict) => "Strict",
        Some(SameSite::Lax) | None => "Lax",
        Some(SameSite::None) => "None",
    }
}

fn goes_on() -> bool {
    true
}
