//! Durable writes with so many waiting at once, and one thread that writes for all of them. Shared with the peers' programs.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::Failed;
use crate::server::cpu;

/// One run of one engine in a process of its own, as its arguments say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What is done again and again.
    pub work: Work,
    /// How many wait at once.
    pub waiting: u64,
    /// For how long, at most.
    pub span: Duration,
    /// How many sessions are there before the clock starts: to be replaced, each once, or to be changed in turn.
    pub before: u64,
    /// Bytes of the record of a session that is there before.
    pub old: usize,
    /// Bytes of a record that is written.
    pub record: usize,
    /// Bytes of what is left of an ended session.
    pub stone: usize,
    /// Empty, or missing.
    pub folder: PathBuf,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A new session.
    Insert,
    /// A new session in the place of another, which leaves a tombstone.
    SignIn,
    /// Other data in a session.
    Change,
}

/// How many do something at once, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// How many wait at once.
    pub waiting: u64,
    /// For how long, at most.
    pub span: Duration,
    /// How often, at most.
    pub most: u64,
}

/// What came of a run. What each write waited for is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How many were done.
    pub done: u64,
    /// In how long.
    pub elapsed: Duration,
    /// CPU time of the process meanwhile: the waiting, the sealing and the engine.
    pub cpu: Duration,
    /// Bytes the process had the disk write meanwhile, if the system tells.
    pub written: Option<u64>,
}

/// A key as ours are: 18 bytes, in no order.
pub type KeyBytes = [u8; 18];

/// A storage engine that makes many writes durable at once.
pub trait Engine: Send + 'static {
    /// Writes all of these. Once it returns, no power cut takes them away.
    ///
    /// # Errors
    /// Whatever the engine says.
    fn write(&mut self, writes: &[(KeyBytes, Vec<u8>)]) -> Result<(), Failed>;
}

/// The whole program around an engine: its arguments are a [`Run`], its output is an [`Outcome`].
pub fn contend<E: Engine>(
    arguments: impl Iterator<Item = String>,
    open: impl FnOnce(&Path) -> Result<E, Failed>,
) -> ExitCode {
    exit(Run::read(arguments).and_then(|run| {
        let engine = open(&run.folder)?;
        runtime()?.block_on(grouped(&run, engine))
    }))
}

