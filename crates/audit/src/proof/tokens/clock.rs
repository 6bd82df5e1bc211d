//! Times in tokens: whether the site looks at them, and whether whoever holds one can change them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Held, held};
use crate::finding::{Finding, Verdict};
use crate::proof::Reach;
use crate::rule::{self, Severity};
use crate::site::{Site, State};
use crate::token::forge::with_claims;
use crate::token::jwt::Jwt;
use crate::token::{Kind, Seal, TimeField, replaced, secrets};
use crate::visitor::Trouble;
use crate::wire::now_millis;

pub(super) async fn expired(site: &Site, reach: Reach) -> Result<Vec<Finding>, Trouble> {
    let rule = &rule::TOKEN_EXPIRY_IGNORED;
    let (member, second) = (site.member().await?, site.member().await?);
    let mut findings = Vec::new();
    for (one, other) in held(&member).iter().zip(held(&second)) {
        let Some((jwt, at)) = Jwt::read(&one.value).and_then(|jwt| Some((jwt.clone(), jwt.expires()?))) else {
            continue;
        };
        let known = secrets::crack(&one.value).zip(jwt.hs());
        let left = at.saturating_sub(now_millis() / 1000) + AFTER.as_secs();
        let most = reach.wait.unwrap_or_default().max(SHORT);
        findings.push(match known {
            Some((known, hs)) => {
                let sign = |at: u64| jwt.signed(hs, known.secret.as_bytes(), &replaced(&jwt.claims, "/exp", json!(at)));
                signed_anew(one, sign, at).await?
            }
            None if Duration::from_secs(left) <= most => waited(one, &other, left).await?,
            None => {
                let why =
                    format!("its secret is not known, and to wait for its end takes {left} s; allow it with --wait");
                Finding::skipped(rule, one.place(), why)
            }
        });
    }
    Ok(findings)
}

/// With the secret known, one that ended long ago is made.
async fn signed_anew(held: &Held<'_>, sign: impl Fn(u64) -> String, at: u64) -> Result<Finding, Trouble> {
    let rule = &rule::TOKEN_EXPIRY_IGNORED;
    let control = held.tried(&sign(at + 1)).await?;
    let shown = held.tried(&sign(now_millis() / 1000 - 86_400)).await?;
    let finding = match (control.state, shown.state) {
        (State::In, State::In) => Finding::flaw(rule, held.place(), "one whose `exp` was a day ago is taken"),
        (State::In, State::Out) => Finding::sound(rule, held.place(), "one whose `exp` was a day ago is refused"),
        _ => Finding::inconclusive(rule, held.place(), "one signed anew that has not ended is not taken either"),
    };
    Ok(finding.because("control: one that has not ended", &control.page).because("one that has", &shown.page))
}

/// Two tokens that nobody uses until they have ended.
async fn waited(held: &Held<'_>, other: &Held<'_>, seconds: u64) -> Result<Finding, Trouble> {
    let rule = &rule::TOKEN_EXPIRY_IGNORED;
    let control = held.tried(&held.value).await?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (first, second) = (held.tried(&held.value).await?, other.tried(&other.value).await?);
    let finding = match (control.state, first.state, second.state) {
        (State::In, State::In, State::In) => {
            let seen = format!("two tokens are taken {} s after their `exp`", AFTER.as_secs());
            // Many readers of tokens forgive clocks a minute.
            Finding::flaw(rule, held.place(), seen).at_most(Severity::Medium)
        }
        (State::In, State::Out, State::Out) => Finding::sound(rule, held.place(), "it is refused after its `exp`"),
        _ => Finding::inconclusive(rule, held.place(), "two tokens of the same age were judged differently"),
    };
    Ok(finding.because("control: before its end", &control.page).because("after it", &first.page))
}

/// A time nobody signed: put back it ends the session, put forward it does not.
pub(super) async fn altered(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let member = site.member().await?;
    let mut findings: Vec<Finding> = Vec::new();
    for held in held(&member) {
        let known = held.structure();
        let signed = held.cookie.as_ref().is_some_and(|name| held.holder.jar.get(&format!("{name}.sig")).is_some());
        let readable = known.seal == Seal::None && known.kind != Kind::Jwt && !signed;
        let times = if readable { known.times(now_millis() / 1000) } else { Vec::new() };
        let claims = known.claims.unwrap_or_default();
        for time in times.iter().take(MOST_TIMES) {
            findings.push(tampered(&held, &claims, time).await?);
        }
    }
    // One time that decides is enough, whatever the others of the token do.
    let worst = findings.iter().position(|one| one.verdict == Verdict::Flaw);
    Ok(match worst {
        Some(at) => vec![findings.swap_remove(at)],
        None => findings,
    })
}

async fn tampered(held: &Held<'_>, claims: &Value, time: &TimeField) -> Result<Finding, Trouble> {
    let rule = &rule::EXPIRY_CLIENT_CLOCK;
    let field = time.path.trim_start_matches('/').replace('/', ".");
    let place = if field.is_empty() { held.place() } else { format!("{} of {}", field, held.place()) };
    let (Some(same), Some(old), Some(new)) =
        (with_claims(&held.value, claims), moved(held, claims, time, -TWO_YEARS), moved(held, claims, time, AN_HOUR))
    else {
        return Ok(Finding::inconclusive(rule, place, "it cannot be written again as it was"));
    };
    let control = held.tried(&same).await?;
    let (before, after) = (held.tried(&old).await?, held.tried(&new).await?);
    let finding = match (control.state, before.state, after.state) {
        (State::In, State::Out, State::In) => {
            let seen =
                "nobody signs the time in it: put back two years it ends the session, put forward an hour it does not";
            Finding::flaw(rule, place, seen)
        }
        (State::In, State::In, _) => Finding::sound(rule, place, "put back two years it changes nothing"),
        (State::In, State::Out, State::Out) => Finding::sound(rule, place, "changed in either way it is refused"),
        _ => Finding::inconclusive(rule, place, "written again as it was, it does not sign in"),
    };
    Ok(finding
        .because("control: the same time, written again", &control.page)
        .because("put back", &before.page)
        .because("put forward", &after.page))
}

/// The token with a time in it moved, in its own unit and type.
fn moved(held: &Held<'_>, claims: &Value, time: &TimeField, seconds: i64) -> Option<String> {
    let value = claims.pointer(&time.path)?;
    let number: i64 =
        value.as_i64().or_else(|| value.as_str()?.parse().ok()).or_else(|| i64::try_from(time.seconds).ok())?;
    let number = number + seconds * i64::try_from(time.per_second).ok()?;
    let value = if value.is_string() { json!(number.to_string()) } else { json!(number) };
    with_claims(&held.value, &replaced(claims, &time.path, value))
}

/// Clocks differ a little.
const AFTER: Duration = Duration::from_secs(5);
/// What is waited for without being asked to.
const SHORT: Duration = Duration::from_secs(22);
const TWO_YEARS: i64 = 2 * 365 * 86_400;
const AN_HOUR: i64 = 3_600;
const MOST_TIMES: usize = 3;
