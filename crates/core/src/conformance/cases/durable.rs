//! What needs more than the contract: a backend that goes away (item 9), other versions of the format (15), backups (20).

use std::sync::Arc;

use crate::conformance::bench::{Bench, Node};
use crate::conformance::browser::Browser;
use crate::conformance::failure::{Failure, Verdict, ensure, ensure_is};
use crate::conformance::records;
use crate::conformance::stage::Version;
use crate::record::Holder;
use crate::rules::EndReason;
use crate::store::{Inserted, Loaded, Page, StoreError};
use crate::token::TokenKind;

pub(super) async fn previous_format(bench: Bench) -> Verdict {
    let Some(formats) = bench.stage().formats() else {
        return Ok(());
    };
    let store = bench.store(Node::A);
    let mut record = records::member(&bench, &*store, "ada", 1).await?;
    record.data = crate::data::Payload::from_bytes(b"kept");
    if let Holder::Member(member) = &mut record.holder {
        // Formats differ in whether they have a place for it.
        Arc::make_mut(member).history = None;
    }
    formats.plant(record.clone(), Version::Previous).await.map_err(|error| Failure::of(&error))?;
    for node in [Node::A, Node::B] {
        let live = records::live(&bench, &*bench.store(node), record.id).await?;
        ensure!(*live.record == record, "a record of the previous format reads back as something else");
    }
    let live = records::live(&bench, &*store, record.id).await?;
    records::commit(&bench, &*store, &live, records::data(b"new")).await?;
    bench.settle().await;
    for node in [Node::A, Node::B] {
        let live = records::live(&bench, &*bench.store(node), record.id).await?;
        ensure!(live.record.data.as_bytes() == b"new", "a record of the previous format lost its change");
    }
    store.end(record.id, None, EndReason::SignOut, bench.now()).await?;
    let ended = store.load(record.id, bench.now(), None).await;
    ensure_is!(ended, Ok(Loaded::Ended(EndReason::SignOut)), "a record of the previous format must end as any other");
    Ok(())
}

pub(super) async fn newer_format(bench: Bench) -> Verdict {
    let Some(formats) = bench.stage().formats() else {
        return Ok(());
    };
    let store = bench.store(Node::A);
    let record = records::member(&bench, &*store, "ada", 1).await?;
    formats.plant(record.clone(), Version::Newer).await.map_err(|error| Failure::of(&error))?;
    let loaded = store.load(record.id, bench.now(), Some(records::activity(&record))).await;
    ensure_is!(loaded, Err(StoreError::Corrupt { .. }), "a record of a newer format must be an error, not absence");
    let inserted = store.insert(record, None, bench.now()).await;
    ensure_is!(
        inserted,
        Ok(Inserted::Exists) | Err(StoreError::Corrupt { .. }),
        "a record of a newer format must not be overwritten"
    );
    Ok(())
}

pub(super) async fn restored_backup(bench: Bench) -> Verdict {
    let Some(backup) = bench.stage().backup() else {
        return Ok(());
    };
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    let mut grace = Browser::signed_in(&bench, &engine, "grace").await?;
    backup.back_up().await.map_err(|error| Failure::of(&error))?;
    let mut signed_out = ada.clone();
    ada.sign_out(&engine).await?;
    bench.advance(60);
    backup.restore().await.map_err(|error| Failure::of(&error))?;
    bench.settle().await;
    for node in [Node::A, Node::B] {
        let engine = bench.engine(node)?;
        signed_out.visit_as_nobody(&engine).await?;
        grace.visit_as_nobody(&engine).await?;
    }
    let mut anew = Browser::signed_in(&bench, &engine, "ada").await?;
    engine.end_all(EndReason::Admin).await?;
    bench.settle().await;
    anew.visit_as_nobody(&engine).await
}

pub(super) async fn backend_down(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let mut ada = Browser::signed_in(&bench, &engine, "ada").await?;
    let id = ada.session(&engine, TokenKind::Session)?;
    let Some(outage) = bench.stage().outage() else {
        return Ok(());
    };
    outage.begin().await.map_err(|error| Failure::of(&error))?;
    let answered = every_verb(&bench, id).await;
    let opened = ada.send(&engine)?.open().await;
    outage.end().await.map_err(|error| Failure::of(&error))?;
    bench.settle().await;
    answered?;
    ensure_is!(
        opened,
        Ok(()) | Err(StoreError::Unavailable(_) | StoreError::Timeout { .. }),
        "while the backend is away a session is open from a cache or unavailable"
    );
    ada.visit_as(&engine, "ada").await.map(drop)
}

/// While the backend is away, each verb says so.
async fn every_verb(bench: &Bench, id: crate::id::SessionId) -> Verdict {
    let (store, now, subject) = (bench.store(Node::B), bench.now(), bench.reference("ada")?);
    let revision = crate::store::Revision(0);
    let mut record = records::blank(bench, 9);
    let answers = [
        ("load", store.load(id, now, None).await.err()),
        ("insert", store.insert(record.clone(), None, now).await.err()),
        ("replace", {
            record.id = crate::id::SessionId::from_bytes([9; 18]);
            store.replace(id, revision, record, None, now).await.err()
        }),
        ("commit", store.commit(id, revision, records::data(b"x"), now).await.err()),
        ("end", store.end(id, None, EndReason::Admin, now).await.err()),
        ("epochs", store.epochs(Some(subject)).await.err()),
        ("end_subject", store.end_subject(subject, None, EndReason::Admin, now).await.err()),
        ("resolve", store.resolve("oidc.sid", "x").await.err()),
        ("list", store.list(subject, Page::FIRST, now).await.err()),
    ];
    for (verb, error) in answers {
        ensure_is!(
            error,
            Some(StoreError::Unavailable(_) | StoreError::Timeout { .. }),
            "`{verb}` must say that the backend is away"
        );
    }
    Ok(())
}
