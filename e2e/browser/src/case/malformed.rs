//! Malformed and unusual `Set-Cookie` lines: the browser does with each what our rules rely on.

use std::time::SystemTime;

use counterfoil_browser::{
    devtools::DevToolsError,
    jar::Cookie,
    tab::{Person, Tab},
};
use futures_util::future::try_join_all;

use crate::{
    stranger::Served,
    variants::{self, Claim, Lasts, Over, Variant},
    verdict::{Failure, Shown, promise},
    world::Stage,
};

/// Every variant, at a host of its own.
pub(super) async fn all(stage: Stage) -> Shown {
    let person = stage.stranger().await?;
    let variants: Vec<_> = variants::all().into_iter().enumerate().collect();
    let shares = variants.chunks(variants.len().div_ceil(TABS)).map(|share| try_all(&stage, &person, share));
    let differing: Vec<String> = try_join_all(shares).await?.concat();
    promise("the browser does with malformed cookies what we claim", differing.is_empty(), || differing.join("\n  "))?;
    person.leave().await?;
    Ok(format!("{} kinds of line, each done with as claimed", variants.len()))
}

async fn try_all(stage: &Stage, person: &Person, share: &[(usize, Variant)]) -> Result<Vec<String>, Failure> {
    let tab = person.tab().await?;
    let mut differing = Vec::new();
    for (number, variant) in share {
        let host = Host::new(*number, variant.over);
        let (outcome, reasons) = outcome(stage, person, &tab, &host, variant).await?;
        let claim = host.fill_in_claim(&variant.claim);
        if outcome != claim {
            differing.push(format!("{}: claimed {claim}, seen {outcome} {reasons}", variant.what));
        }
    }
    Ok(differing)
}

/// What the browser holds of a host in the end, and why it refused what it refused.
async fn outcome(
    stage: &Stage,
    person: &Person,
    tab: &Tab,
    host: &Host,
    variant: &Variant,
) -> Result<(String, String), Failure> {
    let stranger = &stage.world.stranger;
    if !variant.before.is_empty() {
        stranger.put(&host.name, "/before", Served::page("").with("Set-Cookie", variant.before));
        tab.go(&format!("https://{}/before", host.name)).await?;
    }
    let lines = variant.lines.iter().map(|line| host.fill_in(line));
    stranger.put(&host.name, "/set", lines.fold(Served::page(""), |served, line| served.with("Set-Cookie", line)));
    let scheme = if variant.over == Over::Http { "http" } else { "https" };
    let mark = tab.mark();
    match tab.go(&format!("{scheme}://{}/set", host.name)).await {
        Ok(_) => {}
        Err(DevToolsError::Refused { text, .. }) => return Ok((NO_ANSWER.to_owned(), text)),
        Err(error) => return Err(error.into()),
    }
    let refused = tab.exchanges(mark).into_iter().flat_map(|sent| sent.set).flat_map(|line| line.refused);
    let reasons = refused.collect::<Vec<_>>().join(", ");
    tab.go(&format!("https://{}/then", host.name)).await?;
    let visits = stranger.visits(&host.name);
    let sent = visits.last().map(|visit| visit.header("cookie").to_owned()).unwrap_or_default();
    let held: Vec<_> = person.jar().await?.into_iter().filter(|cookie| host.gets(cookie)).collect();
    Ok((described(&held, &sent), reasons))
}

/// A host for one variant, below a domain of its own.
struct Host {
    name: String,
    parent: String,
}

impl Host {
    fn new(number: usize, over: Over) -> Self {
        let suffix = if over == Over::HttpsBelowSuffix { "co.uk" } else { "test" };
        let parent = format!("variant{number}.{suffix}");
        let name = if over == Over::HttpsBelowSuffix { parent.clone() } else { format!("www.{parent}") };
        Self { name, parent }
    }

    fn gets(&self, cookie: &Cookie) -> bool {
        let domain = cookie.domain.trim_start_matches('.');
        self.name == domain || self.name.ends_with(&format!(".{domain}"))
    }

    fn fill_in(&self, line: &[u8]) -> Vec<u8> {
        match std::str::from_utf8(line) {
            Ok(text) => self.fill_in_text(text).into_bytes(),
            Err(_) => line.to_vec(),
        }
    }

    fn fill_in_text(&self, text: &str) -> String {
        text.replace("{host}", &self.name).replace("{parent}", &self.parent)
    }

    fn fill_in_claim(&self, claim: &Claim) -> String {
        match claim {
            Claim::Nothing => NOTHING.to_owned(),
            Claim::NoAnswer => NO_ANSWER.to_owned(),
            Claim::One(pair, attributes, lasts) => {
                format!("`{pair}`; {}; {}", self.fill_in_text(attributes), duration(*lasts))
            }
        }
    }
}

/// The outcome in the words of a claim.
fn described(held: &[Cookie], sent: &str) -> String {
    let [cookie] = held else {
        return if held.is_empty() && sent.is_empty() { NOTHING.to_owned() } else { format!("{} cookies", held.len()) };
    };
    // The longest are told by their length.
    let pair = if sent.len() > 200 { "" } else { sent };
    let lasts = cookie.expires.map_or(Lasts::UntilClosed, |end| Lasts::Seconds(whole_seconds(end)));
    format!("`{pair}`; {}; {}", cookie.attributes(), duration(lasts))
}

fn duration(lasts: Lasts) -> String {
    match lasts {
        Lasts::UntilClosed => "until closed".to_owned(),
        // The browser counts from when the answer came.
        Lasts::Seconds(seconds) => format!("about {} s", (seconds + 30) / 60 * 60),
    }
}

fn whole_seconds(end: f64) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held above zero and below 401 days")]
    let seconds = (end - now).clamp(0.0, 401.0 * 86_400.0) as u64;
    seconds
}

const NOTHING: &str = "nothing";
const NO_ANSWER: &str = "no answer";
const TABS: usize = 4;
