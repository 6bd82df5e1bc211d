//! A site as a stranger sees it: what an audit comes to without a profile.

use std::time::Instant;

use url::Url;

use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::outcome::Outcome;
use crate::passive::{self, Seen};
use crate::profile::{Account, Limits, Marker, Profile, SignIn};
use crate::rule::{self, Group};
use crate::run::{AuditError, Progress, plain};
use crate::site::Site;
use crate::visitor::{From, Ready, Visitor};
use crate::wire::{Wire, WireLimits, now_millis};

/// Reads the page, and what the same host answers without TLS.
pub(super) async fn at(
    url: &Url,
    limits: WireLimits,
    certificates: Option<&[u8]>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Outcome, AuditError> {
    let (began, began_millis) = (Instant::now(), now_millis());
    let profile = strangers(url);
    let plain = plain(&profile);
    let scope: Vec<_> = [url.clone()].into_iter().chain(plain.clone()).collect();
    let site = Site::new(profile, Wire::new(&scope, limits, certificates)?);
    progress(Progress { doing: "looking at the site", done: 0, of: 1, requests: 0 });
    let mut visitor = site.visitor();
    let first = visitor.get(&path(url), From::Address).await.map_err(AuditError::Blind)?;
    // A redirect that leads nowhere is judged as far as it went.
    let _ = visitor.follow(first).await;
    let without_tls = match &plain {
        Some(plain) => Some(read_plain(site.visitor(), plain, url).await),
        None => None,
    };
    let seen = site.seen();
    let all: Vec<&Exchange> = seen.iter().filter(|exchange| exchange.sent.url.scheme() == url.scheme()).collect();
    let plain_http: Option<Vec<&Exchange>> = without_tls.as_ref().map(|exchanges| exchanges.iter().collect());
    let mut findings = passive::judge(&Seen {
        site: url,
        session_cookies: &[],
        signed_in: &[],
        all: &all,
        plain_http: plain_http.as_deref(),
        cors: &[],
        limits: site.profile.limits,
    });
    findings.extend(untried());
    Ok(Outcome {
        site: url.origin().ascii_serialization(),
        session_cookies: Vec::new(),
        framework: crate::framework::told_by(&all),
        findings,
        requests: site.wire().requests(),
        took: began.elapsed(),
        began_millis,
        secrets: site.secrets(),
    })
}

async fn read_plain(mut visitor: Visitor<'_>, plain: &Url, url: &Url) -> Vec<Exchange> {
    let mut target = plain.clone();
    target.set_path(url.path());
    visitor.send(&Ready::get(target), From::Address).await.into_iter().collect()
}

/// Nobody signs in by it: only its site is read.
fn strangers(url: &Url) -> Profile {
    Profile {
        site: url.clone(),
        sign_in: SignIn { steps: Vec::new(), script: None },
        account: Account { user: String::new(), password: String::new() },
        second_account: None,
        signed_in: Marker { url: path(url), marker: String::new() },
        anonymous: None,
        sign_out: None,
        changes: Vec::new(),
        raises: Vec::new(),
        password_change: None,
        sessions: None,
        tokens: None,
        slow: None,
        socket: None,
        pending: Vec::new(),
        limits: Limits::default(),
        plain_http: None,
        token_field: None,
    }
}

fn path(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// What takes somebody who signs in.
fn untried() -> Vec<Finding> {
    let passive = [Group::Attributes, Group::Transport];
    let rules = rule::ALL.iter().filter(|rule| !passive.contains(&rule.group));
    rules
        .map(|rule| Finding::skipped(rule, "", "it takes a profile that says how to sign in (--discover makes one)"))
        .collect()
}
