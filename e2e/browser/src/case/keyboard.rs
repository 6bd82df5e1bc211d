//! The whole of the demo by keyboard alone, with scripts switched off.

use counterfoil_browser::{
    keyboard::{enter, focused, reach},
    tab::{Key, Tab},
};

use crate::{
    verdict::{Failure, Shown, promise},
    world::Stage,
};

/// Signs in, counts and signs out with Tab, Enter and letters.
pub(super) async fn without_scripts(stage: Stage) -> Shown {
    let person = stage.stranger().await?;
    let tab = person.tab().await?;
    tab.without_scripts().await?;
    tab.go(&stage.site.at("/")).await?;
    let mut presses = 0;
    tab.press(Key::Tab).await?;
    let first = focused(&tab).await?;
    promise("the first stop skips to the content", first.contains("#content"), || format!("it is {first}"))?;

    presses += reach(&tab, "a[href='/login']").await?;
    let landed = enter(&tab).await?;
    promise("pages work without scripts", landed.path() == "/login", || format!("Enter led to {}", landed.path()))?;
    presses += reach(&tab, "#username").await?;
    tab.type_text("ada").await?;
    presses += reach(&tab, "#password").await?;
    tab.type_text("ada-demo-1").await?;
    tab.picture(&stage.world.pictures, "keyboard-sign-in").await?;
    let landed = enter(&tab).await?;
    promise("one signs in by keyboard alone", landed.path() == "/", || format!("Enter led to {}", landed.path()))?;
    promise("one signs in by keyboard alone", shows(&tab, "Signed in as ada").await?, || {
        "the page says otherwise".into()
    })?;

    presses += reach(&tab, "a[href='/counter']").await?;
    enter(&tab).await?;
    presses += reach(&tab, "form[action='/counter'] button").await?;
    enter(&tab).await?;
    promise("pages work without scripts", shows(&tab, "counted to 1").await?, || "the counter did not move".into())?;
    presses += reach(&tab, "form[action='/logout'] button").await?;
    enter(&tab).await?;
    promise("one signs out by keyboard alone", !shows(&tab, "Signed in as").await?, || "still signed in".into())?;
    person.leave().await?;
    Ok(format!("signed in, counted and signed out without scripts, with Tab pressed {presses} times"))
}

async fn shows(tab: &Tab, text: &str) -> Result<bool, Failure> {
    Ok(tab.text().await?.contains(text))
}
