//! Telling those who watch a store in this process, without ever waiting for them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use parking_lot::Mutex;

use super::{Notice, Watch};

/// Everybody who watches the store: for stores to tell what they did.
#[derive(Debug, Default)]
pub struct Notices(Mutex<Vec<Weak<Mutex<Queue>>>>);

/// What one of them has not read yet.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Notice>,
    /// Whether notices were lost since the last one that was read.
    gap: bool,
    waker: Option<Waker>,
}

impl Notices {
    /// Tells all of them. Whoever does not read for long gets a [`Notice::Gap`] instead.
    pub fn tell(&self, notice: Notice) {
        self.0.lock().retain(|watcher| {
            let Some(queue) = watcher.upgrade() else { return false };
            let waker = queue.lock().push(notice);
            waker.into_iter().for_each(Waker::wake);
            true
        });
    }

    /// One more, who hears of what happens from now on.
    pub fn watch(&self) -> Watch {
        let queue = Arc::default();
        self.0.lock().push(Arc::downgrade(&queue));
        Watch::new(Received(queue))
    }
}

impl Queue {
    /// Takes a notice in, or notes that it was lost. Whom to wake.
    fn push(&mut self, notice: Notice) -> Option<Waker> {
        if self.waiting.len() < QUEUE {
            self.waiting.push_back(notice);
        } else {
            self.gap = true;
        }
        self.waker.take()
    }

    /// The gap comes first: whoever hears of it looks at everything anew, what waits included.
    fn pop(&mut self) -> Option<Notice> {
        if std::mem::take(&mut self.gap) { Some(Notice::Gap) } else { self.waiting.pop_front() }
    }
}

struct Received(Arc<Mutex<Queue>>);

impl Stream for Received {
    type Item = Notice;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Notice>> {
        let mut queue = self.0.lock();
        if let Some(notice) = queue.pop() {
            return Poll::Ready(Some(notice));
        }
        queue.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// How many notices may wait for a slow watcher.
const QUEUE: usize = 1_024;
