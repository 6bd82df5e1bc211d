//! The verbs that end sessions: what each does, and what it must not do.

use crate::conformance::bench::{Bench, Node};
use crate::conformance::failure::{Verdict, ensure, ensure_is};
use crate::conformance::records;
use crate::rules::EndReason;
use crate::store::{Committed, Ending, Epoch, Inserted, Loaded, Replaced};

pub(super) async fn replace(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let old = records::visitor(&bench, &*store, 1).await?;
    let new = records::member(&bench, &*store, "ada", 2).await?;
    records::insert(&bench, &*store, &old).await?;
    let at = records::live(&bench, &*store, old.id).await?.revision;
    let replaced = store.replace(old.id, at, new.clone(), None, bench.now()).await?;
    ensure_is!(replaced, Replaced::Inserted(Inserted::Done(_)), "a replace of the current revision must be done");
    let loaded = store.load(old.id, bench.now(), None).await?;
    ensure_is!(loaded, Loaded::Ended(EndReason::Superseded), "the session that was replaced must be ended");
    let live = records::live(&bench, &*store, new.id).await?;
    ensure!(*live.record == new, "the session that replaces another is not as it was given");
    let again = store.insert(old, None, bench.now()).await?;
    ensure_is!(again, Inserted::Exists, "a replaced session must leave a tombstone");
    Ok(())
}

pub(super) async fn replace_refused(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let old = records::visitor(&bench, &*store, 1).await?;
    records::insert(&bench, &*store, &old).await?;
    let first = records::live(&bench, &*store, old.id).await?;
    records::commit(&bench, &*store, &first, records::data(b"cart")).await?;
    let new = records::member(&bench, &*store, "ada", 2).await?;
    let replaced = store.replace(old.id, first.revision, new.clone(), None, bench.now()).await?;
    ensure_is!(
        &replaced,
        Replaced::Conflict(live) if live.record.data.as_bytes() == b"cart",
        "a replace of a session that changed meanwhile must answer with its new state"
    );
    records::live(&bench, &*store, old.id).await?;
    store.end(old.id, None, EndReason::SignOut, bench.now()).await?;
    let unknown = records::visitor(&bench, &*store, 3).await?;
    for gone in [old.id, unknown.id] {
        let replaced = store.replace(gone, first.revision, new.clone(), None, bench.now()).await?;
        ensure_is!(replaced, Replaced::Gone, "a replace of a session that has ended, or never was, must do nothing");
    }
    let loaded = store.load(new.id, bench.now(), None).await?;
    ensure_is!(loaded, Loaded::Absent, "a replace that was refused must not insert");
    let loaded = store.load(old.id, bench.now(), None).await?;
    ensure_is!(loaded, Loaded::Ended(EndReason::SignOut), "a replace that was refused must leave the tombstone");
    Ok(())
}

pub(super) async fn replace_keeps_epochs(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let old = records::visitor(&bench, &*store, 1).await?;
    let new = records::member(&bench, &*store, "ada", 2).await?;
    records::insert(&bench, &*store, &old).await?;
    let at = records::live(&bench, &*store, old.id).await?.revision;
    store.end_subject(bench.reference("ada")?, None, EndReason::CredentialChanged, bench.now()).await?;
    let replaced = store.replace(old.id, at, new.clone(), None, bench.now()).await?;
    ensure_is!(
        replaced,
        Replaced::Inserted(Inserted::SubjectMoved),
        "a replace by a session of an earlier epoch must be refused"
    );
    ensure!(
        !matches!(store.load(new.id, bench.now(), None).await?, Loaded::Live(_)),
        "a session of an earlier epoch is live"
    );
    Ok(())
}

pub(super) async fn end(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let record = records::member(&bench, &*store, "ada", 1).await?;
    records::insert(&bench, &*store, &record).await?;
    let first = records::live(&bench, &*store, record.id).await?;
    let second = records::commit(&bench, &*store, &first, records::data(b"x")).await?;
    let late = store.end(record.id, Some(first.revision), EndReason::Reuse, bench.now()).await?;
    ensure_is!(
        &late,
        Ending::Conflict(live) if live.revision == second,
        "an end that expects another revision must answer with the session as it is"
    );
    records::live(&bench, &*store, record.id).await?;
    let done = store.end(record.id, Some(second), EndReason::Reuse, bench.now()).await?;
    ensure_is!(done, Ending::Done, "an end of the current revision must be done");
    for expect in [None, Some(second), Some(first.revision)] {
        let again = store.end(record.id, expect, EndReason::SignOut, bench.now()).await?;
        ensure_is!(again, Ending::Already, "ending twice must be fine");
    }
    let loaded = store.load(record.id, bench.now(), None).await?;
    ensure_is!(loaded, Loaded::Ended(EndReason::Reuse), "the first reason must stay");
    let unknown = records::visitor(&bench, &*store, 2).await?;
    let never = store.end(unknown.id, None, EndReason::SignOut, bench.now()).await?;
    ensure_is!(never, Ending::Already, "ending what never was must be fine");
    Ok(())
}

