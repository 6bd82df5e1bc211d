//! Tokens change while people use the app, and nobody notices.

use std::{collections::HashSet, sync::Arc, time::Duration};

use counterfoil_browser::tab::Tab;
use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep};

use crate::{
    verdict::{Failure, Shown, promise},
    world::Stage,
};

/// Three tabs at the app for as long as a token lasts at least; the change comes by way of the proxy.
pub(super) async fn is_not_noticed(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.member("ada").await?;
    let tabs = [tab, stage.tab(&person).await?, stage.tab(&person).await?];
    let mut values = HashSet::from([stage.cookie(&person).await?.value]);
    let begun = Instant::now();
    while begun.elapsed() < LASTS {
        try_join_all(tabs.iter().map(|tab| still_in(&stage, tab))).await?;
        values.insert(stage.cookie(&person).await?.value);
        // As people do: the token's time runs meanwhile.
        sleep(Duration::from_secs(2)).await;
    }
    promise("the token changes as the app is used", values.len() >= 2, || {
        format!("{} of them in {LASTS:?}", values.len())
    })?;
    person.leave().await?;
    Ok(format!("{} tokens in {LASTS:?}, three tabs signed in throughout", values.len()))
}

async fn still_in(stage: &Stage, tab: &Tab) -> Result<(), Failure> {
    let who = stage.who(tab).await?;
    promise("nobody is signed out by it", who.as_deref() == Some("ada"), || format!("{who:?}"))
}

const LASTS: Duration = Duration::from_secs(190);
