//! The engine over an embedded store, with a clock that runs fast, and the notes of everything that is done.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use counterfoil_core::keys::{KeyError, KeyMaterial, KeySource, SharedRing};
use counterfoil_core::policy::{PolicyError, PolicySettings};
use counterfoil_core::seal::Sealer;
use counterfoil_core::{Clock as _, Engine, FakeClock, Moment, Policy};
use counterfoil_stores::embedded::{DiskError, OpenError, Settings};

use super::WorkerArgs;
use crate::model::{Limits, World};
use crate::note::{self, Answer, Cookies, Deed, Note, Phase};
use crate::says::Says;

/// A site with its sessions.
pub(crate) struct Site {
    pub(crate) engine: Engine,
    pub(crate) clock: FakeClock,
    pub(crate) notes: Notes,
    pub(crate) ballast: String,
    done: AtomicU64,
    most: u64,
    told: AtomicBool,
}

/// Where deeds are noted, and what they come to.
#[derive(Clone)]
pub(crate) struct Notes(Arc<Mutex<Written>>);

struct Written {
    file: File,
    world: World,
    number: u64,
}

/// Why a worker does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Refused(OpenError),
    #[error("the notes cannot be written or read")]
    Notes(#[from] io::Error),
    #[error("the store cannot be checked")]
    Check(#[from] DiskError),
    #[error("the keys of the harness are none")]
    Keys(#[from] KeyError),
    #[error("the policy of the harness is none")]
    Policy(#[from] PolicyError),
    #[error("a thread of the worker panicked")]
    Panicked,
}

impl Site {
    /// Opens the store. The time goes on where it was.
    pub(super) fn open(arguments: &WorkerArgs, notes: &Notes) -> Result<Self, Trouble> {
        let clock = FakeClock::at(notes.world().now.max(START));
        let ring = SharedRing::from_source(&Keys)?;
        let store = Arc::new(super::open(arguments)?);
        let engine = Engine::new(policy()?, ring, store, clock.clone(), ());
        Ok(Self {
            engine,
            clock,
            notes: notes.clone(),
            ballast: "x".repeat(arguments.ballast),
            done: AtomicU64::new(0),
            most: arguments.deeds.unwrap_or(u64::MAX),
            told: AtomicBool::new(false),
        })
    }

    /// No new deeds from now on.
    pub(super) fn stop(&self) {
        self.told.store(true, Ordering::SeqCst);
    }

    /// Whether another deed may begin; it counts.
    pub(super) fn goes_on(&self) -> bool {
        !self.told.load(Ordering::SeqCst) && self.done.fetch_add(1, Ordering::SeqCst) < self.most
    }

    /// Closes the store: whatever holds the site lets go of it.
    pub(super) fn close(self: Arc<Self>) {
        drop(self);
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Lets time pass.
    pub(super) fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Notes that `deed` is about to be asked, asks it, and notes the answer.
    pub(super) async fn perform(
        &self,
        deed: Deed,
        ask: impl Future<Output = (Answer, Cookies)>,
    ) -> Result<Answer, Trouble> {
        let number = self.notes.intend(self.now(), deed)?;
        let (answer, cookies) = ask.await;
        self.notes.write(&Note::Answer { number, at: self.now(), answer: answer.clone(), cookies })?;
        Ok(answer)
    }
}

impl Notes {
    /// Goes on with the notes of the processes before.
    pub(super) fn open(path: &Path) -> Result<Self, Trouble> {
        let before = note::read(path)?;
        let (world, _) = World::of(before);
        let round = world.round + 1;
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let notes = Self(Arc::new(Mutex::new(Written { file, world, number: u64::from(round) << 40 })));
        notes.write(&Note::Began { round })?;
        Ok(notes)
    }

    pub(super) fn phase(&self, phase: Phase) -> Result<(), Trouble> {
        self.write(&Note::Phase(phase))
    }

    fn intend(&self, at: Moment, deed: Deed) -> Result<u64, Trouble> {
        let mut written = self.lock();
        written.number += 1;
        let number = written.number;
        written.add(&Note::Intent { number, at, deed })?;
        Ok(number)
    }

    fn write(&self, note: &Note) -> Result<(), Trouble> {
        self.lock().add(note)
    }

    /// What is known so far.
    pub(super) fn world(&self) -> MutexGuardWorld<'_> {
        MutexGuardWorld(self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    /// One line, in one write: it is there whole or torn at the end.
    fn add(&mut self, note: &Note) -> Result<(), Trouble> {
        self.file.write_all(&note::line(note)?)?;
        for violation in self.world.take(note.clone()) {
            println!("{}", Says::Violation { text: violation.to_string() });
        }
        Ok(())
    }
}

/// What is known, while nobody learns more.
pub(super) struct MutexGuardWorld<'a>(MutexGuard<'a, Written>);

impl std::ops::Deref for MutexGuardWorld<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0.world
    }
}

/// Little memory, so that what is asked comes from the disk and what is written gets there soon.
pub(super) fn small() -> Settings {
    let mut settings = Settings::default();
    (settings.cache_bytes, settings.engine_cache_bytes) = (64 * 1_024, 256 * 1_024);
    settings.write_buffer_bytes = 64 * 1_024;
    settings
}

pub(super) fn sealer() -> Result<Sealer, Trouble> {
    Ok(Sealer::new(SharedRing::from_source(&Keys)?))
}

fn policy() -> Result<Policy, Trouble> {
    let mut settings = PolicySettings::aal2("https://crash.example");
    settings.timeouts.idle = Some(Limits::IDLE.into());
    settings.timeouts.absolute = Some(Limits::ABSOLUTE.into());
    settings.timeouts.rotate_every = Some(Limits::ROTATE_EVERY.into());
    settings.timeouts.grace = Some(Limits::GRACE.into());
    settings.timeouts.elevated_for = Some(Limits::ELEVATED_FOR.into());
    Ok(Policy::try_from(settings)?)
}

/// The same in every process, and of no worth elsewhere.
struct Keys;

impl KeySource for Keys {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        KeyMaterial::parse(
            "a:b25lIHJvb3Qga2V5IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE",
            "cmVmZXJlbmNlIGtleSBvZiAzMiBieXRlcyBmb3IgdGVzdHM",
        )
    }
}

const START: Moment = Moment::from_unix_seconds(1_800_000_000);
