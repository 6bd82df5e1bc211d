//! A cookie is copied to another client: what is noticed says what was seen, the policy's answer follows, the owner is told,
//! the audit trail has it and verifies, and whoever watches is alerted.

use counterfoil_browser::tab::Tab;
use serde_json::Value;

use crate::{
    demo::{Demo, House},
    prometheus::Prometheus,
    verdict::{Failure, Shown, promise},
    world::{Stage, until},
};

pub(super) async fn and_noticed(stage: Stage) -> Shown {
    let demo = stage.world.demo(House::Watched)?;
    let metrics = demo.metrics.ok_or_else(|| std::io::Error::other("it shows no metrics"))?;
    let (owner, tab) = stage.member().await?;
    let landed = tab.go(&stage.site.at("/transfer")).await?;
    promise("the owner looks at what is sensitive", landed.status == 200, || format!("status {}", landed.status))?;
    let prometheus = Prometheus::watching(&stage.world.prometheus, metrics).await?;
    let firing = prometheus.firing().await?;
    promise("nothing is alarming yet", firing.is_empty(), || format!("{firing:?}"))?;

    let thief = stage.stranger().await?;
    let stolen = thief.tab().await?;
    stolen.call_itself(ANOTHER_CLIENT).await?;
    thief.plant(&stage.site.origin, &stage.session_cookie(&owner).await?).await?;
    let who = stage.who(&stolen).await?;
    promise("a read goes on, as the policy says", who.as_deref() == Some("ada"), || format!("it left {who:?}"))?;
    let landed = stolen.go(&stage.site.at("/transfer")).await?;
    promise("what is sensitive asks for a step-up", landed.path().starts_with("/step-up?"), || {
        format!("it led to {} with status {}", landed.path(), landed.status)
    })?;
    let landed = tab.go(&stage.site.at("/transfer")).await?;
    promise("and not of the owner", landed.path() == "/transfer", || format!("it led to {}", landed.path()))?;

    let told = in_the_trail(demo).await?;
    owner_is_told(&stage, &tab).await?;
    until(ALERT, || async {
        let firing = prometheus.firing().await?;
        Ok(firing.iter().any(|name| name == ALERT).then_some(()))
    })
    .await?;

    let session = told.pointer("/session.id").and_then(Value::as_str).unwrap_or_default();
    let shown = demo.said(&format!("sessions show {session}")).await?;
    let doubted = shown.lines().find(|line| line.contains("Firefox on Windows")).unwrap_or_default();
    let says_why = doubted.contains("; in doubt: ") && doubted.contains("user_agent_changed");
    promise("an operator sees what speaks against the copy", says_why, || shown)?;
    demo.said(&format!("sessions end {session}")).await?;
    for (tab, whose) in [(&stolen, "thief"), (&tab, "owner")] {
        let who = stage.who(tab).await?;
        promise("what an operator ends is over for both", who.is_none(), || format!("the {whose} is {who:?}"))?;
    }
    thief.leave().await?;
    owner.leave().await?;
    Ok(format!("told, asked, alerted ({ALERT}), in the trail, and ended by its operator"))
}

/// The one signal that the trail has, whose chain must verify.
async fn in_the_trail(demo: &Demo) -> Result<Value, Failure> {
    let line = until("the audit trail to have it", || async {
        // Nothing found is an exit status of 1.
        let lines = demo.said("trail show --only risk.signal").await.unwrap_or_default();
        Ok(lines.lines().next().map(str::to_owned))
    })
    .await?;
    let told: Value = serde_json::from_str(&line).unwrap_or_default();
    let text = |pointer: &str| told.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let says = [text("/signal"), text("/decision"), text("/evidence/seen/client"), text("/evidence/expected/client")];
    let expected = ["user_agent_changed", "notify", "Firefox on Windows", "Chrome on Linux"];
    promise("the event says what was seen and what was expected", says == expected, || format!("{says:?}"))?;
    let verified = demo.said("trail verify").await?;
    promise("the trail verifies", verified.contains("all as they were written"), || verified)?;
    Ok(told)
}

async fn owner_is_told(stage: &Stage, tab: &Tab) -> Result<(), Failure> {
    tab.go(&stage.site.at("/events")).await?;
    let text = tab.text().await?;
    promise("the owner is told", text.contains("risk.signal"), || text)
}

const ANOTHER_CLIENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const ALERT: &str = "CounterfoilAnotherClient";
