//! What one's password is asked for once more: sensitive pages, and another password.

use std::sync::Arc;

use counterfoil_browser::form::fill;

use super::devices::{expect_in, expect_out};
use crate::{
    verdict::{Shown, promise},
    world::{Stage, credentials, seen},
};

/// A page that wants a step-up leads there and back; a wrong password does not.
pub(super) async fn step_up(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.member("ada").await?;
    stage.app.heard();
    let wanted = "/admin/users?page=3";
    let landed = tab.go(&stage.at(wanted)).await?;
    promise("a sensitive page wants a step-up", landed.path().starts_with("/.session/step-up?next="), || {
        seen(&landed)
    })?;
    promise("and the app hears nothing of it", stage.app.heard().is_empty(), || "it was asked".to_owned())?;
    let landed = tab.follow(&fill("/.session/step-up", &[("password", "certainly not the password")])).await?;
    promise("a wrong password is no step-up", landed.path().starts_with("/.session/step-up"), || seen(&landed))?;
    let back = tab.go(&stage.at(wanted)).await?;
    promise("a wrong password is no step-up", back.path().starts_with("/.session/step-up"), || seen(&back))?;
    let password = stage.house.password("ada");
    let landed = tab.follow(&fill("/.session/step-up", &[("password", password)])).await?;
    promise("one comes to where one wanted to go", landed.path() == wanted && landed.status == 200, || seen(&landed))?;
    let text = tab.text().await?;
    promise("the app sees who it is", text.contains("You are ada"), || text.clone())?;
    let (_, other) = stage.member("ada").await?;
    let landed = other.go(&stage.at(wanted)).await?;
    promise("a step-up is for one session", landed.path().starts_with("/.session/step-up"), || seen(&landed))?;
    person.leave().await?;
    Ok(format!("to {wanted} by way of the step-up page"))
}

/// Another password: every other session is over, this one goes on, and the old password is worth nothing.
pub(super) async fn password(stage: Arc<Stage>) -> Shown {
    let (_, other) = stage.member("ada").await?;
    let (person, tab) = stage.member("ada").await?;
    let (old, new) = (stage.house.password("ada"), "a new one for this test run");
    tab.go(&stage.at("/.session/password")).await?;
    let landed = tab.follow(&fill("/.session/password", &[("current", old), ("new", new)])).await?;
    promise("a password can be changed", landed.status == 200, || seen(&landed))?;
    expect_out(&stage, &other).await?;
    expect_in(&stage, &tab).await?;
    let landed = other.follow(&credentials("ada", old)).await?;
    promise("the old password is worth nothing", landed.path().starts_with("/.session/login"), || seen(&landed))?;
    let landed = other.follow(&credentials("ada", new)).await?;
    promise("the new one signs in", landed.path() == "/page", || seen(&landed))?;
    Ok("the other browser is out, the old password worth nothing".to_owned())
}
