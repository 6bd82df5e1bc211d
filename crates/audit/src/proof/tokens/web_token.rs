//! JSON web tokens: broken, unsigned, signed with what is public.

use super::forged::{ignored, of_known, somebody_else};
use super::{Controls, Held, keys};
use crate::finding::{Finding, Verdict};
use crate::rule;
use crate::site::State;
use crate::token::jwt::{Hs, Jwt};
use crate::token::{renamed, secrets};
use crate::visitor::Trouble;

pub(super) async fn prove(held: &Held<'_>, jwt: &Jwt, controls: &Controls) -> Result<Vec<Finding>, Trouble> {
    let ignored = ignored(held, controls, &jwt.broken()).await?;
    if ignored.verdict == Verdict::Flaw {
        let why = "no signature is looked at: see token-signature-ignored";
        let others = [&rule::TOKEN_ALG_NONE, &rule::TOKEN_ALG_CONFUSED];
        let others = others.map(|rule| Finding::skipped(rule, held.place(), why));
        return Ok([vec![ignored], others.into(), vec![known(held, jwt, controls).await?]].concat());
    }
    let mut findings = vec![ignored, none(held, jwt, controls).await?];
    findings.push(confused(held, jwt, controls).await?);
    findings.push(known(held, jwt, controls).await?);
    Ok(findings)
}

/// One that says that nothing signs it, for somebody else where there is somebody.
async fn none(held: &Held<'_>, jwt: &Jwt, controls: &Controls) -> Result<Finding, Trouble> {
    let rule = &rule::TOKEN_ALG_NONE;
    for forged in jwt.of_no_algorithm(&jwt.claims) {
        let seeing = held.tried(&forged).await?;
        if seeing.state == State::In {
            let seen = also_for_others(held, |claims| jwt.of_no_algorithm(claims), jwt).await?;
            let seen = format!("one that says it is unsigned is taken{seen}");
            return Ok(controls.on(Finding::flaw(rule, held.place(), seen), &seeing));
        }
    }
    Ok(Finding::sound(rule, held.place(), "one that says it is unsigned is refused, however that is spelled"))
}

/// One signed with the published key as if it were a secret.
async fn confused(held: &Held<'_>, jwt: &Jwt, controls: &Controls) -> Result<Finding, Trouble> {
    let rule = &rule::TOKEN_ALG_CONFUSED;
    if jwt.hs().is_some() {
        return Ok(Finding::skipped(rule, held.place(), "it is signed with a shared secret, which is not published"));
    }
    let published = keys::published(held.holder.site(), jwt).await?;
    let secrets = published.secrets;
    if secrets.is_empty() {
        return Ok(Finding::skipped(rule, held.place(), "no public key was found where keys usually are"));
    }
    for secret in &secrets {
        let seeing = held.tried(&jwt.signed(Hs::Hs256, secret, &jwt.claims)).await?;
        if seeing.state == State::In {
            let seen = also_for_others(held, |claims| vec![jwt.signed(Hs::Hs256, secret, claims)], jwt).await?;
            let seen = format!("one signed by HMAC with the public key at {} is taken{seen}", published.at);
            return Ok(controls.on(Finding::flaw(rule, held.place(), seen), &seeing));
        }
    }
    let seen =
        format!("signed by HMAC with the public key at {}, in {} writings, it is refused", published.at, secrets.len());
    Ok(Finding::sound(rule, held.place(), seen))
}

async fn known(held: &Held<'_>, jwt: &Jwt, controls: &Controls) -> Result<Finding, Trouble> {
    let rule = &rule::TOKEN_KNOWN_SECRET;
    let Some(hs) = jwt.hs() else {
        return Ok(Finding::skipped(rule, held.place(), "it is not signed with a shared secret"));
    };
    match secrets::crack(&held.value) {
        Some(found) => {
            of_known(held, controls, &found, |claims| Some(jwt.signed(hs, found.secret.as_bytes(), claims))).await
        }
        None => Ok(Finding::sound(rule, held.place(), "none of the secrets that everybody knows signed it")),
    }
}

/// Whether what was taken for the account itself is taken for somebody else too: said, not needed.
async fn also_for_others(
    held: &Held<'_>,
    forge: impl Fn(&serde_json::Value) -> Vec<String>,
    jwt: &Jwt,
) -> Result<&'static str, Trouble> {
    let site = held.holder.site();
    let (own, other) = (&site.profile.account, somebody_else(site));
    let Some(claims) = renamed(&jwt.claims, &own.user, &other.user) else { return Ok("") };
    for forged in forge(&claims).iter().take(2) {
        if held.tried_as(forged, &other).await?.state == State::In {
            return Ok(", and one that names somebody else signs in as them");
        }
    }
    Ok("")
}
