//! Telling those who watch, without ever waiting for them.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::mpsc::{Receiver, Sender, channel};
use futures_core::Stream;
use parking_lot::Mutex;

use crate::store::{Notice, Watch};

/// Everybody who watches the store.
#[derive(Debug, Default)]
pub(super) struct Notices(Mutex<Vec<Watcher>>);

/// One who watches. A full queue loses notices, and the next one that fits says so.
#[derive(Debug)]
struct Watcher {
    queue: Sender<Notice>,
    gap: bool,
}

impl Notices {
    pub(super) fn tell(&self, notice: Notice) {
        self.0.lock().retain_mut(|watcher| watcher.tell(notice));
    }

    pub(super) fn watch(&self) -> Watch {
        let (queue, received) = channel(QUEUE);
        self.0.lock().push(Watcher { queue, gap: false });
        Watch::new(Received(received))
    }
}

impl Watcher {
    /// Whether anybody still listens.
    fn tell(&mut self, notice: Notice) -> bool {
        if self.gap && self.queue.try_send(Notice::Gap).is_ok() {
            self.gap = false;
        }
        if self.gap {
            return !self.queue.is_closed();
        }
        match self.queue.try_send(notice) {
            Err(error) if error.is_disconnected() => false,
            sent => {
                self.gap = sent.is_err();
                true
            }
        }
    }
}

struct Received(Receiver<Notice>);

impl Stream for Received {
    type Item = Notice;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Notice>> {
        Pin::new(&mut self.0).poll_next(context)
    }
}

/// How many notices may wait for a slow watcher.
const QUEUE: usize = 1_024;
