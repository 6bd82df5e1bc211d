//! Many tokens, and what computes the next.

use crate::cookie::SetCookie;
use crate::finding::Finding;
use crate::predict::{Report, Sample, predict};
use crate::rule;
use crate::site::Site;
use crate::token::jwt::Jwt;
use crate::token::structure;
use crate::visitor::{Bearer, From, Trouble};
use crate::wire::WireError;

/// A place tokens come in, and those that came.
struct Series {
    place: String,
    samples: Vec<Sample>,
}

pub(super) async fn prove(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let mut signed_in = Vec::new();
    sign_ins(site, FEW, &mut signed_in).await?;
    let strangers = strangers(site, &signed_in).await?;
    let more = if strangers.is_empty() { MANY - FEW } else { 0 };
    sign_ins(site, more, &mut signed_in).await?;
    let mut findings = Vec::new();
    for series in signed_in.iter().filter(|series| series.samples.len() >= FEW) {
        let report = predict(&series.samples);
        let of_strangers =
            strangers.iter().find(|other| other.place == series.place).map(|other| predict(&other.samples));
        let report = match of_strangers {
            Some(other) if !report.raises() => Report { static_per_user: false, ..other },
            _ => report,
        };
        findings.extend(judged(series, &report));
    }
    Ok(findings)
}

fn judged(series: &Series, report: &Report) -> [Finding; 3] {
    let Series { place, samples } = series;
    let predictable = match report.explained.first().filter(|_| report.computed) {
        Some(first) => {
            let others = report.explained.get(1..).unwrap_or_default().iter().map(|one| format!("; {}", one.sentence));
            let seen = format!("{}{}", first.sentence, others.collect::<String>());
            Finding::flaw(&rule::TOKEN_PREDICTABLE, place, seen)
        }
        None => Finding::sound(&rule::TOKEN_PREDICTABLE, place, report.note.clone()),
    };
    let short = match report.bits_at_most {
        _ if report.static_per_user || report.computed => {
            Finding::skipped(&rule::TOKEN_SHORT, place, "it does not matter how long what is no secret is")
        }
        Some(bits) if report.raises() => {
            let seen =
                format!("no more than {bits:.0} of its bits are unknown to whoever saw {} others", samples.len());
            Finding::flaw(&rule::TOKEN_SHORT, place, seen)
        }
        Some(bits) => Finding::sound(&rule::TOKEN_SHORT, place, format!("it has room for {bits:.0} bits")),
        None => Finding::skipped(&rule::TOKEN_SHORT, place, "too few tokens to say"),
    };
    let fixed = if report.static_per_user {
        let seen = format!("{} sign-ins gave the same token", samples.len());
        Finding::flaw(&rule::TOKEN_STATIC, place, seen)
    } else {
        Finding::sound(&rule::TOKEN_STATIC, place, "each sign-in gives another token")
    };
    [predictable, short, fixed]
}

/// Signs in so many times, as long as requests are left for what comes after.
async fn sign_ins(site: &Site, count: usize, all: &mut Vec<Series>) -> Result<(), Trouble> {
    for _ in 0..count {
        if site.wire().left() < LEFT_FOR_OTHERS {
            break;
        }
        let mut visitor = site.visitor();
        let entered = match site.sign_in(&mut visitor, &site.profile.account).await {
            Ok(entered) => entered,
            // A site that has enough of it is left alone.
            Err(Trouble::Wire(WireError::Budget(_)) | Trouble::NoForm { .. }) => break,
            Err(other) => return Err(other),
        };
        let (at_millis, date) = (entered.last.answer.at_millis, date(&entered.last.answer));
        if entered.last.answer.status == 429 {
            break;
        }
        let ways = site.ways();
        let cookies =
            ways.session.iter().chain(&ways.also).map(|name| (name.clone(), visitor.jar.get(name).map(str::to_owned)));
        let bearer = visitor.bearer.as_ref().map(|Bearer(token)| token.clone());
        for (place, value) in cookies.chain([("bearer token".to_owned(), bearer)]) {
            let Some(value) = value.filter(|value| is_judged(&place, value)) else { continue };
            let user = site.profile.account.user.clone();
            note(all, place, Sample { value, at_millis, server_date: date, user });
        }
    }
    Ok(())
}

/// Ids of people who are not signed in, where they look like those of people who are: each costs one request.
async fn strangers(site: &Site, like: &[Series]) -> Result<Vec<Series>, Trouble> {
    let mut all = Vec::new();
    let path = site.profile.sign_in.steps.first().and_then(|step| step.page.clone());
    let Some(path) = path else { return Ok(all) };
    for turn in 0..MANY {
        if site.wire().left() < LEFT_FOR_OTHERS {
            break;
        }
        let mut visitor = site.visitor();
        let page = visitor.get(&path, From::Address).await?;
        for series in like {
            let Some(value) = visitor.jar.get(&series.place).filter(|value| alike(value, series)) else { continue };
            let (value, at_millis, server_date) = (value.to_owned(), page.answer.at_millis, date(&page.answer));
            note(&mut all, series.place.clone(), Sample { value, at_millis, server_date, user: String::new() });
        }
        // All or none: what not every stranger gets is no id.
        if all.len() < like.len() || page.answer.status == 429 || all.iter().any(|series| series.samples.len() <= turn)
        {
            return Ok(Vec::new());
        }
    }
    let many = all.iter().all(|series| series.samples.len() >= MANY);
    Ok(if many { all } else { Vec::new() })
}

/// A signature is judged with what it signs, and a signed token by its signature.
fn is_judged(place: &str, value: &str) -> bool {
    place.strip_suffix(".sig").is_none()
        && Jwt::read(value).is_none()
        && structure(value).claims.is_none_or(|claims| claims.is_number())
}

/// Of the same make and length.
fn alike(value: &str, series: &Series) -> bool {
    series.samples.iter().all(|sample| {
        sample.value.len().abs_diff(value.len()) <= 2 && structure(&sample.value).kind == structure(value).kind
    })
}

fn note(all: &mut Vec<Series>, place: String, sample: Sample) {
    match all.iter_mut().find(|series| series.place == place) {
        Some(series) => series.samples.push(sample),
        None => all.push(Series { place, samples: vec![sample] }),
    }
}

fn date(answer: &crate::exchange::Answer) -> Option<u64> {
    // Cookies' dates are read leniently, and hold all that this header may.
    let line = format!("date=; Expires={}", answer.first("date")?);
    SetCookie::read(line.as_bytes()).ok()?.expires?.try_into().ok()
}

const FEW: usize = 6;
const MANY: usize = 20;
/// What the proofs after this one may cost.
const LEFT_FOR_OTHERS: u32 = 60;
