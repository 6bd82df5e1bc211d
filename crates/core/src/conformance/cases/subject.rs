//! Items 11, 18 and 22: ending all sessions of a subject, or of everybody, overtakes whatever is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::conformance::bench::{Bench, Node, limited};
use crate::conformance::browser::Browser;
use crate::conformance::failure::{Verdict, ensure, ensure_is};
use crate::engine::{SignInError, SignInOptions};
use crate::id::Subject;
use crate::rules::{Amr, EndReason};
use crate::store::OverLimit;

pub(super) async fn while_sign_ins_run(bench: Bench) -> Verdict {
    bench.interleave();
    let engines = bench.both()?;
    for round in 0..4 {
        let name = format!("ada-{round}");
        let begun = Arc::new(AtomicBool::new(false));
        let work = (0..24).map(|index| {
            let (engine, name, begun) = (engines.at(index).clone(), name.clone(), Arc::clone(&begun));
            let mut browser = Browser::new(&bench);
            async move {
                if index == 12 {
                    begun.store(true, Ordering::SeqCst);
                    engine.end_subject(&Subject::new(name)?, EndReason::CredentialChanged).await?;
                    return Ok(None);
                }
                let exchange = browser.send(&engine)?;
                let attempt = exchange.begin(Subject::new(name)?).await?;
                let attempt = exchange.verified(attempt, Amr::Pwd);
                if exchange.complete(attempt, SignInOptions::default()).await.is_err() {
                    return Ok(None);
                }
                let returned_before = !begun.load(Ordering::SeqCst);
                browser.receive(&exchange.conclude().await);
                Ok(returned_before.then_some(browser))
            }
        });
        // Some more that have certainly returned before, listed and unlisted.
        let mut earlier = vec![Browser::signed_in(&bench, engines.at(0), &name).await?];
        let mut unlisted = Browser::new(&bench);
        unlisted.sign_in(engines.at(1), &name, SignInOptions::default()).await?;
        earlier.push(unlisted);
        earlier.extend(bench.together(work).await?.into_iter().flatten());
        bench.settle().await;
        for mut browser in earlier {
            browser.visit_as_nobody(engines.at(round)).await?;
        }
        let mut anew = Browser::new(&bench);
        anew.sign_in(engines.at(round), &name, SignInOptions::default()).await?;
        anew.visit_as(engines.at(round + 1), &name).await?;
    }
    Ok(())
}

pub(super) async fn end_others(bench: Bench) -> Verdict {
    let engines = bench.both()?;
    let mut ada = Browser::signed_in(&bench, engines.at(0), "ada").await?;
    let mut second = Browser::signed_in(&bench, engines.at(1), "ada").await?;
    let mut grace = Browser::signed_in(&bench, engines.at(1), "grace").await?;
    let mut unlisted = Browser::new(&bench);
    unlisted.sign_in(engines.at(0), "ada", SignInOptions::default()).await?;
    let exchange = ada.send(engines.at(0))?;
    exchange.open().await?;
    exchange.set(super::NOTE, &"kept".to_owned())?;
    exchange.end_others(EndReason::CredentialChanged).await?;
    let effects = exchange.conclude().await;
    ensure_is!(effects.denial, None, "the session that ended the others must still be able to write");
    ada.receive(&effects);
    bench.settle().await;
    for index in 0..2 {
        ada.visit_as(engines.at(index), "ada").await?;
        grace.visit_as(engines.at(index), "grace").await?;
        second.visit_as_nobody(engines.at(index)).await?;
        unlisted.visit_as_nobody(engines.at(index)).await?;
    }
    Ok(())
}

pub(super) async fn password_checked_before(bench: Bench) -> Verdict {
    let engines = bench.both()?;
    for everybody in [false, true] {
        let mut browser = Browser::new(&bench);
        let exchange = browser.send(engines.at(0))?;
        let attempt = exchange.begin(Subject::new("ada")?).await?;
        let attempt = exchange.verified(attempt, Amr::Pwd);
        if everybody {
            engines.at(1).end_all(EndReason::Admin).await?;
        } else {
            let subject = Subject::new("ada")?;
            engines.at(1).end_subject(&subject, EndReason::CredentialChanged).await?;
        }
        bench.settle().await;
        let signed_in = exchange.complete(attempt, SignInOptions::default()).await;
        ensure_is!(
            signed_in,
            Err(SignInError::SubjectMoved),
            "a sign-in whose password was checked before the sessions were ended must be refused"
        );
        browser.receive(&exchange.conclude().await);
        browser.visit_as_nobody(engines.at(1)).await?;
    }
    Ok(())
}

