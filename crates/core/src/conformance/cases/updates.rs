//! Items 4 and 5: no update is lost, and what was written is read back.

use std::collections::BTreeMap;

use super::{NOTE, Tally};
use crate::conformance::bench::{Bench, Node};
use crate::conformance::browser::Browser;
use crate::conformance::failure::{Verdict, ensure, ensure_is};
use crate::conformance::records;
use crate::data::Key;
use crate::store::{Committed, Revision};

const COLOUR: Key<String> = Key::new("suite.colour");

pub(super) async fn two_keys(bench: Bench) -> Verdict {
    let (a, b) = (bench.engine(Node::A)?, bench.engine(Node::B)?);
    let ada = Browser::signed_in(&bench, &a, "ada").await?;
    for (round, second) in [&a, &b].into_iter().enumerate() {
        let (one, other) = (ada.send(&a)?, ada.send(second)?);
        one.open().await?;
        other.open().await?;
        one.set(NOTE, &round.to_string())?;
        other.set(COLOUR, &round.to_string())?;
        let (first, second) = (one.conclude().await, other.conclude().await);
        ensure!(
            first.denial.is_none() && second.denial.is_none(),
            "a write beside another was refused: {:?}, {:?}",
            first.denial,
            second.denial
        );
        bench.settle().await;
        let reading = ada.send(&a)?;
        let both = (reading.get(NOTE).await?, reading.get(COLOUR).await?);
        let text = Some(round.to_string());
        ensure!(both == (text.clone(), text), "of two requests that set different keys, one was lost: {both:?}");
    }
    Ok(())
}

pub(super) async fn counter(bench: Bench) -> Verdict {
    bench.interleave();
    let engines = bench.both()?;
    let ada = Browser::signed_in(&bench, engines.at(0), "ada").await?;
    let work = (0..64).map(|index| {
        let (browser, engine) = (ada.clone(), engines.at(index).clone());
        async move {
            let exchange = browser.send(&engine)?;
            let count = exchange.update(|tally: &mut Tally| {
                tally.count += 1;
                tally.count
            });
            let count = count.await?;
            exchange.conclude().await;
            Ok(count)
        }
    });
    let mut counts = bench.together(work).await?;
    counts.sort_unstable();
    ensure!(counts.iter().copied().eq(1..=64), "64 parallel updates of a counter answered {counts:?}");
    bench.settle().await;
    let stored = ada.send(engines.at(1))?.read::<Tally>().await?.count;
    ensure!(stored == 64, "after 64 updates the counter stands at {stored}");
    Ok(())
}

pub(super) async fn stale_revision(bench: Bench) -> Verdict {
    let store = bench.store(Node::A);
    let record = records::member(&bench, &*store, "ada", 1).await?;
    records::insert(&bench, &*store, &record).await?;
    let first = records::live(&bench, &*store, record.id).await?;
    let second = records::commit(&bench, &*store, &first, records::data(b"one")).await?;
    ensure!(second != first.revision, "a change of the data did not move the revision");
    for expect in [first.revision, Revision(second.0.wrapping_add(1_000))] {
        let late = store.commit(record.id, expect, records::data(b"two"), bench.now()).await?;
        let Committed::Conflict(current) = late else {
            ensure_is!(late, Committed::Conflict(_), "a change that expects another revision must be refused");
            return Ok(());
        };
        ensure!(
            current.revision == second && current.record.data.as_bytes() == b"one",
            "a refused change was not answered with the session as it is"
        );
    }
    let now = records::live(&bench, &*store, record.id).await?;
    ensure!(now.record.data.as_bytes() == b"one", "a refused change was written all the same");
    Ok(())
}

pub(super) async fn removed_key(bench: Bench) -> Verdict {
    let (a, b) = (bench.engine(Node::A)?, bench.engine(Node::B)?);
    let ada = Browser::signed_in(&bench, &a, "ada").await?;
    let writing = ada.send(&a)?;
    writing.set(NOTE, &"text".to_owned())?;
    writing.set(COLOUR, &"red".to_owned())?;
    ensure_is!(writing.conclude().await.denial, None, "a first write must succeed");
    for key in [NOTE, COLOUR] {
        bench.settle().await;
        let removing = ada.send(&b)?;
        removing.remove(key)?;
        ensure_is!(removing.conclude().await.denial, None, "a removal must succeed");
        bench.settle().await;
        for engine in [&a, &b] {
            let left = ada.send(engine)?.get(key).await?;
            ensure!(left.is_none(), "a key that was removed is still there: {} = {left:?}", key.name());
        }
    }
    Ok(())
}

pub(super) async fn read_back(bench: Bench) -> Verdict {
    let engines = bench.both()?;
    let ada = Browser::signed_in(&bench, engines.at(0), "ada").await?;
    let mut random = Bench::random(11);
    let mut model: BTreeMap<&'static str, String> = BTreeMap::new();
    let keys = [NOTE, COLOUR, Key::new("suite.x"), Key::new("suite.y").portable()];
    for step in 0..150 {
        let writing = ada.send(engines.at(step))?;
        for _ in 0..=random.below(3) {
            let Some(key) = random.pick(&keys).copied() else {
                continue;
            };
            if random.below(3) == 0 {
                writing.remove(key)?;
                model.remove(key.name());
            } else {
                let length = usize::try_from(random.below(300)).unwrap_or_default();
                let text = format!("{step}: {}", "é\u{0}".repeat(length));
                writing.set(key, &text)?;
                model.insert(key.name(), text);
            }
        }
        if random.below(2) == 0 {
            writing.commit().await?;
        }
        ensure_is!(writing.conclude().await.denial, None, "write {step} must succeed");
        bench.settle().await;
        let reading = ada.send(engines.at(step + 1))?;
        for key in keys {
            let read = reading.get(key).await?;
            ensure!(
                read.as_ref() == model.get(key.name()),
                "after write {step}, {} does not read back as it was written",
                key.name()
            );
        }
    }
    Ok(())
}
