//! Markup put into everything that is shown again: it stays text, even where no policy would stop it from running.

use std::fmt::Write as _;

use crate::{
    tab::Tab,
    verdict::{Failure, Shown, promise},
    world::{Stage, fill},
};

/// Every field of every form, the address bar, and the name of the browser.
pub(super) async fn everywhere(stage: Stage) -> Shown {
    let person = stage.stranger().await?;
    let tab = person.tab().await?;
    // Escaping has to do it alone; what the policy catches beyond that is a case of its own.
    tab.ignore_policy().await?;
    let mut fields = 0;
    for (number, markup) in MARKUP.into_iter().enumerate() {
        let address = escaped(markup);
        tab.call_itself(&format!("Mozilla/5.0 (X11; Linux x86_64) {markup}")).await?;
        tab.go(&stage.site.at("/login")).await?;
        tab.follow(&fill("/login", &[("username", markup), ("password", markup)])).await?;
        inert(&tab, "name of a failed sign-in", true).await?;
        for path in ["/login?next=", "/denied?reason=", "/nowhere/", "/step-up?next=/"] {
            tab.go(&stage.site.at(&format!("{path}{address}"))).await?;
            inert(&tab, path, false).await?;
        }
        stage.sign_in(&tab).await?;
        for (key, value) in [(markup, "text"), (&format!("key {number}") as &str, markup)] {
            tab.go(&stage.site.at("/note")).await?;
            // The key's longest is 64 characters, for scripts as well.
            let key: String = key.chars().take(64).collect();
            tab.follow(&fill("/note", &[("key", &key), ("value", value)])).await?;
            inert(&tab, "key and text of a note", true).await?;
        }
        tab.go(&stage.site.at("/step-up")).await?;
        tab.follow(&fill("/step-up", &[("password", "ada-demo-1")])).await?;
        tab.go(&stage.site.at("/transfer")).await?;
        tab.follow(&fill("/transfer", &[("to", markup), ("amount", markup)])).await?;
        inert(&tab, "recipient and amount of a transfer", true).await?;
        tab.go(&stage.site.at("/password")).await?;
        tab.follow(&fill("/password", &[("current", markup), ("new", markup)])).await?;
        inert(&tab, "a new password", false).await?;
        for path in ["/devices", "/events", "/try", "/me", "/"] {
            tab.go(&stage.site.at(path)).await?;
            inert(&tab, path, false).await?;
        }
        tab.follow(&fill("/logout", &[])).await?;
        fields = 14;
    }
    person.leave().await?;
    Ok(format!("{} kinds of markup in {fields} places stayed text, with the content policy ignored", MARKUP.len()))
}

/// Nothing of the markup became part of the page, and nothing of it ran. Where it is `shown`, it is there as text.
async fn inert(tab: &Tab, place: &str, shown: bool) -> Result<(), Failure> {
    let ran = tab
        .run("window.markupRan === true || document.querySelector('[data-markup], [onerror], [onfocus]') !== null")
        .await?;
    promise("posted markup does not run", ran.as_bool() == Some(false), || format!("it did, by way of: {place}"))?;
    if shown {
        let html =
            tab.read("document.body.innerText + [...document.querySelectorAll('input')].map(i => i.value)").await?;
        promise("posted markup is shown as text", html.contains("markup"), || format!("it is not, at: {place}"))?;
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        // Writing to a string cannot fail.
        let _ = write!(escaped, "%{byte:02X}");
        escaped
    })
}

/// Ways out of text, of an attribute, of a script and of a title.
const MARKUP: [&str; 5] = [
    "<script data-markup>window.markupRan=true</script>",
    "<img data-markup src=x onerror=window.markupRan=true>",
    "\"><b data-markup tabindex=1 autofocus onfocus=window.markupRan=1>",
    "' autofocus data-markup onfocus='window.markupRan=true",
    "</title></textarea></style><svg data-markup onload=markupRan=true>",
];
