//! Items 6 and 23: no rotation signs an honest user out, and a token that was superseded is theft.

use super::NOTE;
use crate::conformance::bench::{Bench, GRACE, Keys, Node, ROTATE, policy};
use crate::conformance::browser::{Browser, carries_live_cookie};
use crate::conformance::failure::{Verdict, ensure, ensure_is};
use crate::cookie::CookieKind;
use crate::event::EventKind;
use crate::rules::EndReason;
use crate::seam::Denial;
use crate::store::Loaded;
use crate::token::TokenKind;

pub(super) async fn failed_handler(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    let writing = ada.send(&engine)?;
    writing.set(NOTE, &"kept".to_owned())?;
    ada.receive(&writing.conclude().await);
    bench.advance(ROTATE);
    let abandoned = ada.send(&engine)?;
    abandoned.open().await?;
    drop(abandoned);

    let mut offered = Vec::new();
    for _ in 0..3 {
        let failing = ada.send(&engine)?;
        failing.open().await?;
        let effects = failing.conclude().await;
        let Some(cookie) = &effects.set_cookie else {
            ensure!(false, "rotation is due, and a response carried no successor");
            continue;
        };
        offered.extend(cookie.as_str().split(';').next().map(str::to_owned));
        bench.advance(100);
    }
    ensure!(
        offered.iter().all(|token| offered.first() == Some(token)),
        "a token was given a second successor after its first one was lost"
    );
    let kept = ada.send(&engine)?.get(NOTE).await?;
    ensure!(kept.as_deref() == Some("kept"), "data was lost with a rotation: {kept:?}");
    ada.visit_as(&engine, "ada").await?;
    ada.visit_as(&engine, "ada").await.map(drop)
}

pub(super) async fn parallel_tabs(bench: Bench) -> Verdict {
    bench.interleave();
    let engines = bench.both()?;
    let mut ada = Browser::signed_in(&bench, engines.at(0), "ada").await?;
    for round in 0..12 {
        bench.advance(ROTATE);
        let work = (0..8).map(|index| {
            let (mut tab, engine) = (ada.clone(), engines.at(index).clone());
            async move {
                tab.visit_as(&engine, "ada").await?;
                Ok(tab)
            }
        });
        let tabs = bench.together(work).await?;
        // Of all their responses, one arrives last.
        if let Some(last) = tabs.into_iter().nth(round % 8) {
            ada = last;
        }
        for _ in 0..3 {
            bench.advance(GRACE);
            ada.visit_as(engines.at(round), "ada").await?;
        }
    }
    Ok(())
}

pub(super) async fn stolen_token(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    let id = ada.session(&engine, TokenKind::Session)?;
    bench.advance(ROTATE);
    let mut thief = ada.clone().moved_to(7);
    for _ in 0..4 {
        ada.visit_as(&engine, "ada").await?;
        bench.advance(GRACE + 1);
    }
    thief.visit_as_nobody(&engine).await?;
    ensure!(
        bench.count(|kind| matches!(kind, EventKind::TokenReused { ended: true })) == 1,
        "a superseded token came back, and no theft was told"
    );
    let loaded = bench.store(Node::A).load(id, bench.now(), None).await?;
    ensure_is!(loaded, Loaded::Ended(EndReason::Reuse), "the session of a stolen token must be ended");
    ada.visit_as_nobody(&engine).await
}

pub(super) async fn key_rotated_mid_link(bench: Bench) -> Verdict {
    let before = bench.engine_with_keys(Node::A, policy(), Keys::Introduced)?;
    let after = bench.engine_with_keys(Node::B, policy(), Keys::Rotated)?;
    let mut ada = Browser::signed_in(&bench, &before, "ada").await?;
    bench.advance(ROTATE);
    let lost = ada.send(&before)?;
    lost.open().await?;
    ensure!(lost.conclude().await.set_cookie.is_some(), "rotation is due, and no successor was made");
    bench.advance(30);
    let old = ada.cookie(&before, CookieKind::Session).map(str::to_owned);
    ada.visit_as(&after, "ada").await?;
    ensure!(
        ada.cookie(&after, CookieKind::Session) != old.as_deref(),
        "a successor derived with the previous key was not given again under the new one"
    );
    for engine in [&before, &after, &after] {
        ada.visit_as(engine, "ada").await?;
        bench.advance(GRACE + 1);
    }
    bench.advance(ROTATE);
    for _ in 0..4 {
        ada.visit_as(&after, "ada").await?;
        bench.advance(GRACE + 1);
    }
    Ok(())
}

pub(super) async fn late_anonymous_response(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::new(&bench);
    let first = ada.send(&engine)?;
    first.set(NOTE, &"before there was a session".to_owned())?;
    let visit = super::note(&mut ada, &engine, "draft").await?;
    let slow = ada.send(&engine)?;
    slow.open().await?;
    slow.set(NOTE, &"late".to_owned())?;
    ada.sign_in(&engine, "ada", crate::engine::SignInOptions::default()).await?;
    ada.receive(&first.conclude().await);
    ada.visit_as(&engine, "ada").await?;
    let effects = slow.conclude().await;
    ensure_is!(effects.denial, Some(Denial::Ended), "the replaced session must take no late write");
    ensure!(!carries_live_cookie(&effects), "a late anonymous response carried a cookie");
    ada.receive(&effects);
    ada.visit_as(&engine, "ada").await?;
    let loaded = bench.store(Node::A).load(visit, bench.now(), None).await?;
    ensure_is!(loaded, Loaded::Ended(EndReason::Superseded), "signing in must end the anonymous session");
    Ok(())
}

pub(super) async fn crash(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    for idle in [20, GRACE * 3] {
        bench.advance(ROTATE);
        let on_disk = ada.clone();
        ada.visit_as(&engine, "ada").await?;
        ada.visit_as(&engine, "ada").await?;
        bench.advance(idle);
        ada = on_disk;
        for _ in 0..4 {
            ada.visit_as(&engine, "ada").await?;
            bench.advance(GRACE + 1);
        }
    }
    ensure!(
        bench.count(|kind| matches!(kind, EventKind::TokenRolledBack)) > 0,
        "a jar rolled back by a crash was not told"
    );
    Ok(())
}
