//! Markup put into everything that is shown again: it stays text, even where no policy would stop it from running.

use std::{collections::BTreeSet, fmt::Write as _};

use counterfoil_browser::{form::fill, tab::Tab};

use crate::{
    verdict::{Failure, Shown, promise},
    world::Stage,
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
    let forms = every_form(&stage, &tab).await?;
    person.leave().await?;
    Ok(format!(
        "{} kinds of markup in {fields} places, and one in each field of {forms} forms, stayed text with the content policy \
         ignored",
        MARKUP.len()
    ))
}

/// Every form with a field to write in, on every page that the first one links to: also those nobody thought of here.
async fn every_form(stage: &Stage, tab: &Tab) -> Result<usize, Failure> {
    let mut sent = 0;
    stage.sign_in(tab).await?;
    let links = "[...document.links].map(link => new URL(link.href)).filter(url => url.origin === location.origin)\
                 .map(url => url.pathname)";
    let links = tab.run(links).await?;
    let links = links.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
    let paths: BTreeSet<_> = links.chain(["/step-up", "/login"]).map(str::to_owned).collect();
    for path in &paths {
        let mut form = 0;
        loop {
            tab.go(&stage.site.at(path)).await?;
            let filled = tab.read(&FILL_ONE.replace("FORM", &form.to_string())).await?;
            if filled == "sent" {
                tab.follow(&format!("document.forms[{form}].submit()")).await?;
                inert(tab, &format!("a form on {path}"), false).await?;
                sent += 1;
            } else if filled == "no more" {
                break;
            }
            form += 1;
        }
    }
    for path in &paths {
        tab.go(&stage.site.at(path)).await?;
        inert(tab, path, false).await?;
    }
    Ok(sent)
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

/// Writes markup into each field of one form that one can write in.
const FILL_ONE: &str = "(() => {
    const form = document.forms[FORM];
    if (!form) return 'no more';
    const written = [...form.elements].filter(field => field.tagName === 'TEXTAREA' || field.tagName === 'INPUT'
        && !field.hidden && !['hidden', 'checkbox', 'radio', 'submit', 'button'].includes(field.type));
    for (const field of written) field.value = '\"><img data-markup src=x onerror=markupRan=true>';
    return written.length ? 'sent' : 'nothing to write';
})()";
/// Ways out of text, of an attribute, of a script and of a title.
const MARKUP: [&str; 5] = [
    "<script data-markup>window.markupRan=true</script>",
    "<img data-markup src=x onerror=window.markupRan=true>",
    "\"><b data-markup tabindex=1 autofocus onfocus=window.markupRan=1>",
    "' autofocus data-markup onfocus='window.markupRan=true",
    "</title></textarea></style><svg data-markup onload=markupRan=true>",
];
