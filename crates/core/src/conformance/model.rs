//! The reference model of the store contract, and a random walk that holds a store against it (item 5).

use std::collections::BTreeMap;

use super::bench::{Bench, Node};
use super::failure::{Failure, Verdict, ensure};
use super::random::Random;
use super::records;
use crate::id::{SessionId, SubjectRef};
use crate::moment::Moment;
use crate::record::Record;
use crate::rules::EndReason;
use crate::store::{Committed, DynStore, Ending, Epochs, Inserted, Loaded, Replaced, Revision};

/// What the contract says is there.
struct Model {
    bench: Bench,
    random: Random,
    slots: BTreeMap<SessionId, Slot>,
    /// Records that were made and not inserted yet.
    fresh: Vec<Record>,
}

struct Slot {
    record: Record,
    seen_at: Moment,
    revision: Revision,
    ended: bool,
}

const SUBJECTS: [&str; 2] = ["ada", "grace"];

/// Walks `steps` random verbs over both nodes and compares every session after each.
pub(super) async fn walk(bench: Bench, seed: u64, steps: usize) -> Verdict {
    let mut model = Model { bench, random: Random::seeded(seed), slots: BTreeMap::new(), fresh: Vec::new() };
    for step in 0..steps {
        let verb = model.random.below(20);
        let done = model.step(verb, seed * 10_000 + step as u64).await;
        let checked = match done {
            Ok(()) => model.check().await,
            failed => failed,
        };
        checked.map_err(|failure| failure.during(format_args!("step {step} of walk {seed}")))?;
    }
    Ok(())
}

impl Model {
    fn store(&mut self) -> std::sync::Arc<dyn DynStore> {
        let node = if self.random.below(2) == 0 { Node::A } else { Node::B };
        self.bench.store(node)
    }

    async fn step(&mut self, verb: u64, step: u64) -> Verdict {
        self.bench.clock().advance(std::time::Duration::from_millis(700));
        match verb {
            0..=3 => self.make(step).await,
            4..=6 => self.insert().await,
            7..=12 => self.commit().await,
            13 | 14 => self.touch().await,
            15 | 16 => self.end().await,
            17 => self.replace().await,
            18 => self.end_subject().await,
            _ if self.random.below(6) == 0 => self.end_all().await,
            _ => self.bench.store(Node::A).sweep(50, self.bench.now()).await.map(drop).map_err(Into::into),
        }
    }

    async fn make(&mut self, seed: u64) -> Verdict {
        let store = self.store();
        let record = match self.random.below(4) {
            0 => records::visitor(&self.bench, &*store, seed).await?,
            1 => records::provisional(&self.bench, &*store, "ada", seed).await?,
            2 => records::member(&self.bench, &*store, "ada", seed).await?,
            _ => records::member(&self.bench, &*store, "grace", seed).await?,
        };
        self.fresh.push(record);
        Ok(())
    }

    async fn epochs_of(&self, record: &Record) -> Verdict<Epochs> {
        Ok(self.bench.store(Node::A).epochs(record.subject()).await?)
    }

    /// A new record, or one that was inserted before.
    async fn insert(&mut self) -> Verdict {
        let again = self.random.below(4) == 0;
        let record = match self.fresh.pop() {
            Some(record) if !again => record,
            unused => {
                self.fresh.extend(unused);
                match self.some_id() {
                    Some(id) => self.slots.get(&id).map(|slot| slot.record.clone()).ok_or_else(lost)?,
                    None => return Ok(()),
                }
            }
        };
        let current = record.epochs == self.epochs_of(&record).await?;
        let known = self.slots.contains_key(&record.id);
        match self.store().insert(record.clone(), None, self.bench.now()).await? {
            Inserted::Done(_) if current && !known => self.keep(record),
            Inserted::Exists if known => {}
            Inserted::SubjectMoved if !current => {}
            other => {
                return Err(Failure::new(format!("insert: {other:?}; known {known}, epochs current {current}")));
            }
        }
        Ok(())
    }

    async fn commit(&mut self) -> Verdict {
        let Some(id) = self.some_id() else { return Ok(()) };
        let changes = records::changes(&self.bench);
        let change = self.random.pick(&changes).cloned().unwrap_or_default();
        let wrong = self.random.below(4) == 0;
        let (store, now) = (self.store(), self.bench.now());
        let slot = self.slots.get_mut(&id).ok_or_else(lost)?;
        let expect = if wrong { Revision(slot.revision.0 ^ 0xF000) } else { slot.revision };
        match store.commit(id, expect, change.clone(), now).await? {
            Committed::Done(revision, _) if !wrong && !slot.ended => {
                slot.record = slot.record.with(&change);
                slot.seen_at = slot.seen_at.max(change.seen_at.unwrap_or_default());
                slot.revision = revision;
            }
            Committed::Conflict(live) if wrong && !slot.ended => {
                ensure!(*live.record == slot.record, "a conflict answered with another state");
            }
            Committed::Gone(_) if slot.ended => {}
            other => {
                return Err(Failure::new(format!("commit: {other:?}; ended {}, stale {wrong}", slot.ended)));
            }
        }
        Ok(())
    }

