//! Items 7 and 8: activity keeps a session, nothing else does, and every limit is exact.

use std::time::Duration;

use crate::conformance::bench::{ABSOLUTE, Bench, ELEVATED, IDLE, Node, REMEMBERED, TOUCH_STEP};
use crate::conformance::browser::Browser;
use crate::conformance::failure::{Verdict, ensure, ensure_is};
use crate::conformance::records;
use crate::engine::{Engine, SignInOptions};
use crate::rules::{Assurance, EndReason};
use crate::seam::Route;
use crate::store::{Activity, Loaded};
use crate::token::TokenKind;

pub(super) async fn active_reader(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    for _ in 0..ABSOLUTE / 600 - 1 {
        bench.advance(600);
        ada.visit_as(&engine, "ada").await?;
    }
    Ok(())
}

pub(super) async fn reads_do_not_write(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let store = bench.store(Node::A);
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    let id = ada.session(&engine, TokenKind::Session)?;
    let (before, writes) = (records::live(&bench, &*store, id).await?, bench.probe(Node::A).writes());
    for _ in 0..TOUCH_STEP / 20 - 1 {
        bench.advance(20);
        ada.visit_as(&engine, "ada").await?;
    }
    let read = records::live(&bench, &*store, id).await?;
    ensure!(bench.probe(Node::A).writes() == writes, "reading a session asked for a write");
    ensure!(
        read.seen_at == before.seen_at && read.revision == before.revision,
        "reading a session wrote something before the touch step had passed"
    );
    bench.advance(20);
    ada.visit_as(&engine, "ada").await?;
    let touched = records::live(&bench, &*store, id).await?;
    ensure!(touched.seen_at == bench.now(), "the touch step passed, and activity was not noted");
    ensure!(
        touched.revision == before.revision,
        "a touch moved the revision: parallel updates would conflict with readers"
    );
    Ok(())
}

pub(super) async fn only_activity_counts(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let record = records::member(&bench, &*store, "ada", 1).await?;
    let other = records::member(&bench, &*store, "ada", 2).await?;
    records::insert(&bench, &*store, &record).await?;
    bench.advance(TOUCH_STEP * 2);
    let wrong = Activity { token: records::activity(&other).token, ..records::activity(&record) };
    for (what, activity) in [("a quiet request", None), ("a token of no use", Some(wrong))] {
        for node in [Node::A, Node::B] {
            bench.store(node).load(record.id, bench.now(), activity).await?;
        }
        let live = records::live(&bench, &*store, record.id).await?;
        ensure!(live.seen_at == record.created_at, "{what} counted as activity");
    }
    Ok(())
}

pub(super) async fn idle(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    bench.advance(TOUCH_STEP - 1);
    ada.visit_as(&engine, "ada").await?;
    let grace = Browser::signed_in(&bench, &engine, "grace").await?;
    bench.advance(IDLE - TOUCH_STEP);
    quiet(&ada, &engine, Some(Assurance::Authenticated), "a second before the idle limit").await?;
    bench.advance(1);
    // Ada's last activity was within the touch step, so her limit comes early by that much and no more.
    quiet(&ada, &engine, None, "at the idle limit").await?;
    bench.advance(TOUCH_STEP - 2);
    quiet(&grace, &engine, Some(Assurance::Authenticated), "a second before the idle limit").await?;
    bench.advance(1);
    quiet(&grace, &engine, None, "at the idle limit").await?;

    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    bench.advance(TOUCH_STEP);
    ada.visit_as(&engine, "ada").await?;
    bench.advance(IDLE - 1);
    quiet(&ada, &engine, Some(Assurance::Authenticated), "a second before the postponed idle limit").await?;
    bench.advance(1);
    quiet(&ada, &engine, None, "at the postponed idle limit").await
}

pub(super) async fn absolute(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    for _ in 0..ABSOLUTE / 1_800 - 1 {
        bench.advance(1_800);
        ada.visit_as(&engine, "ada").await?;
    }
    bench.advance(1_799);
    ada.visit_as(&engine, "ada").await?;
    bench.advance(1);
    ada.visit_as_nobody(&engine).await
}

