//! Items 12 and 19: the concurrent-session limit, who counts against it, and who is remembered.

use crate::conformance::bench::{Bench, IDLE, Node, limited};
use crate::conformance::browser::Browser;
use crate::conformance::failure::{Failure, Verdict, ensure, ensure_is};
use crate::conformance::records::{self, at_most};
use crate::engine::{Engine, SignInError, SignInOptions};
use crate::id::{SessionId, Subject};
use crate::record::{Change, Record};
use crate::rules::{Amr, Assurance};
use crate::store::{Committed, Inserted, Limit, Loaded, OverLimit, Page};

pub(super) async fn parallel_end_oldest(bench: Bench) -> Verdict {
    parallel(bench, OverLimit::EndOldest).await
}

pub(super) async fn parallel_refuse(bench: Bench) -> Verdict {
    parallel(bench, OverLimit::Refuse).await
}

/// 64 sign-ins at once, each followed by a first request: exactly the limit is left.
async fn parallel(bench: Bench, over: OverLimit) -> Verdict {
    bench.interleave();
    let engines = [bench.engine_with(Node::A, limited(3, over))?, bench.engine_with(Node::B, limited(3, over))?];
    let work = engines.iter().cycle().take(64).map(|engine| {
        let (engine, mut browser) = (engine.clone(), Browser::new(&bench));
        async move {
            if signs_in(&mut browser, &engine, "ada").await? {
                browser.visit(&engine).await?;
            }
            Ok(browser)
        }
    });
    let mut browsers = bench.together(work).await?;
    bench.settle().await;
    let mut left = 0;
    for browser in &mut browsers {
        left += usize::from(browser.visit(&engines[0]).await?.is_some());
    }
    ensure!(left == 3, "after 64 parallel sign-ins under a limit of 3, {left} sessions are good");
    let listed = bench.store(Node::A).list(bench.reference("ada")?, Page::FIRST, bench.now()).await?;
    ensure!(listed.len() == 3, "of 3 sessions {} are listed", listed.len());
    Ok(())
}