/// Prints an outcome as [`contend`] does.
pub fn exit(outcome: Result<Outcome, Failed>) -> ExitCode {
    match outcome {
        Ok(outcome) => {
            println!("{outcome}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What all contenders wait in.
///
/// # Errors
/// If the system has no threads left.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Does `one` again and again, so many at once, each with a number of its own, until the time or the numbers are over.
///
/// # Errors
/// The first one that any of them had.
pub async fn repeat<F: Future<Output = Result<(), Failed>> + Send + 'static>(
    crowd: Crowd,
    one: impl Fn(u64) -> F + Send + Sync + 'static,
) -> Result<Outcome, Failed> {
    let Crowd { waiting, span, most } = crowd;
    let (one, next, done) = (Arc::new(one), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (cpu_before, written_before, start) = (cpu()?, written(), Instant::now());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..waiting {
        let (one, next, done) = (Arc::clone(&one), Arc::clone(&next), Arc::clone(&done));
        tasks.spawn(async move {
            while start.elapsed() < span {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= most {
                    break;
                }
                one(number).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Failed>(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    let (done, elapsed, cpu) = (done.load(Ordering::Relaxed), start.elapsed(), cpu()?.saturating_sub(cpu_before));
    let written = written().zip(written_before).map(|(after, before)| after.saturating_sub(before));
    Ok(Outcome { done, elapsed, cpu, written })
}

/// Key number `number` of one kind of sessions: the same for every engine.
pub fn key(kind: u64, number: u64) -> KeyBytes {
    let mut state = number.wrapping_mul(4).wrapping_add(kind);
    let mut bytes = [0; 18];
    for part in bytes.chunks_mut(8) {
        state = scrambled(state);
        part.copy_from_slice(state.to_be_bytes().get(..part.len()).unwrap_or_default());
    }
    bytes
}

/// What nothing makes smaller.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 8);
    let mut state = seed;
    while bytes.len() < length {
        state = scrambled(state);
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The sessions that are there before.
pub const OLD: u64 = 0;
/// The sessions that are made.
pub const NEW: u64 = 1;

/// The work done by an engine alone: the same bytes under such keys, by one thread that groups what waits as the store's
/// does.
async fn grouped<E: Engine>(run: &Run, mut engine: E) -> Result<Outcome, Failed> {
    for first in (0..run.before).step_by(10_000) {
        let old = (first..run.before.min(first + 10_000)).map(|number| (key(OLD, number), noise(run.old, number)));
        engine.write(&old.collect::<Vec<_>>())?;
    }
    let (sender, receiver) = channel();
    let writer = std::thread::spawn(move || write_for_all(engine, &receiver));
    let this = run.clone();
    let sender = Mutex::new(sender);
    let outcome = repeat(run.crowd(), move |number| {
        let sent = ask(&sender, this.writes(number));
        async move { Ok(sent?.await?) }
    })
    .await;
    writer.join().map_err(|_| "the writer panicked")??;
    outcome
}

type Asked = (Vec<(KeyBytes, Vec<u8>)>, oneshot::Sender<()>);

fn ask(sender: &Mutex<Sender<Asked>>, writes: Vec<(KeyBytes, Vec<u8>)>) -> Result<oneshot::Receiver<()>, Failed> {
    let (answer, answered) = oneshot::channel();
    let sender = sender.lock().unwrap_or_else(PoisonError::into_inner);
    sender.send((writes, answer)).map_err(|_| "the writer has ended")?;
    Ok(answered)
}

/// Until nobody asks any more. Those who were answered a moment ago are waited for, shortly, as in the store.
fn write_for_all(mut engine: impl Engine, queue: &Receiver<Asked>) -> Result<(), Failed> {
    let mut expected = 0;
    while let Ok(first) = queue.recv() {
        let (mut writes, mut answers) = (Vec::new(), Vec::new());
        let (deadline, mut next) = (Instant::now() + LINGER, Some(first));
        while let Some((more, answer)) = next.take() {
            writes.extend(more);
            answers.push(answer);
            next = queue.try_recv().ok();
            if next.is_none() && answers.len() < expected {
                next = queue.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok();
            }
        }
        engine.write(&writes)?;
        expected = answers.len();
        for answer in answers {
            // Whoever asked may have gone away.
            let _ = answer.send(());
        }
    }
    Ok(())
}

impl Run {
    /// A sign-in ends a session, which can be done once.
    pub fn crowd(&self) -> Crowd {
        let most = if self.work == Work::SignIn { self.before } else { u64::MAX };
        Crowd { waiting: self.waiting, span: self.span, most }
    }

    fn writes(&self, number: u64) -> Vec<(KeyBytes, Vec<u8>)> {
        let new = |kind, number| (key(kind, number), noise(self.record, number));
        match self.work {
            Work::Insert => vec![new(NEW, number)],
            Work::SignIn => vec![new(NEW, number), (key(OLD, number), noise(self.stone, number))],
            // Never the bytes that are there: an engine that looks would have nothing to write.
            Work::Change => {
                let before = self.before.max(1);
                vec![(key(OLD, number % before), noise(self.record, before + number))]
            }
        }
    }

    /// As arguments for a program.
    pub fn arguments(&self) -> Vec<String> {
        let Self { work, waiting, span, before, old, record, stone, folder } = self;
        let numbers = format!("{} {waiting} {} {before} {old} {record} {stone}", work.name(), span.as_millis());
        numbers.split(' ').map(str::to_owned).chain([folder.display().to_string()]).collect()
    }

    /// From a program's arguments.
    ///
    /// # Errors
    /// If they are not what [`arguments`](Self::arguments) makes.
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failed> {
        let mut next = || arguments.next().ok_or("usage: WORK WAITING MILLISECONDS BEFORE OLD RECORD STONE FOLDER");
        let work = next()?;
        Ok(Self {
            work: *Work::ALL.iter().find(|known| known.name() == work).ok_or("no such work")?,
            waiting: next()?.parse()?,
            span: Duration::from_millis(next()?.parse()?),
            before: next()?.parse()?,
            old: next()?.parse()?,
            record: next()?.parse()?,
            stone: next()?.parse()?,
            folder: next()?.into(),
        })
    }
}

impl Work {
    /// All of it.
    pub const ALL: [Self; 3] = [Self::Insert, Self::SignIn, Self::Change];

    /// Its name among a program's arguments.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::SignIn => "sign-in",
            Self::Change => "change",
        }
    }
}

impl Outcome {
    /// How many a second.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64()
    }

    /// Bytes written for each, if the system tells.
    pub fn written_each(&self) -> Option<u64> {
        self.written?.checked_div(self.done)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {}", self.done, self.elapsed.as_micros(), self.cpu.as_micros())?;
        self.written.map_or(Ok(()), |written| write!(out, " {written}"))
    }
}

impl FromStr for Outcome {
    type Err = Failed;

    fn from_str(text: &str) -> Result<Self, Failed> {
        let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>()?;
        let (&[done, elapsed, cpu], rest) = numbers.split_first_chunk().ok_or("three numbers are missing")?;
        let (elapsed, cpu) = (Duration::from_micros(elapsed), Duration::from_micros(cpu));
        Ok(Self { done, elapsed, cpu, written: rest.first().copied() })
    }
}

/// What this process has had the disk write so far.
fn written() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/io").ok()?;
    text.lines().find_map(|line| line.strip_prefix("write_bytes:"))?.trim().parse().ok()
}

/// `SplitMix64`: far apart for numbers that are near each other.
const fn scrambled(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// As in the store.
const LINGER: Duration = Duration::from_micros(100);
