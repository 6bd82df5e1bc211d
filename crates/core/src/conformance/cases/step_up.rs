//! Item 21: if the reply to a step-up is lost, only the elevation is lost.

use crate::conformance::bench::{Bench, ELEVATED, GRACE, Node};
use crate::conformance::browser::Browser;
use crate::conformance::failure::{Verdict, ensure};
use crate::cookie::CookieKind;
use crate::rules::{Amr, Assurance, Trigger};

pub(super) async fn lost_reply(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    let lost = ada.send(&engine)?;
    lost.step_up(Amr::Pwd).await?;
    lost.conclude().await;
    for _ in 0..3 {
        let found = ada.visit_as(&engine, "ada").await?.assurance;
        ensure!(found == Assurance::Authenticated, "without the step-up's cookie the session is {found:?}");
        bench.advance(GRACE + 1);
    }
    ada.step_up(&engine).await?;
    let found = ada.visit_as(&engine, "ada").await?.assurance;
    ensure!(found == Assurance::Elevated, "a second step-up after a lost one makes {found:?}");
    for _ in 0..4 {
        bench.advance(GRACE);
        ada.visit_as(&engine, "ada").await?;
    }
    Ok(())
}

pub(super) async fn last_two_count(bench: Bench) -> Verdict {
    let engines = bench.both()?;
    let mut ada = Browser::signed_in(&bench, engines.at(0), "ada").await?;
    let mut first = ada.clone();
    first.step_up(engines.at(0)).await?;
    bench.advance(ELEVATED / 2);
    bench.settle().await;
    ada.step_up(engines.at(1)).await?;
    bench.settle().await;
    for browser in [&mut first, &mut ada] {
        let found = browser.visit_as(engines.at(0), "ada").await?.assurance;
        ensure!(found == Assurance::Elevated, "one of the last two step-ups makes {found:?}");
    }
    bench.advance(ELEVATED / 2);
    let found = first.visit_as(engines.at(1), "ada").await?.assurance;
    ensure!(found == Assurance::Authenticated, "a step-up was prolonged by a later one: {found:?}");
    let found = ada.visit_as(engines.at(1), "ada").await?.assurance;
    ensure!(found == Assurance::Elevated, "the later step-up ended with the earlier one: {found:?}");
    Ok(())
}

pub(super) async fn withdrawn(bench: Bench) -> Verdict {
    let engines = bench.both()?;
    let mut ada = Browser::signed_in(&bench, engines.at(0), "ada").await?;
    ada.step_up(engines.at(0)).await?;
    bench.settle().await;
    for node in 0..Bench::NODES {
        let found = ada.visit_as(engines.at(node), "ada").await?.assurance;
        ensure!(found == Assurance::Elevated, "before it was withdrawn, a step-up makes {found:?}");
    }
    let exchange = ada.send(engines.at(1))?;
    exchange.trigger(Trigger::EmailChanged).await?;
    exchange.conclude().await;
    bench.settle().await;
    for node in 0..Bench::NODES {
        let found = ada.visit_as(engines.at(node), "ada").await?.assurance;
        ensure!(found == Assurance::Authenticated, "a step-up that was withdrawn makes {found:?}");
    }
    Ok(())
}

pub(super) async fn beside_another_session(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    ada.step_up(&engine).await?;
    let elevated = ada.cookie(&engine, CookieKind::Elevated).unwrap_or_default().to_owned();
    let mut grace = Browser::signed_in(&bench, &engine, "grace").await?;
    grace.plant(&engine, CookieKind::Elevated, &elevated);
    let found = grace.visit_as(&engine, "grace").await?.assurance;
    ensure!(found == Assurance::Authenticated, "another session's step-up makes {found:?}");
    Ok(())
}
