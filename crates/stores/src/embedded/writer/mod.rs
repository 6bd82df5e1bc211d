//! The one thread that changes the store: drains the queue, applies what was asked in order, writes it as one batch, and
//! answers once the batch is on the disk.

mod landing;
mod sweep;
mod turn;
mod verbs;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use counterfoil_core::store::StoreError;
use futures_channel::oneshot;

pub(super) use self::landing::Landing;
use self::sweep::ClockWatch;
use self::turn::Touches;
pub(super) use self::turn::{Turn, reference_key};
pub(super) use self::verbs::{New, Ready};
use super::error::DiskError;
use super::shared::Shared;

/// What is asked of the writer.
pub(super) enum Message {
    /// Something to apply; the reply goes out with the batch.
    Job(Box<dyn Job>),
    /// Leaves the disk, does this while nobody works with it, and begins anew.
    #[cfg(test)]
    Renew(Box<dyn FnOnce() + Send>),
    /// Ends the thread, after everything before it is done.
    Stop,
}

/// One verb that somebody asked for.
pub(super) trait Job: Send {
    /// Applies it in memory; what it answers waits for the disk.
    fn apply(self: Box<Self>, turn: &mut Turn<'_>) -> Reply;
    /// Answers that it was not done.
    fn refuse(self: Box<Self>, error: &Arc<DiskError>);
}

/// Answers whoever asked: as the verb went, or that the batch was lost.
pub(super) type Reply = Box<dyn FnOnce(Result<(), &Arc<DiskError>>)>;

struct Asked<F, T> {
    verb: F,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Asked<F, T>
where
    F: FnOnce(&mut Turn<'_>) -> Result<T, StoreError> + Send,
    T: Send + 'static,
{
    // Whoever asked may have gone away; it is done all the same.
    fn apply(self: Box<Self>, turn: &mut Turn<'_>) -> Reply {
        let (answer, done) = (self.answer, (self.verb)(turn));
        Box::new(move |landed| drop(answer.send(landed.map_err(unavailable).and(done))))
    }

    fn refuse(self: Box<Self>, error: &Arc<DiskError>) {
        drop(self.answer.send(Err(unavailable(error))));
    }
}

/// A handle on the writer's queue.
#[derive(Debug, Clone)]
pub(super) struct Queue(Sender<Message>);

impl Queue {
    pub(super) const fn new(sender: Sender<Message>) -> Self {
        Self(sender)
    }

    /// Has `verb` applied, and waits until it is on the disk.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Turn<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send + 'static {
        let (answer, receiver) = oneshot::channel();
        let asked = self.0.send(Message::Job(Box::new(Asked { verb, answer })));
        async move {
            asked.map_err(|_| stopped())?;
            receiver.await.unwrap_or_else(|_| Err(stopped()))
        }
    }

    /// Sends something else than a verb. Nobody listens only once the store is gone.
    pub(super) fn send(&self, message: Message) {
        let _ = self.0.send(message);
    }
}

/// The thread's state.
pub(super) struct Writer {
    shared: Arc<Shared>,
    queue: Receiver<Message>,
    touches_due: Instant,
    clock: ClockWatch,
    retry_after: Duration,
    tried: Instant,
    /// How many verbs the last batch had: about as many may be on their way again.
    expected: usize,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, queue: Receiver<Message>, retry_after: Duration) -> Self {
        Self {
            shared,
            queue,
            touches_due: Instant::now() + TOUCHES_EVERY,
            clock: ClockWatch::default(),
            retry_after,
            tried: Instant::now(),
            expected: 0,
        }
    }

