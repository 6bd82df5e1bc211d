//! Item 10: strangers cost nothing.

use crate::testing::{Fault, Verb};
use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{NOTE, Tally};
use crate::conformance::bench::{Bench, Node};
use crate::conformance::browser::Browser;
use crate::conformance::failure::{Verdict, ensure, ensure_is};
use crate::cookie::CookieKind;
use crate::event::EventKind;
use crate::id::{SessionId, Subject};
use crate::store::{Loaded, Page};
use crate::token::TokenKind;

pub(super) async fn thousand_requests(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let probe = bench.probe(Node::A);
    let mut random = Bench::random(5);
    for index in 0..1_000 {
        let mut stranger = Browser::new(&bench);
        if index % 2 == 0 {
            let body = URL_SAFE_NO_PAD.encode(random.bytes::<70>());
            stranger.plant(&engine, CookieKind::Session, &format!("cfoil1_k1_{body}"));
        }
        let exchange = stranger.send(&engine)?;
        exchange.open().await?;
        exchange.get(NOTE).await?;
        let effects = exchange.conclude().await;
        ensure!(effects.set_cookie.is_none(), "stranger {index} was given a cookie");
    }
    ensure!(probe.calls() == 0, "the store was asked {} times for strangers", probe.calls());
    Ok(())
}

pub(super) async fn two_first_writes(bench: Bench) -> Verdict {
    bench.interleave();
    let engine = bench.engine(Node::A)?;
    for _ in 0..20 {
        let mut stranger = Browser::new(&bench);
        let exchange = Arc::new(stranger.send(&engine)?);
        let work = (0..4).map(|_| {
            let exchange = Arc::clone(&exchange);
            async move { Ok(exchange.update(|tally: &mut Tally| tally.count += 1).await?) }
        });
        bench.together(work).await?;
        stranger.receive(&exchange.conclude().await);
        let count = stranger.send(&engine)?.read::<Tally>().await?.count;
        ensure!(count == 4, "of a stranger's 4 first writes in one request {count} are stored");
    }
    let created = bench.count(|kind| matches!(kind, EventKind::SessionCreated { .. }));
    let ended = bench.count(|kind| matches!(kind, EventKind::SessionEnded { .. }));
    ensure!(
        created - ended == 20,
        "20 requests of strangers left {} sessions behind, most without a cookie",
        created - ended
    );
    Ok(())
}

pub(super) async fn thousand_wrong_passwords(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let store = bench.store(Node::A);
    for index in 0..1_000 {
        let exchange = Browser::new(&bench).send(&engine)?;
        let attempt = exchange.begin(Subject::new(format!("nobody-{}", index % 10))?).await?;
        drop(attempt);
        let effects = exchange.conclude().await;
        ensure!(effects.set_cookie.is_none(), "a wrong password was answered with a cookie");
    }
    ensure!(bench.probe(Node::A).writes() == 0, "wrong passwords wrote to the store");
    for index in 0..10 {
        let subject = bench.reference(&format!("nobody-{index}"))?;
        let listed = store.list(subject, Page::FIRST, bench.now()).await?;
        ensure!(listed.is_empty(), "a wrong password left a session behind");
    }
    Ok(())
}

pub(super) async fn thousand_dead_visits(bench: Bench) -> Verdict {
    let engine = bench.engine(Node::A)?;
    let (store, probe) = (bench.store(Node::A), bench.probe(Node::A));
    probe.faults().on(Verb::Insert, Fault::Forgotten);
    let mut visitors: Vec<(Browser, SessionId)> = Vec::new();
    for _ in 0..100 {
        let mut visitor = Browser::new(&bench);
        super::note(&mut visitor, &engine, "gone").await?;
        let id = visitor.session(&engine, TokenKind::Visit)?;
        visitors.push((visitor, id));
    }
    probe.faults().heal();
    let writes = probe.writes();
    for _ in 0..10 {
        for (visitor, _) in &visitors {
            let exchange = visitor.send(&engine)?;
            exchange.open().await?;
            ensure_is!(exchange.get(NOTE).await?, None, "a session that is gone still has data");
            ensure!(
                exchange.conclude().await.set_cookie.is_none(),
                "the cookie of a session that is gone was replaced or cleared"
            );
        }
    }
    ensure!(probe.writes() == writes, "reading with a dead cookie wrote to the store");
    for (_, id) in visitors {
        let loaded = store.load(id, bench.now(), None).await?;
        ensure_is!(loaded, Loaded::Absent, "reading with a dead cookie made a record");
    }
    Ok(())
}
