//! Items 2, 16 and 17: what one node does, the other one knows.

use super::NOTE;
use crate::conformance::bench::{Bench, IDLE, Node, ROTATE, TOUCH_STEP};
use crate::conformance::browser::{Browser, carries_live_cookie};
use crate::conformance::failure::{Verdict, ensure, ensure_is};
use crate::conformance::records;
use crate::cookie::CookieKind;
use crate::event::EventKind;
use crate::rules::Assurance;
use crate::seam::Denial;
use crate::testing::{Fault, Verb};
use crate::token::TokenKind;

pub(super) async fn warm_cache(bench: Bench) -> Verdict {
    let (a, b) = (bench.engine(Node::A)?, bench.engine(Node::B)?);
    let mut ada = Browser::signed_in(&bench, &a, "ada").await?;
    ada.visit_as(&b, "ada").await?;
    let slow = ada.send(&b)?;
    slow.open().await?;
    slow.set(NOTE, &"late".to_owned())?;
    let mut copy = ada.clone();
    ada.sign_out(&a).await?;
    bench.settle().await;
    copy.visit_as_nobody(&b).await?;
    let effects = slow.conclude().await;
    ensure_is!(effects.denial, Some(Denial::Ended), "the second node must refuse a late write");
    ensure!(!carries_live_cookie(&effects), "the second node sent a live cookie after sign-out");
    copy.visit_as_nobody(&b).await
}

pub(super) async fn filled_during_sign_out(bench: Bench) -> Verdict {
    bench.interleave();
    for round in 0..24 {
        let (a, b) = (bench.engine(Node::A)?, bench.engine(Node::B)?);
        let ada = Browser::signed_in(&bench, &a, "ada").await?;
        let work = (0..5).map(|index| {
            let (mut browser, a, b) = (ada.clone(), a.clone(), b.clone());
            async move {
                match index {
                    2 => browser.sign_out(&a).await,
                    _ => browser.visit(&b).await.map(drop),
                }
            }
        });
        bench.together(work).await?;
        bench.settle().await;
        let found = ada.clone().visit(&b).await?;
        ensure!(found.is_none(), "round {round}: a cache filled during the sign-out still admits the session");
    }
    Ok(())
}

pub(super) async fn write_is_read(bench: Bench) -> Verdict {
    let (a, b) = (bench.engine(Node::A)?, bench.engine(Node::B)?);
    let mut ada = Browser::signed_in(&bench, &a, "ada").await?;
    for text in ["one", "two", "three"] {
        ada.visit_as(&b, "ada").await?;
        let writing = ada.send(&a)?;
        writing.open().await?;
        writing.set(NOTE, &text.to_owned())?;
        ada.receive(&writing.conclude().await);
        bench.settle().await;
        let reading = ada.send(&b)?;
        let read = reading.get(NOTE).await?;
        ensure!(read.as_deref() == Some(text), "the second node read {read:?} after the first had written {text:?}");
        reading.conclude().await;
    }
    ada.step_up(&a).await?;
    bench.settle().await;
    let assurance = ada.visit_as(&b, "ada").await?.assurance;
    ensure!(assurance == Assurance::Elevated, "a step-up on one node is {assurance:?} on the other");
    Ok(())
}

pub(super) async fn activity_is_shared(bench: Bench) -> Verdict {
    let (a, b) = (bench.engine(Node::A)?, bench.engine(Node::B)?);
    let mut ada = Browser::signed_in(&bench, &a, "ada").await?;
    let mut visitor = Browser::new(&bench);
    super::note(&mut visitor, &a, "kept").await?;
    ada.visit_as(&b, "ada").await?;
    visitor.send(&b)?.get(NOTE).await?;
    for _ in 0..8 {
        bench.advance(IDLE / 4);
        ada.visit_as(&a, "ada").await?;
        visitor.send(&a)?.get(NOTE).await?;
    }
    ada.visit_as(&b, "ada").await?;
    let kept = visitor.send(&b)?.get(NOTE).await?;
    ensure!(
        kept.as_deref() == Some("kept"),
        "an anonymous session in use on one node is idle on the other: it holds {kept:?}"
    );
    Ok(())
}

pub(super) async fn successor_is_accepted(bench: Bench) -> Verdict {
    let (a, b) = (bench.engine(Node::A)?, bench.engine(Node::B)?);
    let mut ada = Browser::signed_in(&bench, &a, "ada").await?;
    for _ in 0..3 {
        ada.visit_as(&b, "ada").await?;
        bench.advance(ROTATE);
        let before = ada.clone();
        ada.visit_as(&a, "ada").await?;
        ensure!(
            ada.cookie(&a, CookieKind::Session) != before.cookie(&a, CookieKind::Session),
            "no successor was made though rotation was due"
        );
        // No settling here: the second node's cache may be as old as it likes.
        ada.visit_as(&b, "ada").await?;
        bench.advance(70);
        ada.visit_as(&b, "ada").await?;
        bench.advance(70);
    }
    Ok(())
}

pub(super) async fn successor_is_forgotten(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let store = bench.store(Node::A);
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    let id = ada.session(&engine, TokenKind::Session)?;
    bench.advance(ROTATE);
    let mut old = ada.clone();
    bench.probe(Node::A).faults().on(Verb::Commit, Fault::Forgotten);
    ada.visit_as(&engine, "ada").await?;
    bench.probe(Node::A).faults().heal();
    let before = records::live(&bench, &*store, id).await?;
    bench.advance(TOUCH_STEP + 1);

    let exchange = ada.send(&engine)?;
    exchange.open().await?;
    ensure!(exchange.identity().await?.is_none(), "a successor the store has forgotten was admitted");
    let effects = exchange.conclude().await;
    ensure!(effects.set_cookie.is_none(), "the cookie of a forgotten successor was replaced or cleared");
    let after = records::live(&bench, &*store, id).await?;
    ensure!(
        after.record == before.record && after.revision == before.revision && after.seen_at == before.seen_at,
        "a forgotten successor changed the session"
    );
    ensure!(
        bench.count(|kind| matches!(kind, EventKind::TokenReused { .. })) == 0,
        "a forgotten successor raised the alarm of a stolen token"
    );
    old.visit_as(&engine, "ada").await.map(drop)
}
