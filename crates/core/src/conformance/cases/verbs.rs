//! The verbs that change and find sessions: what each does, and what it must not do.

use std::sync::Arc;

use crate::conformance::bench::{Bench, Node, TOUCH_STEP};
use crate::conformance::failure::{Verdict, ensure, ensure_is};
use crate::conformance::records;
use crate::record::{Change, Holder, Reference};
use crate::rules::EndReason;
use crate::store::{Committed, Loaded, Page, Revision};

pub(super) async fn every_change(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let mut record = records::provisional(&bench, &*store, "ada", 1).await?;
    if let Holder::Member(member) = &mut record.holder {
        Arc::make_mut(member).references = vec![Reference { kind: "oidc.sid".into(), value: "b1946ac9".into() }];
    }
    records::insert(&bench, &*store, &record).await?;
    let mut expected = record.clone();
    for change in records::changes(&bench) {
        let live = records::live(&bench, &*store, record.id).await?;
        let revision = records::commit(&bench, &*store, &live, change.clone()).await?;
        expected = expected.with(&change);
        for node in [Node::A, Node::B] {
            bench.settle().await;
            let read = records::live(&bench, &*bench.store(node), record.id).await?;
            ensure!(*read.record == expected, "a record does not read back as it was changed: {change:?}");
            ensure!(read.revision == revision, "a commit answered another revision than is stored");
        }
        ensure!(revision != live.revision, "a change did not move the revision: {change:?}");
    }
    Ok(())
}

pub(super) async fn touch_alone(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let record = records::member(&bench, &*store, "ada", 1).await?;
    records::insert(&bench, &*store, &record).await?;
    let live = records::live(&bench, &*store, record.id).await?;
    bench.advance(TOUCH_STEP);
    let touch = Change { seen_at: Some(bench.now()), ..Change::default() };
    let revision = records::commit(&bench, &*store, &live, touch).await?;
    let touched = records::live(&bench, &*store, record.id).await?;
    ensure!(
        revision == live.revision && touched.revision == live.revision,
        "a change of the last activity alone moved the revision"
    );
    ensure!(touched.seen_at == bench.now(), "a change of the last activity was not stored");
    let back = Change { seen_at: Some(record.created_at), ..Change::default() };
    records::commit(&bench, &*store, &touched, back).await?;
    let after = records::live(&bench, &*store, record.id).await?;
    ensure!(after.seen_at == bench.now(), "the last activity went back in time");
    let stale = store.commit(record.id, Revision(u64::MAX), Change::default(), bench.now()).await?;
    ensure_is!(stale, Committed::Conflict(_), "even a change of nothing must expect the current revision");
    Ok(())
}

pub(super) async fn list(bench: Bench) -> Verdict {
    let (store, subject) = (bench.store(Node::A), bench.reference("ada")?);
    let mut ids = Vec::new();
    for seed in 0..5 {
        let record = records::member(&bench, &*store, "ada", seed).await?;
        records::insert(&bench, &*store, &record).await?;
        ids.insert(0, record.id);
        bench.advance(1);
    }
    for record in
        [records::provisional(&bench, &*store, "ada", 10).await?, records::member(&bench, &*store, "grace", 11).await?]
    {
        records::insert(&bench, &*store, &record).await?;
    }
    if let Some(ended) = ids.pop() {
        store.end(ended, None, EndReason::SignOut, bench.now()).await?;
    }
    bench.settle().await;
    for (skip, take) in [(0, 100), (0, 2), (2, 2), (4, 9)] {
        let listed = bench.store(Node::B).list(subject, Page { skip, take }, bench.now()).await?;
        let listed: Vec<_> = listed.into_iter().map(|summary| summary.id).collect();
        let expected: Vec<_> = ids.iter().copied().skip(skip).take(take).collect();
        ensure!(
            listed == expected,
            "a list that leaves out {skip} and takes {take} is {listed:?} instead of {expected:?}"
        );
    }
    Ok(())
}

pub(super) async fn resolve(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let mut ids = Vec::new();
    for (seed, value) in [(1, "one"), (2, "one"), (3, "two")] {
        let mut record = records::member(&bench, &*store, "ada", seed).await?;
        if let Holder::Member(member) = &mut record.holder {
            let (kind, value) = ("oidc.sid".into(), value.into());
            Arc::make_mut(member).references = vec![Reference { kind, value }];
        }
        records::insert(&bench, &*store, &record).await?;
        ids.push(record.id);
    }
    ids.truncate(2);
    ids.sort();
    bench.settle().await;
    let mut found = bench.store(Node::B).resolve("oidc.sid", "one").await?;
    found.sort();
    ensure!(found == ids, "a name that two sessions have elsewhere finds {found:?} instead of {ids:?}");
    for (kind, value) in [("oidc.sid", "three"), ("saml", "one")] {
        let found = store.resolve(kind, value).await?;
        ensure!(found.is_empty(), "a name nobody has finds {found:?}");
    }
    for id in &ids {
        store.end(*id, None, EndReason::SignOut, bench.now()).await?;
    }
    for id in store.resolve("oidc.sid", "one").await? {
        let loaded = store.load(id, bench.now(), None).await?;
        ensure!(!matches!(loaded, Loaded::Live(_)), "a name finds a live session after all of them have ended");
    }
    Ok(())
}

pub(super) async fn peek(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let record = records::member(&bench, &*store, "ada", 1).await?;
    let unknown = records::visitor(&bench, &*store, 2).await?;
    bench.store(Node::B).load(record.id, bench.now(), None).await?;
    records::insert(&bench, &*store, &record).await?;
    for step in ["inserted", "changed", "ended"] {
        match step {
            "changed" => {
                let live = records::live(&bench, &*store, record.id).await?;
                records::commit(&bench, &*store, &live, records::data(b"x")).await?;
            }
            "ended" => drop(store.end(record.id, None, EndReason::SignOut, bench.now()).await?),
            _ => {}
        }
        bench.settle().await;
        for (node, id) in [Node::A, Node::B].into_iter().flat_map(|node| [(node, record.id), (node, unknown.id)]) {
            let peeked = bench.store(node).peek(id, bench.now(), None);
            let loaded = bench.store(node).load(id, bench.now(), None).await?;
            let agree = match (&peeked, &loaded) {
                (None, _) | (Some(Loaded::Ended(_)), Loaded::Ended(_)) | (Some(Loaded::Absent), Loaded::Absent) => true,
                (Some(Loaded::Live(one)), Loaded::Live(other)) => one.revision == other.revision,
                _ => false,
            };
            ensure!(agree, "once a session was {step}, a peek answers {peeked:?} and a load {loaded:?}");
        }
    }
    Ok(())
}
