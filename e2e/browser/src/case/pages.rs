//! How the pages look: nothing is refused by their own policy, nothing is wider than the window, and pictures are kept.

use counterfoil_browser::{devtools::Event, form::fill, tab::Tab};
use serde_json::json;

use crate::{
    verdict::{Failure, Shown, promise},
    world::Stage,
};

/// Every page, wide and narrow, light and dark, signed in and not.
pub(super) async fn all(stage: Stage) -> Shown {
    let person = stage.stranger().await?;
    let tab = person.tab().await?;
    tab.call("Log.enable", json!({})).await?;
    let mark = tab.mark();
    let mut pictures = 0;
    for path in ["/", "/login", "/counter", "/note", "/try", "/denied", "/nowhere"] {
        pictures += look(&stage, &tab, path, "stranger").await?;
    }
    stage.sign_in(&tab).await?;
    tab.go(&stage.site.at("/note")).await?;
    tab.follow(&fill("/note", &[("key", "shopping"), ("value", &"a very long word ".repeat(12))])).await?;
    for path in ["/", "/step-up", "/password", "/transfer", "/devices", "/events", "/try", "/note"] {
        pictures += look(&stage, &tab, path, "member").await?;
    }
    tab.go(&stage.site.at("/step-up")).await?;
    tab.follow(&fill("/step-up", &[("password", "ada-demo-1")])).await?;
    pictures += look(&stage, &tab, "/transfer", "elevated").await?;
    let complaints = tab.wait(mark, "the log", |events| Some(complaints(events))).await?;
    promise("pages obey their own policy", complaints.is_empty(), || complaints.join("; "))?;
    person.leave().await?;
    Ok(format!("{pictures} pictures, none wider than its window, no complaint from the browser"))
}

async fn look(stage: &Stage, tab: &Tab, path: &str, who: &str) -> Result<usize, Failure> {
    let windows = [("wide", 1280, "light"), ("narrow", 320, "dark")];
    for (window, width, scheme) in windows {
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 });
        tab.call("Emulation.setDeviceMetricsOverride", metrics).await?;
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        tab.call("Emulation.setEmulatedMedia", media).await?;
        tab.go(&stage.site.at(path)).await?;
        let beyond = tab.run("document.documentElement.scrollWidth - window.innerWidth").await?;
        promise("no page is wider than its window", beyond.as_i64().is_some_and(|beyond| beyond <= 0), || {
            format!("{path} is, by {beyond} pixels of {width}")
        })?;
        let name = if path == "/" { "home".to_owned() } else { path.trim_matches('/').replace('/', "-") };
        tab.picture(&stage.world.pictures, &format!("{name}-{who}-{window}")).await?;
    }
    Ok(windows.len())
}

/// What the browser put into its console: refused by a policy, not found, not understood.
fn complaints(events: &[Event]) -> Vec<String> {
    let entries = events.iter().filter(|event| event.name == "Log.entryAdded");
    // The documents themselves may be 401, 403 and 404.
    let entries = entries.filter(|event| event.text("/entry/source") != "network");
    entries.map(|event| event.text("/entry/text").to_owned()).collect()
}
