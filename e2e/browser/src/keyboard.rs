//! Pages by keyboard alone: where Tab leads, whether that is seen, and what Enter does there.

use crate::devtools::DevToolsError;
use crate::tab::{Key, Landed, Tab};

/// What cannot be done by keyboard, or was not shown.
#[derive(Debug, thiserror::Error)]
pub enum KeyboardError {
    /// Something a page of ours promises, and what it did instead.
    #[error("{promise}: {seen}")]
    Broken {
        /// Which.
        promise: &'static str,
        /// What was seen.
        seen: String,
    },
    /// The browser did not do as told.
    #[error(transparent)]
    DevTools(#[from] DevToolsError),
}

/// Presses Tab until the focus is on `selector`, and sees at each stop that the focus can be seen. How often it was pressed.
pub async fn reach(tab: &Tab, selector: &str) -> Result<usize, KeyboardError> {
    for presses in 0..MOST_STOPS {
        let script = format!("document.activeElement.matches(\"{selector}\")");
        if tab.run(&script).await?.as_bool() == Some(true) {
            return Ok(presses);
        }
        tab.press(Key::Tab).await?;
        let outline = tab.read("getComputedStyle(document.activeElement).outlineStyle").await?;
        if outline == "none" {
            let seen = format!("not on {}", focused(tab).await?);
            return Err(KeyboardError::Broken { promise: "the focus can be seen", seen });
        }
    }
    Err(KeyboardError::Broken { promise: "everything can be reached by keyboard", seen: format!("{selector} cannot") })
}

/// Presses Enter, which must lead somewhere.
pub async fn enter(tab: &Tab) -> Result<Landed, KeyboardError> {
    let mark = tab.mark();
    tab.press(Key::Enter).await?;
    match tab.landed(mark).await {
        Err(DevToolsError::Patience { .. }) => {
            let seen = format!("Enter does nothing on {}", focused(tab).await?);
            Err(KeyboardError::Broken { promise: "pages work without scripts", seen })
        }
        landed => Ok(landed?),
    }
}

/// The beginning of what has the focus.
pub async fn focused(tab: &Tab) -> Result<String, DevToolsError> {
    tab.read("document.activeElement.outerHTML.slice(0, 80)").await
}

/// More than any page has.
const MOST_STOPS: usize = 40;
