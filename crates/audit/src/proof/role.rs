//! Which cookie is the session: by what happens without it, never by its name.

use super::Proof;
use crate::finding::Finding;
use crate::rule;
use crate::site::{Keys, Site, State, Ways};
use crate::visitor::{Trouble, Visitor};

pub(super) static PROOF: Proof = Proof {
    rules: &[&rule::SESSION_NOT_A_COOKIE, &rule::SESSION_IN_STORAGE],
    repeats_itself: true,
    prove: |site, _| Box::pin(std::future::ready(Ok(prove(site)))),
};

/// What is known before anything is judged.
///
/// # Errors
///
/// The profile's marker does not tell strangers from members: nothing could be judged by it.
pub(crate) async fn learn(site: &Site) -> Result<(), Trouble> {
    oracle(site).await?;
    let mut ways = Ways::default();
    let mut member = site.visitor();
    let entered = site.sign_in(&mut member, &site.profile.account).await?;
    let mut seeing = site.who(&member).await?;
    if member.offer.is_some() {
        ways.keys = Keys::Offered;
        if seeing.state != State::In {
            site.bind(&mut member).await?;
            seeing = site.who(&member).await?;
            ways.keys = Keys::Needed;
        }
    }
    if seeing.state != State::In {
        // Where somebody who is signed in is sent on, the marker is at the end of that road.
        let end = member.clone().follow(seeing.page.clone()).await?;
        if site.read(&end, &site.profile.account) != State::In {
            return Err(Trouble::NotIn { page: Box::new(end) });
        }
        site.learn_marker(path_of(&end.sent.url));
    }
    steady(site, &member).await?;
    ways.follow = entered.last.sent.url != entered.sent.url;
    ways.bearer = alone_by_bearer(site, &member).await?;
    if !ways.bearer {
        let all = member.jar.names();
        ways.session = needed(site, &mut member, &[], &all).await?;
        let rest: Vec<_> = all.into_iter().filter(|name| !ways.session.contains(name)).collect();
        if !rest.is_empty() && signs_in(site, &mut member, &rest).await? {
            ways.also = needed(site, &mut member, &[], &rest).await?;
        }
    }
    site.learn(ways);
    Ok(())
}

/// Strangers must not be taken for members.
async fn oracle(site: &Site) -> Result<(), Trouble> {
    let seeing = site.who(&site.visitor()).await?;
    match seeing.state {
        State::Out => Ok(()),
        State::In => Err(Trouble::Control(format!(
            "{} shows the marker to strangers: nothing can be judged by it; choose words that only members see",
            seeing.page.sent.url.path()
        ))),
        State::Unclear => Err(Trouble::Control(format!(
            "{} answered {} to a stranger, without the words of `anonymous`; nothing can be judged by it",
            seeing.page.sent.url.path(),
            seeing.page.answer.status
        ))),
    }
}

/// The same session must be told alike each time it is looked at.
async fn steady(site: &Site, member: &Visitor<'_>) -> Result<(), Trouble> {
    for _ in 0..LOOKS {
        let seeing = site.who(member).await?;
        if seeing.state != State::In {
            return Err(Trouble::Control(format!(
                "{} shows the marker to the same session at one time and not at another; choose a page that always tells",
                seeing.page.sent.url.path()
            )));
        }
    }
    Ok(())
}

async fn alone_by_bearer(site: &Site, member: &Visitor<'_>) -> Result<bool, Trouble> {
    if member.bearer.is_none() {
        return Ok(false);
    }
    let mut alone = member.clone();
    alone.jar = crate::cookie::Jar::default();
    Ok(site.who(&alone).await?.state == State::In)
}

/// A smallest part of `names` that, with `kept`, signs somebody in: halved as long as that helps, so that a thousand
/// cookies cost little more than ten.
async fn needed<'a>(
    site: &'a Site,
    member: &mut Visitor<'a>,
    kept: &[String],
    names: &[String],
) -> Result<Vec<String>, Trouble> {
    if names.is_empty() || signs_in(site, member, kept).await? {
        return Ok(Vec::new());
    }
    if let [one] = names {
        return Ok(vec![one.clone()]);
    }
    let (left, right) = names.split_at(names.len() / 2);
    let of_right = Box::pin(needed(site, member, &[kept, left].concat(), right)).await?;
    let of_left = Box::pin(needed(site, member, &[kept, &of_right].concat(), left)).await?;
    Ok([of_left, of_right].concat())
}

/// Whether these cookies alone sign somebody in. A site may end a session that comes without one of its cookies: whoever
/// was turned away signs in again before the next look.
async fn signs_in<'a>(site: &'a Site, member: &mut Visitor<'a>, names: &[String]) -> Result<bool, Trouble> {
    let seeing = site.who(&member.only(names)).await?;
    match seeing.state {
        State::In => Ok(true),
        State::Out => {
            if site.who(member).await?.state != State::In {
                *member = site.member().await?.visitor;
            }
            Ok(false)
        }
        State::Unclear => {
            let why = format!("{} answered {}", seeing.page.sent.url.path(), seeing.page.answer.status);
            Err(Trouble::Control(format!("{why} while cookies were left out one by one")))
        }
    }
}

fn prove(site: &Site) -> Vec<Finding> {
    let session = &site.ways().session;
    let names = session.join(" and ");
    let cookie = &rule::SESSION_NOT_A_COOKIE;
    let storage = &rule::SESSION_IN_STORAGE;
    let first = if session.is_empty() {
        let by = if site.ways().bearer {
            "a bearer token alone signs somebody in"
        } else {
            "without any cookie somebody stays signed in"
        };
        Finding::flaw(cookie, "", by)
    } else {
        Finding::sound(cookie, names.clone(), "without it nobody is signed in; with it alone somebody is")
    };
    let second = match session.len() {
        0 | 1 => Finding::sound(storage, names, "one cookie decides"),
        _ => Finding::flaw(storage, names, "without any one of them nobody is signed in"),
    };
    vec![first, second]
}

fn path_of(url: &url::Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// Enough for a page that tells it wrong every third time.
const LOOKS: usize = 3;
