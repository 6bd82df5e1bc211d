//! Item 13: forgetting is bounded, and forgets neither what lives nor what must stay dead.

use std::time::Duration;

use super::NOTE;
use crate::conformance::bench::{ABSOLUTE, Bench, IDLE, Node, REMEMBERED};
use crate::conformance::browser::Browser;
use crate::conformance::failure::{Verdict, ensure, ensure_is};
use crate::conformance::records;
use crate::engine::SignInOptions;
use crate::rules::{EndReason, Limits};
use crate::store::{Inserted, Loaded};

pub(super) async fn bounded(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let mut ids = Vec::new();
    for seed in 0..200 {
        let record = records::visitor(&bench, &*store, seed).await?;
        records::insert(&bench, &*store, &record).await?;
        ids.push(record.id);
    }
    bench.advance(ABSOLUTE + 4 * 3_600);
    let mut forgotten = 0;
    for round in 0..200 {
        let gone = store.sweep(7, bench.now()).await?;
        ensure!(gone <= 7, "a sweep of at most 7 sessions forgot {gone} in round {round}");
        forgotten += gone;
    }
    ensure!(forgotten <= 200, "of 200 sessions {forgotten} were forgotten");
    for id in ids {
        let loaded = store.load(id, bench.now(), None).await?;
        ensure_is!(
            loaded,
            Loaded::Absent,
            "hours after its end, with the store swept again and again, a session must be forgotten"
        );
    }
    Ok(())
}

pub(super) async fn keeps_the_living(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let store = bench.store(Node::A);
    let mut ada = Browser::new(&bench);
    let remember = SignInOptions { remember: true, ..SignInOptions::default() };
    ada.sign_in(&engine, "ada", remember).await?;
    store.sweep(1_000, bench.now()).await?;
    ada.visit_as(&engine, "ada").await?;
    let mut grace = Browser::signed_in(&bench, &engine, "grace").await?;
    let mut visitor = Browser::new(&bench);
    super::note(&mut visitor, &engine, "kept").await?;
    for _ in 0..ABSOLUTE / 3_500 - 1 {
        bench.advance(3_500);
        store.sweep(1_000, bench.now()).await?;
        grace.visit_as(&engine, "grace").await?;
        let kept = visitor.send(&engine)?.get(NOTE).await?;
        ensure!(kept.is_some(), "a sweep forgot an anonymous session that was in use");
    }
    for _ in 0..20 {
        bench.advance(ABSOLUTE);
        store.sweep(1_000, bench.now()).await?;
        ada.visit_as(&engine, "ada").await?;
    }
    Ok(())
}

pub(super) async fn keeps_tombstones(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let mut ended = records::member(&bench, &*store, "ada", 1).await?;
    let mut moved = records::member(&bench, &*store, "grace", 2).await?;
    for record in [&mut ended, &mut moved] {
        // Written back before this is over, it would be a session again.
        record.limits.remember_for = Some(Duration::from_secs(REMEMBERED));
        records::insert(&bench, &*store, record).await?;
    }
    store.end(ended.id, None, EndReason::SignOut, bench.now()).await?;
    store.end_subject(bench.reference("grace")?, None, EndReason::Admin, bench.now()).await?;
    for (passed, seconds) in [
        ("at once", 0),
        ("past idle", IDLE),
        ("past absolute", ABSOLUTE),
        ("near the end", REMEMBERED - ABSOLUTE - IDLE - 1),
    ] {
        bench.advance(seconds);
        for _ in 0..3 {
            store.sweep(1_000, bench.now()).await?;
        }
        for record in [&ended, &moved] {
            let back = store.insert(record.clone(), None, bench.now()).await?;
            ensure_is!(
                back,
                Inserted::Exists | Inserted::SubjectMoved,
                "{passed} and after sweeps, a record written back must be refused"
            );
            ensure!(
                !matches!(store.load(record.id, bench.now(), None).await?, Loaded::Live(_)),
                "{passed} and after sweeps, an ended session is live"
            );
        }
        let loaded = store.load(ended.id, bench.now(), None).await?;
        ensure_is!(loaded, Loaded::Ended(EndReason::SignOut), "{passed}, a sweep forgot a tombstone that is needed");
    }
    Ok(())
}

pub(super) async fn beside_everything(bench: Bench) -> Verdict {
    bench.interleave();
    let engines = bench.both()?;
    let store = bench.store(Node::A);
    for seed in 0..300 {
        let mut record = records::visitor(&bench, &*store, seed).await?;
        record.limits = Limits { idle: Duration::from_secs(1), absolute: Duration::from_secs(1), remember_for: None };
        records::insert(&bench, &*store, &record).await?;
    }
    bench.advance(4 * 3_600);
    let work = (0..40).map(|index| {
        let (bench, engine) = (bench.clone(), engines.at(index).clone());
        async move {
            if index % 3 == 0 {
                let gone = bench.store(Node::B).sweep(25, bench.now()).await?;
                ensure!(gone <= 25, "a sweep of at most 25 sessions forgot {gone}");
                return Ok(());
            }
            let name = format!("user-{index}");
            let mut browser = Browser::signed_in(&bench, &engine, &name).await?;
            super::note_beside(&browser, &engine, &name).await?;
            browser.visit_as(&engine, &name).await?;
            let note = browser.send(&engine)?.get(NOTE).await?;
            ensure!(note.as_deref() == Some(name.as_str()), "beside a sweep, {name} reads {note:?}");
            let mut copy = browser.clone();
            browser.sign_out(&engine).await?;
            copy.visit_as_nobody(&engine).await
        }
    });
    bench.together(work).await.map(drop)
}
