//! Sessions that were there before the sign-in: whoever planted one must not be signed in by somebody else's sign-in.
//!
//! The verdict is a third client's: it has nothing but what was planted.

use url::Url;

use super::{Proof, Reach};
use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::rule::{self, Rule};
use crate::shape;
use crate::site::{Site, State};
use crate::visitor::{Body, From, Ready, Trouble, Values, Visitor};

pub(super) static PROOF: Proof = Proof {
    rules: &[&rule::FIXATION_KEPT, &rule::FIXATION_ADOPTED, &rule::FIXATION_URL, &rule::FIXATION_FORM],
    repeats_itself: false,
    prove: |site, _: Reach| Box::pin(prove(site)),
};

/// Names and values of session cookies that an attacker has chosen.
type Planted = Vec<(String, String)>;

async fn prove(site: &Site) -> Result<Vec<Finding>, Trouble> {
    if site.ways().session.is_empty() {
        return Ok(Vec::new());
    }
    let genuine = site.member().await?;
    let shape: Planted = pairs(site, &genuine.visitor);
    let place = site.ways().session.join(" and ");
    let given = given_to_strangers(site).await?;
    let mut findings = vec![match &given {
        Some(given) => by_cookie(site, &rule::FIXATION_KEPT, given, &place).await?,
        None => {
            Finding::sound(&rule::FIXATION_KEPT, place.clone(), "strangers are given no session before they sign in")
        }
    }];
    let invented: Planted = shape.iter().map(|(name, value)| (name.clone(), shape::invented(value))).collect();
    findings.push(by_cookie(site, &rule::FIXATION_ADOPTED, &invented, &place).await?);
    findings.push(by_address(site, &shape, &place).await?);
    findings.push(by_form(site, &shape, &place).await?);
    Ok(findings)
}

/// An id nobody has used yet: one the site gave to a stranger, or one nobody made.
async fn fresh(site: &Site, shape: &Planted) -> Result<Planted, Trouble> {
    let invented = || shape.iter().map(|(name, value)| (name.clone(), shape::invented(value))).collect();
    Ok(given_to_strangers(site).await?.unwrap_or_else(invented))
}

/// What an attacker gets by merely looking at the site.
async fn given_to_strangers(site: &Site) -> Result<Option<Planted>, Trouble> {
    let mut attacker = site.visitor();
    attacker.get(&site.profile.signed_in.url, From::Address).await?;
    if let Some(page) = site.profile.sign_in.page().filter(|_| pairs(site, &attacker).is_empty()) {
        attacker.get(page, From::Address).await?;
    }
    let given = pairs(site, &attacker);
    Ok((!given.is_empty()).then_some(given))
}

/// The victim signs in with planted cookies.
async fn by_cookie(site: &Site, rule: &'static Rule, planted: &Planted, place: &str) -> Result<Finding, Trouble> {
    let mut victim = site.visitor();
    plant(&mut victim, planted);
    let control = site.who(&third(site, planted)).await?;
    if control.state != State::Out {
        return Ok(Finding::inconclusive(
            rule,
            place,
            "who has nothing but the planted id is signed in before anybody signs in",
        )
        .because("control: the planted id alone", &control.page));
    }
    site.sign_in(&mut victim, &site.profile.account).await?;
    if site.who(&victim).await?.state != State::In {
        return Ok(Finding::sound(rule, place, "with a planted id the sign-in does not sign in"));
    }
    let third = site.who(&third(site, planted)).await?;
    Ok(judged(rule, place, &[third.page], &[third.state], "the planted id")
        .because("control: the planted id alone, before the sign-in", &control.page))
}

/// The victim follows a link with an id in its query or path, and signs in from there.
async fn by_address(site: &Site, genuine: &Planted, place: &str) -> Result<Finding, Trouble> {
    let rule = &rule::FIXATION_URL;
    // A genuine token in an address: whoever is let in by it can be sent a link with somebody else's.
    let (mut pages, mut states) = (Vec::new(), Vec::new());
    let marker = site.url(site.marker_at());
    for url in [with_query(&marker, genuine), with_path(&marker, genuine)] {
        let page = site.visitor().send(&Ready::get(url), From::Foreign).await?;
        states.push(site.read(&page, &site.profile.account));
        pages.push(page);
    }
    if states.contains(&State::In) {
        return Ok(judged(rule, place, &pages, &states, "a session id in an address"));
    }
    for written in [with_query, with_path] {
        let (mut victim, planted) = (site.visitor(), fresh(site, genuine).await?);
        if sign_in_at(site, &mut victim, |url| written(url, &planted)).await? {
            for mut alone in [third(site, &planted), site.visitor()] {
                let url = if alone.jar.is_empty() { written(&marker, &planted) } else { marker.clone() };
                let page = alone.send(&Ready::get(url), From::Address).await?;
                states.push(site.read(&page, &site.profile.account));
                pages.push(page);
            }
        }
    }
    Ok(judged(rule, place, &pages, &states, "an id planted by an address"))
}

