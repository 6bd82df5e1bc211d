//! Item 3: an id that we did not issue, or that has ended, is never adopted.

use crate::testing::{Fault, Verb};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::NOTE;
use crate::conformance::bench::{Bench, Keys, Node, policy};
use crate::conformance::browser::Browser;
use crate::conformance::failure::{Verdict, ensure, ensure_is};
use crate::conformance::records;
use crate::cookie::CookieKind;
use crate::engine::SignInOptions;
use crate::rules::EndReason;
use crate::store::{Committed, Inserted, Loaded, Revision};

pub(super) async fn forged_token(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let strangers = bench.engine_with_keys(Node::A, policy(), Keys::Rotated)?;
    let mut ada = Browser::new(&bench);
    ada.sign_in(&strangers, "ada", SignInOptions::default()).await?;
    let of_another_ring = ada.cookie(&strangers, CookieKind::Session).unwrap_or_default().to_owned();
    let body = URL_SAFE_NO_PAD.encode(Bench::random(3).bytes::<70>());
    let calls = bench.probe(Node::A).calls();
    for text in [of_another_ring.as_str(), &format!("cfoil1_k1_{body}"), "ses_AAECAwQFBgcICQoLDA0ODxAR", "1"] {
        for kind in [CookieKind::Session, CookieKind::Anonymous] {
            let mut browser = Browser::new(&bench);
            browser.plant(&engine, kind, text);
            let exchange = browser.send(&engine)?;
            exchange.open().await?;
            ensure!(exchange.identity().await?.is_none(), "a forged token was admitted");
            let effects = exchange.conclude().await;
            ensure!(effects.set_cookie.is_none(), "a forged token was answered with a cookie");
        }
    }
    ensure!(bench.probe(Node::A).calls() == calls, "the store was asked about tokens that were forged");
    Ok(())
}

pub(super) async fn lost_session(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let store = bench.store(Node::A);
    let mut ada = Browser::new(&bench);
    bench.probe(Node::A).faults().on(Verb::Insert, Fault::Forgotten);
    let member = ada.sign_in(&engine, "ada", SignInOptions::default()).await?;
    let mut visitor = Browser::new(&bench);
    let visit = super::note(&mut visitor, &engine, "first").await?;
    bench.probe(Node::A).faults().heal();
    ada.visit_as_nobody(&engine).await?;
    ada.visit_as_nobody(&engine).await?;
    let reading = visitor.send(&engine)?;
    ensure_is!(reading.get(NOTE).await?, None, "a session the store has lost still has data");
    for id in [member, visit] {
        let loaded = store.load(id, bench.now(), None).await?;
        ensure_is!(loaded, Loaded::Absent, "a session the store has lost was adopted from its token");
    }
    let anew = super::note(&mut visitor, &engine, "again").await?;
    ensure!(anew != visit, "a new session took the id of a lost one");
    Ok(())
}

pub(super) async fn ended_id(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let record = records::member(&bench, &*store, "ada", 1).await?;
    records::insert(&bench, &*store, &record).await?;
    store.end(record.id, None, EndReason::SignOut, bench.now()).await?;
    for node in [Node::A, Node::B] {
        let again = bench.store(node).insert(record.clone(), None, bench.now()).await?;
        ensure_is!(again, Inserted::Exists, "an insert under an ended id must find it taken");
        let loaded = bench.store(node).load(record.id, bench.now(), None).await?;
        ensure_is!(loaded, Loaded::Ended(EndReason::SignOut), "the session must stay ended");
    }
    let change = store.commit(record.id, Revision(0), records::data(b"x"), bench.now()).await?;
    ensure_is!(change, Committed::Gone(Some(EndReason::SignOut)), "a commit on an ended session must say why it ended");
    let loaded = store.load(record.id, bench.now(), None).await?;
    ensure_is!(loaded, Loaded::Ended(_), "a commit must not revive");
    Ok(())
}

pub(super) async fn insert_never_overwrites(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let record = records::member(&bench, &*store, "ada", 1).await?;
    records::insert(&bench, &*store, &record).await?;
    let mut other = records::member(&bench, &*store, "ada", 2).await?;
    other.id = record.id;
    let inserted = store.insert(other, None, bench.now()).await?;
    ensure_is!(inserted, Inserted::Exists, "an insert under a live id must find it taken");
    let live = records::live(&bench, &*store, record.id).await?;
    ensure!(*live.record == record, "an insert changed the session that was there");
    Ok(())
}

pub(super) async fn commit_never_creates(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let record = records::member(&bench, &*store, "ada", 1).await?;
    let change = store.commit(record.id, Revision(0), records::data(b"x"), bench.now()).await?;
    ensure_is!(change, Committed::Gone(None), "a commit on an id nobody inserted must find nothing");
    let touched = store.load(record.id, bench.now(), Some(records::activity(&record))).await?;
    ensure_is!(touched, Loaded::Absent, "neither a commit nor a touch may create a session");
    let loaded = store.load(record.id, bench.now(), None).await?;
    ensure_is!(loaded, Loaded::Absent, "an id nobody inserted must be absent");
    Ok(())
}

pub(super) async fn written_back(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    for (seed, way) in [(1, "end"), (2, "end_subject"), (3, "end_all")] {
        let record = records::member(&bench, &*store, "ada", seed).await?;
        records::insert(&bench, &*store, &record).await?;
        let (now, reason) = (bench.now(), EndReason::Admin);
        match way {
            "end" => drop(store.end(record.id, None, reason, now).await?),
            "end_subject" => drop(store.end_subject(bench.reference("ada")?, None, reason, now).await?),
            _ => drop(store.end_all(reason, now).await?),
        }
        bench.settle().await;
        let back = bench.store(Node::B).insert(record.clone(), None, now).await?;
        ensure_is!(
            back,
            Inserted::Exists | Inserted::SubjectMoved,
            "after {way}, a record written back by a node that had kept it must be refused"
        );
        for node in [Node::A, Node::B] {
            let loaded = bench.store(node).load(record.id, now, None).await?;
            ensure_is!(loaded, Loaded::Ended(_), "after {way}, a record written back must stay ended");
        }
    }
    Ok(())
}
