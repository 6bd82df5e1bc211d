//! Watching: what ends or changes is told, and what was lost is marked.

use std::pin::Pin;
use std::task::Poll;

use futures_core::Stream as _;

use crate::conformance::bench::{Bench, Node, TOUCH_STEP};
use crate::conformance::failure::{Verdict, ensure};
use crate::conformance::records;
use crate::rules::EndReason;
use crate::store::{Notice, Watch};

pub(super) async fn tells(bench: Bench) -> Verdict {
    let (store, subject) = (bench.store(Node::A), bench.reference("ada")?);
    let mut watches = [store.watch(), bench.store(Node::B).watch()];
    let record = records::member(&bench, &*store, "ada", 1).await?;
    records::insert(&bench, &*store, &record).await?;
    let old = records::visitor(&bench, &*store, 2).await?;
    records::insert(&bench, &*store, &old).await?;
    let live = records::live(&bench, &*store, record.id).await?;
    records::commit(&bench, &*store, &live, records::data(b"x")).await?;
    told(&bench, &mut watches, Notice::Changed(record.id, live.revision.next()), "a change").await?;
    let new = records::member(&bench, &*store, "ada", 3).await?;
    let at = records::live(&bench, &*store, old.id).await?.revision;
    store.replace(old.id, at, new, None, bench.now()).await?;
    told(&bench, &mut watches, Notice::Ended(old.id), "the end of a replaced session").await?;
    store.end(record.id, None, EndReason::SignOut, bench.now()).await?;
    told(&bench, &mut watches, Notice::Ended(record.id), "an end").await?;
    store.end_subject(subject, None, EndReason::Admin, bench.now()).await?;
    told(&bench, &mut watches, Notice::SubjectEnded(subject), "the end of a subject's sessions").await?;
    store.end_all(EndReason::Admin, bench.now()).await?;
    told(&bench, &mut watches, Notice::AllEnded, "the end of all").await
}

pub(super) async fn tells_who_yielded(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let limit = records::at_most(1, crate::store::OverLimit::EndOldest);
    let mut watches = [store.watch(), bench.store(Node::B).watch()];
    let first = records::provisional(&bench, &*store, "ada", 1).await?;
    store.insert(first.clone(), limit, bench.now()).await?;
    let second = records::provisional(&bench, &*store, "ada", 2).await?;
    store.insert(second, limit, bench.now()).await?;
    told(&bench, &mut watches, Notice::Ended(first.id), "a session that yielded to the limit").await
}

pub(super) async fn touches_are_quiet(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let record = records::member(&bench, &*store, "ada", 1).await?;
    records::insert(&bench, &*store, &record).await?;
    bench.settle().await;
    let mut watch = store.watch();
    for _ in 0..20 {
        bench.advance(TOUCH_STEP);
        store.load(record.id, bench.now(), Some(records::activity(&record))).await?;
    }
    bench.settle().await;
    let told = drain(&mut watch).await;
    ensure!(told.is_empty(), "mere activity is told to all nodes: {told:?}");
    Ok(())
}

pub(super) async fn marks_gaps(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let mut watch = store.watch();
    let mut ended = Vec::new();
    for seed in 0..3_000 {
        let record = records::visitor(&bench, &*store, seed).await?;
        records::insert(&bench, &*store, &record).await?;
        store.end(record.id, None, EndReason::Admin, bench.now()).await?;
        ended.push(Notice::Ended(record.id));
    }
    bench.settle().await;
    let told = drain(&mut watch).await;
    let complete = ended.iter().all(|notice| told.contains(notice));
    ensure!(
        complete || told.contains(&Notice::Gap),
        "of 3000 ends {} were told to one who had not listened, and nothing says that some are missing",
        told.len()
    );
    let record = records::visitor(&bench, &*store, 9_999).await?;
    records::insert(&bench, &*store, &record).await?;
    store.end(record.id, None, EndReason::Admin, bench.now()).await?;
    bench.settle().await;
    let told = drain(&mut watch).await;
    ensure!(told.contains(&Notice::Ended(record.id)), "after a gap nothing is told any more");
    Ok(())
}

/// Both nodes' watches must have heard.
async fn told(bench: &Bench, watches: &mut [Watch; 2], notice: Notice, what: &str) -> Verdict {
    bench.settle().await;
    for watch in watches {
        let heard = drain(watch).await;
        ensure!(heard.contains(&notice), "{what} was not told; instead: {heard:?}");
    }
    Ok(())
}

/// Whatever is there by now, but for how far it reaches: that says of nothing that it happened.
async fn drain(watch: &mut Watch) -> Vec<Notice> {
    let mut heard = Vec::new();
    std::future::poll_fn(|context| {
        while let Poll::Ready(Some(notice)) = Pin::new(&mut *watch).poll_next(context) {
            if !matches!(notice, Notice::UpTo(_)) {
                heard.push(notice);
            }
        }
        Poll::Ready(())
    })
    .await;
    heard
}