pub(super) async fn elevated(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    ada.step_up(&engine).await?;
    for (seconds, assurance) in
        [(0, Assurance::Elevated), (ELEVATED - 1, Assurance::Elevated), (1, Assurance::Authenticated)]
    {
        bench.advance(seconds);
        let found = ada.visit_as(&engine, "ada").await?.assurance;
        ensure!(found == assurance, "{seconds} s later a step-up makes {found:?} instead of {assurance:?}");
    }
    let recent = ada.send(&engine)?.require_recent(Duration::from_secs(ELEVATED)).await;
    ensure!(recent.is_err(), "a step-up that is over satisfied a route that needs one");
    Ok(())
}

pub(super) async fn remembered(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::new(&bench);
    let remember = SignInOptions { remember: true, ..SignInOptions::default() };
    ada.sign_in(&engine, "ada", remember).await?;
    ada.visit_as(&engine, "ada").await?;
    let mut grace = Browser::signed_in(&bench, &engine, "grace").await?;
    bench.advance(IDLE);
    grace.visit_as_nobody(&engine).await?;
    for seconds in [0, ABSOLUTE - IDLE, REMEMBERED - ABSOLUTE - 1] {
        bench.advance(seconds);
        let found = ada.visit_as(&engine, "ada").await?.assurance;
        ensure!(found == Assurance::Remembered, "past idle a remembered user is {found:?}");
        let signed_in = ada.send(&engine)?.require_signed_in().await;
        ensure!(signed_in.is_err(), "a remembered user passed where a sign-in is required");
    }
    bench.advance(1);
    ada.visit_as_nobody(&engine).await
}

pub(super) async fn clock_steps_back(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let start = bench.now();
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    bench.advance(1_000);
    ada.visit_as(&engine, "ada").await?;
    let touched = bench.now();
    bench.clock().set(start);
    ada.visit_as(&engine, "ada").await?;
    bench.store(Node::A).sweep(1_000, bench.now()).await?;
    ada.visit_as(&engine, "ada").await?;
    bench.clock().set(touched + Duration::from_secs(IDLE - 1));
    quiet(&ada, &engine, Some(Assurance::Authenticated), "after the clock had stepped back for a while").await?;
    bench.advance(1);
    quiet(&ada, &engine, None, "at the idle limit, after the clock had stepped back for a while").await
}

pub(super) async fn touch_never_revives(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let record = records::member(&bench, &*store, "ada", 1).await?;
    records::insert(&bench, &*store, &record).await?;
    bench.advance(IDLE);
    if let Loaded::Live(live) = store.load(record.id, bench.now(), Some(records::activity(&record))).await? {
        ensure!(live.seen_at == record.created_at, "activity at the idle limit touched the session back to life");
    }
    let again = records::member(&bench, &*store, "ada", 2).await?;
    records::insert(&bench, &*store, &again).await?;
    store.end(again.id, None, EndReason::SignOut, bench.now()).await?;
    bench.advance(TOUCH_STEP);
    for activity in [Some(records::activity(&again)), None] {
        let loaded = store.load(again.id, bench.now(), activity).await?;
        ensure_is!(loaded, Loaded::Ended(EndReason::SignOut), "activity must find an ended session ended");
    }
    let moved = records::member(&bench, &*store, "grace", 3).await?;
    records::insert(&bench, &*store, &moved).await?;
    let subject = bench.reference("grace")?;
    store.end_subject(subject, None, EndReason::Admin, bench.now()).await?;
    bench.advance(TOUCH_STEP);
    for activity in [Some(records::activity(&moved)), None] {
        let loaded = store.load(moved.id, bench.now(), activity).await?;
        ensure_is!(loaded, Loaded::Ended(EndReason::Admin), "activity must find an ended subject's session ended");
    }
    Ok(())
}

/// A request that is no activity: what it finds.
async fn quiet(browser: &Browser, engine: &Engine, expected: Option<Assurance>, when: &str) -> Verdict {
    let route = Route { quiet: true, ..Route::default() };
    let found = browser.send_to(engine, route)?.identity().await?;
    let found = found.map(|identity| identity.assurance);
    ensure!(found == expected, "{when}, the session is {found:?} instead of {expected:?}");
    Ok(())
}
