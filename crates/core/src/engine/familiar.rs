//! Which devices a subject has used of late: what a sign-in is held against.
//!
//! They lie in a record of nobody's, under an id that is derived from the subject, so every store keeps, seals, backs up and
//! forgets them as it does sessions. Nobody has a token for it: its family is closed. It lasts two
//! periods; in each period a new one takes over what the one before has, so that none outlives its keys.

use std::time::Duration;

use super::Engine;
use super::exchange::Exchange;
use crate::data::Payload;
use crate::event::EventKind;
use crate::id::{SessionId, SubjectRef};
use crate::record::{Change, Holder, Record};
use crate::rules::{Decision, Evidence, Family, Finding, History, Limits, Sensitivity, Sight, Signal, Vigilance};
use crate::store::{Epoch, Epochs, Live, Loaded};
use crate::stored;

/// What is known of a subject's devices.
pub(super) struct Familiar {
    id: SessionId,
    /// The record of this period, if there is one.
    live: Option<Live>,
    contexts: History,
}

impl Engine {
    /// The devices of a subject, as far as a store that answers knows them. `None` where nobody wants to know, or where it
    /// cannot be told: a sign-in does not fail for that.
    pub(super) async fn familiar(&self, subject: SubjectRef, epochs: Epochs) -> Option<Familiar> {
        if self.policy().grades().of(Signal::NewDevice).ordinary == Decision::None {
            return None;
        }
        let (now, period) = (self.now(), self.period_of_devices());
        let number = now.unix_millis() / u64::try_from(period.as_millis()).ok()?.max(1);
        let id = self.devices_of(subject, epochs.global, number);
        match self.store().load(id, now, None).await.ok()? {
            Loaded::Live(live) => {
                let contexts = stored::read_history(live.record.data.as_bytes())?;
                Some(Familiar { id, live: Some(live), contexts })
            }
            Loaded::Ended(_) => None,
            Loaded::Absent => {
                let before = self.devices_of(subject, epochs.global, number.checked_sub(1)?);
                let contexts = match self.store().load(before, now, None).await.ok()? {
                    Loaded::Live(live) => stored::read_history(live.record.data.as_bytes())?,
                    Loaded::Ended(_) | Loaded::Absent => History::default(),
                };
                Some(Familiar { id, live: None, contexts })
            }
        }
    }

    /// How long one record is written to: as long as contexts are remembered, and half as long as keys are kept.
    fn period_of_devices(&self) -> Duration {
        let retain = self.policy().vigilance().retain;
        self.keys().sessions_last().map_or(retain, |kept| retain.min(kept / 2))
    }

    fn devices_of(&self, subject: SubjectRef, global: Epoch, number: u64) -> SessionId {
        let name = format!("{subject}/{}/{number}", global.0);
        let tail = self.keys().external(KIND, &name);
        let mut id = [0; SessionId::LENGTH];
        let bucket = subject.bucket();
        id.iter_mut().zip(bucket.0.iter().chain(&tail)).for_each(|(to, from)| *to = *from);
        SessionId::from_bytes(id)
    }
}

impl Exchange {
    /// Holds a sign-in that succeeded against the devices that its subject is known by, tells if it is from another, and
    /// knows it from now on, unless it is doubted.
    pub(super) async fn meet(
        &self,
        familiar: Option<Familiar>,
        session: SessionId,
        subject: SubjectRef,
        is_doubted: bool,
    ) {
        let Some(familiar) = familiar else { return };
        let (sight, vigilance) = (self.arrival.sight(&self.engine), self.engine.policy().vigilance());
        let finding = familiar.judge(&sight, vigilance);
        if let Some(signal) = finding.news() {
            let decision = self.engine.policy().grades().of(signal).on(Sensitivity::Ordinary);
            let evidence = Some(Evidence::of(&finding, &sight));
            self.tell(Some(session), Some(subject), EventKind::Signalled { signal, decision, evidence, own: None });
        }
        if is_doubted {
            return;
        }
        let Familiar { id, live, contexts } = familiar;
        let known = contexts.of_late(sight.at, vigilance);
        let met = known.meeting(&sight, vigilance);
        if let (None, Some(_)) = (&met, &live) {
            return;
        }
        // Where this fails, or somebody else was faster, the device is news once more.
        let _ = self.remember(id, live, met.unwrap_or(known), sight).await;
    }

    async fn remember(&self, id: SessionId, live: Option<Live>, met: History, sight: Sight) -> Option<()> {
        let (store, now, data) = (self.engine.store(), sight.at, Payload::from_bytes(&stored::write_history(&met)?));
        if let Some(live) = live {
            let change = Change { seen_at: Some(now), data: Some(data), ..Change::default() };
            store.commit(id, live.revision, change, now).await.ok()?;
            return Some(());
        }
        let lasts = self.engine.period_of_devices() * 2;
        let record = Record {
            id,
            created_at: now,
            epochs: store.epochs(None).await.ok()?,
            limits: Limits { idle: lasts, absolute: lasts, remember_for: None },
            family: Family::closed(now),
            holder: Holder::Visitor(None),
            data,
        };
        store.insert(record, None, now).await.ok()?;
        Some(())
    }
}

impl Familiar {
    /// What a sign-in from there says; nothing where no device is known of late.
    pub(super) fn judge(&self, sight: &Sight, rule: &Vigilance) -> Finding {
        let known = self.contexts.clone().of_late(sight.at, rule);
        if known.contexts().is_empty() { Finding::default() } else { known.judge(sight, sight.at, rule) }
    }
}

impl Finding {
    /// What is worth telling of a sign-in: that it is by another device; or by one that is said to be the same, in a country
    /// that the subject was not in.
    pub(super) fn news(&self) -> Option<Signal> {
        if self.signals.has(Signal::UserAgentChanged) {
            return Some(Signal::NewDevice);
        }
        self.signals.has(Signal::CountryChanged).then_some(Signal::CountryChanged)
    }
}

/// Under which kind of name devices are derived. Applications name their references otherwise.
const KIND: &str = "counterfoil.devices";

#[cfg(test)]
mod tests;
