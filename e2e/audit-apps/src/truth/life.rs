//! From before the sign-in to after the sign-out: which ids are taken on, which are left behind, which still work.

use aws_lc_rs::rand;

use super::{Truth, unfit};
use crate::app::Standing;
use crate::browser::{Body, Browser, urlencoded};
use crate::house::Failure;
use crate::profile::Values;

type Held = Vec<(String, String)>;

pub(super) fn all(standing: &Standing) -> Result<Vec<Truth>, Failure> {
    let mut all = vec![kept(standing)?, adopted(standing)?, by_address(standing)?, by_form(standing)?];
    all.extend(again(standing)?);
    all.extend(out(standing)?);
    all.extend(elsewhere(standing)?);
    all.extend(new_password(standing)?);
    Ok(all)
}

/// What a stranger is given.
fn given(standing: &Standing) -> Result<Held, Failure> {
    let mut stranger = standing.stranger();
    stranger.open(&standing.profile.signed_in.url)?;
    stranger.open(standing.profile.sign_in_page())?;
    Ok(standing.values(&stranger))
}

fn kept(standing: &Standing) -> Result<Truth, Failure> {
    let given = given(standing)?;
    if given.is_empty() {
        return Ok(Truth::new("fixation-kept", false, "strangers get no session"));
    }
    planted(standing, "fixation-kept", &given)
}

fn adopted(standing: &Standing) -> Result<Truth, Failure> {
    let invented = invented(&standing.values(&standing.member()?));
    planted(standing, "fixation-adopted", &invented)
}

/// Signs somebody in who has these cookies; whoever else has them must stay a stranger.
fn planted(standing: &Standing, rule: &'static str, values: &Held) -> Result<Truth, Failure> {
    let account = &standing.profile.account;
    if standing.knows(&standing.with(values), account)? {
        return unfit(format!("{rule}: what is planted signs in already"));
    }
    let mut victim = standing.with(values);
    standing.sign_in(&mut victim, account)?;
    if !standing.knows(&victim, account)? {
        return Ok(Truth::new(rule, false, "who has the planted cookies cannot sign in"));
    }
    let wrong = standing.knows(&standing.with(values), account)?;
    let changed = standing.values(&victim) != *values;
    let first = values.first().map(|(_, value)| value.as_str()).unwrap_or_default();
    let stored = match standing.app.holds(standing.folder(), first)? {
        Some(true) => ", the store has the planted id",
        Some(false) => ", the store has no such id",
        None => "",
    };
    let own = if changed { "the victim got another" } else { "the victim kept it" };
    Ok(Truth::new(rule, wrong, format!("planted, then signed in: {own}{stored}")))
}

fn by_address(standing: &Standing) -> Result<Truth, Failure> {
    let rule = "fixation-url";
    let account = &standing.profile.account;
    let genuine = standing.values(&standing.member()?);
    let with = |target: &str, values: &Held| {
        format!("{target}{}{}", if target.contains('?') { '&' } else { '?' }, urlencoded(values))
    };
    let marker = standing.profile.signed_in.marker.replace("{user}", &account.user);
    let page = standing.stranger().open(&with(&standing.profile.signed_in.url, &genuine))?;
    if page.status < 300 && page.text.contains(&marker) {
        return Ok(Truth::new(rule, true, "a session in the query signs in"));
    }
    let invented = invented(&genuine);
    let mut victim = standing.stranger();
    victim.open(&with(standing.profile.sign_in_page(), &invented))?;
    standing.sign_in(&mut victim, account)?;
    let wrong = standing.knows(&standing.with(&invented), account)?;
    Ok(Truth::new(rule, wrong, "a session in the query, then a sign-in"))
}

fn by_form(standing: &Standing) -> Result<Truth, Failure> {
    let account = &standing.profile.account;
    let invented = invented(&standing.values(&standing.member()?));
    let mut victim = standing.stranger();
    let step = &standing.profile.sign_in;
    if let Some(mut request) = step.prepare(&mut victim, &account.values(), standing.app.token())? {
        if let Body::Form(fields) = &mut request.body {
            fields.extend(invented.iter().cloned());
        }
        victim.send(&request)?;
    }
    let wrong = standing.knows(&standing.with(&invented), account)?;
    Ok(Truth::new("fixation-form", wrong, "a session in the form of the sign-in"))
}

