//! What each trigger ends, and what that asks of a store: the same, however many sessions there are.

use std::sync::Arc;

use counterfoil::{
    EndReason, FakeClock, GeneratedKeys, MemoryStore, Moment, Page, Policy, SessionId, Store as _, Subject, Trigger,
};
use counterfoil_core::Record;
use counterfoil_core::engine::{Engine, Inspection};
use counterfoil_core::keys::SharedRing;
use counterfoil_core::store::{Inserted, Loaded};
use counterfoil_core::testing::{FaultyStore, Jar, sign_in, step_up};

/// Which of a subject's sessions go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    None,
    TheOneThatAsks,
    All,
}

struct House {
    engine: Engine,
    store: Arc<FaultyStore<MemoryStore>>,
}

impl House {
    fn new() -> Self {
        let store = Arc::new(FaultyStore::around(MemoryStore::new()));
        let clock = FakeClock::at(Moment::from_unix_seconds(1_795_000_000));
        let keys = SharedRing::from_source(&GeneratedKeys).unwrap();
        let policy = Policy::aal2("https://app.example").unwrap();
        let engine = Engine::new(policy, keys, Arc::clone(&store) as _, clock, ());
        Self { engine, store }
    }

    /// Somebody with so many sessions, in the first of which they stepped up: its id, and that of the last.
    async fn member(&self, subject: &Subject, sessions: u64) -> [SessionId; 2] {
        let mut jar = Jar::default();
        sign_in(&self.engine, &mut jar, subject).await.unwrap();
        step_up(&self.engine, &mut jar).await.unwrap();
        let first = self.engine.sessions_of(subject, Page::FIRST).await.unwrap().first().unwrap().id;
        let now = self.engine.now();
        let Ok(Loaded::Live(live)) = self.store.load(first, now, None).await else { panic!("it is live") };
        let mut last = first;
        for number in 1..sessions {
            let mut bytes = *first.as_bytes();
            bytes[10..].copy_from_slice(&number.to_be_bytes());
            last = SessionId::from_bytes(bytes);
            let record = Record { id: last, ..Record::clone(&live.record) };
            assert_eq!(self.store.insert(record, None, now).await.unwrap(), Inserted::Done(vec![]));
        }
        [first, last]
    }

    /// Why it is over; nothing while it goes on.
    async fn ended(&self, id: SessionId) -> Option<EndReason> {
        match self.engine.inspect(id).await.unwrap() {
            Inspection::Live(_) => None,
            Inspection::Over(reason) => Some(reason),
            _ => panic!("{id} is forgotten"),
        }
    }

    /// How many commands it took.
    async fn pull(&self, trigger: Trigger, subject: &Subject, current: Option<SessionId>) -> usize {
        let before = self.store.faults().asked();
        self.engine.trigger(subject, trigger, current).await.unwrap();
        self.store.faults().asked() - before
    }
}

#[tokio::test]
async fn each_trigger_ends_what_it_says_by_as_many_commands_for_one_session_as_for_a_hundred_thousand() {
    use {EndReason as E, Left as L, Trigger as T};
    #[rustfmt::skip]
    let rows = [
        //  trigger             asked by a session: left, commands   ends because
        (T::PasswordChanged,  L::TheOneThatAsks, 1,                 E::CredentialChanged),
        (T::PasswordReset,    L::None,           1,                 E::CredentialChanged),
        (T::EmailChanged,     L::All,            2,                 E::AccountChanged),
        (T::MfaChanged,       L::TheOneThatAsks, 1,                 E::CredentialChanged),
        (T::RoleChanged,      L::All,            2,                 E::AccountChanged),
        (T::AccountDisabled,  L::None,           1,                 E::AccountDisabled),
    ];
    assert_eq!(rows.map(|row| row.0), Trigger::ALL);
    for sessions in [1, 1_000, 100_000] {
        let house = House::new();
        let others = house.member(&Subject::new("other").unwrap(), 2).await;
        for (trigger, left, commands, reason) in rows {
            let subject = Subject::new(trigger.as_str()).unwrap();
            let [asks, last] = house.member(&subject, sessions).await;
            assert_eq!(house.pull(trigger, &subject, Some(asks)).await, commands, "{trigger:?} of {sessions}");
            let [first, rest] = match left {
                L::None => [Some(reason), Some(reason)],
                L::TheOneThatAsks => [None, Some(reason)],
                L::All => [None, None],
            };
            assert_eq!(house.ended(asks).await, first, "{trigger:?} of {sessions}");
            if last != asks {
                assert_eq!(house.ended(last).await, rest, "{trigger:?} of {sessions}");
            }
            assert_eq!(house.pull(trigger, &subject, None).await, 1, "{trigger:?} of {sessions} by an operator");
            assert!(
                house.ended(asks).await.is_some() && house.ended(last).await.is_some(),
                "{trigger:?} of {sessions}"
            );
            assert_eq!(house.engine.sessions_of(&subject, Page::FIRST).await.unwrap(), []);
        }
        for other in others {
            assert_eq!(house.ended(other).await, None, "nobody else's ended");
        }
    }
}
