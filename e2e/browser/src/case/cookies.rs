//! What holds of the cookie whatever the pages do: scripts cannot touch it, plain http never carries it.

use serde_json::json;

use counterfoil_browser::form::fill;

use crate::{
    stranger::Served,
    verdict::{Shown, promise},
    world::Stage,
};

/// No script reads, replaces or removes our cookies, and no page or answer shows their values.
pub(super) async fn script_cannot_read(stage: Stage) -> Shown {
    let (person, tab) = stage.member().await?;
    tab.go(&stage.site.at("/step-up")).await?;
    tab.follow(&fill("/step-up", &[("password", "ada-demo-1")])).await?;
    let names = [stage.site.cookie("id"), stage.site.cookie("el")];
    let ours: Vec<_> = person.jar().await?.into_iter().filter(|cookie| names.contains(&cookie.name)).collect();
    promise("sign-in and step-up set their cookies", ours.len() == 2, || {
        format!("the jar has {} of them", ours.len())
    })?;

    let mut looked = 0;
    for path in ["/", "/me", "/try", "/events", "/devices", "/step-up"] {
        tab.go(&stage.site.at(path)).await?;
        let seen = tab.read(EVERYTHING_A_SCRIPT_SEES).await?;
        looked += 1;
        for cookie in &ours {
            promise("script cannot read the cookie", !seen.contains(cookie.value.reveal()), || {
                format!("at {path} a script sees the value of {}", cookie.name)
            })?;
        }
    }
    for cookie in &ours {
        for write in overwrites(&cookie.name) {
            tab.run(&write).await?;
        }
        let now = person.cookie(&cookie.name).await?.map(|cookie| cookie.value);
        promise("script cannot replace the cookie", now.as_ref() == Some(&cookie.value), || {
            format!("{} is another one after a script wrote it", cookie.name)
        })?;
    }
    promise("the session is unharmed", stage.who(&tab).await?.as_deref() == Some("ada"), || "it is over".to_owned())?;
    person.leave().await?;
    Ok(format!(
        "{} and {} unseen on {looked} pages, and unmoved by {} writes",
        names[0],
        names[1],
        overwrites("").len()
    ))
}

/// A request over plain http to the same name carries other cookies, not ours.
pub(super) async fn not_over_http(stage: Stage) -> Shown {
    let (person, tab) = stage.member().await?;
    let host = &stage.site.host;
    stage.world.stranger.put(host, "/plain", Served::page("plain").with("Set-Cookie", "control=1; Path=/"));
    let address = format!("http://{host}/plain");
    tab.go(&address).await?;
    tab.go(&address).await?;
    tab.run("fetch('/plain', { credentials: 'include' }).then(() => 0)").await?;
    let visits: Vec<_> = stage.world.stranger.visits(host).into_iter().filter(|visit| !visit.secure).collect();
    let with_control = visits.iter().filter(|visit| visit.cookie("control").is_some()).count();
    promise("the control cookie travels over http", with_control >= 2, || {
        format!("{} visits over http, {with_control} of them with the control cookie", visits.len())
    })?;
    let ours = stage.site.cookie("id");
    let carried = visits.iter().any(|visit| visit.cookie(&ours).is_some());
    promise("the cookie is not sent over http", !carried, || format!("{ours} went along over http"))?;
    promise("the session is unharmed", stage.who(&tab).await?.as_deref() == Some("ada"), || "it is over".to_owned())?;
    person.leave().await?;
    Ok(format!("{} requests over http, {with_control} with the control cookie, none with {ours}", visits.len()))
}

/// Every way to a cookie that a page's script has, and everything it can read of the site.
const EVERYTHING_A_SCRIPT_SEES: &str = "(async () => {
    const answers = await Promise.all(['/me', '/', '/try'].map(path => fetch(path, { credentials: 'include' })));
    const texts = await Promise.all(answers.map(async answer => [await answer.text(), ...answer.headers].join(' ')));
    const store = self.cookieStore ? JSON.stringify(await cookieStore.getAll()) : '';
    return [document.cookie, store, document.documentElement.outerHTML, ...texts].join('\\n');
})()";

/// Scripts that try to write a cookie over another. Each may fail with an exception of its own.
fn overwrites(name: &str) -> [String; 5] {
    let name = json!(name);
    [
        format!("document.cookie = {name} + '=planted; Path=/; Secure'"),
        format!("document.cookie = {name} + '=planted; Path=/; Secure; SameSite=Lax; Max-Age=1000'"),
        format!("document.cookie = {name} + '=; Path=/; Secure; Max-Age=0'"),
        format!("self.cookieStore && cookieStore.set({{ name: {name}, value: 'planted' }}).catch(() => 0)"),
        format!("self.cookieStore && cookieStore.delete({name}).catch(() => 0)"),
    ]
}
