//! Tokens of one kind where another is expected.

use serde_json::Value;

use crate::finding::Finding;
use crate::rule;
use crate::shape::invented;
use crate::site::{Member, Site, State};
use crate::token::jwt::Jwt;
use crate::visitor::{Bearer, Trouble};

pub(super) async fn prove(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let rule = &rule::TOKEN_CROSS_USE;
    let Some(tokens) = site.tokens() else {
        return Ok(vec![Finding::skipped(rule, "", "the profile names no tokens; see `tokens`")]);
    };
    let Member { visitor, entered, .. } = site.member().await?;
    let alone = visitor.bearer_alone();
    let Some(Bearer(access)) = alone.bearer.clone() else {
        return Ok(vec![Finding::skipped(rule, "", "nobody is signed in by a bearer token")]);
    };
    let control = site.who(&alone).await?;
    let name = tokens.refresh_field.clone().unwrap_or_else(|| "refresh".to_owned());
    let mut others: Vec<(String, String)> = entered.refresh.map(|token| (name, token)).into_iter().collect();
    let body: Value = serde_json::from_slice(&entered.last.answer.body).unwrap_or_default();
    collect(&body, "", &mut others);
    let mut seen = std::collections::BTreeSet::from([access]);
    others.retain(|(_, token)| seen.insert(token.clone()));
    let mut findings = Vec::new();
    for (name, token) in others {
        site.keep_secret(&token);
        let with = |value: &str| {
            let mut other = alone.clone();
            other.bearer = Some(Bearer(value.to_owned()));
            other
        };
        let (shown, garbage) = (site.who(&with(&token)).await?, site.who(&with(&invented(&token))).await?);
        let finding = match (control.state, garbage.state, shown.state) {
            (State::In, State::Out, State::In) => Finding::flaw(rule, name, "sent as an access token, it signs in"),
            (State::In, State::Out, State::Out) => Finding::sound(rule, name, "sent as an access token, it is refused"),
            _ => Finding::inconclusive(rule, name, "the access token does not sign in, or one that nobody made does"),
        };
        findings.push(
            finding
                .because("control: the access token", &control.page)
                .because("control: one that nobody made", &garbage.page)
                .because("the other token in its place", &shown.page),
        );
    }
    Ok(findings)
}

/// What else the sign-in gave that is a token.
fn collect(value: &Value, name: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) if Jwt::read(text).is_some() => found.push((name.to_owned(), text.clone())),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(value, name, found)),
        Value::Array(items) => items.iter().for_each(|value| collect(value, name, found)),
        _ => {}
    }
}
