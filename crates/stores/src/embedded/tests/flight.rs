//! Between memory and disk: answers that rest on what is not on the disk yet, and what becomes of them if it never is.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Inserted, Loaded, Notice, Store, StoreError};
use counterfoil_core::{FakeClock, SessionId};
use futures_executor::block_on;
use futures_util::{FutureExt as _, StreamExt as _};

use super::records::{NOW, visitor};
use super::stage::{OnDisk, small};
use crate::embedded::EmbeddedStore;
use crate::embedded::table::Known;

fn stage() -> OnDisk {
    OnDisk::new(small(), FakeClock::at(NOW))
}

/// Waits until a change of `id` has been applied in memory.
fn until_in_flight(store: &EmbeddedStore, id: SessionId) {
    let table = &store.shared.table;
    let is = || {
        let known = table.shard_of(id.bucket()).known(id, table.global().pair(), None);
        matches!(known, Some(Known { in_flight: true, .. }))
    };
    while !is() {
        std::thread::yield_now();
    }
}

#[test]
fn an_answer_waits_for_the_disk() {
    let stage = stage();
    let (store, record) = (Arc::clone(&stage.store), visitor(1));
    let id = record.id;
    let held = stage.hold_writes();
    let inserting = std::thread::spawn(move || block_on(Store::insert(&*store, record, None, NOW)));
    until_in_flight(&stage.store, id);
    assert!(Store::peek(&*stage.store, id, NOW, None).is_none(), "a peek does not answer what is not on the disk");
    let mut loading = pin!(Store::load(&*stage.store, id, NOW, None));
    assert!(loading.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(held);
    assert!(matches!(block_on(loading), Ok(Loaded::Live(_))));
    assert_eq!(inserting.join().unwrap().unwrap(), Inserted::Done(Vec::new()));
    assert!(Store::peek(&*stage.store, id, NOW, None).is_some());
}

#[test]
fn an_end_that_is_on_its_way_is_not_told_before_it_arrives() {
    let stage = stage();
    let record = visitor(1);
    let id = record.id;
    block_on(Store::insert(&*stage.store, record, None, NOW)).unwrap();
    let held = stage.hold_writes();
    let store = Arc::clone(&stage.store);
    let ending = std::thread::spawn(move || block_on(Store::end_all(&*store, EndReason::Admin, NOW)));
    while !stage.store.shared.table.global().in_flight {
        std::thread::yield_now();
    }
    let mut epochs = pin!(Store::epochs(&*stage.store, None));
    assert!(matches!(epochs.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    assert!(Store::peek(&*stage.store, id, NOW, None).is_none());
    drop(held);
    let epoch = ending.join().unwrap().unwrap();
    assert_eq!(block_on(epochs).unwrap().global, epoch);
}

#[test]
fn what_the_disk_did_not_take_is_unavailable_for_everybody_and_then_forgotten() {
    let stage = stage();
    let (kept, lost) = (visitor(1), visitor(2));
    block_on(Store::insert(&*stage.store, kept.clone(), None, NOW)).unwrap();
    let held = stage.hold_writes();
    let (store, record) = (Arc::clone(&stage.store), lost.clone());
    let inserting = std::thread::spawn(move || block_on(Store::insert(&*store, record, None, NOW)));
    until_in_flight(&stage.store, lost.id);
    let mut loading = pin!(Store::load(&*stage.store, lost.id, NOW, None));
    assert!(loading.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    stage.take_away();
    drop(held);
    assert!(matches!(inserting.join().unwrap(), Err(StoreError::Unavailable(_))));
    assert!(matches!(block_on(loading), Err(StoreError::Unavailable(_))));
    let away = block_on(Store::load(&*stage.store, kept.id, NOW, None)).unwrap_err();
    assert!(matches!(away, StoreError::Unavailable(_)), "failure is not absence");
    block_on(stage.put_back());
    assert!(matches!(block_on(Store::load(&*stage.store, kept.id, NOW, None)), Ok(Loaded::Live(_))));
    assert!(matches!(block_on(Store::load(&*stage.store, lost.id, NOW, None)), Ok(Loaded::Absent)));
}

#[test]
fn watchers_are_told_to_trust_nothing_once_a_disk_is_back() {
    let stage = stage();
    let mut watch = Store::watch(&*stage.store);
    let mut next = move || watch.next().now_or_never();
    block_on(Store::insert(&*stage.store, visitor(1), None, NOW)).unwrap();
    assert_eq!(next(), None);
    stage.take_away();
    let refused = block_on(Store::end_all(&*stage.store, EndReason::Admin, NOW));
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert_eq!(next(), None, "whether it happened is not known yet");
    block_on(stage.put_back());
    assert_eq!(next(), Some(Some(Notice::Gap)), "what was refused may have reached the disk");
}

#[test]
fn a_writer_that_is_gone_leaves_nobody_waiting_and_nothing_answered() {
    let stage = stage();
    let record = visitor(1);
    let id = record.id;
    block_on(Store::insert(&*stage.store, record, None, NOW)).unwrap();
    let broken = stage.store.queue.ask(|_| -> Result<(), StoreError> { panic!("as a bug would") });
    assert!(matches!(block_on(broken), Err(StoreError::Unavailable(_))));
    while !stage.store.shared.table.is_away() {
        std::thread::yield_now();
    }
    assert!(matches!(block_on(Store::load(&*stage.store, id, NOW, None)), Err(StoreError::Unavailable(_))));
    assert!(matches!(block_on(Store::insert(&*stage.store, visitor(2), None, NOW)), Err(StoreError::Unavailable(_))));
    assert!(block_on(stage.store.shared.landing.wait(u64::MAX)).is_err());
}
