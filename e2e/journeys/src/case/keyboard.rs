//! The whole way by keyboard alone, with scripts switched off.

use std::sync::Arc;

use counterfoil_browser::{
    keyboard::{enter, focused, reach},
    tab::Key,
};

use crate::{
    verdict::{Shown, promise},
    world::{COOKIE, Stage, seen},
};

/// Signs in, names the device and signs out with Tab, Enter and letters.
pub(super) async fn without_scripts(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.stranger().await?;
    tab.without_scripts().await?;
    tab.go(&stage.at("/page")).await?;
    let mut presses = 0;
    tab.press(Key::Tab).await?;
    let first = focused(&tab).await?;
    promise("the first stop skips to the content", first.contains("#content"), || format!("it is {first}"))?;
    presses += reach(&tab, "#username").await?;
    tab.type_text("ada").await?;
    presses += reach(&tab, "#password").await?;
    tab.type_text(stage.house.password("ada")).await?;
    let landed = enter(&tab).await?;
    promise("one signs in by keyboard alone", landed.path() == "/page", || seen(&landed))?;

    presses += reach(&tab, "a[href='/.session/devices']").await?;
    enter(&tab).await?;
    presses += reach(&tab, "summary").await?;
    tab.press(Key::Enter).await?;
    presses += reach(&tab, "input[name=label]").await?;
    tab.type_text("by hand ").await?;
    enter(&tab).await?;
    let text = tab.text().await?;
    promise("one names a device by keyboard alone", text.contains("by hand"), || text.clone())?;
    presses += reach(&tab, "form[action='/.session/logout'] button").await?;
    enter(&tab).await?;
    let left = person.cookie(COOKIE).await?;
    promise("one signs out by keyboard alone", left.is_none(), || "the cookie is still there".to_owned())?;
    person.leave().await?;
    Ok(format!("signed in, named a device and signed out without scripts, with Tab pressed {presses} times"))
}
