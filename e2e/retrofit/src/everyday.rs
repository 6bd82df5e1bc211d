//! Normal use of an application behind the gateway, step by step, in a real browser.

use std::sync::Arc;

use counterfoil_proxies::house::GATEWAY_LOG;

use crate::app::Program;
use crate::notes::Notes;
use crate::stage::{Someone, Stage};
use crate::verdict::{Failure, Shown, promise};

/// The steps, in their order.
pub(crate) const STEPS: [&str; 10] = [
    "sign in",
    "read",
    "write",
    "upload",
    "search",
    "second tab",
    "another user",
    "sign out",
    "next user, same browser",
    "nothing else was refused",
];

/// All of them; nothing more after one that failed.
pub(crate) async fn all<P: Program>(stage: &Arc<Stage>, notes: &mut Notes) -> Option<()> {
    let ada = notes.open(STEPS[0], stage.someone("ada").await)?;
    let signed_in = ada.signs_in::<P>(stage).await.map(|()| "at the gateway, then at the application".to_owned());
    notes.note(STEPS[0], signed_in)?;
    notes.note(STEPS[1], P::read(stage, &ada.tab).await)?;
    notes.note(STEPS[2], P::write(stage, &ada.tab).await)?;
    notes.note(STEPS[3], P::upload(stage, &ada.tab).await)?;
    notes.note(STEPS[4], P::search(stage, &ada.tab).await)?;
    notes.note(STEPS[5], second_tab::<P>(stage, &ada).await)?;
    let grace = notes.open(STEPS[6], stage.someone("grace").await)?;
    notes.note(STEPS[6], another::<P>(stage, &ada, &grace).await)?;
    notes.note(STEPS[7], out::<P>(stage, &ada, &grace).await)?;
    notes.note(STEPS[8], next_in_line::<P>(stage, ada).await)?;
    notes.note(STEPS[9], refused_nothing(stage))
}

async fn second_tab<P: Program>(stage: &Stage, ada: &Someone) -> Shown {
    let tab = ada.person.tab().await?;
    P::second_tab(stage, &tab).await
}

/// In a browser of her own, beside the first.
async fn another<P: Program>(stage: &Stage, ada: &Someone, grace: &Someone) -> Shown {
    grace.signs_in::<P>(stage).await?;
    let (first, second) = (P::who(stage, &ada.tab).await?, P::who(stage, &grace.tab).await?);
    let apart = P::is(ada.name, &first) && P::is(grace.name, &second) && first != second;
    promise("each sees their own", apart, || format!("{first:?} and {second:?}"))?;
    Ok("each is who they are".to_owned())
}

async fn out<P: Program>(stage: &Stage, ada: &Someone, grace: &Someone) -> Shown {
    ada.signs_out(stage).await?;
    let landed = ada.tab.go(&stage.at(P::PAGE)).await?;
    promise("who signed out is asked to sign in", landed.path().starts_with("/.session/login"), || landed.url.clone())?;
    let who = P::who(stage, &grace.tab).await?;
    promise("others stay signed in", P::is(grace.name, &who), || format!("it shows {who:?}"))?;
    Ok("of gateway and application; the other user stays".to_owned())
}

/// What pages ask for behind people's backs was let through as well, while they were signed in.
fn refused_nothing(stage: &Stage) -> Shown {
    let log = std::fs::read_to_string(stage.house.folder().join(GATEWAY_LOG))?;
    let denied: Vec<_> = log.lines().filter(|line| line.contains("a request is denied")).collect();
    let others: Vec<_> = denied.iter().filter(|line| !line.contains("nobody is signed in")).collect();
    promise("only strangers are refused in a normal day", others.is_empty(), || format!("{others:#?}"))?;
    promise("and the log says so of them", !denied.is_empty(), || log.clone())?;
    Ok(format!("{} times a stranger, nobody else", denied.len()))
}

/// Somebody else at the same machine is not taken for whoever was there before.
async fn next_in_line<P: Program>(stage: &Stage, ada: Someone) -> Shown {
    let grace = Someone { name: "grace", ..ada };
    grace.tab.go(&stage.at(P::PAGE)).await?;
    stage.pass_the_gate(&grace.tab, grace.name).await?;
    let who = P::who(stage, &grace.tab).await?;
    promise("the application knows nobody yet", who.is_empty(), || format!("it shows {who:?}"))?;
    P::sign_in(stage, &grace.tab, grace.name).await?;
    let who = P::who(stage, &grace.tab).await?;
    promise("and then the one who signed in", P::is(grace.name, &who), || format!("it shows {who:?}"))?;
    Ok::<_, Failure>("starts as nobody, then is who signs in".to_owned())
}
