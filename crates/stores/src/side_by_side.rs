//! Every verb from one node to another on one store, while they write records in different formats: for the stores' tests.

use std::collections::BTreeSet;
use std::time::Duration;

use counterfoil_core::data::Payload;
use counterfoil_core::rules::{EndReason, Family, Presented};
use counterfoil_core::store::{Activity, Committed, Inserted, Live, Loaded, Page, Replaced, Revision, Store};
use counterfoil_core::token::TokenHash;
use counterfoil_core::{Change, Moment, Record, SessionId, SubjectRef};

/// Who there is.
pub(crate) struct People {
    pub(crate) now: Moment,
    /// The one whose sessions those are.
    pub(crate) subject: SubjectRef,
    pub(crate) visitor: fn(u8) -> Record,
    pub(crate) member: fn(u32) -> Record,
}

/// Sign-in, reading, changes, a rotation, activity, lists and ends, each seen by the other node. `node` has one of two write
/// its format; `version` is the first byte of what lies there. Which formats were written.
pub(crate) async fn across<'a, S: Store>(
    people: &People,
    node: impl Fn(usize) -> &'a S,
    version: impl AsyncFn(SessionId) -> u8,
) -> BTreeSet<u8> {
    let mut versions = BTreeSet::new();
    for (turn, (here, there)) in [(0_u8, (0, 1)), (1, (1, 0))] {
        let (here, there, number) = (|| node(here), || node(there), u32::from(turn) * 10);
        let now = people.now + Duration::from_secs(u64::from(turn));
        let (anonymous, mut ada) = ((people.visitor)(turn + 1), (people.member)(number + 1));
        ada.epochs = here().epochs(Some(people.subject)).await.unwrap();
        assert_eq!(here().insert(anonymous.clone(), None, now).await.unwrap(), Inserted::Done(Vec::new()));
        versions.insert(version(anonymous.id).await);
        let signed_in = there().replace(anonymous.id, Revision(0), ada.clone(), None, now).await.unwrap();
        assert!(matches!(signed_in, Replaced::Inserted(Inserted::Done(_))), "{signed_in:?}");
        assert_eq!(*live(here(), ada.id, now).await.record, ada);

        change(here(), ada.id, data(b"here"), now).await;
        versions.insert(version(ada.id).await);
        assert_eq!(live(there(), ada.id, now).await.record.data.as_bytes(), b"here");
        let family = Family { generation: 1, current: TokenHash::from_bytes([99; 32]), ..ada.family.clone() };
        change(there(), ada.id, Change { family: Some(family.clone()), ..Change::default() }, now).await;
        versions.insert(version(ada.id).await);
        let rotated = live(here(), ada.id, now).await;
        assert_eq!((&rotated.record.family, rotated.record.data.as_bytes()), (&family, &b"here"[..]));

        let (later, before) = (now + ada.limits.touch_step(), version(ada.id).await);
        let activity = Activity { token: Some(Presented { generation: 1, hash: family.current }), limits: ada.limits };
        there().load(ada.id, later, Some(activity)).await.unwrap();
        assert_eq!((live(here(), ada.id, now).await.seen_at, version(ada.id).await), (later, before), "a touch");
        change(here(), ada.id, data(b"again"), now).await;
        for store in [here(), there()] {
            let listed = store.list(people.subject, Page::FIRST, now).await.unwrap();
            assert_eq!(listed.iter().map(|summary| summary.id).collect::<Vec<_>>(), [ada.id]);
        }
        there().end(ada.id, None, EndReason::SignOut, now).await.unwrap();
        assert_eq!(ended(here(), ada.id, now).await, EndReason::SignOut);

        let [mut gone, mut spared] = [(people.member)(number + 2), (people.member)(number + 3)];
        (gone.epochs, spared.epochs) = (ada.epochs, ada.epochs);
        for record in [&gone, &spared] {
            here().insert(record.clone(), None, now).await.unwrap();
        }
        there().end_subject(people.subject, Some(spared.id), EndReason::EndedByUser, now).await.unwrap();
        versions.insert(version(spared.id).await);
        assert_eq!(ended(here(), gone.id, now).await, EndReason::EndedByUser);
        assert_eq!(live(here(), spared.id, now).await.record.data, spared.data);
        here().end(spared.id, None, EndReason::SignOut, now).await.unwrap();
    }
    versions
}

/// What is live under an id.
pub(crate) async fn live(store: &impl Store, id: SessionId, now: Moment) -> Live {
    match store.load(id, now, None).await.unwrap() {
        Loaded::Live(live) => live,
        other => panic!("{other:?}"),
    }
}

/// Changes what is live under an id.
pub(crate) async fn change(store: &impl Store, id: SessionId, change: Change, now: Moment) {
    let revision = live(store, id, now).await.revision;
    let done = store.commit(id, revision, change, now).await.unwrap();
    assert!(matches!(done, Committed::Done(..)), "{done:?}");
}

pub(crate) fn data(bytes: &[u8]) -> Change {
    Change { data: Some(Payload::from_bytes(bytes)), ..Change::default() }
}

async fn ended(store: &impl Store, id: SessionId, now: Moment) -> EndReason {
    match store.load(id, now, None).await.unwrap() {
        Loaded::Ended(reason) => reason,
        other => panic!("{other:?}"),
    }
}
