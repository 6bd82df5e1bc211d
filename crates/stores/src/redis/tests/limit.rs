//! The limit's rule stands twice, in Rust and in a script: both decide the same, whatever the sessions and the time.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::rules::{EndReason, Limits};
use counterfoil_core::store::{Committed, Epochs, Limit, Loaded, OverLimit, Page, Store};
use counterfoil_core::{Change, Holder, Member, MemoryStore, Moment, Record, SessionId};
use counterfoil_servers::Redis;

use super::records::{ADA, NOW, member, settings, store};
use crate::redis::RedisStore;

/// A generator whose numbers are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn seconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_secs(from + self.below(to - from))
    }

    fn record(&mut self, number: u32, now: Moment, epochs: Epochs) -> Record {
        let remember_for = (self.below(3) == 0).then(|| self.seconds(1_000, 5_000));
        let limits = Limits { idle: self.seconds(300, 1_500), absolute: self.seconds(600, 3_000), remember_for };
        let record = member(number);
        let presented = self.below(2) == 0;
        let holder = record.member().map(|member| Holder::Member(Arc::new(Member { presented, ..member.clone() })));
        Record { limits, created_at: now, epochs, holder: holder.unwrap(), ..record }
    }

    fn limit(&mut self) -> Option<Limit> {
        let over = if self.below(2) == 0 { OverLimit::EndOldest } else { OverLimit::Refuse };
        let max = u32::try_from(self.below(4)).ok().and_then(NonZeroU32::new);
        max.map(|max| Limit { max, over })
    }
}

/// The same things happen in both, and the same comes of them.
async fn alike(ours: &RedisStore, seed: u64) {
    let (reference, mut dice, mut now) = (MemoryStore::new(), Dice(seed), NOW);
    let mut made: Vec<SessionId> = Vec::new();
    for step in 0..60 {
        let at = format!("seed {seed}, step {step}");
        // Often none, so that sessions begin in the same moment.
        now = now + dice.seconds(0, 3) * u32::try_from(dice.below(200)).unwrap();
        let any = |dice: &mut Dice| made.get(usize::try_from(dice.below(60)).unwrap() % made.len().max(1)).copied();
        match (dice.below(10), any(&mut dice)) {
            (0..5, _) | (_, None) => {
                let number = u32::try_from(seed * 100 + step).unwrap();
                let record = dice.record(number, now, reference.epochs(Some(ADA)).await.unwrap());
                let limit = dice.limit();
                made.push(record.id);
                let expected = reference.insert(record.clone(), limit, now).await.unwrap();
                assert_eq!(ours.insert(record, limit, now).await.unwrap(), expected, "{at} {limit:?}");
            }
            (5..9, Some(id)) => {
                let mut change = Change { seen_at: Some(now), ..Change::default() };
                change.first_use = (dice.below(2) == 0).then(|| dice.limit());
                let Loaded::Live(live) = reference.load(id, now, None).await.unwrap() else { continue };
                let expected = reference.commit(id, live.revision, change.clone(), now).await.unwrap();
                let found = ours.commit(id, live.revision, change.clone(), now).await.unwrap();
                match (&found, &expected) {
                    (Committed::Done(one, yielded), Committed::Done(other, expected)) => {
                        assert_eq!((one, yielded), (other, expected), "{at} {change:?}");
                    }
                    // Past what a store has to remember; the reference remembers until it is swept.
                    (Committed::Gone(None), _) if live.record.forget_at() <= now => {}
                    _ => panic!("{at} {change:?}: {found:?}, not {expected:?}"),
                }
            }
            _ => {
                let expected = reference.end_subject(ADA, None, EndReason::Admin, now).await.unwrap();
                assert_eq!(ours.end_subject(ADA, None, EndReason::Admin, now).await.unwrap(), expected, "{at}");
            }
        }
        reference.sweep(1_000, now).await.unwrap();
        let listed = |list: Vec<counterfoil_core::store::Summary>| list.iter().map(|one| one.id).collect::<Vec<_>>();
        let expected = listed(reference.list(ADA, Page::FIRST, now).await.unwrap());
        assert_eq!(listed(ours.list(ADA, Page::FIRST, now).await.unwrap()), expected, "{at}");
    }
}

#[tokio::test]
#[ignore = "takes a Redis: run in the stage that installs it"]
async fn the_script_decides_as_the_rule_does() {
    let server = Redis::start().await.unwrap();
    for seed in 0..100 {
        let settings = crate::redis::Settings { prefix: format!("seed{seed}:").into(), ..settings() };
        alike(&store(&server, settings).await, seed).await;
    }
}
