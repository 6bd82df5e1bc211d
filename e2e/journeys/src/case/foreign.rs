//! Another site's page: its form changes nothing here, its link leads in.

use std::sync::Arc;

use counterfoil_proxies::server::{Answer, Says, Server};

use crate::{
    verdict::{Shown, promise},
    world::{Stage, seen},
};

pub(super) async fn form_and_link(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.member("ada").await?;
    let page = format!(
        "<!doctype html><link rel=icon href=data:><form method=post action={0}/note><input name=text value=x></form>\
         <form id=out method=post action={0}/.session/logout></form><a href={0}/page>here</a>",
        stage.house.origin
    );
    let other = Server::open(Says::Answer(Answer::new(200).with("Content-Type", "text/html").saying(&page)))?;
    // By its number it is another site than any name below localhost.
    let there = format!("http://127.0.0.1:{}/", other.address.port());
    stage.app.heard();
    for form in ["form[action$=\"/note\"]", "#out"] {
        tab.go(&there).await?;
        let landed = tab.follow(&format!("document.querySelector('{form}').submit()")).await?;
        let refused = ["/.session/denied", "/.session/login"].iter().any(|page| landed.path().starts_with(page));
        promise("another site's form is refused", refused, || format!("{form}: {}", seen(&landed)))?;
    }
    let posts = stage.app.heard().iter().filter(|told| told.method == "POST").count();
    promise("and does not reach the app", posts == 0, || format!("{posts} times"))?;
    tab.go(&there).await?;
    let landed = tab.follow("document.querySelector('a').click()").await?;
    let text = tab.text().await?;
    promise("its link leads in, still signed in", landed.path() == "/page" && text.contains("You are ada"), || {
        format!("{}: {text}", seen(&landed))
    })?;
    person.leave().await?;
    Ok("two forms refused, a link followed".to_owned())
}
