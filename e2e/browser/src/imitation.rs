//! Sites that look like the demo and are broken in one way each: what the suite must find, or it would find nothing.
//!
//! They do only what a case needs to come to the point where it must go red; the demo itself is what goes green.

mod pages;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde_json::json;

use crate::stranger::{Served, Visit};

/// What is wrong with a site. Its name is the first label of the site's host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Defect {
    /// Cookies without `HttpOnly`.
    Readable,
    /// Cookies without `Secure`.
    Insecure,
    /// Cookies for another site.
    Misdirected,
    /// Cookies with `SameSite=None`, and posts from anywhere.
    Promiscuous,
    /// Posts from anywhere, with `SameSite=Lax` as the only defence.
    LaxAlone,
    /// May be framed.
    Framable,
    /// Signing out removes the cookie and nothing else.
    CookieOnly,
    /// Sessions have no end.
    Endless,
    /// Sessions outlive their cookies.
    Outliving,
    /// Each token is good for one request.
    SingleUse,
    /// What was posted is shown as it is.
    Unescaped,
    /// Signing in needs a script.
    ScriptOnly,
    /// A page wider than a small window.
    Wide,
    /// No content policy.
    NoPolicy,
    /// A content policy whose violations nobody hears of.
    NoReports,
}

/// All imitations, by host.
#[derive(Debug, Default)]
pub(crate) struct Imitations(Mutex<HashMap<String, Imitation>>);

#[derive(Debug)]
struct Imitation {
    defect: Defect,
    tokens: u64,
    sessions: Vec<Session>,
}

#[derive(Debug, Clone)]
struct Session {
    /// What its cookie holds now.
    token: String,
    member: bool,
    counter: u64,
    notes: Vec<(String, String)>,
}

impl Defect {
    /// Where a site with this defect is.
    pub(crate) fn host(self) -> String {
        format!("{self:?}.imitation.test").to_lowercase()
    }
}

impl Imitations {
    /// Opens a site with a defect.
    pub(crate) fn open(&self, defect: Defect) {
        let new = || Imitation { defect, tokens: 0, sessions: Vec::new() };
        // Another case may be there already.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(defect.host()).or_insert_with(new);
    }

    /// The answer of the imitation that the request is for, if it is for one; and how long it takes to make.
    pub(crate) fn answer(&self, visit: &Visit) -> Option<(Served, Duration)> {
        if !visit.secure {
            return None;
        }
        let mut imitations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let served = imitations.get_mut(&visit.host)?.answer(visit);
        let asked = visit.field("ms").and_then(|ms| ms.parse().ok());
        // Long enough for requests to overlap.
        let pause = asked.unwrap_or(if visit.path() == "/" { 100 } else { 0 });
        Some((served, Duration::from_millis(pause)))
    }
}

impl Imitation {
    fn answer(&mut self, visit: &Visit) -> Served {
        let found = ["sid-id", "sid-an"].into_iter().find_map(|name| self.session_of(visit.cookie(name)?));
        let served = match (visit.method.as_str(), visit.path()) {
            ("POST", _) if !self.lets_in(visit) => Served { status: 403, ..Served::page("refused") },
            ("POST", path) => self.post(visit, path, found),
            (_, path) => self.show(path, visit, found),
        };
        let framing = if self.defect == Defect::Framable { "" } else { "; frame-ancestors 'none'" };
        if self.defect == Defect::NoPolicy {
            return served;
        }
        served.with(
            "Content-Security-Policy",
            format!("default-src 'none'; style-src 'self'; form-action 'self'{framing}"),
        )
    }

    fn lets_in(&self, visit: &Visit) -> bool {
        let anybody = matches!(self.defect, Defect::Promiscuous | Defect::LaxAlone);
        anybody || visit.header("origin") == format!("https://{}", visit.host)
    }

    fn post(&mut self, visit: &Visit, path: &str, found: Option<usize>) -> Served {
        match path {
            "/login" => match visit.field("password").as_deref() {
                Some("ada-demo-1" | "grace-demo-1") => self.sign_in(),
                _ => self.page(found, &pages::login(&self.shown(&visit.field("username").unwrap_or_default()))),
            },
            "/logout" => {
                if let Some(found) = found.filter(|_| self.defect != Defect::CookieOnly) {
                    self.sessions.remove(found);
                }
                Served::see_other("/").with("Set-Cookie", "sid-id=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax")
            }
            "/step-up" => Served::see_other("/").with("Set-Cookie", self.cookie("el", "an-elevated-token-of-no-use")),
            "/counter" => self.count(found),
            "/note" => {
                let (key, value) = (visit.field("key").unwrap_or_default(), visit.field("value").unwrap_or_default());
                if let Some(session) = found.and_then(|found| self.sessions.get_mut(found)) {
                    session.notes.push((key, value));
                }
                Served::see_other("/note")
            }
            _ => Served::see_other("/"),
        }
    }

