//! Opening a filled store again, and each thing that is done with it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use counterfoil_core::data::Payload;
use counterfoil_core::keys::SharedRing;
use counterfoil_core::rules::{Limits, Presented};
use counterfoil_core::store::{Activity, Committed, Loaded, Page, Revision, Store as _};
use counterfoil_core::{Change, Record, SessionId};
use counterfoil_stores::embedded::EmbeddedStore;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use super::{Effort, keys, open};
use crate::Failed;
use crate::measure::median;
use crate::records::{self, DATA_BYTES, LIMITS, NOW, added, id_of, of_subject, signed_in};
use crate::requests::Requests;
use crate::waiting::{Crowd, noise, repeat, runtime};

/// What a store costs. Times in nanoseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Used {
    /// Until the store was open.
    pub open_seconds: f64,
    /// What the process grew by meanwhile.
    pub resident_bytes: u64,
    /// A read of a record that is on the disk only.
    pub cold: f64,
    /// A read from memory.
    pub peek: f64,
    /// A whole authenticated request without its connection: cookie, tag, store, judgement, effects.
    pub request: f64,
    /// A read that notes activity.
    pub touch: f64,
    /// The list of a subject's ten sessions.
    pub list: f64,
    /// A durable insert, 256 waiting.
    pub insert: f64,
    /// A durable change of data, 256 waiting.
    pub change: f64,
    /// One step of the sweep that finds nothing to forget.
    pub idle_sweep: f64,
    /// One that forgets 512 sessions, durably.
    pub sweep: f64,
}

/// Opens the store that was filled, and does everything with it.
///
/// # Errors
/// If anything is not done.
pub fn work(sessions: u64, folder: &Path, effort: Effort) -> Result<Used, Failed> {
    let (keys, runtime) = (keys()?, runtime()?);
    let before = resident()?;
    let began = Instant::now();
    let store = Arc::new(open(folder, &keys)?);
    let (open_seconds, resident_bytes) = (began.elapsed().as_secs_f64(), resident()?.saturating_sub(before));
    let bench = Bench { few: Few::of(sessions, &keys)?, store, keys, runtime, effort, sessions };
    let cold = bench.read(1)?;
    let peek = bench.read(bench.times())?;
    let touch = bench.touch()?;
    let request = bench.request()?;
    let list = bench.list()?;
    let (insert, change) = (bench.insert()?, bench.change()?);
    let (idle_sweep, sweep) = bench.sweep()?;
    Ok(Used { open_seconds, resident_bytes, cold, peek, request, touch, list, insert, change, idle_sweep, sweep })
}

struct Bench {
    few: Few,
    store: Arc<EmbeddedStore>,
    keys: SharedRing,
    runtime: Runtime,
    effort: Effort,
    sessions: u64,
}

/// The sessions that are used: spread over all of them, and few enough that their records stay in memory.
struct Few {
    numbers: Vec<u64>,
    ids: Arc<[SessionId]>,
}

impl Few {
    fn of(sessions: u64, keys: &SharedRing) -> Result<Self, Failed> {
        let count = sessions.min(20_000);
        let numbers: Vec<_> = (0..count).map(|index| index * (sessions / count)).collect();
        let ids = numbers.iter().map(|number| id_of(&keys.load(), *number)).collect::<Result<_, _>>()?;
        Ok(Self { numbers, ids })
    }
}

impl Bench {
    fn times(&self) -> usize {
        if self.effort == Effort::Full { 20 } else { 1 }
    }

    fn span(&self) -> Duration {
        Duration::from_millis(if self.effort == Effort::Full { 2_000 } else { 20 })
    }

    /// Reads all of the few sessions so often.
    fn read(&self, times: usize) -> Result<f64, Failed> {
        let all = std::iter::repeat_n(&self.few.ids, times).flat_map(|ids| ids.iter());
        each(all, |id| self.live(self.store.peek(*id, NOW, None), *id, None))
    }

    /// Each once: a touch step passes before the next one.
    fn touch(&self) -> Result<f64, Failed> {
        let all = self.few.ids.iter().zip(&self.few.numbers);
        each(all, |(id, number)| {
            let token = Presented { generation: 0, hash: records::hash(*number) };
            let activity = Some(Activity { token: Some(token), limits: LIMITS });
            self.live(self.store.peek(*id, LATER, activity), *id, activity)
        })
    }

    /// As the engine does: what memory does not answer is loaded.
    fn live(&self, peeked: Option<Loaded>, id: SessionId, activity: Option<Activity>) -> Result<(), Failed> {
        let now = if activity.is_some() { LATER } else { NOW };
        let loaded = match peeked {
            Some(loaded) => loaded,
            None => self.runtime.block_on(self.store.load(id, now, activity))?,
        };
        match loaded {
            Loaded::Live(live) if activity.is_none() || live.seen_at == LATER => Ok(()),
            other => Err(format!("not as it was: {other:?}").into()),
        }
    }

    fn request(&self) -> Result<f64, Failed> {
        let requests = self.runtime.block_on(Requests::of(Arc::clone(&self.store), 100))?;
        // The first request of a session is written down, that its token came.
        self.runtime.block_on(requests.each_once())?;
        each(std::iter::repeat_n(&requests, 100 * self.times()).flat_map(Requests::headers), |headers| {
            requests.one(headers)
        })
    }

