//! What nodes tell each other: what is missing is said, and up to when everything was told.

use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Epoch, Inserted, Limit, Loaded, Notice, OverLimit, Replaced, Revision, Store, StoreError, Watch,
};
use counterfoil_core::{Change, Clock as _, FakeClock, Holder, Member, Record};
use counterfoil_servers::Redis;
use futures_util::StreamExt as _;

use super::records::{ADA, NOW, member, settings, store, visitor};
use super::stage::sealer;
use crate::redis::RedisStore;
use crate::redis::fact::Fact;
use crate::redis::line::Line;

/// The next notice that says more than that all is well.
async fn next(watch: &mut Watch) -> Notice {
    loop {
        match watch.next().await.unwrap() {
            Notice::UpTo(_) => {}
            notice => return notice,
        }
    }
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn what_happens_while_nobody_answers_is_a_gap_and_what_follows_is_told() {
    let mut server = Redis::start().await.unwrap();
    let store = store(&server, settings()).await;
    let mut watch = store.watch();
    store.insert(visitor(1), None, NOW).await.unwrap();
    store.end(visitor(1).id, None, EndReason::SignOut, NOW).await.unwrap();
    assert_eq!(next(&mut watch).await, Notice::Ended(visitor(1).id));
    server.stop().await.unwrap();
    server.start_again().await.unwrap();
    assert_eq!(next(&mut watch).await, Notice::Gap);
    while store.end_all(EndReason::Admin, NOW).await.is_err() {}
    assert_eq!(next(&mut watch).await, Notice::AllEnded);
}

/// Somebody tells something else under the number that follows, or not.
async fn tell(line: &mut Line, last: u64, number: u64, what: &[u8]) {
    let message = [&[7][..], &last.to_be_bytes(), &number.to_be_bytes(), what].concat();
    redis::cmd("SET").arg("counterfoil:n:{07}").arg(number).query_async::<()>(line).await.unwrap();
    redis::cmd("PUBLISH").arg("counterfoil:rev").arg(message).query_async::<()>(line).await.unwrap();
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn what_does_not_follow_is_a_gap_and_so_is_what_nobody_knows_or_never_came() {
    let server = Redis::start().await.unwrap();
    let store = store(&server, settings()).await;
    let mut watch = store.watch();
    let mut line = store.link.line().await.unwrap();
    let changed = [&b"c"[..], &[7; 18], &3_u64.to_be_bytes()].concat();
    tell(&mut line, 0, 5, &changed).await;
    assert_eq!(next(&mut watch).await, Notice::Changed(visitor(7).id, Revision(3)));
    tell(&mut line, 5, 9, &changed).await;
    assert_eq!(next(&mut watch).await, Notice::Changed(visitor(7).id, Revision(3)));
    // One was missed.
    tell(&mut line, 11, 12, &changed).await;
    assert_eq!(next(&mut watch).await, Notice::Gap);
    tell(&mut line, 12, 13, &changed).await;
    assert_eq!(next(&mut watch).await, Notice::Changed(visitor(7).id, Revision(3)));
    // A later version's, or an earlier one's, which did not say what it became.
    tell(&mut line, 13, 14, b"later").await;
    assert_eq!(next(&mut watch).await, Notice::Gap);
    // Told to nobody: the server's own count gives it away.
    redis::cmd("SET").arg("counterfoil:n:{07}").arg(20).query_async::<()>(&mut line).await.unwrap();
    assert_eq!(next(&mut watch).await, Notice::Gap);
    // A server that has forgotten: nobody believes it before it was told again.
    store.end_subject(ADA, None, EndReason::Admin, NOW).await.unwrap();
    assert_eq!(next(&mut watch).await, Notice::SubjectEnded(ADA));
    redis::cmd("FLUSHALL").query_async::<()>(&mut line).await.unwrap();
    let doubted = store.load(member(1).id, NOW, None).await;
    assert!(matches!(doubted, Err(StoreError::Unavailable(_))), "{doubted:?}");
    assert_eq!(next(&mut watch).await, Notice::Gap);
    while store.load(member(1).id, NOW, None).await.is_err() {}
    assert_eq!(store.epochs(Some(ADA)).await.unwrap().subject, Epoch::default().after(NOW));
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn up_to_when_everything_was_told_is_said_by_this_nodes_clock_and_not_while_nobody_answers() {
    let server = Redis::start().await.unwrap();
    let clock = FakeClock::at(NOW);
    let store = RedisStore::open(&server.url(), sealer(), clock.clone(), settings()).await.unwrap();
    let mut watch = store.watch();
    assert_eq!(watch.next().await, Some(Notice::UpTo(NOW)));
    server.hold().unwrap();
    // One answer may be on its way; none is asked for after it.
    clock.advance(Duration::from_mins(1));
    let held = clock.now();
    while let Ok(notice) = tokio::time::timeout(Duration::from_millis(1_500), watch.next()).await {
        assert_eq!(notice, Some(Notice::UpTo(NOW)));
    }
    server.go_on().unwrap();
    while watch.next().await != Some(Notice::UpTo(held)) {}
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn what_a_sign_in_replaced_and_what_a_limit_ended_is_remembered_before_anybody_is_told() {
    let server = Redis::start().await.unwrap();
    let store = store(&server, settings()).await;
    // What this node did it hears of like any other; here it does not, as when the server dies with it.
    store.keeping.abort();
    let one = Some(Limit { max: 1.try_into().unwrap(), over: OverLimit::EndOldest });
    let superseded = |number| Fact::Session(member(number).id, EndReason::Superseded);
    let over = |number| Fact::Session(member(number).id, EndReason::Limit);
    store.insert(member(1), None, NOW).await.unwrap();
    let Loaded::Live(seen) = store.load(member(1).id, NOW, None).await.unwrap() else { panic!("it lives") };
    let replaced = store.replace(member(1).id, seen.revision, member(2), None, NOW).await.unwrap();
    assert!(matches!(replaced, Replaced::Inserted(Inserted::Done(_))), "{replaced:?}");
    assert_eq!(store.journal.facts(None, NOW), [superseded(1)]);
    // Its first use is one too many beside what is in use, and a provisional one beside another.
    let Inserted::Done(_) = store.insert(member(3), None, NOW).await.unwrap() else { panic!("there is room") };
    let first_use = Change { first_use: Some(one), ..Change::default() };
    let Loaded::Live(seen) = store.load(member(3).id, NOW, None).await.unwrap() else { panic!("it lives") };
    store.commit(member(3).id, seen.revision, first_use, NOW).await.unwrap();
    assert_eq!(store.journal.facts(None, NOW), [superseded(1), over(2)]);
    store.insert(provisional(4), one, NOW).await.unwrap();
    store.insert(provisional(5), one, NOW).await.unwrap();
    assert_eq!(store.journal.facts(None, NOW), [superseded(1), over(2), over(4)]);
    store.end(member(3).id, None, EndReason::Superseded, NOW).await.unwrap();
    assert_eq!(store.journal.facts(None, NOW), [superseded(1), over(2), over(4), superseded(3)]);
}

/// A session of Ada's that nobody has used yet.
fn provisional(number: u32) -> Record {
    let used = member(number);
    let unused = Member { presented: false, ..used.member().unwrap().clone() };
    Record { holder: Holder::Member(Arc::new(unused)), ..used }
}