async fn signs_in(browser: &mut Browser, engine: &Engine, name: &str) -> Verdict<bool> {
    let exchange = browser.send(engine)?;
    let attempt = exchange.begin(Subject::new(name)?).await?;
    let attempt = exchange.verified(attempt, Amr::Pwd);
    match exchange.complete(attempt, SignInOptions::default()).await {
        Ok(_) => {}
        Err(SignInError::OverLimit) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    browser.receive(&exchange.conclude().await);
    Ok(true)
}

pub(super) async fn one_more_ends_the_oldest(bench: Bench) -> Verdict {
    let engine = bench.engine_with(Node::A, limited(2, OverLimit::EndOldest))?;
    let mut oldest = Browser::signed_in(&bench, &engine, "ada").await?;
    bench.advance(10);
    let mut second = Browser::signed_in(&bench, &engine, "ada").await?;
    bench.advance(10);
    let mut third = Browser::new(&bench);
    third.sign_in(&engine, "ada", SignInOptions::default()).await?;
    // Its reply may be lost: nobody yields before it is used.
    oldest.visit_as(&engine, "ada").await?;
    third.visit_as(&engine, "ada").await?;
    oldest.visit_as_nobody(&engine).await?;
    second.visit_as(&engine, "ada").await?;
    let mut grace = Browser::signed_in(&bench, &engine, "grace").await?;
    grace.visit_as(&engine, "grace").await?;
    third.visit_as(&engine, "ada").await.map(drop)
}

pub(super) async fn one_more_is_refused(bench: Bench) -> Verdict {
    let engine = bench.engine_with(Node::A, limited(2, OverLimit::Refuse))?;
    let mut first = Browser::signed_in(&bench, &engine, "ada").await?;
    let mut second = Browser::signed_in(&bench, &engine, "ada").await?;
    let mut third = Browser::new(&bench);
    ensure!(!signs_in(&mut third, &engine, "ada").await?, "a third session was begun under a limit of 2");
    third.visit_as_nobody(&engine).await?;
    ensure!(
        signs_in(&mut first, &engine, "ada").await?,
        "signing in anew did not take the place of the browser's own session"
    );
    first.visit_as(&engine, "ada").await?;
    second.sign_out(&engine).await?;
    ensure!(signs_in(&mut third, &engine, "ada").await?, "a place that a sign-out had freed was not given");
    third.visit_as(&engine, "ada").await.map(drop)
}

pub(super) async fn provisional_yields_first(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let limit = at_most(2, OverLimit::EndOldest);
    let used = records::member(&bench, &*store, "ada", 1).await?;
    let yielded = insert(&bench, &used, limit).await?;
    ensure!(yielded.is_empty(), "a first session pushed out {yielded:?}");
    let mut waiting = Vec::new();
    for seed in 2..5 {
        bench.advance(1);
        let record = records::provisional(&bench, &*store, "ada", seed).await?;
        let yielded = insert(&bench, &record, limit).await?;
        let expected: Vec<_> = waiting.last().copied().into_iter().collect();
        ensure!(
            yielded == expected,
            "under a limit of 2 with one session in use, a new one pushed out {yielded:?} instead of {expected:?}"
        );
        waiting.push(record.id);
    }
    let Some((newest, earlier)) = waiting.split_last() else {
        return Ok(());
    };
    for id in earlier {
        let loaded = store.load(*id, bench.now(), None).await?;
        ensure_is!(loaded, Loaded::Ended(_), "a session that yielded must be ended");
    }
    records::live(&bench, &*store, used.id).await?;
    records::live(&bench, &*store, *newest).await.map(drop)
}

pub(super) async fn first_use_counts(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let limit = at_most(1, OverLimit::EndOldest);
    let used = records::member(&bench, &*store, "ada", 1).await?;
    insert(&bench, &used, limit).await?;
    bench.advance(1);
    let new = records::provisional(&bench, &*store, "ada", 2).await?;
    let yielded = insert(&bench, &new, limit).await?;
    ensure!(yielded.is_empty(), "a session nobody has used yet pushed out one in use");
    let listed = store.list(bench.reference("ada")?, Page::FIRST, bench.now()).await?;
    ensure!(listed.iter().map(|summary| summary.id).eq([used.id]), "a session nobody has used yet is listed");
    let live = records::live(&bench, &*store, new.id).await?;
    let first_use = Change { first_use: Some(limit), ..Change::default() };
    let committed = store.commit(new.id, live.revision, first_use, bench.now()).await?;
    ensure_is!(
        &committed,
        Committed::Done(_, yielded) if *yielded == [used.id],
        "the first use of a new session must end the oldest, and say so"
    );
    let loaded = store.load(used.id, bench.now(), None).await?;
    ensure_is!(loaded, Loaded::Ended(_), "the session that yielded must be ended");
    let listed = store.list(bench.reference("ada")?, Page::FIRST, bench.now()).await?;
    ensure!(listed.iter().map(|summary| summary.id).eq([new.id]), "a session in use is not listed");
    Ok(())
}

pub(super) async fn lost_replies(bench: Bench) -> Verdict {
    for over in [OverLimit::EndOldest, OverLimit::Refuse] {
        let engine = bench.engine_with(Node::A, limited(2, over))?;
        let name = format!("{over:?}");
        let mut used = Browser::signed_in(&bench, &engine, &name).await?;
        for _ in 0..10 {
            bench.advance(1);
            let mut lost = Browser::new(&bench);
            ensure!(
                signs_in(&mut lost, &engine, &name).await?,
                "a sign-in whose reply was lost took a place under the limit"
            );
        }
        used.visit_as(&engine, &name).await?;
        bench.advance(1);
        let mut last = Browser::new(&bench);
        ensure!(signs_in(&mut last, &engine, &name).await?, "ten lost replies locked the user out");
        last.visit_as(&engine, &name).await?;
        used.visit_as(&engine, &name).await?;
    }
    Ok(())
}

pub(super) async fn ten_tabs(bench: Bench) -> Verdict {
    bench.interleave();
    let engines = bench.both()?;
    let mut ada = Browser::new(&bench);
    let remember = SignInOptions { remember: true, ..SignInOptions::default() };
    let id = ada.sign_in(engines.at(0), "ada", remember).await?;
    ada.visit_as(engines.at(0), "ada").await?;
    bench.advance(IDLE + 100);
    let writes = bench.probe(Node::A).writes();
    let tabs = (0..10).map(|index| {
        let (mut tab, engine) = (ada.clone(), engines.at(index).clone());
        async move {
            let identity = tab.visit_as(&engine, "ada").await?;
            Ok((identity.session, identity.assurance))
        }
    });
    for (session, assurance) in bench.together(tabs).await? {
        ensure!(
            session == id && assurance == Assurance::Remembered,
            "a restored tab found {assurance:?} in {session} instead of being remembered in {id}"
        );
    }
    ensure!(bench.probe(Node::A).writes() - writes <= 10, "restoring tabs wrote more than their one successor");
    let listed = bench.store(Node::A).list(bench.reference("ada")?, Page::FIRST, bench.now()).await?;
    ensure!(
        listed.iter().map(|summary| summary.id).eq([id]),
        "after ten tabs were restored, {} sessions are listed instead of one",
        listed.len()
    );
    Ok(())
}

async fn insert(bench: &Bench, record: &Record, limit: Option<Limit>) -> Verdict<Vec<SessionId>> {
    match bench.store(Node::A).insert(record.clone(), limit, bench.now()).await? {
        Inserted::Done(yielded) => Ok(yielded),
        other => Err(Failure::new(format!("a session within the limit was not inserted: {other:?}"))),
    }
}
