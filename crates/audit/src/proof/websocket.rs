//! `WebSocket`s: every upgrade carries the cookies, so the site has to look who asks.

use super::Proof;
use crate::finding::Finding;
use crate::profile::Socket;
use crate::rule;
use crate::site::Site;
use crate::visitor::{From, Trouble, Visitor};

pub(super) static PROOF: Proof =
    Proof { rules: &[&rule::WEBSOCKET_CROSS_ORIGIN], repeats_itself: false, prove: |site, _| Box::pin(prove(site)) };

async fn prove(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let rule = &rule::WEBSOCKET_CROSS_ORIGIN;
    let Some(socket) = &site.profile.socket else {
        return Ok(vec![Finding::skipped(rule, "", "the profile names no WebSocket; see `socket`")]);
    };
    let place = format!("GET {}", socket.url);
    let visitor = site.member().await?.visitor;
    if !opens(&visitor, socket, From::Own).await? {
        return Ok(vec![Finding::inconclusive(rule, place, "it does not open for the site's own pages")]);
    }
    if opens(&site.visitor(), socket, From::Own).await? {
        return Ok(vec![Finding::inconclusive(rule, place, "it opens for strangers, so nobody's session is used")]);
    }
    let elsewhere = [From::Foreign, From::Null, From::Sibling, From::Prefixed, From::Extended, From::Suffixed];
    for from in elsewhere.into_iter().filter(|from| from.exists(&site.profile.site)) {
        if opens(&visitor, socket, from).await? {
            let origin = from.origin(&site.profile.site).unwrap_or_default();
            let seen = format!("with the cookies of somebody who is signed in it opens for {origin}");
            return Ok(vec![Finding::flaw(rule, place, seen)]);
        }
    }
    Ok(vec![Finding::sound(rule, place, "it opens for the site's own pages alone")])
}

async fn opens(visitor: &Visitor<'_>, socket: &Socket, from: From) -> Result<bool, Trouble> {
    let answer = visitor.socket(socket, from).await?;
    let user = &visitor.site().profile.account.user;
    let said = socket.expects.as_ref().is_none_or(|words| answer.said.contains(&words.replace("{user}", user)));
    Ok(answer.status == 101 && said)
}
