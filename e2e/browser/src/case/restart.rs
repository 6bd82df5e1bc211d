//! The demo is killed and comes back on its folder: everybody is still signed in. A backup of before is put back: nobody
//! is, and the log says why.

use std::{fs, path::Path};

use counterfoil_browser::{form::fill, tab::Tab};

use crate::{
    demo::{Demo, House},
    verdict::{Failure, Shown, promise},
    world::Stage,
};

pub(super) async fn and_stays(stage: Stage) -> Shown {
    let demo = stage.world.demo(House::Lasting)?;
    let data = demo.data.as_ref().ok_or_else(|| std::io::Error::other("it keeps nothing"))?.path();
    let (stays, tab) = stage.member().await?;
    let (leaves, other) = stage.member().await?;
    demo.kill().await?;
    demo.resume().await?;
    for tab in [&tab, &other] {
        let who = stage.who(tab).await?;
        promise("a restart of the site signs nobody out", who.as_deref() == Some("ada"), || {
            format!("it left {who:?}")
        })?;
    }

    demo.kill().await?;
    let (sessions, backup) = (data.join("sessions"), data.join("backup"));
    demo.command(&[Path::new("store"), Path::new("backup"), &sessions, &backup]).await?;
    demo.resume().await?;
    other.go(&stage.site.at("/devices")).await?;
    other.follow(&fill("/logout", &[])).await?;
    signed_out(&stage, &other, "signing out ends the session").await?;

    restore(demo, &sessions, &backup).await?;
    signed_out(&stage, &other, "a restore revives nobody who signed out since").await?;
    signed_out(&stage, &tab, "a restore ends every session").await?;
    let log = demo.log()?;
    let told = log.contains("was restored; sessions made before that have ended");
    promise("the log says why nobody is signed in", told, || log)?;
    stage.sign_in(&tab).await?;
    let who = stage.who(&tab).await?;
    promise("after a restore people sign in again", who.as_deref() == Some("ada"), || format!("it left {who:?}"))?;
    stays.leave().await?;
    leaves.leave().await?;
    Ok("killed and started again, both browsers were still signed in; after a restore neither was, and the log said why".to_owned())
}

/// Puts the backup in the place of the sessions, as an operator would.
async fn restore(demo: &Demo, sessions: &Path, backup: &Path) -> Result<(), Failure> {
    demo.kill().await?;
    fs::remove_dir_all(sessions)?;
    demo.command(&[Path::new("store"), Path::new("restore"), backup, sessions]).await?;
    Ok(demo.resume().await?)
}

async fn signed_out(stage: &Stage, tab: &Tab, what: &'static str) -> Result<(), Failure> {
    let who = stage.who(tab).await?;
    promise(what, who.is_none(), || format!("{who:?} is still signed in"))
}
