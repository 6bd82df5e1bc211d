//! Gathers what is judged without a proof: what came by, plain http, and answers to scripts of other origins.

use bytes::Bytes;
use http::Method;
use url::Url;

use crate::exchange::{Exchange, Sent};
use crate::finding::Finding;
use crate::passive::{self, CorsOrigin, CorsTry, Seen};
use crate::profile::Limits;
use crate::rule::Group;
use crate::run::plain;
use crate::site::{Site, State};
use crate::visitor::{From, Ready, Trouble};
use crate::wire::{Wire, authority};

/// Verdicts about attributes and headers, of the groups that are wanted.
///
/// # Errors
///
/// Nobody can be signed in any more, or the budget is spent.
pub(crate) async fn judge(site: &Site, groups: &[Group]) -> Result<Vec<Finding>, Trouble> {
    if !groups.iter().any(|group| matches!(group, Group::Attributes | Group::Transport)) {
        return Ok(Vec::new());
    }
    let member = site.member().await?;
    let mut tries = Vec::new();
    for (origin, says) in CorsOrigin::tries(&site.profile.site) {
        let mut ready = Ready::get(site.url(site.marker_at()));
        ready.headers = vec![("Origin".to_owned(), says), ("Sec-Fetch-Site".to_owned(), "cross-site".to_owned())];
        tries.push((origin, member.visitor.clone().send(&ready, From::Program).await?));
    }
    let without_tls = match plain(&site.profile).filter(|_| site.profile.site.scheme() == "https") {
        Some(url) => Some(read_plain(site.wire(), url).await),
        None => None,
    };
    let all = site.seen();
    let signed_in: Vec<_> = all.iter().filter(|one| site.read(one, &site.profile.account) == State::In).collect();
    let signed_in = if signed_in.is_empty() { vec![&member.page] } else { signed_in };
    let all: Vec<_> = all.iter().collect();
    let without_tls: Option<Vec<_>> = without_tls.as_ref().map(|list| list.iter().collect());
    let cors: Vec<_> = tries
        .iter()
        .map(|(origin, exchange)| CorsTry {
            origin: *origin,
            exchange,
            readable: site.read(exchange, &site.profile.account) == State::In,
        })
        .collect();
    let findings = passive::judge(&Seen {
        site: &site.profile.site,
        session_cookies: &[site.ways().session.clone(), site.ways().also.clone()].concat(),
        signed_in: &signed_in,
        all: &all,
        plain_http: without_tls.as_deref(),
        cors: &cors,
        limits: site.profile.limits,
    });
    Ok(findings.into_iter().filter(|one| groups.contains(&one.rule.group)).collect())
}

/// Verdicts about a page that anybody may read, for a site nothing else is known of.
pub(crate) async fn judge_stranger(wire: &Wire, page: &Url) -> Result<(Vec<Finding>, Vec<Exchange>), Trouble> {
    let mut seen = vec![wire.send(read(page)).await?];
    for _ in 0..MOST_REDIRECTS {
        let last = seen.last().filter(|last| last.answer.redirects());
        let next = last.and_then(|last| last.sent.url.join(&last.answer.first("location")?).ok());
        let Some(next) = next.filter(|next| wire.reaches(next)) else { break };
        seen.push(wire.send(read(&next)).await?);
    }
    let mut url = page.clone();
    let has_tls = page.scheme() == "https" && page.port().is_none() && url.set_scheme("http").is_ok();
    let without_tls = if has_tls { Some(read_plain(wire, url).await) } else { None };
    let all: Vec<_> = seen.iter().collect();
    let without_tls: Option<Vec<_>> = without_tls.as_ref().map(|list| list.iter().collect());
    let findings = passive::judge(&Seen {
        site: page,
        session_cookies: &[],
        signed_in: &[],
        all: &all,
        plain_http: without_tls.as_deref(),
        cors: &[],
        limits: Limits::default(),
    });
    Ok((findings, seen))
}

/// Nothing where nobody answers there, which is as good as a redirect.
async fn read_plain(wire: &Wire, url: Url) -> Vec<Exchange> {
    wire.send(read(&url)).await.into_iter().collect()
}

fn read(url: &Url) -> Sent {
    let headers = [("Host", authority(url)), ("Accept", "*/*".to_owned())];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
    Sent { method: Method::GET, url: url.clone(), headers, body: Bytes::new() }
}

const MOST_REDIRECTS: usize = 5;
