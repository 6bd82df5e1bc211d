//! What was answered is there after a restart, and what was over is not.

use counterfoil_core::rules::EndReason;
use counterfoil_core::rules::Presented;
use counterfoil_core::store::{Activity, Committed, Inserted, Loaded, Page, Store};
use futures_executor::block_on;

use super::records::{Keys, NOW, data, insert, load, visitor};

#[test]
fn what_was_answered_is_there_after_a_restart() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let (ada, grace, late) = (keys.member("ada", 1), keys.member("grace", 2), keys.member("grace", 3));
    let (gone, changed) = (visitor(4), visitor(5));
    {
        let store = keys.open(folder.path());
        for record in [&ada, &grace, &gone, &changed] {
            insert(&store, record);
        }
        block_on(async {
            let Loaded::Live(live) = Store::load(&store, changed.id, NOW, None).await.unwrap() else { panic!() };
            let committed = Store::commit(&store, changed.id, live.revision, data(b"new"), NOW).await.unwrap();
            assert!(matches!(committed, Committed::Done(..)));
            Store::end(&store, gone.id, None, EndReason::SignOut, NOW).await.unwrap();
            Store::end_subject(&store, keys.subject("grace"), None, EndReason::CredentialChanged, NOW).await.unwrap();
        });
    }
    let store = keys.open(folder.path());
    let Loaded::Live(live) = load(&store, ada.id) else { panic!() };
    assert_eq!(*live.record, ada);
    let Loaded::Live(live) = load(&store, changed.id) else { panic!() };
    assert_eq!((live.record.data.as_bytes(), live.revision.0), (&b"new"[..], 1));
    assert!(matches!(load(&store, gone.id), Loaded::Ended(EndReason::SignOut)));
    assert!(matches!(load(&store, grace.id), Loaded::Ended(EndReason::CredentialChanged)));
    block_on(async {
        assert_eq!(Store::insert(&store, gone, None, NOW).await.unwrap(), Inserted::Exists);
        assert_eq!(Store::insert(&store, late, None, NOW).await.unwrap(), Inserted::SubjectMoved);
        assert_eq!(Store::resolve(&store, "oidc.sid", "ada-1").await.unwrap(), [ada.id]);
        let listed = Store::list(&store, keys.subject("ada"), Page::FIRST, NOW).await.unwrap();
        assert_eq!(listed.iter().map(|session| &*session.label).collect::<Vec<_>>(), ["Firefox on Linux"]);
        Store::end(&store, ada.id, None, EndReason::SignOut, NOW).await.unwrap();
    });
    drop(store);
    // Its name elsewhere went with it, though its record was only read from the disk.
    let archive = crate::embedded::Archive::open(folder.path(), keys.sealer()).unwrap();
    assert_eq!(
        archive.stats(&mut |_| {}).unwrap().references,
        1,
        "grace's, whose record is there until its time is over"
    );
}

#[test]
fn the_end_of_all_is_there_after_a_restart() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let (store, ada) = (keys.open(folder.path()), keys.member("ada", 1));
    insert(&store, &ada);
    let epoch = block_on(Store::end_all(&store, EndReason::Admin, NOW)).unwrap();
    drop(store);
    let store = keys.open(folder.path());
    assert!(matches!(load(&store, ada.id), Loaded::Ended(EndReason::Admin)));
    assert_eq!(block_on(Store::epochs(&store, None)).unwrap().global, epoch);
}

#[test]
fn activity_is_there_after_a_restart() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let (store, ada) = (keys.open(folder.path()), keys.member("ada", 1));
    insert(&store, &ada);
    let later = NOW + ada.limits.touch_step();
    let token = Presented { generation: 0, hash: ada.family.current };
    let activity = Activity { token: Some(token), limits: ada.limits };
    block_on(Store::load(&store, ada.id, later, Some(activity))).unwrap();
    drop(store);
    let store = keys.open(folder.path());
    let Loaded::Live(live) = load(&store, ada.id) else { panic!() };
    assert_eq!((live.seen_at, live.revision.0), (later, 0));
}

#[test]
fn all_activity_is_there_however_much_there_was_at_once() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let store = keys.open(folder.path());
    // More than one batch takes of a shard, where all sessions of a subject are.
    let sessions: Vec<_> = (1..=200).map(|number| keys.member("ada", number)).collect();
    let later = NOW + sessions[0].limits.touch_step();
    for record in &sessions {
        insert(&store, record);
        let token = Presented { generation: 0, hash: record.family.current };
        let activity = Activity { token: Some(token), limits: record.limits };
        block_on(Store::load(&store, record.id, later, Some(activity))).unwrap();
    }
    drop(store);
    let store = keys.open(folder.path());
    let seen = |id| if let Loaded::Live(live) = load(&store, id) { live.seen_at } else { NOW };
    assert_eq!(sessions.iter().filter(|record| seen(record.id) == later).count(), 200);
}

#[test]
fn what_was_swept_is_gone_from_the_disk() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let store = keys.open(folder.path());
    for number in 1..=20 {
        insert(&store, &keys.member("ada", number));
    }
    block_on(async {
        Store::end_subject(&store, keys.subject("ada"), None, EndReason::Admin, NOW).await.unwrap();
        let days = std::time::Duration::from_hours(24 * 3);
        let mut forgotten = 0;
        for _ in 0..10 {
            forgotten += Store::sweep(&store, 7, NOW + days).await.unwrap();
        }
        assert_eq!(forgotten, 20);
        Store::sweep(&store, 7, NOW + days).await.unwrap();
    });
    drop(store);
    let archive = crate::embedded::Archive::open(folder.path(), keys.sealer()).unwrap();
    let stats = archive.stats(&mut |_| {}).unwrap();
    assert_eq!((stats.sessions, stats.tombstones, stats.references, stats.subjects), (0, 0, 0, 0));
}

#[test]
fn a_clock_that_leaps_a_year_and_back_forgets_nothing() {
    let (keys, folder) = (Keys::new(), tempfile::tempdir().unwrap());
    let store = keys.open(folder.path());
    let (ended, ada) = (visitor(1), keys.member("ada", 2));
    insert(&store, &ended);
    insert(&store, &ada);
    let year = std::time::Duration::from_hours(24 * 365);
    block_on(async {
        Store::end(&store, ended.id, None, EndReason::SignOut, NOW).await.unwrap();
        assert_eq!(Store::sweep(&store, 100, NOW).await.unwrap(), 0);
        assert_eq!(Store::sweep(&store, 100, NOW + year).await.unwrap(), 0);
        assert_eq!(Store::sweep(&store, 100, NOW).await.unwrap(), 0);
        assert_eq!(Store::insert(&store, ended.clone(), None, NOW).await.unwrap(), Inserted::Exists);
    });
    assert!(matches!(load(&store, ended.id), Loaded::Ended(EndReason::SignOut)));
    assert!(matches!(load(&store, ada.id), Loaded::Live(_)));
}
