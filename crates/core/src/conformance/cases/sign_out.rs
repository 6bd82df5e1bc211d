//! Item 1: whatever was under way when its user signed out, the session stays ended.

use super::NOTE;
use crate::conformance::bench::{Bench, Node, ROTATE, TOUCH_STEP};
use crate::conformance::browser::{Browser, carries_live_cookie};
use crate::conformance::failure::{Verdict, ensure, ensure_is};
use crate::conformance::records;
use crate::engine::{Engine, SessionError};
use crate::rules::EndReason;
use crate::seam::{Denial, Effects};
use crate::store::Loaded;
use crate::token::TokenKind;

pub(super) async fn slow_write(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    let (slow, slower) = (ada.send(&engine)?, ada.send(&engine)?);
    slow.open().await?;
    slower.open().await?;
    slow.set(NOTE, &"late".to_owned())?;
    let copy = ada.clone();
    ada.sign_out(&engine).await?;
    let effects = slow.conclude().await;
    ensure_is!(effects.denial, Some(Denial::Ended), "a write after sign-out must be refused");
    still_ended(&engine, copy.clone(), &effects).await?;
    let updated = slower.update(|tally: &mut super::Tally| tally.count += 1).await;
    ensure_is!(updated, Err(SessionError::Ended), "an update after sign-out must be refused");
    still_ended(&engine, copy, &slower.conclude().await).await
}

pub(super) async fn slow_read(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    let slow = ada.send(&engine)?;
    slow.open().await?;
    let copy = ada.clone();
    let id = ada.session(&engine, TokenKind::Session)?;
    ada.sign_out(&engine).await?;
    slow.get(NOTE).await?;
    still_ended(&engine, copy, &slow.conclude().await).await?;
    let loaded = bench.store(Node::A).load(id, bench.now(), None).await?;
    ensure_is!(
        loaded,
        Loaded::Ended(EndReason::SignOut),
        "a session that was signed out must be loaded as ended, with its reason"
    );
    Ok(())
}

pub(super) async fn rotation_in_flight(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    bench.advance(ROTATE);
    let offering = ada.send(&engine)?;
    offering.open().await?;
    let copy = ada.clone();
    ada.sign_out(&engine).await?;
    still_ended(&engine, copy, &offering.conclude().await).await
}

pub(super) async fn repeated_successor(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    bench.advance(ROTATE);
    let mut renewed = ada.clone();
    renewed.visit_as(&engine, "ada").await?;
    let repeating = ada.send(&engine)?;
    repeating.open().await?;
    let copy = ada.clone();
    ada.sign_out(&engine).await?;
    still_ended(&engine, copy, &repeating.conclude().await).await?;
    renewed.visit_as_nobody(&engine).await
}

pub(super) async fn touch(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    let id = ada.session(&engine, TokenKind::Session)?;
    let store = bench.store(Node::A);
    let record = records::live(&bench, &*store, id).await?.record;
    let mut copy = ada.clone();
    ada.sign_out(&engine).await?;
    bench.advance(TOUCH_STEP + 1);
    let loaded = store.load(id, bench.now(), Some(records::activity(&record))).await?;
    ensure_is!(loaded, Loaded::Ended(_), "activity on an ended session must find it ended");
    copy.visit_as_nobody(&engine).await
}

pub(super) async fn races(bench: Bench) -> Verdict {
    bench.interleave();
    for round in 0..16 {
        let engines = bench.both()?;
        let ada = Browser::signed_in(&bench, engines.at(0), "ada").await?;
        bench.advance(ROTATE);
        let work = (0..12).map(|index| one_racer(ada.clone(), engines.at(index).clone(), index));
        let browsers = bench.together(work).await?;
        bench.settle().await;
        for (index, mut browser) in browsers.into_iter().enumerate() {
            let found = browser.visit(engines.at(index)).await?;
            ensure!(found.is_none(), "round {round}: request {index} brought a signed-out session back");
        }
    }
    Ok(())
}

/// The first signs out; the others read, write and rotate meanwhile.
async fn one_racer(mut browser: Browser, engine: Engine, index: usize) -> Verdict<Browser> {
    if index == 0 {
        browser.sign_out(&engine).await?;
        return Ok(browser);
    }
    let exchange = browser.send(&engine)?;
    exchange.open().await?;
    match index % 3 {
        0 => exchange.set(NOTE, &index.to_string())?,
        1 => drop(exchange.update(|tally: &mut super::Tally| tally.count += 1).await),
        _ => drop(exchange.get(NOTE).await?),
    }
    browser.receive(&exchange.conclude().await);
    Ok(browser)
}

/// Takes a late response into a copy of the jar as it was before the sign-out, and tries it.
async fn still_ended(engine: &Engine, mut copy: Browser, late: &Effects) -> Verdict {
    ensure!(!carries_live_cookie(late), "a response after sign-out carried a cookie that could be used");
    copy.receive(late);
    copy.visit_as_nobody(engine).await
}