    /// Works until it is told to stop, or until the store is gone.
    pub(super) fn run(mut self) {
        let _last = Last(Arc::clone(&self.shared));
        loop {
            let until_touches = self.touches_due.saturating_duration_since(Instant::now());
            let pause = if self.shared.table.is_away() { self.retry_after } else { until_touches };
            let first = match self.queue.recv_timeout(pause) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Message::Stop),
            };
            if self.shared.table.is_away() && self.tried.elapsed() >= self.retry_after {
                self.shared.begin_anew();
                self.tried = Instant::now();
            }
            let (jobs, after) = self.gather(first);
            self.expected = jobs.len();
            self.turn(jobs);
            match after {
                Some(Message::Stop) => return self.finish(),
                #[cfg(test)]
                Some(Message::Renew(between)) => self.renew(between),
                Some(Message::Job(_)) | None => {}
            }
        }
    }

    /// What waits, up to a limit; and what must wait until that is done. Those who were answered a moment ago and ask
    /// again are waited for, shortly: one write for all is worth more than an early one for the first.
    fn gather(&self, first: Option<Message>) -> (Vec<Box<dyn Job>>, Option<Message>) {
        let mut jobs = Vec::new();
        let mut next = first;
        let deadline = Instant::now() + LINGER;
        loop {
            match next.take() {
                Some(Message::Job(job)) => jobs.push(job),
                other @ Some(_) => return (jobs, other),
                None => return (jobs, None),
            }
            if jobs.len() >= MOST_JOBS {
                return (jobs, None);
            }
            next = self.queue.try_recv().ok();
            if next.is_none() && jobs.len() < self.expected {
                let left = deadline.saturating_duration_since(Instant::now());
                next = self.queue.recv_timeout(left).ok();
            }
        }
    }

    /// Applies all of `jobs`, writes once, answers all.
    fn turn(&mut self, jobs: Vec<Box<dyn Job>>) {
        let touches = Instant::now() >= self.touches_due;
        if jobs.is_empty() && !touches {
            return;
        }
        let Ok(disk) = self.shared.disk() else {
            let error = self.shared.trouble();
            for job in jobs {
                job.refuse(&error);
            }
            return;
        };
        let number = self.shared.table.next_turn();
        let mut turn = Turn::new(&self.shared, &*disk, &mut self.clock);
        // What is left over goes with the next batch, at once.
        if touches && turn.write_touches() == Touches::Written {
            self.touches_due = Instant::now() + TOUCHES_EVERY;
        }
        let replies: Vec<_> = jobs.into_iter().map(|job| job.apply(&mut turn)).collect();
        match turn.write() {
            Ok(()) => {
                turn.land();
                self.shared.landing.is_known(number, true);
                turn.tell();
                for reply in replies {
                    reply(Ok(()));
                }
            }
            Err(error) => {
                drop(turn);
                drop(disk);
                let error = self.shared.leave(error);
                self.shared.landing.is_known(number, false);
                for reply in replies {
                    reply(Err(&error));
                }
            }
        }
    }

    #[cfg(test)]
    fn renew(&self, between: Box<dyn FnOnce() + Send>) {
        self.shared.leave(DiskError::renewed());
        between();
        self.shared.begin_anew();
    }

    /// The last touches, so that a restart ends nothing early.
    fn finish(mut self) {
        self.touches_due = Instant::now();
        while Instant::now() >= self.touches_due && !self.shared.table.is_away() {
            self.turn(Vec::new());
        }
        self.shared.close();
    }
}

pub(super) fn unavailable(error: &Arc<DiskError>) -> StoreError {
    StoreError::Unavailable(Box::new(Arc::clone(error)))
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the session store was closed".into())
}

/// What is done when the thread ends, however it ends: nothing is answered any more, and nobody is left waiting.
struct Last(Arc<Shared>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.leave(DiskError::closed());
        self.0.landing.close();
    }
}

/// How long a batch waits for as many verbs as the last one had: half of the fastest write to a disk.
const LINGER: Duration = Duration::from_micros(100);
/// How often activity is written. A crash forgets at most this much of it: a session may end so much earlier, never later.
const TOUCHES_EVERY: Duration = Duration::from_secs(1);
/// How many verbs share a write at most: what 4,096 inserts take, about 3 MB, is one sequential write.
const MOST_JOBS: usize = 4_096;
