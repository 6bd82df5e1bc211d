//! Whoever is told of events, seen from outside: what it is called, and how it does.

use crate::figures::Figures;
use crate::losses::Lost;
#[cfg(feature = "otlp")]
use crate::otlp::Otlp;
use crate::set::{PollStream, PushStream};
use crate::webhook::Webhook;

/// How telling one of them does, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent<'a> {
    /// Of which kind it is: `queue` (before all others), `trail`, `lines`, `webhook`, `push`, `poll` or `otlp`.
    pub kind: &'static str,
    /// What the configuration calls it; empty where there can only be one of its kind.
    pub name: &'a str,
    /// The figures. A file has losses alone.
    pub figures: Figures,
}

#[derive(Debug)]
pub(crate) enum Outlet {
    File(&'static str, Lost),
    Webhook(Webhook),
    Push(PushStream),
    Poll(PollStream),
    #[cfg(feature = "otlp")]
    Otlp(Otlp),
}

impl Outlet {
    pub(crate) const fn file(kind: &'static str, lost: Lost) -> Self {
        Self::File(kind, lost)
    }

    pub(crate) const fn webhook(webhook: Webhook) -> Self {
        Self::Webhook(webhook)
    }

    pub(crate) const fn push(stream: PushStream) -> Self {
        Self::Push(stream)
    }

    pub(crate) const fn poll(stream: PollStream) -> Self {
        Self::Poll(stream)
    }

    #[cfg(feature = "otlp")]
    pub(crate) const fn otlp(otlp: Otlp) -> Self {
        Self::Otlp(otlp)
    }

    pub(crate) fn sent(&self) -> Sent<'_> {
        match self {
            Self::File(kind, lost) => Sent { kind, name: "", figures: of_losses(lost.count()) },
            Self::Webhook(webhook) => Sent { kind: "webhook", name: webhook.name(), figures: webhook.figures() },
            Self::Push(stream) => Sent { kind: "push", name: stream.id(), figures: stream.figures() },
            Self::Poll(stream) => Sent { kind: "poll", name: stream.id(), figures: stream.figures() },
            #[cfg(feature = "otlp")]
            Self::Otlp(otlp) => Sent { kind: "otlp", name: "", figures: otlp.figures() },
        }
    }

    /// Until nothing waits any more.
    pub(crate) async fn drained(&self) {
        match self {
            // Whoever writes to a file has written before it takes the next event.
            Self::File(..) => {}
            // Nobody can make its receiver come.
            Self::Poll(_) => {}
            Self::Webhook(webhook) => webhook.drained().await,
            Self::Push(stream) => stream.drained().await,
            #[cfg(feature = "otlp")]
            Self::Otlp(otlp) => otlp.drained().await,
        }
    }
}

impl Sent<'_> {
    pub(crate) fn queue(lost: u64) -> Self {
        Self { kind: "queue", name: "", figures: of_losses(lost) }
    }
}

fn of_losses(lost: u64) -> Figures {
    Figures { lost, ..Figures::default() }
}
