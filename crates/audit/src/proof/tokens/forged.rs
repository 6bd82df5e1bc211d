//! Tokens that nobody but the site should be able to make.

use serde_json::{Value, json};

use super::{Controls, Held, held, web_token};
use crate::finding::Finding;
use crate::profile::Account;
use crate::rule;
use crate::site::{Site, State};
use crate::token::forge::{broken, with_claims, with_name};
use crate::token::jwt::Jwt;
use crate::token::secrets::{self, Known, Scheme, companion};
use crate::token::{Kind, Seal, renamed, structure};
use crate::visitor::Trouble;

pub(super) async fn prove(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let member = site.member().await?;
    let all = held(&member);
    let mut findings = Vec::new();
    for held in &all {
        let known = held.structure();
        let companion = held.cookie.as_ref().and_then(|name| {
            let name = format!("{name}.sig");
            Some((name.clone(), held.holder.jar.get(&name)?.to_owned()))
        });
        let says = known.claims.is_some() || known.seal == Seal::Signed;
        if !says
            || known.kind == Kind::Number
            || held.cookie.as_ref().is_some_and(|name| name.strip_suffix(".sig").is_some())
        {
            continue;
        }
        let Some(controls) = held.controls().await? else {
            findings.extend(uncontrolled(held, known.seal));
            continue;
        };
        let found = match (Jwt::read(&held.value), companion, known.seal) {
            (Some(jwt), ..) => web_token::prove(held, &jwt, &controls).await?,
            (None, Some((name, signature)), _) => accompanied(held, &controls, &name, &signature).await?,
            (None, None, Seal::Signed) => signed(held, &controls).await?,
            (None, None, _) => unsigned(held, &controls).await?,
        };
        findings.extend(found);
    }
    Ok(findings)
}

fn uncontrolled(held: &Held<'_>, seal: Seal) -> Vec<Finding> {
    let why = "the token alone does not sign in, or one that nobody made does";
    let rule = if seal == Seal::None { &rule::TOKEN_UNSIGNED } else { &rule::TOKEN_SIGNATURE_IGNORED };
    vec![Finding::inconclusive(rule, held.place(), why)]
}

/// Whom a forged token is to be taken for: the second account, or somebody nobody knows.
pub(super) fn somebody_else(site: &Site) -> Account {
    let own = &site.profile.account;
    let unknown = || Account { user: format!("{}x", own.user), password: String::new() };
    site.profile.second_account.clone().unwrap_or_else(unknown)
}

/// A token that carries its signature within.
async fn signed(held: &Held<'_>, controls: &Controls) -> Result<Vec<Finding>, Trouble> {
    let mut findings = vec![ignored(held, controls, &cut(&held.value)).await?];
    let rule = &rule::TOKEN_KNOWN_SECRET;
    findings.push(match secrets::crack(&held.value) {
        Some(known) => of_known(held, controls, &known, |claims| known.sign(&held.value, claims)).await?,
        None => Finding::sound(rule, held.place(), "none of the secrets that everybody knows signed it"),
    });
    Ok(findings)
}

/// The token with its signature broken.
fn cut(value: &str) -> String {
    let at = value.rfind(['.', ':']).max(value.rfind("--").map(|at| at + 1)).map_or(0, |at| at + 1);
    let (input, signature) = value.split_at_checked(at).unwrap_or((value, ""));
    // What is escaped at the end of a value must stay an escape.
    let (signature, escapes) = signature.split_at(signature.find('%').unwrap_or(signature.len()));
    format!("{input}{}{escapes}", broken(signature))
}

/// A token with its signature in a cookie of its own.
async fn accompanied(
    held: &Held<'_>,
    controls: &Controls,
    name: &str,
    signature: &str,
) -> Result<Vec<Finding>, Trouble> {
    let rule = &rule::TOKEN_SIGNATURE_IGNORED;
    let site = held.holder.site();
    let mut other = held.holder.clone();
    other.jar.set(&site.profile.site, name, &broken(signature));
    let seeing = site.who(&other).await?;
    if seeing.state == State::In {
        let seen = "with its signature broken it is taken as before";
        let mut findings = vec![controls.on(Finding::flaw(rule, held.place(), seen), &seeing)];
        findings.extend(unsigned(held, controls).await?);
        return Ok(findings);
    }
    let mut findings = vec![Finding::sound(rule, held.place(), "with its signature broken it is refused")];
    let cookie = held.cookie.as_deref().unwrap_or_default();
    let rule = &rule::TOKEN_KNOWN_SECRET;
    let Some(known) = secrets::crack_companion(cookie, &held.value, signature) else {
        findings.push(Finding::sound(rule, held.place(), "none of the secrets that everybody knows signed it"));
        return Ok(findings);
    };
    let account = somebody_else(site);
    let forged = with_name(&held.value, &site.profile.account.user, &account.user);
    let seen = format!("its secret is one that everybody knows, {:?}", known.secret);
    let finding = Finding::flaw(rule, held.place(), seen.clone());
    findings.push(match forged {
        Some(value) => {
            let mut other = held.with(&value);
            other.jar.set(&site.profile.site, name, &companion(known.secret, cookie, &value));
            let seeing = site.whether(&other, &account).await?;
            let taken = if seeing.state == State::In { "is taken" } else { "is not taken" };
            let seen = format!("{seen}; one signed anew for somebody else {taken}");
            controls.on(Finding { seen, ..finding }, &seeing)
        }
        None => finding,
    });
    Ok(findings)
}

