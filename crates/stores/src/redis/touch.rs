//! User activity on a session that was loaded: written at its interval, by comparing, and never waited for twice.

use counterfoil_core::Moment;
use counterfoil_core::store::{Activity, Live};
use counterfoil_core::stored::StoredRecord;

use super::RedisStore;
use super::reply::{Reply, Word};
use super::seen::Seen;

impl RedisStore {
    /// Notes the activity, if it is worth a write. Where somebody else changed or noted something meanwhile, nothing is
    /// done: the next request finds it due again, or not. An error means no more than that.
    pub(super) async fn touched(&self, seen: Seen, activity: Option<Activity>, now: Moment) -> Seen {
        let Some(seen_at) = activity.and_then(|activity| activity.touch(&seen.live, now)) else { return seen };
        let touched = StoredRecord::from_bytes(&seen.bytes).and_then(|record| record.seen(seen_at, &self.sealer));
        let Ok(touched) = touched.map(|record| record.to_bytes()) else { return seen };
        let call = self.commit_call(&seen, &touched, true, None, now);
        let word = self.run(call).await.and_then(Reply::new).and_then(|mut reply| reply.word());
        match word {
            Ok(Word::Done) => Seen { bytes: touched.into(), live: Live { seen_at, ..seen.live } },
            // The activity is true all the same.
            _ => Seen { live: Live { seen_at, ..seen.live }, ..seen },
        }
    }
}
