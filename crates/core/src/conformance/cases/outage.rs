//! Item 9: a store that does not answer is a 503, and afterwards everything is as it was.

use super::NOTE;
use crate::conformance::bench::{Bench, GRACE, Node, ROTATE};
use crate::conformance::browser::Browser;
use crate::conformance::failure::{Verdict, ensure, ensure_is};
use crate::engine::{Engine, SessionError, SignInError, SignInOptions};
use crate::id::Subject;
use crate::rules::{Amr, EndReason};
use crate::seam::Denial;
use crate::store::Page;
use crate::testing::{Fault, Verb};

const FAULTS: [Fault; 2] = [Fault::Before, Fault::After];

pub(super) async fn load(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    let mut visitor = Browser::new(&bench);
    super::note(&mut visitor, &engine, "kept").await?;
    for fault in FAULTS {
        bench.probe(Node::A).faults().on(Verb::Load, fault);
        for browser in [&ada, &visitor] {
            let exchange = browser.send(&engine)?;
            ensure!(exchange.open().await.is_err(), "a session was opened though the store did not answer");
            let denied = exchange.require_signed_in().await.err();
            ensure_is!(denied, Some(Denial::Unavailable), "a store that does not answer must be a 503");
            ensure_is!(
                exchange.get(NOTE).await,
                Err(SessionError::Store(_)),
                "data the store did not hand out must be an error"
            );
            exchange.set(NOTE, &"dropped".to_owned())?;
            let effects = exchange.conclude().await;
            ensure!(effects.set_cookie.is_none(), "an outage changed the browser's cookies");
            ensure_is!(effects.denial, Some(Denial::Unavailable), "a write in an outage must be a 503");
        }
        bench.probe(Node::A).faults().heal();
        ada.visit_as(&engine, "ada").await?;
        let kept = visitor.send(&engine)?.get(NOTE).await?;
        ensure!(kept.as_deref() == Some("kept"), "after the outage a visitor's data is {kept:?}");
    }
    Ok(())
}

pub(super) async fn commit(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    write(&ada, &engine, "before").await?;
    for (fault, text) in [(Fault::Before, "lost"), (Fault::After, "answer lost")] {
        bench.probe(Node::A).faults().on(Verb::Commit, fault);
        let exchange = ada.send(&engine)?;
        exchange.open().await?;
        exchange.set(NOTE, &text.to_owned())?;
        let effects = exchange.conclude().await;
        ensure_is!(effects.denial, Some(Denial::Unavailable), "a write the store did not confirm must be a 503");
        ensure!(effects.set_cookie.is_none(), "an outage changed the browser's cookies");
        let updated = ada.send(&engine)?.update(|tally: &mut super::Tally| tally.count += 1).await;
        ensure_is!(updated, Err(SessionError::Store(_)), "an update the store did not confirm must be an error");
        bench.probe(Node::A).faults().heal();
        ada.visit_as(&engine, "ada").await?;
        let found = ada.send(&engine)?.get(NOTE).await?;
        let possible = match fault {
            Fault::Before => "before",
            _ => text,
        };
        ensure!(found.as_deref() == Some(possible), "after the outage the session holds {found:?}");
        write(&ada, &engine, "before").await?;
    }
    Ok(())
}

pub(super) async fn rotation(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    for fault in FAULTS {
        bench.advance(ROTATE);
        bench.probe(Node::A).faults().on(Verb::Commit, fault);
        for _ in 0..2 {
            let exchange = ada.send(&engine)?;
            exchange.open().await?;
            let effects = exchange.conclude().await;
            ensure_is!(effects.denial, None, "a rotation that did not come about must not fail the request");
            bench.probe(Node::A).faults().heal();
        }
        for _ in 0..5 {
            ada.visit_as(&engine, "ada").await?;
            bench.advance(GRACE + 1);
        }
    }
    Ok(())
}