pub(super) async fn half_done_before(bench: Bench) -> Verdict {
    let engines = bench.both()?;
    let mut browser = Browser::new(&bench);
    let first = browser.send(engines.at(0))?;
    let attempt = first.begin(Subject::new("ada")?).await?;
    first.hold(first.verified(attempt, Amr::Pwd)).await?;
    browser.receive(&first.conclude().await);
    browser.visit_as_nobody(engines.at(0)).await?;
    bench.settle().await;

    let second = browser.send(engines.at(1))?;
    let Some(attempt) = second.pending().await? else {
        ensure!(false, "a half-done sign-in was not kept");
        return Ok(());
    };
    ensure!(attempt.subject().as_str() == "ada", "a half-done sign-in became somebody else's");
    let subject = Subject::new("ada")?;
    engines.at(0).end_subject(&subject, EndReason::CredentialChanged).await?;
    bench.settle().await;
    let attempt = second.verified(attempt, Amr::Otp);
    let signed_in = second.complete(attempt, SignInOptions::default()).await;
    ensure_is!(
        signed_in,
        Err(SignInError::SubjectMoved),
        "the second factor must not complete a sign-in that a password change overtook"
    );
    Ok(())
}

pub(super) async fn half_done_beside_a_write(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut browser = Browser::new(&bench);
    super::note(&mut browser, &engine, "cart").await?;
    let (login, writing) = (browser.send(&engine)?, browser.send(&engine)?);
    login.open().await?;
    writing.set(super::NOTE, &"changed meanwhile".to_owned())?;
    writing.conclude().await;
    let attempt = login.begin(Subject::new("ada")?).await?;
    login.hold(login.verified(attempt, Amr::Pwd)).await?;
    ensure!(login.pending().await?.is_some(), "a half-done sign-in cannot be taken up in the request that kept it");
    browser.receive(&login.conclude().await);
    let second = browser.send(&engine)?;
    ensure!(second.pending().await?.is_some(), "a half-done sign-in was not kept");
    let note = second.get(super::NOTE).await?;
    ensure!(
        note.as_deref() == Some("changed meanwhile"),
        "keeping a half-done sign-in overwrote the visitor's data: {note:?}"
    );
    Ok(())
}

pub(super) async fn places_are_free(bench: Bench) -> Verdict {
    let engine = bench.engine_with(Node::A, limited(1, OverLimit::Refuse))?;
    let subject = Subject::new("ada")?;
    for round in 0..3 {
        let mut ada = Browser::new(&bench);
        let signed_in = ada.sign_in(&engine, "ada", SignInOptions::default()).await;
        signed_in.map_err(|failure| failure.during(format_args!("round {round}, after all sessions were ended")))?;
        ada.visit_as(&engine, "ada").await?;
        match round {
            0 => engine.end_all(EndReason::Admin).await?,
            _ => engine.end_subject(&subject, EndReason::Admin).await?,
        }
        bench.settle().await;
    }
    Ok(())
}

pub(super) async fn everybody(bench: Bench) -> Verdict {
    let engines = bench.both()?;
    let mut browsers = Vec::new();
    for index in 0..6 {
        let name = format!("user-{index}");
        let mut browser = Browser::signed_in(&bench, engines.at(index), &name).await?;
        for engine in [engines.at(0), engines.at(1)] {
            browser.visit_as(engine, &name).await?;
        }
        browsers.push(browser);
    }
    let mut visitor = Browser::new(&bench);
    super::note(&mut visitor, engines.at(1), "gone").await?;
    engines.at(0).end_all(EndReason::Admin).await?;
    bench.settle().await;
    for index in 0..2 {
        for browser in &mut browsers {
            browser.visit_as_nobody(engines.at(index)).await?;
        }
        let note = visitor.send(engines.at(index))?.get(super::NOTE).await?;
        ensure!(note.is_none(), "an anonymous session survived the end of all: {note:?}");
    }
    let anew = Browser::signed_in(&bench, engines.at(1), "user-0").await;
    ensure!(anew.is_ok(), "nobody can sign in after all sessions were ended");
    Ok(())
}