    async fn touch(&mut self) -> Verdict {
        let Some(id) = self.some_id() else { return Ok(()) };
        let store = self.store();
        self.bench.advance(20);
        let now = self.bench.now();
        let slot = self.slots.get_mut(&id).ok_or_else(lost)?;
        let activity = records::activity(&slot.record);
        let live =
            crate::store::Live { record: slot.record.clone().into(), seen_at: slot.seen_at, revision: slot.revision };
        if !slot.ended
            && let Some(seen_at) = activity.touch(&live, now)
        {
            slot.seen_at = seen_at;
        }
        store.load(id, now, Some(activity)).await?;
        Ok(())
    }

    async fn end(&mut self) -> Verdict {
        let Some(id) = self.some_id() else { return Ok(()) };
        let wrong = self.random.below(4) == 0;
        let (store, now) = (self.store(), self.bench.now());
        let slot = self.slots.get_mut(&id).ok_or_else(lost)?;
        let expect = wrong.then_some(Revision(slot.revision.0 ^ 0xF000));
        match store.end(id, expect, EndReason::SignOut, now).await? {
            Ending::Done if !wrong && !slot.ended => slot.ended = true,
            Ending::Conflict(_) if wrong && !slot.ended => {}
            Ending::Already if slot.ended => {}
            other => {
                return Err(Failure::new(format!("end: {other:?}; ended {}, stale {wrong}", slot.ended)));
            }
        }
        Ok(())
    }

    async fn replace(&mut self) -> Verdict {
        let (Some(id), Some(record)) = (self.some_id(), self.fresh.pop()) else {
            return Ok(());
        };
        let current = record.epochs == self.epochs_of(&record).await?;
        let (store, now) = (self.store(), self.bench.now());
        let slot = self.slots.get_mut(&id).ok_or_else(lost)?;
        match store.replace(id, slot.revision, record.clone(), None, now).await? {
            Replaced::Inserted(Inserted::Done(_)) if current && !slot.ended => {
                slot.ended = true;
                self.keep(record);
            }
            // The old one may have ended, or not: the contract leaves it open.
            Replaced::Inserted(Inserted::SubjectMoved) if !current && !slot.ended => {
                slot.ended = !matches!(store.load(id, now, None).await?, Loaded::Live(_));
            }
            Replaced::Gone if slot.ended => {}
            other => {
                return Err(Failure::new(format!(
                    "replace: {other:?}; ended {}, epochs current {current}",
                    slot.ended
                )));
            }
        }
        Ok(())
    }

    async fn end_subject(&mut self) -> Verdict {
        let name = self.random.pick(&SUBJECTS).copied().unwrap_or_default();
        let subject: SubjectRef = self.bench.reference(name)?;
        let except = self.some_id().filter(|_| self.random.below(2) == 0);
        let (store, now) = (self.store(), self.bench.now());
        let epoch = store.end_subject(subject, except, EndReason::Admin, now).await?;
        for (id, slot) in &mut self.slots {
            if slot.record.subject() != Some(subject) || slot.ended {
                continue;
            }
            if Some(*id) != except {
                slot.ended = true;
                continue;
            }
            slot.record.epochs.subject = epoch;
            let live = records::live(&self.bench, &*store, *id).await?;
            ensure!(live.revision != slot.revision, "re-stamping did not move the revision");
            slot.revision = live.revision;
        }
        Ok(())
    }

    async fn end_all(&mut self) -> Verdict {
        let (store, now) = (self.store(), self.bench.now());
        store.end_all(EndReason::Admin, now).await?;
        self.bench.settle().await;
        for slot in self.slots.values_mut() {
            slot.ended = true;
        }
        Ok(())
    }

    /// Every session must be as the model has it, on one node or the other.
    async fn check(&mut self) -> Verdict {
        self.bench.settle().await;
        let store = self.store();
        for (id, slot) in &self.slots {
            match store.load(*id, self.bench.now(), None).await? {
                Loaded::Live(live) if !slot.ended => ensure!(
                    *live.record == slot.record && live.revision == slot.revision && live.seen_at == slot.seen_at,
                    "a session does not read back as it was written: {live:?}"
                ),
                // Absent: an epoch took it, and a sweep came by.
                Loaded::Ended(_) | Loaded::Absent if slot.ended => {}
                other => return Err(Failure::new(format!("load: {other:?}; ended {}", slot.ended))),
            }
        }
        Ok(())
    }

    fn keep(&mut self, record: Record) {
        let slot = Slot { seen_at: record.created_at, revision: Revision(0), record, ended: false };
        self.slots.insert(slot.record.id, slot);
    }

    fn some_id(&mut self) -> Option<SessionId> {
        let ids: Vec<_> = self.slots.keys().copied().collect();
        self.random.pick(&ids).copied()
    }
}

fn lost() -> Failure {
    Failure::new("the model lost a session of its own")
}
