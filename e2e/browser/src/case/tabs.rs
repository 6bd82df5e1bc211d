//! Many tabs of one browser while its token changes again and again.

use std::collections::{BTreeMap, HashSet};

use counterfoil_browser::tab::Tab;
use futures_util::future::try_join_all;
use serde_json::Value;

use crate::{
    verdict::{Failure, Shown, promise},
    world::Stage,
};

/// Eight tabs ask at once, slowly, and break requests off; nobody is signed out, and no cookie is refused or removed.
pub(super) async fn in_rotation(stage: Stage) -> Shown {
    let (person, first) = stage.member().await?;
    let mut tabs = vec![first];
    for _ in 1..TABS {
        let tab = person.tab().await?;
        tab.ignore_policy().await?;
        tab.go(&stage.site.at("/")).await?;
        tabs.push(tab);
    }
    let marks: Vec<_> = tabs.iter().map(Tab::mark).collect();
    let mut answers = BTreeMap::new();
    let mut rotations = 0;
    for _ in 0..MOST_ROUNDS {
        let counts = try_join_all(tabs.iter().map(|tab| tab.run(ASK_AND_BREAK_OFF))).await?;
        for (status, count) in counts.iter().filter_map(Value::as_object).flatten() {
            *answers.entry(status.clone()).or_insert(0) += count.as_u64().unwrap_or_default();
        }
        rotations = changes(&stage, &tabs, &marks)?;
        if rotations >= ENOUGH {
            break;
        }
    }
    let unexpected = answers.keys().any(|status| !["200", "broken off"].contains(&status.as_str()));
    promise("parallel tabs stay signed in", !unexpected, || format!("the answers were {answers:?}"))?;
    promise("tokens changed meanwhile", rotations >= ENOUGH, || format!("{rotations} did"))?;
    for tab in &tabs {
        let who = stage.who(tab).await?;
        promise("parallel tabs stay signed in", who.as_deref() == Some("ada"), || "one is not".to_owned())?;
    }
    person.leave().await?;
    Ok(format!("{TABS} tabs, {rotations} new tokens, answers {answers:?}: all signed in"))
}

/// How many different tokens were set, every one of which the browser took.
fn changes(stage: &Stage, tabs: &[Tab], marks: &[usize]) -> Result<usize, Failure> {
    let name = stage.site.cookie("id");
    let mut tokens = HashSet::new();
    for (tab, mark) in tabs.iter().zip(marks) {
        for line in tab.exchanges(*mark).into_iter().flat_map(|exchange| exchange.set) {
            promise("every cookie we set is accepted", line.refused.is_empty(), || {
                format!("{} was refused: {:?}", line.name, line.refused)
            })?;
            promise("rotation removes no cookie", !line.value.reveal().is_empty(), || format!("{} was", line.name))?;
            if line.name == name {
                tokens.insert(line.value);
            }
        }
    }
    Ok(tokens.len())
}

/// For three seconds; every third request is given up before its answer can be there.
const ASK_AND_BREAK_OFF: &str = "(async () => {
    const end = performance.now() + 3000, count = {};
    while (performance.now() < end) {
        const stop = new AbortController();
        if (Math.random() < 0.3) setTimeout(() => stop.abort(), Math.random() * 40);
        let outcome;
        try {
            const path = '/slow?ms=' + Math.floor(Math.random() * 200);
            outcome = (await fetch(path, { signal: stop.signal, redirect: 'manual' })).status;
        } catch { outcome = 'broken off'; }
        count[outcome] = (count[outcome] || 0) + 1;
        await new Promise(done => setTimeout(done, Math.random() * 150));
    }
    return count;
})()";
const TABS: usize = 8;
const ENOUGH: usize = 2;
/// A token changes every six seconds at the soonest: when it is due, and its predecessor is no longer good.
const MOST_ROUNDS: usize = 12;
