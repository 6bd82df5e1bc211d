//! Declared changes, attacked: first to see what the site defends itself with, then at that.

use super::attacks::{Attack, by_content_type, by_get, by_origin, by_override, by_token, plain};
use super::target::{Shot, Target};
use crate::cookie::SameSite;
use crate::finding::{Finding, Verdict};
use crate::rule::{self, Rule, Severity};
use crate::site::{Site, State};
use crate::visitor::{From, Ready, Trouble, Values};

pub(super) static RULES: &[&Rule] = &[
    &rule::CSRF_OPEN,
    &rule::CSRF_TOKEN_OPTIONAL,
    &rule::CSRF_TOKEN_UNCHECKED,
    &rule::CSRF_TOKEN_FOREIGN,
    &rule::CSRF_TOKEN_OLD,
    &rule::CSRF_GET_CHANGES,
    &rule::CSRF_METHOD_OVERRIDE,
    &rule::CSRF_CONTENT_TYPE,
    &rule::CSRF_ORIGIN_NULL,
    &rule::CSRF_ORIGIN_SIBLING,
    &rule::CSRF_ORIGIN_LOOSE,
    &rule::CSRF_REFERER_ABSENT,
];

pub(super) async fn prove(site: &Site) -> Result<Vec<Finding>, Trouble> {
    if site.profile.changes.is_empty() {
        let why = "the profile names no request that changes something; see `changes`";
        return Ok(RULES.iter().map(|rule| Finding::skipped(rule, "", why)).collect());
    }
    if site.ways().session.is_empty() {
        let why = "no cookie signs anybody in, so browsers send nothing by themselves";
        return Ok(RULES.iter().map(|rule| Finding::skipped(rule, "", why)).collect());
    }
    let mut findings = Vec::new();
    for change in &site.profile.changes {
        let mut target = match Target::new(site, change).await {
            Ok(target) => target,
            Err(Trouble::Wire(error)) => return Err(Trouble::Wire(error)),
            Err(trouble) => {
                let place = change.read.clone();
                findings
                    .extend(RULES.iter().map(|rule| Finding::inconclusive(rule, place.clone(), trouble.to_string())));
                continue;
            }
        };
        findings.extend(attack(&mut target).await?);
    }
    Ok(findings)
}

/// What holds a change back.
#[derive(Clone, Copy)]
struct Defence {
    /// With the victim's own token it is refused too.
    origin: bool,
    /// The site's own page without its token is refused.
    token: bool,
}

async fn attack(target: &mut Target<'_>) -> Result<Vec<Finding>, Trouble> {
    let ready = target.ready().await?;
    let mut results = Vec::new();
    let first = plain(&ready);
    let shot = volley(target, vec![first]).await?.pop();
    let Some((first, shot, worked)) = shot else { return Ok(Vec::new()) };
    let defence = if worked { None } else { Some(defence(target, &ready).await?) };
    results.push((first, shot, worked));
    let mut more = Vec::new();
    match defence {
        // Whether the token is looked at at all where there is one.
        None => more.extend(by_token(&ready, None, None).into_iter().take(1)),
        Some(defence) => {
            more.extend(by_content_type(&ready));
            if !defence.token {
                more.extend(by_origin(&ready));
            }
            if !defence.origin && defence.token {
                let foreign = foreign_token(target).await?;
                let old = old_token(target, &ready);
                more.extend(by_token(&ready, foreign.as_deref(), old.as_deref()));
            }
        }
    }
    if ready.method != http::Method::GET {
        more.push(by_get(&ready));
        more.extend(by_override(&ready));
    }
    results.extend(volley(target, more).await?);
    Ok(judge(target, &ready, defence, &results))
}

/// Sends what tells one defence from another.
async fn defence(target: &mut Target<'_>, ready: &Ready) -> Result<Defence, Trouble> {
    if ready.token.is_none() {
        return Ok(Defence { origin: true, token: false });
    }
    let attack = |ready: Ready, from| Attack { rule: &rule::CSRF_OPEN, ready, from, seen: "" };
    let own = target.ready().await?;
    let tokenless = ready.clone().with_token(None);
    let results = volley(target, vec![attack(own, From::Foreign), attack(tokenless, From::Own)]).await?;
    let worked = |at: usize| results.get(at).is_some_and(|(_, _, worked)| *worked);
    Ok(Defence { origin: !worked(0), token: !worked(1) })
}

type Result3 = (Attack, Shot, bool);

/// Sends all of them, and reads back which worked: at once where earlier changes still show, one by one otherwise, and
/// again one by one where the session did not live through it.
async fn volley(target: &mut Target<'_>, attacks: Vec<Attack>) -> Result<Vec<Result3>, Trouble> {
    let mut done = Vec::new();
    if target.lists {
        for attack in attacks {
            let shot = target.fire(&attack.ready, attack.from).await?;
            done.push((attack, shot, false));
        }
        let page = target.page().await?;
        for (_, shot, worked) in &mut done {
            *worked = page.contains(&shot.word);
        }
        if done.iter().any(|(_, _, worked)| *worked) || target.site.who(&target.victim).await?.state == State::In {
            return Ok(done);
        }
        target.renewed().await?;
        return one_by_one(target, done.into_iter().map(|(attack, ..)| attack).collect()).await;
    }
    one_by_one(target, attacks).await
}