/// Somebody else signs in where somebody is signed in.
fn again(standing: &Standing) -> Result<Vec<Truth>, Failure> {
    let (account, other) = (&standing.profile.account, standing.profile.other());
    let mut browser = standing.member()?;
    let before = standing.values(&browser);
    let there_was_a_form = standing.sign_in(&mut browser, other)?;
    if !there_was_a_form || !standing.knows(&browser, other)? {
        let why = "a second sign-in does nothing";
        return Ok(["rotation-none", "rotation-old-alive"].map(|rule| Truth::new(rule, false, why)).into());
    }
    let after = standing.values(&browser);
    if before == after {
        return Ok(vec![Truth::new("rotation-none", true, "a second sign-in left the cookies as they were")]);
    }
    let alive = standing.knows(&standing.with(&before), account)?;
    Ok(vec![
        Truth::new("rotation-none", false, "a second sign-in made new cookies"),
        Truth::new("rotation-old-alive", alive, "the cookies from before a second sign-in"),
    ])
}

fn out(standing: &Standing) -> Result<Vec<Truth>, Failure> {
    let Some(step) = &standing.profile.sign_out else { return Ok(Vec::new()) };
    let account = &standing.profile.account;
    let mut browser = standing.member()?;
    let copy = browser.clone();
    step.perform(&mut browser, &account.values(), standing.app.token(), standing.port)?;
    let still = standing.knows(&browser, account)?;
    let mut truths = vec![Truth::new("sign-out-no-effect", still, "the browser that signed out")];
    if !still {
        let alive = standing.knows(&copy, account)?;
        let first = standing.values(&copy).first().map(|(_, value)| value.clone()).unwrap_or_default();
        let stored = match standing.app.holds(standing.folder(), &first)? {
            Some(true) => "the store still has a session of that id",
            Some(false) => "the store has no such session any more",
            None => "the server keeps no sessions",
        };
        truths.push(Truth::new("sign-out-replay", alive, format!("a copy after sign-out; {stored}")));
    }
    Ok(truths)
}

/// The same cookies from another program, and the cookies of a second sign-in.
fn elsewhere(standing: &Standing) -> Result<Vec<Truth>, Failure> {
    let account = &standing.profile.account;
    let (one, two) = (standing.member()?, standing.member()?);
    let mut thief = one.clone();
    thief.agent = "another program";
    let same = standing.values(&one) == standing.values(&two);
    Ok(vec![
        Truth::new("replay-elsewhere", standing.knows(&thief, account)?, "the cookies with another User-Agent"),
        Truth::new("token-static", same, "two sign-ins to one account, compared"),
    ])
}

fn new_password(standing: &Standing) -> Result<Option<Truth>, Failure> {
    let Some(step) = &standing.profile.password_change else { return Ok(None) };
    let account = &standing.profile.account;
    let mut new = account.clone();
    new.password.push_str("-New7!");
    let (other, mut own) = (standing.member()?, standing.member()?);
    let token = standing.app.token();
    let change = |browser: &mut Browser, from, to: &str| {
        step.perform(browser, &Values { account: from, new_password: to, random: "" }, token, standing.port)
    };
    change(&mut own, account, &new.password)?;
    let alive = standing.knows(&other, account)?;
    let mut after = standing.member_as(&new)?;
    if standing.member().is_ok() {
        return unfit("after a change of the password the old one signs in too".to_owned());
    }
    change(&mut after, &new, &account.password)?;
    standing.member()?;
    Ok(Some(Truth::new("password-change-keeps", alive, "another session after a change of the password")))
}

/// Of the same length and alphabet, and nobody's.
fn invented(held: &Held) -> Held {
    held.iter().map(|(name, value)| (name.clone(), value.chars().map(another).collect())).collect()
}

fn another(one: char) -> char {
    let mut byte = [0_u8];
    // Without randomness the invented id is still nobody's.
    let _ = rand::fill(&mut byte);
    let hex = |of: &[u8]| of.get(usize::from(byte[0]) % of.len()).map_or(one, |byte| char::from(*byte));
    match one {
        '0'..='9' => hex(b"0123456789"),
        'a'..='z' => hex(b"abcdef"),
        'A'..='Z' => hex(b"ABCDEF"),
        other => other,
    }
}