/// The victim's sign-in form carries an id.
async fn by_form(site: &Site, genuine: &Planted, place: &str) -> Result<Finding, Trouble> {
    if site.profile.sign_in.script.is_some() {
        return Ok(Finding::skipped(&rule::FIXATION_FORM, place, "the page's own scripts write the sign-in request"));
    }
    let planted = &fresh(site, genuine).await?;
    let mut victim = site.visitor();
    let values = Values::of(&site.profile.account);
    let mut steps = site.profile.sign_in.steps.iter();
    let Some(first) = steps.next() else { return Err(Trouble::NoSteps("sign_in")) };
    let mut ready = victim.prepare(first, &values).await?;
    let Body::Form(fields) = &mut ready.body else {
        return Ok(Finding::skipped(&rule::FIXATION_FORM, place, "the sign-in is no form"));
    };
    fields.extend(under_many_names(planted).into_iter().filter(|(name, _)| name != "token"));
    let answer = victim.send(&ready, From::Own).await?;
    for step in steps {
        victim.step(step, &values, From::Own).await?;
    }
    if site.ways().follow {
        victim.follow(answer).await?;
    }
    let seeing = site.who(&third(site, planted)).await?;
    Ok(judged(&rule::FIXATION_FORM, place, &[seeing.page], &[seeing.state], "an id planted by a form field"))
}

/// Signs in with every address of the sign-in changed; whether that signs in.
async fn sign_in_at(site: &Site, victim: &mut Visitor<'_>, changed: impl Fn(&Url) -> Url) -> Result<bool, Trouble> {
    if let Some(script) = &site.profile.sign_in.script {
        let page = changed(&site.url(&script.page));
        return match site.sign_in_by_script(victim, &site.profile.account, script, page).await {
            Ok(_) => Ok(site.who(victim).await?.state == State::In),
            Err(Trouble::Control(_)) => Ok(false),
            Err(trouble) => Err(trouble),
        };
    }
    let values = Values::of(&site.profile.account);
    for step in &site.profile.sign_in.steps {
        if let Some(page) = &step.page {
            let page = victim.send(&Ready::get(changed(&site.url(page))), From::Foreign).await?;
            if page.answer.status >= 400 {
                return Ok(false);
            }
        }
        let ready = victim.prepare(step, &values).await?;
        let answer = victim.send_to(&ready, changed(&ready.url), From::Own).await?;
        if site.ways().follow {
            victim.follow(answer).await?;
        }
    }
    Ok(site.who(victim).await?.state == State::In)
}

fn judged(rule: &'static Rule, place: &str, pages: &[Exchange], states: &[State], what: &str) -> Finding {
    let shown = states.iter().position(|state| *state == State::In);
    match shown.and_then(|at| pages.get(at)) {
        Some(page) => Finding::flaw(rule, place, format!("a third client that has nothing but {what} is signed in"))
            .because("a third client, with nothing but that id", page),
        None if states.contains(&State::Unclear) => Finding::inconclusive(
            rule,
            place,
            format!("the page that tells was not whole for a third client with {what}"),
        ),
        None => Finding::sound(rule, place, format!("a third client with {what} stays a stranger")),
    }
}

fn third<'a>(site: &'a Site, planted: &Planted) -> Visitor<'a> {
    let mut third = site.visitor();
    plant(&mut third, planted);
    third
}

fn plant(visitor: &mut Visitor<'_>, planted: &Planted) {
    let url = visitor.site().profile.site.clone();
    for (name, value) in planted {
        visitor.jar.set(&url, name, value);
    }
}

fn pairs(site: &Site, visitor: &Visitor<'_>) -> Planted {
    let of = |name: &String| visitor.jar.get(name).map(|value| (name.clone(), value.to_owned()));
    site.ways().session.iter().filter_map(of).collect()
}

fn with_query(url: &Url, planted: &Planted) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().extend_pairs(under_many_names(planted));
    url
}

/// As servers of the Servlet kind write it.
fn with_path(url: &Url, planted: &Planted) -> Url {
    let mut url = url.clone();
    let value = planted.first().map(|(_, value)| value.as_str()).unwrap_or_default();
    let plain = url.path().split(';').next().unwrap_or_default();
    let path = format!("{plain};jsessionid={value}");
    url.set_path(&path);
    url
}

/// Under its own name, and under those that servers read ids from.
fn under_many_names(planted: &Planted) -> Vec<(String, String)> {
    let Some((_, value)) = planted.first() else { return Vec::new() };
    let others = ID_NAMES.iter().filter(|name| planted.iter().all(|(own, _)| own != *name));
    planted.iter().cloned().chain(others.map(|name| ((*name).to_owned(), value.clone()))).collect()
}

const ID_NAMES: [&str; 7] = ["sid", "session", "session_id", "sessionid", "PHPSESSID", "jsessionid", "token"];