async fn one_by_one(target: &mut Target<'_>, attacks: Vec<Attack>) -> Result<Vec<Result3>, Trouble> {
    let mut done = Vec::new();
    for attack in attacks {
        let shot = target.fire(&attack.ready, attack.from).await?;
        let worked = target.shows(&shot.word).await?;
        if !worked {
            target.renewed().await?;
        }
        done.push((attack, shot, worked));
    }
    Ok(done)
}

async fn foreign_token(target: &Target<'_>) -> Result<Option<String>, Trouble> {
    let mut attacker = target.attacker().await?;
    let values = Values::of(&target.site.profile.account);
    Ok(attacker.prepare(&target.change.step, &values).await?.token_value())
}

/// Not where the token is compared with a cookie, which a browser keeps from before the sign-in.
fn old_token(target: &Target<'_>, ready: &Ready) -> Option<String> {
    let genuine = ready.token_value()?;
    let in_cookie = target.victim.jar.iter().any(|kept| kept.value.contains(&genuine));
    target.old_token.clone().filter(|_| !in_cookie)
}

fn judge(target: &Target<'_>, ready: &Ready, defence: Option<Defence>, results: &[Result3]) -> Vec<Finding> {
    let place = target.place();
    let worked = |rule: &Rule| results.iter().find(|(attack, _, worked)| *worked && attack.rule == rule);
    let said_already = |rule: &Rule| said(rule).into_iter().any(|one| worked(one).is_some());
    let open = defence.is_none();
    // Where a token is in the form and a wrong one is refused, the flaw is that none is taken as well.
    let ignored = open && ready.token.is_some() && worked(&rule::CSRF_TOKEN_UNCHECKED).is_none();
    RULES
        .iter()
        .map(|rule| {
            let first = results.first().filter(|_| ignored && **rule == rule::CSRF_TOKEN_OPTIONAL);
            let hit = match first {
                Some(first) => Some(first),
                None if open && hidden_by_open(rule, ready, ignored) => None,
                None if said_already(rule) => None,
                None => worked(rule),
            };
            match hit {
                Some((attack, shot, _)) => severe(target, Finding::flaw(rule, place.clone(), attack.seen), rule)
                    .because("from another site, in the name of somebody who is signed in", &shot.exchange),
                None if open && **rule != rule::CSRF_GET_CHANGES && **rule != rule::CSRF_METHOD_OVERRIDE => {
                    Finding::skipped(rule, place.clone(), "the change can be made from another site anyway")
                }
                None if said_already(rule) => Finding::skipped(
                    rule,
                    place.clone(),
                    "something simpler already makes the change from another site",
                ),
                None => Finding::new(rule, Verdict::Sound, place.clone(), sound(rule, ready, defence)),
            }
        })
        .collect()
}

/// What says all there is to say about a rule, if it works.
fn said(rule: &Rule) -> Vec<&'static Rule> {
    match rule.id {
        "csrf-token-optional" | "csrf-token-foreign" => vec![&rule::CSRF_TOKEN_UNCHECKED],
        "csrf-token-old" => vec![&rule::CSRF_TOKEN_UNCHECKED, &rule::CSRF_TOKEN_FOREIGN],
        "csrf-origin-sibling" => vec![&rule::CSRF_ORIGIN_LOOSE],
        "csrf-method-override" => vec![&rule::CSRF_GET_CHANGES],
        _ => Vec::new(),
    }
}

/// What an open door says nothing about.
fn hidden_by_open(rule: &Rule, ready: &Ready, ignored: bool) -> bool {
    let first = plain(ready).rule;
    let own = *rule == *first && !ignored;
    !own && *rule != rule::CSRF_GET_CHANGES
}

fn sound(rule: &Rule, ready: &Ready, defence: Option<Defence>) -> &'static str {
    let token = rule.id.starts_with("csrf-token");
    match defence {
        Some(defence) if token && defence.origin && ready.token.is_some() => {
            "with the right token another site is refused too"
        }
        Some(_) if token && ready.token.is_none() => {
            "the request carries no token; another site is refused by where it is"
        }
        Some(defence) if rule.id.starts_with("csrf-origin") && defence.token => {
            "without the token every origin is refused"
        }
        _ if *rule == rule::CSRF_ORIGIN_SIBLING && !From::Sibling.exists(&ready.url) => {
            "an address without a name has no sibling hosts"
        }
        _ => "the change was not made",
    }
}

/// What `SameSite` leaves: siblings, and browsers that do not know it. A link takes Lax cookies along.
fn severe(target: &Target<'_>, finding: Finding, rule: &Rule) -> Finding {
    let names = &target.site.ways().session;
    let held = target.victim.jar.iter().filter(|kept| names.contains(&kept.name)).map(|kept| kept.same_site);
    let strict = held.clone().any(|one| one == Some(SameSite::Strict));
    let lax = held.clone().any(|one| one == Some(SameSite::Lax));
    let link = *rule == rule::CSRF_GET_CHANGES;
    if strict || (lax && !link) { finding.at_most(Severity::Medium) } else { finding }
}
