//! The stream of what ends or changes in a store.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::id::{SessionId, SubjectRef};
use crate::moment::Moment;
use crate::store::Revision;

/// Something happened in the store that other nodes, or waiting handlers, must hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A session ended.
    Ended(SessionId),
    /// A session's data, family or step-up changed: it has this revision by it, or has it by now.
    Changed(SessionId, Revision),
    /// All sessions of a subject ended, but perhaps one.
    SubjectEnded(SubjectRef),
    /// Every session ended.
    AllEnded,
    /// Notices were lost: assume that anything may have ended.
    Gap,
    /// Whatever happened before this moment, by this node's clock, was told. A store that others write to says so again
    /// and again, for as long as it can: whoever decides from memory knows by it how old what they know may be. A store
    /// of this process alone never has to.
    UpTo(Moment),
}

/// The notices of one store, from the moment it was asked for.
pub struct Watch(Pin<Box<dyn Stream<Item = Notice> + Send>>);

impl Watch {
    /// Wraps a stream of notices. It must never end while the store lives, and must mark what it lost with
    /// [`Notice::Gap`].
    pub fn new(stream: impl Stream<Item = Notice> + Send + 'static) -> Self {
        Self(Box::pin(stream))
    }
}

impl Stream for Watch {
    type Item = Notice;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Notice>> {
        self.0.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Watch(…)")
    }
}