/// Whether a token with a broken signature is taken.
pub(super) async fn ignored(held: &Held<'_>, controls: &Controls, broken: &str) -> Result<Finding, Trouble> {
    let rule = &rule::TOKEN_SIGNATURE_IGNORED;
    let seeing = held.tried(broken).await?;
    Ok(match seeing.state {
        State::In => {
            let seen = "with its signature broken it is taken as before";
            controls.on(Finding::flaw(rule, held.place(), seen), &seeing)
        }
        State::Out => Finding::sound(rule, held.place(), "with its signature broken it is refused"),
        State::Unclear => Finding::inconclusive(rule, held.place(), "the page that tells was not whole"),
    })
}

/// A token signed with a secret of the list: shown offline, and by one that says something else.
pub(super) async fn of_known(
    held: &Held<'_>,
    controls: &Controls,
    known: &Known,
    sign: impl Fn(&Value) -> Option<String>,
) -> Result<Finding, Trouble> {
    let rule = &rule::TOKEN_KNOWN_SECRET;
    let site = held.holder.site();
    let seen = format!("its secret is one that everybody knows, {:?}", known.secret);
    let finding = Finding::flaw(rule, held.place(), seen.clone());
    let claims = held.structure().claims.unwrap_or_default();
    let other = somebody_else(site);
    let own = &site.profile.account;
    let tries = [
        (renamed(&claims, &own.user, &other.user), &other, "for somebody else"),
        (added(&claims), own, "with something added"),
    ];
    for (claims, account, how) in tries {
        let Some(forged) = claims.and_then(|claims| sign(&claims)) else { continue };
        let seeing = held.tried_as(&forged, account).await?;
        if seeing.state == State::In {
            let seen = format!("{seen}; one signed anew {how} is taken");
            return Ok(controls.on(Finding { seen, ..finding }, &seeing));
        }
    }
    let why = if known.scheme == Scheme::Express { "" } else { "; one signed anew was not taken" };
    Ok(Finding { seen: format!("{seen}{why}"), ..finding }.because("control: the token itself", &controls.genuine.page))
}

/// The claims with one more that means nothing.
pub(super) fn added(claims: &Value) -> Option<Value> {
    let mut fields = claims.as_object()?.clone();
    fields.insert("audit".to_owned(), json!(1));
    Some(Value::Object(fields))
}

/// A token that nothing signs.
async fn unsigned(held: &Held<'_>, controls: &Controls) -> Result<Vec<Finding>, Trouble> {
    let rule = &rule::TOKEN_UNSIGNED;
    let site = held.holder.site();
    let (own, other) = (&site.profile.account, somebody_else(site));
    let named = with_name(&held.value, &own.user, &other.user);
    let forged = match named {
        Some(forged) => Some(forged),
        None => grafted(held, site).await?,
    };
    let Some(forged) = forged else {
        let why = "nothing in it says who somebody is, as far as one account shows";
        return Ok(vec![Finding::skipped(rule, held.place(), why)]);
    };
    let seeing = held.tried_as(&forged, &other).await?;
    Ok(vec![match seeing.state {
        State::In => {
            let seen = "with the name of somebody else in it, it signs in as that account";
            controls.on(Finding::flaw(rule, held.place(), seen), &seeing)
        }
        State::Out if site.profile.second_account.is_none() => {
            let why = "it holds the name of the user; whether it decides, a second account would show";
            Finding::inconclusive(rule, held.place(), why)
        }
        State::Out => Finding::sound(rule, held.place(), "the name of somebody else in it does not sign in as them"),
        State::Unclear => Finding::inconclusive(rule, held.place(), "the page that tells was not whole"),
    }])
}

/// The token with what the second account's says of them, but not what is random in it.
async fn grafted(held: &Held<'_>, site: &Site) -> Result<Option<String>, Trouble> {
    let (Some(second), Some(claims)) = (&site.profile.second_account, held.structure().claims) else { return Ok(None) };
    let member = site.member_as(second).await?;
    let theirs = super::held(&member).into_iter().find(|one| one.cookie == held.cookie);
    let theirs = theirs.and_then(|one| structure(&one.value).claims);
    let (Some(mut fields), Some(Value::Object(theirs))) = (claims.as_object().cloned(), theirs) else {
        return Ok(None);
    };
    let mut changed = false;
    for (name, value) in theirs {
        let short = value.is_number() || value.as_str().is_some_and(|text| text.len() <= 12);
        let differs = fields.get(&name).is_some_and(|own| *own != value);
        if short && differs && !name.contains("time") && !name.ends_with("at") {
            fields.insert(name, value);
            changed = true;
        }
    }
    Ok(changed.then(|| with_claims(&held.value, &Value::Object(fields))).flatten())
}