    fn show(&mut self, path: &str, visit: &Visit, found: Option<usize>) -> Served {
        let member = found.filter(|found| self.sessions.get(*found).is_some_and(|session| session.member));
        match path {
            "/me" | "/slow" => match member {
                Some(found) => self.used(found, Served::data(200, &json!({ "subject": "ada" }))),
                None => Served::see_other("/login"),
            },
            "/" if member.is_some() => self.used(member.unwrap_or_default(), self.page(found, "")),
            "/devices" | "/events" if member.is_none() => Served::see_other("/login"),
            "/counter" if visit.header("accept").contains("json") => {
                let counter = found.and_then(|found| self.sessions.get(found)).map_or(0, |session| session.counter);
                Served::data(200, &json!({ "value": counter }))
            }
            "/login" if self.defect == Defect::ScriptOnly => self.page(found, pages::LOGIN_BY_SCRIPT),
            "/login" => self.page(found, &pages::login("")),
            "/note" => {
                let notes = found.and_then(|found| self.sessions.get(found)).map(|session| session.notes.clone());
                let notes = notes.unwrap_or_default().into_iter();
                let shown = notes.map(|(key, value)| pages::note(&self.shown(&key), &self.shown(&value)));
                self.page(found, &shown.collect::<String>())
            }
            "/try" if self.defect == Defect::Wide => self.page(found, pages::WIDE),
            _ => self.page(found, ""),
        }
    }

    fn sign_in(&mut self) -> Served {
        self.sessions.push(Session { token: String::new(), member: true, counter: 0, notes: Vec::new() });
        self.renew(self.sessions.len() - 1, Served::see_other("/"))
    }

    fn count(&mut self, found: Option<usize>) -> Served {
        let Some(session) = found.and_then(|found| self.sessions.get_mut(found)) else {
            let token = self.next_token();
            let visitor = Session { token: token.clone(), member: false, counter: 1, notes: Vec::new() };
            self.sessions.push(visitor);
            return Served::see_other("/counter").with("Set-Cookie", self.cookie("an", &token));
        };
        session.counter += 1;
        Served::see_other("/counter")
    }

    /// The answer to a request that used this session.
    fn used(&mut self, session: usize, served: Served) -> Served {
        if self.defect == Defect::SingleUse { self.renew(session, served) } else { served }
    }

    /// A new token for a session; the old one is worth nothing any more.
    fn renew(&mut self, session: usize, served: Served) -> Served {
        let token = self.next_token();
        if let Some(session) = self.sessions.get_mut(session) {
            session.token.clone_from(&token);
        }
        served.with("Set-Cookie", self.cookie("id", &token))
    }

    fn next_token(&mut self) -> String {
        self.tokens += 1;
        format!("imitated-{:?}-{:032}", self.defect, self.tokens)
    }

    fn session_of(&self, token: &str) -> Option<usize> {
        self.sessions.iter().position(|session| session.token == token)
    }

    fn cookie(&self, which: &str, value: &str) -> String {
        let readable = if self.defect == Defect::Readable { "" } else { "; HttpOnly" };
        let secure = if self.defect == Defect::Insecure { "" } else { "; Secure" };
        let same_site = if self.defect == Defect::Promiscuous { "None" } else { "Lax" };
        let domain = if self.defect == Defect::Misdirected { "; Domain=elsewhere.test" } else { "" };
        let age = if self.defect == Defect::Outliving { 6 } else { 3_600 };
        format!("sid-{which}={value}; Max-Age={age}; Path=/{secure}{readable}; SameSite={same_site}{domain}")
    }

    fn page(&self, found: Option<usize>, content: &str) -> Served {
        let member = found.and_then(|found| self.sessions.get(found)).is_some_and(|session| session.member);
        Served::page(&pages::around(member, content))
    }

    fn shown(&self, text: &str) -> String {
        if self.defect == Defect::Unescaped { text.to_owned() } else { text.replace('&', "&amp;").replace('<', "&lt;") }
    }
}