pub(super) async fn sign_in(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    for verb in [Verb::Epochs, Verb::Replace] {
        let mut visitor = Browser::new(&bench);
        super::note(&mut visitor, &engine, "kept").await?;
        bench.probe(Node::A).faults().on(verb, Fault::Before);
        refused_sign_in(&visitor, &engine).await?;
        bench.probe(Node::A).faults().heal();
        let kept = visitor.send(&engine)?.get(NOTE).await?;
        ensure!(kept.as_deref() == Some("kept"), "a sign-in that failed cost the visitor's data: {kept:?}");
        visitor.sign_in(&engine, "ada", SignInOptions::default()).await?;
        visitor.visit_as(&engine, "ada").await?;
    }
    for (verb, begins_with) in [(Verb::Insert, None), (Verb::Replace, Some("kept"))] {
        let mut visitor = Browser::new(&bench);
        if let Some(text) = begins_with {
            super::note(&mut visitor, &engine, text).await?;
        }
        bench.probe(Node::A).faults().on(verb, Fault::After);
        refused_sign_in(&visitor, &engine).await?;
        bench.probe(Node::A).faults().heal();
        visitor.visit_as_nobody(&engine).await?;
        visitor.sign_in(&engine, "grace", SignInOptions::default()).await?;
        visitor.visit_as(&engine, "grace").await?;
    }
    let listed = bench.store(Node::A).list(bench.reference("grace")?, Page::FIRST, bench.now()).await?;
    ensure!(listed.len() == 2, "two sign-ins of grace came through and two were lost; {} are listed", listed.len());
    Ok(())
}

pub(super) async fn sign_out(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    for fault in FAULTS {
        let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
        let mut copy = ada.clone();
        bench.probe(Node::A).faults().on(Verb::End, fault);
        let exchange = ada.send(&engine)?;
        ensure!(exchange.sign_out().await.is_err(), "a sign-out the store did not confirm was reported as done");
        let effects = exchange.conclude().await;
        ensure!(effects.set_cookie.is_none(), "a sign-out that failed took the cookie, and with it the second try");
        bench.probe(Node::A).faults().heal();
        if fault == Fault::Before {
            ada.visit_as(&engine, "ada").await?;
        }
        ada.sign_out(&engine).await?;
        copy.visit_as_nobody(&engine).await?;
    }
    Ok(())
}

pub(super) async fn step_up(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    for fault in FAULTS {
        bench.probe(Node::A).faults().on(Verb::Commit, fault);
        let exchange = ada.send(&engine)?;
        ensure!(exchange.step_up(Amr::Pwd).await.is_err(), "a step-up the store did not confirm was granted");
        ensure!(exchange.conclude().await.set_cookie.is_none(), "a step-up that failed sent a cookie");
        bench.probe(Node::A).faults().heal();
        let found = ada.visit_as(&engine, "ada").await?.elevated_at;
        ensure!(found.is_none(), "a step-up that failed counts");
    }
    ada.step_up(&engine).await?;
    ensure!(ada.visit_as(&engine, "ada").await?.elevated_at.is_some(), "after the outage a step-up does not count");
    Ok(())
}

pub(super) async fn revocation(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let (mut ada, mut other) =
        (Browser::signed_in(&bench, &engine, "ada").await?, Browser::signed_in(&bench, &engine, "ada").await?);
    let subject = Subject::new("ada")?;
    for fault in FAULTS {
        bench.probe(Node::A).faults().on(Verb::EndSubject, fault);
        let ended = engine.end_subject(&subject, EndReason::Admin).await;
        ensure!(ended.is_err(), "ending a subject was reported as done though the store did not confirm it");
        bench.probe(Node::A).faults().heal();
        if fault == Fault::Before {
            ada.visit_as(&engine, "ada").await?;
        }
    }
    engine.end_subject(&subject, EndReason::Admin).await?;
    ada.visit_as_nobody(&engine).await?;
    other.visit_as_nobody(&engine).await
}

async fn write(browser: &Browser, engine: &Engine, text: &str) -> Verdict {
    let exchange = browser.send(engine)?;
    exchange.set(NOTE, &text.to_owned())?;
    ensure_is!(exchange.conclude().await.denial, None, "a write after an outage must succeed");
    Ok(())
}

async fn refused_sign_in(browser: &Browser, engine: &Engine) -> Verdict {
    let exchange = browser.send(engine)?;
    let signed_in = match exchange.begin(Subject::new("grace")?).await {
        Ok(attempt) => {
            let attempt = exchange.verified(attempt, Amr::Pwd);
            exchange.complete(attempt, SignInOptions::default()).await.map(drop)
        }
        Err(error) => Err(error),
    };
    ensure_is!(
        signed_in,
        Err(SignInError::Session(SessionError::Store(_))),
        "a sign-in the store did not confirm must be an error of the store"
    );
    let effects = exchange.conclude().await;
    ensure!(effects.set_cookie.is_none(), "a sign-in that failed sent a cookie");
    Ok(())
}