pub(super) async fn end_after_epochs(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    for (seed, everybody) in [(1, false), (2, true)] {
        let record = records::member(&bench, &*store, "ada", seed).await?;
        records::insert(&bench, &*store, &record).await?;
        let revision = records::live(&bench, &*store, record.id).await?.revision;
        if everybody {
            store.end_all(EndReason::Admin, bench.now()).await?;
        } else {
            store.end_subject(bench.reference("ada")?, None, EndReason::Admin, bench.now()).await?;
        }
        let change = store.commit(record.id, revision, records::data(b"x"), bench.now()).await?;
        ensure_is!(
            change,
            Committed::Gone(Some(EndReason::Admin)),
            "a session of an earlier epoch must take no change"
        );
        let again = store.end(record.id, None, EndReason::SignOut, bench.now()).await?;
        ensure_is!(again, Ending::Already, "a session of an earlier epoch has ended already");
        let new = records::member(&bench, &*store, "ada", seed + 10).await?;
        let replaced = store.replace(record.id, revision, new, None, bench.now()).await?;
        ensure_is!(replaced, Replaced::Gone, "a session of an earlier epoch cannot be replaced");
    }
    Ok(())
}

pub(super) async fn end_subject_spares_one(bench: Bench) -> Verdict {
    let (store, subject) = (bench.store(Node::A), bench.reference("ada")?);
    let spared = records::member(&bench, &*store, "ada", 1).await?;
    let other = records::provisional(&bench, &*store, "ada", 2).await?;
    let stranger = records::member(&bench, &*store, "grace", 3).await?;
    for record in [&spared, &other, &stranger] {
        records::insert(&bench, &*store, record).await?;
    }
    let before = records::live(&bench, &*store, spared.id).await?;
    let epoch = store.end_subject(subject, Some(spared.id), EndReason::EndedByUser, bench.now()).await?;
    let loaded = store.load(other.id, bench.now(), None).await?;
    ensure_is!(loaded, Loaded::Ended(EndReason::EndedByUser), "a session of the subject must be ended");
    records::live(&bench, &*store, stranger.id).await?;
    let after = records::live(&bench, &*store, spared.id).await?;
    ensure!(after.record.epochs.subject == epoch, "the session that was spared is not re-stamped with the new epoch");
    ensure!(after.revision != before.revision, "re-stamping did not move the revision");
    let late = store.commit(spared.id, before.revision, records::data(b"x"), bench.now()).await?;
    ensure_is!(late, Committed::Conflict(_), "a change from before the re-stamping must be a conflict");
    records::commit(&bench, &*store, &after, records::data(b"x")).await?;
    // A session of somebody else is never spared by mistake.
    store.end_subject(subject, Some(stranger.id), EndReason::Admin, bench.now()).await?;
    let loaded = store.load(spared.id, bench.now(), None).await?;
    ensure_is!(loaded, Loaded::Ended(_), "somebody else's session cannot be the one to spare");
    let live = records::live(&bench, &*store, stranger.id).await?;
    ensure!(*live.record == stranger, "ending a subject changed somebody else's session");
    // One that has ended is not brought back by sparing it.
    store.end_subject(subject, Some(other.id), EndReason::Admin, bench.now()).await?;
    let loaded = store.load(other.id, bench.now(), None).await?;
    ensure_is!(loaded, Loaded::Ended(_), "an ended session was revived by sparing it");
    Ok(())
}

pub(super) async fn epochs_rise(bench: Bench) -> Verdict {
    let (store, subject) = (bench.store(Node::A), bench.reference("ada")?);
    let mut known = store.epochs(Some(subject)).await?;
    for step in 0..6 {
        if step % 2 == 0 {
            let epoch = store.end_subject(subject, None, EndReason::Admin, bench.now()).await?;
            let told = bench.store(Node::B).epochs(Some(subject)).await?;
            ensure!(
                epoch > known.subject && told.subject == epoch && told.global == known.global,
                "ending a subject moved its epoch from {known:?} to {told:?}, and said {epoch:?}"
            );
            known = told;
        } else {
            let epoch = store.end_all(EndReason::Admin, bench.now()).await?;
            let told = bench.store(Node::B).epochs(Some(subject)).await?;
            ensure!(
                epoch > known.global && told.global == epoch && told.subject == known.subject,
                "ending all moved the epochs from {known:?} to {told:?}, and said {epoch:?}"
            );
            known = told;
        }
        let record = records::member(&bench, &*store, "ada", 10 + step).await?;
        ensure!(record.epochs == known, "two reads of the epochs differ");
        records::insert(&bench, &*store, &record).await?;
        let mut earlier = records::member(&bench, &*store, "ada", 20 + step).await?;
        earlier.epochs.subject = Epoch(earlier.epochs.subject.0.saturating_sub(1));
        if earlier.epochs != record.epochs {
            let refused = store.insert(earlier, None, bench.now()).await?;
            ensure_is!(refused, Inserted::SubjectMoved, "a record of an earlier epoch must be refused");
        }
        let visitor = records::visitor(&bench, &*store, 30 + step).await?;
        ensure!(visitor.epochs.subject == Epoch(0), "an anonymous session has the epoch of a subject");
        records::insert(&bench, &*store, &visitor).await?;
    }
    Ok(())
}
