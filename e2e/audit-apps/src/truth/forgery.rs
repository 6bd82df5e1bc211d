//! What other sites can cause, seen in what is stored.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use super::{Truth, unfit};
use crate::app::Standing;
use crate::browser::{Body, Browser, Request, urlencoded};
use crate::house::Failure;
use crate::profile::{Change, Values, word};

pub(super) fn all(standing: &Standing) -> Result<Vec<Truth>, Failure> {
    let mut all = Vec::new();
    for change in &standing.profile.changes {
        all.extend(of_change(standing, change)?);
    }
    all.push(sign_in(standing)?);
    all.extend(sign_out(standing)?);
    all.extend(socket(standing)?);
    Ok(all)
}

/// One declared change, and the browser whose owner does not want it.
struct Target<'a> {
    standing: &'a Standing,
    change: &'a Change,
    victim: Browser,
}

/// Where a request comes from.
const EVIL: &str = "https://evil.example";

impl Target<'_> {
    /// As the site's own page would send it; the word in it is new.
    fn ready(&mut self) -> Result<(Request, String), Failure> {
        let (word, token) = (word(), self.standing.app.token());
        let values = Values { random: &word, ..self.standing.profile.account.values() };
        let ready = self.change.step.prepare(&mut self.victim, &values, token)?;
        ready.map_or_else(|| unfit("the change cannot be prepared".to_owned()), |request| Ok((request, word)))
    }

    /// Changed by `bend`, sent from `origin`; whether it was done.
    fn works(&mut self, origin: Option<&str>, bend: impl Fn(&mut Request)) -> Result<bool, Failure> {
        if !self.standing.knows(&self.victim, &self.standing.profile.account)? {
            self.victim = self.standing.member()?;
        }
        let (mut request, word) = self.ready()?;
        bend(&mut request);
        request.headers.extend(from(origin));
        self.victim.send(&request)?;
        self.standing.app.keeps(self.standing.folder(), &word)
    }
}

fn from(origin: Option<&str>) -> Vec<(String, String)> {
    let Some(origin) = origin else { return Vec::new() };
    let mut headers = vec![("Origin".to_owned(), origin.to_owned())];
    if origin != "null" {
        headers.push(("Referer".to_owned(), format!("{origin}/")));
    }
    let site = if origin.starts_with("http://127.0.0.1") { "same-origin" } else { "cross-site" };
    headers.push(("Sec-Fetch-Site".to_owned(), site.to_owned()));
    headers
}

fn of_change(standing: &Standing, change: &Change) -> Result<Vec<Truth>, Failure> {
    let mut target = Target { standing, change, victim: standing.member()? };
    let own = format!("http://127.0.0.1:{}", standing.port);
    if !target.works(Some(&own), |_| {})? {
        return unfit("the change is not made when it is asked for as it should be".to_owned());
    }
    let name = standing.app.token().unwrap_or_default();
    let bare = |request: &mut Request| strip(request, name);
    let port = standing.port;
    let open = target.works(Some(EVIL), bare)?;
    let mut all = vec![Truth::new("csrf-open", open, "without its token, from another site")];
    let has_token = {
        let (ready, _) = target.ready()?;
        token_in(&ready, name).is_some()
    };
    if has_token {
        all.extend(tokens(&mut target, name, open)?);
    }
    let mut by = |rule, origin: Option<&str>, seen| -> Result<(), Failure> {
        let wrong = target.works(origin, bare)?;
        all.push(Truth::new(rule, wrong, seen));
        Ok(())
    };
    by("csrf-origin-null", Some("null"), "without its token, from a page whose origin is null")?;
    by("csrf-referer-absent", None, "without its token, from nowhere")?;
    by("csrf-origin-sibling", Some(&format!("http://sibling.127.0.0.1:{port}")), "without its token, from a sibling")?;
    by("csrf-origin-loose", Some(&format!("{own}.evil.example")), "without its token, from a name that looks alike")?;
    all.extend(other_shapes(&mut target, name)?);
    Ok(all)
}

/// With tokens that are not the victim's.
fn tokens(target: &mut Target<'_>, name: &str, open: bool) -> Result<Vec<Truth>, Failure> {
    let standing = target.standing;
    let unchecked = target.works(Some(EVIL), |request| set(request, name, |token| token.chars().rev().collect()))?;
    let empty = target.works(Some(EVIL), |request| set(request, name, |_| String::new()))?;
    let mut attacker = standing.member_as(standing.profile.other())?;
    let theirs = target.change.step.prepare(&mut attacker, &standing.profile.other().values(), Some(name))?;
    let theirs = theirs.and_then(|request| token_in(&request, name)).unwrap_or_default();
    let foreign = target.works(Some(EVIL), |request| set(request, name, |_| theirs.clone()))?;
    let mut all = vec![
        Truth::new("csrf-token-unchecked", unchecked, "with a token nobody made, from another site"),
        Truth::new("csrf-token-foreign", foreign, "with a token of somebody else's, from another site"),
    ];
    // Of one cause: that none is needed says all.
    let optional = empty || (open && !unchecked);
    all.push(Truth::new("csrf-token-optional", optional, "with an empty token or none, from another site"));
    Ok(all)
}