    fn list(&self) -> Result<f64, Failed> {
        let names: Vec<_> = (0..50).map(|number| format!("list-{number}")).collect();
        let mut subjects = Vec::new();
        for (name, first) in names.iter().zip((LISTED..).step_by(10)) {
            for number in first..first + 10 {
                let record = of_subject(&self.keys.load(), name, number)?;
                subjects.extend(record.subject().filter(|_| number == first));
                self.runtime.block_on(async { added(&self.store.insert(record, None, NOW).await?) })?;
            }
        }
        each(std::iter::repeat_n(&subjects, 100).flatten(), |subject| {
            let listed = self.runtime.block_on(self.store.list(*subject, Page::FIRST, NOW))?;
            if listed.len() == 10 { Ok(()) } else { Err(format!("{} listed", listed.len()).into()) }
        })
    }

    fn insert(&self) -> Result<f64, Failed> {
        let crowd = Crowd { waiting: 256, span: self.span(), most: u64::MAX };
        self.make(crowd, ADDED, LIMITS)
    }

    /// Inserts sessions; how long each took.
    fn make(&self, crowd: Crowd, first: u64, limits: Limits) -> Result<f64, Failed> {
        let (store, keys) = (Arc::clone(&self.store), self.keys.clone());
        let done = self.runtime.block_on(repeat(crowd, move |number| {
            let (store, keys) = (Arc::clone(&store), keys.clone());
            async move {
                let record = Record { limits, ..signed_in(&keys.load(), first + number)? };
                added(&store.insert(record, None, NOW).await?)
            }
        }))?;
        Ok(1e9 / done.rate())
    }

    fn change(&self) -> Result<f64, Failed> {
        let crowd = Crowd { waiting: self.sessions.min(256), span: self.span(), most: u64::MAX };
        let (store, ids) = (Arc::clone(&self.store), Arc::clone(&self.few.ids));
        let done = self.runtime.block_on(repeat(crowd, move |number| {
            let (store, ids) = (Arc::clone(&store), Arc::clone(&ids));
            async move {
                let (session, times) = (number % ids.len() as u64, number / ids.len() as u64);
                let id = *ids.get(usize::try_from(session)?).ok_or("no such session")?;
                let mut revision = Revision(times);
                loop {
                    let data = Some(Payload::from_bytes(&noise(DATA_BYTES, number)));
                    match store.commit(id, revision, Change { data, ..Change::default() }, LATER).await? {
                        Committed::Done(..) => return Ok(()),
                        // Where sessions are few, a change of the same one may still be under way.
                        Committed::Conflict(live) => revision = live.revision,
                        Committed::Gone(_) => return Err(format!("{id} is gone").into()),
                    }
                }
            }
        }))?;
        Ok(1e9 / done.rate())
    }

    /// With nothing to forget, and with sessions that are over; a step looks at as many as the middleware's.
    fn sweep(&self) -> Result<(f64, f64), Failed> {
        let brief = Limits { idle: Duration::from_mins(1), absolute: Duration::from_mins(1), remember_for: None };
        let step = |now| {
            let began = Instant::now();
            let forgotten = self.runtime.block_on(self.store.sweep(SWEPT, now))?;
            Ok::<_, Failed>((nanoseconds(began), forgotten))
        };
        let idle = (0..100).map(|_| Ok(step(NOW)?.0)).collect::<Result<Vec<_>, Failed>>()?;
        let crowd = Crowd {
            waiting: 2_048,
            span: Duration::MAX,
            most: if self.effort == Effort::Full { 20_000 } else { 1_000 },
        };
        self.make(crowd, BRIEF, brief)?;
        let mut busy = Vec::new();
        loop {
            let (took, forgotten) = step(NOW + Duration::from_mins(2))?;
            if forgotten < SWEPT {
                break;
            }
            busy.push(took);
        }
        Ok((median(&idle), median(&busy)))
    }
}

/// Does something with each, and says how long one takes: the median over parts of a hundred.
fn each<T>(items: impl Iterator<Item = T>, mut one: impl FnMut(T) -> Result<(), Failed>) -> Result<f64, Failed> {
    let (mut items, mut parts) = (items.peekable(), Vec::new());
    while items.peek().is_some() {
        let (began, mut count) = (Instant::now(), 0_u32);
        for item in items.by_ref().take(100) {
            one(item)?;
            count += 1;
        }
        parts.push(nanoseconds(began) / f64::from(count));
    }
    Ok(median(&parts))
}

fn nanoseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e9
}

/// Of this process, in bytes.
fn resident() -> Result<u64, Failed> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the system does not tell")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1_024)
}

/// Long enough after the sessions began that activity is worth a note.
const LATER: counterfoil_core::Moment = counterfoil_core::Moment::from_unix_seconds(1_800_000_600);
/// How many a step of the middleware's sweep looks at.
const SWEPT: usize = 512;
/// Numbers of sessions beside those that are there.
const LISTED: u64 = 1 << 40;
const ADDED: u64 = 1 << 41;
const BRIEF: u64 = 1 << 42;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activity_later_is_worth_a_note() {
        let moved = LATER.since(NOW);
        assert!(moved >= LIMITS.touch_step() && moved < LIMITS.idle, "{moved:?}");
    }
}
