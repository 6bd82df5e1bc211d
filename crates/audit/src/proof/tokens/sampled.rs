//! Many tokens, and what computes the next.

use crate::cookie::SetCookie;
use crate::finding::Finding;
use crate::predict::{Report, Sample, predict};
use crate::rule;
use crate::site::Site;
use crate::token::jwt::Jwt;
use crate::token::structure;
use crate::visitor::{Bearer, From, Trouble, Visitor};
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
        let report = computed(&series.samples).await?;
        if let Some(others) = strangers.iter().find(|other| other.place == series.place) {
            let of_others = Report { static_per_user: false, ..computed(&others.samples).await? };
            if of_others.computed || !report.raises() {
                findings.extend(judged(others, &of_others));
                continue;
            }
        }
        findings.extend(judged(series, &report));
    }
    Ok(findings)
}

/// Away from what waits for answers: it takes a second or two.
async fn computed(samples: &[Sample]) -> Result<Report, Trouble> {
    let samples = samples.to_vec();
    let report = tokio::task::spawn_blocking(move || predict(&samples)).await;
    report.map_err(|_| Trouble::Control("the search for what computes tokens ended early".to_owned()))
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
        for (place, value) in tokens(&visitor) {
            let user = site.profile.account.user.clone();
            note(all, place, Sample { value, at_millis, server_date: date, user });
        }
    }
    Ok(())
}

/// Ids of people who are not signed in, where they look like those of people who are: each costs one request.
async fn strangers(site: &Site, like: &[Series]) -> Result<Vec<Series>, Trouble> {
    let mut all = Vec::new();
    let path = site.profile.sign_in.page().map(str::to_owned);
    let Some(path) = path else { return Ok(all) };
    for turn in 0..MANY {
        if site.wire().left() < LEFT_FOR_OTHERS {
            break;
        }
        let mut visitor = site.visitor();
        let page = visitor.get(&path, From::Address).await?;
        for (place, value) in tokens(&visitor) {
            let like = like.iter().find(|series| series.place == place);
            if like.is_some_and(|series| alike(&value, series)) {
                let (at_millis, server_date) = (page.answer.at_millis, date(&page.answer));
                note(&mut all, place, Sample { value, at_millis, server_date, user: String::new() });
            }
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

/// What of a client's is a token: the cookies that are the session together, the others each alone.
fn tokens(visitor: &Visitor<'_>) -> Vec<(String, String)> {
    let ways = visitor.site().ways();
    let alone = ways.also.iter().map(std::slice::from_ref);
    let cookies = std::iter::once(ways.session.as_slice()).chain(alone).filter_map(|names| {
        // A signature is judged with what it signs.
        let names: Vec<_> = names.iter().filter(|name| name.strip_suffix(".sig").is_none()).cloned().collect();
        let values: Option<Vec<_>> = names.iter().map(|name| visitor.jar.get(name)).collect();
        // No value holds the separator.
        Some((names.join(" and "), values?.join(";")))
    });
    let bearer = visitor.bearer.as_ref().map(|Bearer(token)| ("bearer token".to_owned(), token.clone()));
    let judged = |(_, value): &(String, String)| !value.is_empty() && value.split(';').all(is_judged);
    cookies.chain(bearer).filter(judged).collect()
}

/// What says something is judged by what proves it.
fn is_judged(value: &str) -> bool {
    Jwt::read(value).is_none() && structure(value).claims.is_none_or(|claims| claims.is_number())
}

/// Of the same make and length.
fn alike(value: &str, series: &Series) -> bool {
    series.samples.iter().all(|sample| {
        let digits = |value: &str| value.bytes().all(|byte| byte.is_ascii_digit());
        let length = sample.value.len().abs_diff(value.len()) <= 2;
        length && (digits(&sample.value) || !digits(value) || value.len() < 12)
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