/// By a link, by a method that says it is another, declared as something else.
fn other_shapes(target: &mut Target<'_>, name: &str) -> Result<Vec<Truth>, Failure> {
    let link = target.works(Some(EVIL), |request| {
        strip(request, name);
        as_link(request, &[]);
    })?;
    let over = target.works(Some(EVIL), |request| {
        strip(request, name);
        let method = request.method.clone();
        as_link(request, &[("_method".to_owned(), method)]);
    })?;
    let multipart = target.works(Some(EVIL), |request| {
        strip(request, name);
        if let Body::Form(fields) = &request.body {
            request.body = Body::Multipart(fields.clone());
        }
    })?;
    let plain = target.works(Some(EVIL), |request| {
        strip(request, name);
        request.body = Body::Raw("text/plain", request.body.encoded().1);
    })?;
    let form = target.works(Some(EVIL), |request| {
        strip(request, name);
        if let Body::Raw(_, json) = &request.body {
            request.body = Body::Form(fields_of(json));
        }
    })?;
    // The form itself is what `csrf-open` is about.
    let form = form && matches!(target.ready()?.0.body, Body::Raw(..));
    let shaped = form || multipart || plain;
    Ok(vec![
        Truth::new("csrf-get-changes", link, "as a link on another site"),
        Truth::new("csrf-method-override", over, "as a link with a method in its query"),
        Truth::new("csrf-content-type", shaped, "without its token, as another type, from another site"),
    ])
}

/// A form on another site that holds the attacker's credentials, with and without what the attacker was given.
fn sign_in(standing: &Standing) -> Result<Truth, Failure> {
    let rule = "csrf-sign-in";
    let account = &standing.profile.account;
    let token = standing.app.token();
    for bare in [true, false] {
        let mut attacker = standing.stranger();
        let Some(mut request) = standing.profile.sign_in.prepare(&mut attacker, &account.values(), token)? else {
            return unfit("there is no form to sign in by".to_owned());
        };
        if bare {
            strip(&mut request, token.unwrap_or_default());
        }
        request.headers.retain(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        request.headers.extend(from(Some(EVIL)));
        let mut victim = standing.stranger();
        victim.open(standing.profile.sign_in_page())?;
        let answer = victim.send(&request)?;
        victim.follow(answer)?;
        if standing.knows(&victim, account)? {
            return Ok(Truth::new(rule, true, "a form of another site signs in"));
        }
    }
    Ok(Truth::new(rule, false, "a form of another site signs nobody in"))
}

fn sign_out(standing: &Standing) -> Result<Option<Truth>, Failure> {
    let Some(step) = &standing.profile.sign_out else { return Ok(None) };
    let (account, token) = (&standing.profile.account, standing.app.token());
    for link in [false, true] {
        let mut victim = standing.member()?;
        let Some(mut request) = step.prepare(&mut victim, &account.values(), token)? else { continue };
        strip(&mut request, token.unwrap_or_default());
        if link {
            "GET".clone_into(&mut request.method);
            request.body = Body::Nothing;
        }
        request.headers.extend(from(Some(EVIL)));
        victim.send(&request)?;
        if !standing.knows(&victim, account)? {
            return Ok(Some(Truth::new("csrf-sign-out", true, "a page of another site signs out")));
        }
    }
    Ok(Some(Truth::new("csrf-sign-out", false, "a page of another site signs nobody out")))
}

/// Whether the upgrade is granted to a page of another site.
fn socket(standing: &Standing) -> Result<Option<Truth>, Failure> {
    let Some(socket) = &standing.profile.socket else { return Ok(None) };
    let member = standing.member()?;
    let jar: Vec<_> = member.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let ask = |origin: &str| -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, standing.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: {origin}\r\n\
             Cookie: {}\r\n\r\n",
            socket.url,
            standing.port,
            jar.join("; ")
        );
        stream.write_all(request.as_bytes())?;
        let mut head = [0_u8; 12];
        stream.read_exact(&mut head)?;
        Ok(head.ends_with(b"101"))
    };
    if !ask(&format!("http://127.0.0.1:{}", standing.port))? {
        return unfit("the WebSocket does not open".to_owned());
    }
    Ok(Some(Truth::new("websocket-cross-origin", ask(EVIL)?, "an upgrade from another site")))
}

/// Without its token, and without header fields of its own.
fn strip(request: &mut Request, name: &str) {
    request.headers.clear();
    if request.method != "GET" {
        "POST".clone_into(&mut request.method);
    }
    match &mut request.body {
        Body::Form(fields) => fields.retain(|(key, _)| key != name),
        Body::Raw(kind, _) => *kind = "text/plain",
        Body::Nothing | Body::Multipart(_) => {}
    }
    if let Some((path, query)) = request.target.split_once('?') {
        let kept: Vec<_> = query.split('&').filter(|pair| pair.split('=').next() != Some(name)).collect();
        request.target = format!("{path}?{}", kept.join("&"));
    }
}

fn as_link(request: &mut Request, more: &[(String, String)]) {
    let mut fields = if let Body::Form(fields) = &request.body { fields.clone() } else { Vec::new() };
    fields.extend(more.iter().cloned());
    let joint = if request.target.contains('?') { '&' } else { '?' };
    request.target = format!("{}{joint}{}", request.target, urlencoded(&fields));
    "GET".clone_into(&mut request.method);
    request.body = Body::Nothing;
}

/// The fields of an object, as a form would have them.
fn fields_of(json: &str) -> Vec<(String, String)> {
    let fields: serde_json::Map<_, _> = serde_json::from_str(json).unwrap_or_default();
    let plain = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
}

fn token_in(request: &Request, name: &str) -> Option<String> {
    let Body::Form(fields) = &request.body else { return None };
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

fn set(request: &mut Request, name: &str, to: impl Fn(&str) -> String) {
    if let Body::Form(fields) = &mut request.body {
        for (_, value) in fields.iter_mut().filter(|(key, _)| key == name) {
            *value = to(value);
        }
    }
}
