//! From whoever tells an event to all who are to know: a bounded queue, and a thread of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fmt, io, thread};

use counterfoil_core::{Event, EventSink};
use parking_lot::{Condvar, Mutex};
use tokio::sync::broadcast;

use crate::cause::Cause;
use crate::told::{EventId, Told};

/// Who is told of events. Called on a thread of its own, one event after the other.
///
/// It may wait for a disk, and for nothing slower: what goes over a network is put into a queue of the sink's own.
pub trait Sink: Send + 'static {
    /// Takes one event.
    fn take(&mut self, told: &Told);

    /// Everything there was has been taken for now: what is buffered is written.
    fn rest(&mut self) {}
}

/// Takes events, and tells everybody. Cheap to clone; it is itself an [`EventSink`], of a program with one site.
///
/// # Examples
/// ```
/// use counterfoil_core::{Event, EventKind, EventSink as _, Moment};
/// use counterfoil_telemetry::{Sink, Telemetry, Told};
/// use std::{sync::mpsc, time::Duration};
///
/// struct Names(mpsc::Sender<&'static str>);
/// impl Sink for Names {
///     fn take(&mut self, told: &Told) {
///         let _ = self.0.send(told.event.kind.name());
///     }
/// }
///
/// let (names, heard) = mpsc::channel();
/// let telemetry = Telemetry::builder().sink(Names(names)).start()?;
/// telemetry.emit(&Event { at: Moment::EPOCH, session: None, subject: None, kind: EventKind::SteppedUp });
/// assert!(telemetry.finish(Duration::from_secs(10)));
/// assert_eq!(heard.recv(), Ok("step_up.done"));
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Telemetry(Arc<Shared>);

/// The events of one site of a program that has several.
#[derive(Debug, Clone)]
pub struct SiteEvents {
    telemetry: Telemetry,
    site: Arc<str>,
}

/// Puts a [`Telemetry`] together.
#[must_use = "call `start`"]
pub struct Builder {
    sinks: Vec<Box<dyn Sink>>,
    most: usize,
}

struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
    emptied: Condvar,
    lost: AtomicU64,
    most: usize,
    live: broadcast::Sender<Told>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether the thread has taken some that not everybody was told of.
    under_way: bool,
}

struct Waiting {
    site: Option<Arc<str>>,
    event: Event,
    cause: Option<Arc<Cause>>,
}

impl Telemetry {
    /// One that tells nobody yet.
    pub fn builder() -> Builder {
        Builder { sinks: Vec::new(), most: MOST_WAITING }
    }

    /// Where one of several sites tells its events.
    pub fn site(&self, name: &str) -> SiteEvents {
        SiteEvents { telemetry: self.clone(), site: name.into() }
    }

    /// Every event from now on. Whoever reads too slowly is told how many passed.
    pub fn follow(&self) -> broadcast::Receiver<Told> {
        self.0.live.subscribe()
    }

    /// How many events were lost since the start, because there were more at once than may wait.
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Waits until every sink was told of everything, but not longer than that. Whether they were.
    pub fn finish(&self, longest: Duration) -> bool {
        let end = Instant::now() + longest;
        let mut queue = self.0.queue.lock();
        while queue.under_way || !queue.waiting.is_empty() {
            if self.0.emptied.wait_until(&mut queue, end).timed_out() {
                return false;
            }
        }
        true
    }

    fn take(&self, site: Option<Arc<str>>, event: Event) {
        let cause = Cause::of_now();
        let mut queue = self.0.queue.lock();
        if queue.waiting.len() >= self.0.most {
            drop(queue);
            self.0.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.waiting.push_back(Waiting { site, event, cause });
        let first = queue.waiting.len() == 1;
        drop(queue);
        // Somebody woke it for those before.
        if first {
            self.0.filled.notify_one();
        }
    }

    /// The thread's whole life.
    fn tell(&self, mut sinks: Vec<Box<dyn Sink>>) {
        let mut told_lost = 0;
        loop {
            for Waiting { site, event, cause } in self.some() {
                let told = Told::caused(EventId::fresh(event.at), site, event, cause);
                for sink in &mut sinks {
                    sink.take(&told);
                }
                // Nobody has to listen.
                let _ = self.0.live.send(told);
            }
            for sink in &mut sinks {
                sink.rest();
            }
            let lost = self.lost();
            if lost > told_lost {
                tracing::warn!(rule = "events", lost = lost - told_lost, "events were lost: too many at once");
                told_lost = lost;
            }
            let mut queue = self.0.queue.lock();
            queue.under_way = false;
            if queue.waiting.is_empty() {
                self.0.emptied.notify_all();
            }
        }
    }

    /// All that waits, once something does.
    fn some(&self) -> VecDeque<Waiting> {
        let mut queue = self.0.queue.lock();
        while queue.waiting.is_empty() {
            self.0.filled.wait(&mut queue);
        }
        queue.under_way = true;
        std::mem::take(&mut queue.waiting)
    }
}

impl EventSink for Telemetry {
    fn emit(&self, event: &Event) {
        self.take(None, *event);
    }
}

impl EventSink for SiteEvents {
    fn emit(&self, event: &Event) {
        self.telemetry.take(Some(Arc::clone(&self.site)), *event);
    }
}

impl Builder {
    /// Tells this one too, after those before it.
    pub fn sink(mut self, sink: impl Sink) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }

    /// How many events may wait [default: 16,384, some 4 MB].
    pub fn waiting(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Begins to tell.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(self) -> io::Result<Telemetry> {
        let shared = Shared {
            queue: Mutex::default(),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            lost: AtomicU64::new(0),
            most: self.most,
            live: broadcast::Sender::new(MOST_UNREAD),
        };
        let telemetry = Telemetry(Arc::new(shared));
        let telling = telemetry.clone();
        thread::Builder::new().name("events".to_owned()).spawn(move || telling.tell(self.sinks))?;
        Ok(telemetry)
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Telemetry").field("lost", &self.lost()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Builder").field("sinks", &self.sinks.len()).field("most", &self.most).finish()
    }
}

/// Seconds of an attack on a busy site, while a disk is slow.
const MOST_WAITING: usize = 16_384;
/// For each reader of the live stream.
const MOST_UNREAD: usize = 1_024;

#[cfg(test)]
mod tests;
