//! Keys that are taken out while sessions rest on them.

use std::time::Duration;

use counterfoil_core::Moment;
use counterfoil_core::keys::{KeyId, KeyRing, SharedRing};
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Committed, Loaded, Page, Revision, Store};
use counterfoil_core::testing::Letters;
use futures_executor::block_on;

use super::records::{Keys, NOW, data, insert, visitor};
use crate::embedded::{Archive, EmbeddedStore, Resting};

fn keys(letters: &str) -> Keys {
    Keys { ring: SharedRing::from_source(&Letters(letters)).unwrap() }
}

fn listed(store: &EmbeddedStore, keys: &Keys) -> usize {
    let page = Page { skip: 0, take: 10 };
    block_on(Store::list(store, keys.subject("ada"), page, NOW)).unwrap().len()
}

#[test]
fn a_session_that_nobody_can_use_any_more_keeps_the_others_from_no_list() {
    let (keys, folder) = (keys("a"), tempfile::tempdir().unwrap());
    let (resting, renewed) = (keys.member("ada", 1), keys.member("ada", 2));
    let store = keys.open(folder.path());
    insert(&store, &resting);
    insert(&store, &renewed);
    keys.ring.exchange(KeyRing::from_source(&Letters("ba")).unwrap()).unwrap();
    let written = block_on(Store::commit(&store, renewed.id, Revision(0), data(b"new"), NOW)).unwrap();
    assert!(matches!(written, Committed::Done(..)));
    drop(store);
    keys.ring.exchange(KeyRing::from_source(&Letters("b")).unwrap()).unwrap();
    let store = keys.open(folder.path());
    assert_eq!(listed(&store, &keys), 1);
    let refused = block_on(Store::load(&store, resting.id, NOW, None)).unwrap_err();
    assert!(refused.to_string().contains("a key that is not in the key ring"), "failure is not absence: {refused}");
    assert!(matches!(block_on(Store::load(&store, renewed.id, NOW, None)), Ok(Loaded::Live(_))));
}

#[test]
fn those_who_are_signed_out_by_a_key_that_goes_are_counted_and_named() {
    let (keys, folder) = (keys("a"), tempfile::tempdir().unwrap());
    let hour = Duration::from_hours(1);
    let store = keys.open(folder.path());
    for number in 1..=12 {
        insert(&store, &keys.member("ada", number));
    }
    insert(&store, &keys.member("grace", 13));
    insert(&store, &visitor(14));
    insert(&store, &keys.member("mallory", 15));
    block_on(async {
        Store::end(&store, keys.member("ada", 12).id, None, EndReason::SignOut, NOW).await.unwrap();
        Store::end_subject(&store, keys.subject("mallory"), None, EndReason::Admin, NOW).await.unwrap();
    });
    drop(store);
    let archive = Archive::open(folder.path(), keys.sealer()).unwrap();
    let (key, before, after) = (KeyId::new("a").unwrap(), Moment::EPOCH, NOW + hour);
    let found = |signed, now| archive.resting_on(key, signed, now, &mut |_| {}).unwrap();
    let Resting { live, resting, people, first, .. } = found(before..after, NOW);
    assert_eq!((live, resting, people, first.len()), (13, 13, 2, 10), "11 of ada, one of grace, one of nobody");
    assert!(first.iter().all(|(subject, session)| {
        ["ada", "grace"].contains(&subject.as_str()) && &*session.label == "Firefox on Linux"
    }));
    assert_eq!(found(after..after + hour, NOW).resting, 0, "it signed only later");
    assert_eq!(found(before..after, NOW + hour).live, 0, "all are over by then");
}
