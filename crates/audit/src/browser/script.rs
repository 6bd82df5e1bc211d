//! A sign-in by the page's own scripts: filled in, pressed, and over when nothing more happens.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::outlet::Passed;
use super::{Browser, Tab};
use crate::exchange::{Exchange, Sent};
use crate::profile::{Screen, Script};
use crate::visitor::{Body, Ready, TokenPlace, Trouble, Values, Visitor, telling};

impl Browser {
    /// Signs `visitor` in, in the browser, with the cookies they have, and gives them what the browser has afterwards.
    /// The request that carried the credentials, its answer, and the last page.
    pub(crate) async fn sign_in(
        &self,
        visitor: &mut Visitor<'_>,
        script: &Script,
        page: Url,
        values: &Values,
    ) -> Result<(Ready, Exchange, Exchange), Trouble> {
        let _turn = self.turn().await;
        let site = visitor.site();
        let tab = self.stranger(visitor.agent()).await?;
        let mark = self.outlet().mark();
        let done = self.through(&tab, visitor, script, &page, values).await;
        let passed = self.outlet().since(mark);
        for one in passed.iter().filter(|one| !one.trapped) {
            // Style sheets say nothing, and there is an end to what is kept.
            if one.page || one.exchange.sent.method != Method::GET || one.exchange.answer.first("set-cookie").is_some()
            {
                site.note(&one.exchange);
            }
            visitor.hear(&one.exchange);
        }
        let jar = tab.jar(&site.profile.site).await;
        // Whether it is closed now or at the end of the audit changes nothing.
        let _ = tab.close().await;
        if let Some(error) = site.wire().exhausted().filter(|_| done.is_err()) {
            return Err(error.into());
        }
        let since = done?;
        visitor.jar = jar.map_err(super::BrowserError::from)?;
        visitor.jar.iter().for_each(|kept| site.keep_secret(&kept.value));
        told(passed.get(since..).unwrap_or_default(), values).ok_or_else(|| Trouble::Control(silent(&page)))
    }

    /// How many requests went out before the last button was pressed.
    async fn through(
        &self,
        tab: &Tab,
        visitor: &Visitor<'_>,
        script: &Script,
        page: &Url,
        values: &Values,
    ) -> Result<usize, Trouble> {
        let outlet = self.outlet();
        let begin = outlet.mark();
        let wrong = super::BrowserError::from;
        if !visitor.jar.is_empty() {
            tab.plant(outlet, &visitor.site().profile.site, &visitor.jar, &[]).await.map_err(wrong)?;
        }
        outlet.set(Vec::new());
        tab.go(page).await.map_err(wrong)?;
        let mut pressed = begin;
        for screen in &script.screens {
            pressed = outlet.mark();
            let fields = screen.form.iter().map(|(key, value)| (key.clone(), values.fill(value, None).into()));
            let fields: serde_json::Map<String, Value> = fields.collect();
            let how = json!({ "fields": fields, "submit": screen.submit, "patience": FIELDS.as_millis() });
            let answer = tab.run(&format!("{}({how})", FILL.trim_end())).await.map_err(wrong)?;
            if let Some(missing) = answer.get("missing") {
                return Err(Trouble::Control(self.lacking(page, screen, missing, &answer)));
            }
        }
        self.settled(pressed, page).await?;
        Ok(pressed - begin)
    }

    /// Until something was sent, and nothing more is.
    async fn settled(&self, mark: usize, page: &Url) -> Result<(), Trouble> {
        let outlet = self.outlet();
        let acts = |passed: &[Passed]| passed.iter().any(|one| one.page || one.exchange.sent.method != Method::GET);
        let began = Instant::now();
        loop {
            let quiet = !outlet.changes(QUIET).await && !outlet.is_busy();
            let acted = acts(&outlet.since(mark));
            // What polls for ever is not waited for.
            if acted && (quiet || began.elapsed() > SENT) {
                return Ok(());
            }
            if began.elapsed() > SENT {
                return Err(Trouble::Control(silent(page)));
            }
        }
    }

    fn lacking(&self, page: &Url, screen: &Screen, missing: &Value, answer: &Value) -> String {
        let words = |list: Option<&Value>| {
            let all = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            all.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        };
        let (missing, there) = (words(Some(missing)), words(answer.get("there")));
        let there = if there.is_empty() { "no field".to_owned() } else { there };
        let mut text = format!(
            "{} shows no {missing} within {} s; it shows {there}. Correct `sign_in.form` or `submit`",
            page.path(),
            FIELDS.as_secs()
        );
        if screen.submit.is_none() && missing == "`a button`" {
            text = format!("{} shows no button; name one in `sign_in.submit`, by its CSS selector", page.path());
        }
        match self.outlet().refused().as_slice() {
            [] => text,
            refused => {
                format!("{text}. Its page also wanted what is not the site's and was refused: {}", refused.join(", "))
            }
        }
    }
}

fn silent(page: &Url) -> String {
    let within = SENT.as_secs();
    format!(
        "{}: nothing was sent within {within} s after the button was pressed; name another in `sign_in.submit`",
        page.path()
    )
}

/// Of what was sent since the button was pressed: what carried the password, or else what was sent last, its answer, and
/// the last page.
fn told(passed: &[Passed], values: &Values) -> Option<(Ready, Exchange, Exchange)> {
    let password = values.fill("{password}", None);
    let encoded: String = form_urlencoded::byte_serialize(password.as_bytes()).collect();
    let quoted = json!(password).to_string();
    let carries = |one: &&Passed| {
        let body = String::from_utf8_lossy(&one.exchange.sent.body).into_owned();
        body.contains(&encoded) || body.contains(quoted.trim_matches('"'))
    };
    let acts = |one: &&Passed| one.exchange.sent.method != Method::GET;
    let sent = passed.iter().find(carries).or_else(|| passed.iter().rfind(acts)).or_else(|| passed.last())?;
    let last = passed.iter().rfind(|one| one.page).unwrap_or(sent);
    Some((ready(&sent.exchange.sent), sent.exchange.clone(), last.exchange.clone()))
}

/// As the audit itself would send it.
fn ready(sent: &Sent) -> Ready {
    let header = |name: &str| sent.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let kind = header("content-type").split(';').next().unwrap_or_default().trim();
    let text = String::from_utf8_lossy(&sent.body).into_owned();
    let body = match (kind, serde_json::from_slice::<Value>(&sent.body)) {
        _ if text.is_empty() => Body::Empty,
        ("application/x-www-form-urlencoded", _) => {
            Body::Form(form_urlencoded::parse(&sent.body).into_owned().collect())
        }
        (_, Ok(json)) => Body::Json(json),
        _ => Body::Raw("text/plain", text),
    };
    let mut ready = Ready { method: sent.method.clone(), body, ..Ready::get(sent.url.clone()) };
    let named = sent.headers.iter().find(|(name, _)| telling(name)).cloned();
    let field = ready.fields().into_iter().map(|(name, _)| name).find(|name| telling(name));
    ready.token = named.as_ref().map(|(name, _)| TokenPlace::Header(name.clone())).or(field.map(TokenPlace::Field));
    ready.headers.extend(named);
    ready
}

const FILL: &str = include_str!("fill.js");
/// For the fields to be there.
const FIELDS: Duration = Duration::from_secs(10);
/// For something to be sent, and for what polls without end.
const SENT: Duration = Duration::from_secs(15);
/// After that, nothing more is expected.
const QUIET: Duration = Duration::from_millis(400);
