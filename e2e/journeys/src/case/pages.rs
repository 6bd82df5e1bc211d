//! How our pages look behind a proxy: all their parts come, nothing is wider than its window, and pictures are kept.

use std::sync::Arc;

use counterfoil_browser::{form::fill, tab::Tab};
use serde_json::json;

use crate::{
    verdict::{Failure, Shown, promise},
    world::Stage,
};

/// Every page, wide and narrow, light and dark. What the browser complains of is seen after every case.
pub(super) async fn all(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.stranger().await?;
    let mut pictures = 0;
    for path in ["login", "logout", "denied", "nowhere"] {
        pictures += look(&stage, &tab, path, "stranger").await?;
    }
    stage.sign_in(&tab, "ada", stage.house.password("ada")).await?;
    for path in ["devices", "password", "step-up", "totp", "logout", "login"] {
        pictures += look(&stage, &tab, path, "member").await?;
    }
    tab.go(&stage.at("/.session/step-up?next=%2F.session%2Ftotp")).await?;
    tab.follow(&fill("/.session/step-up", &[("password", stage.house.password("ada"))])).await?;
    tab.follow("document.querySelector('form[action$=\"/begin\"]').submit()").await?;
    pictures += look(&stage, &tab, "totp", "offered").await?;
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
        tab.go(&stage.at(&format!("/.session/{path}"))).await?;
        let beyond = tab.run("document.documentElement.scrollWidth - window.innerWidth").await?;
        promise("no page is wider than its window", beyond.as_i64().is_some_and(|beyond| beyond <= 0), || {
            format!("{path} is, by {beyond} pixels of {width}")
        })?;
        let styled = tab.read("getComputedStyle(document.body).maxWidth").await?;
        promise("pages have their style", styled != "none", || format!("{path} has none"))?;
        tab.picture(&stage.world.pictures, &format!("{}-{path}-{who}-{window}", stage.house.kind)).await?;
    }
    Ok(windows.len())
}
