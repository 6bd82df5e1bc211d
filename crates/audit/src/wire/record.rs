//! A stream that keeps what the head of each answer was, byte for byte, while HTTP is read from it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::locked;

/// What was read since it was last cleared, until the body begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Record(Arc<Mutex<Vec<u8>>>);

/// A stream with a record.
pub(super) struct Recorded<S> {
    stream: S,
    record: Record,
}

impl Record {
    /// Before the next request.
    pub(super) fn clear(&self) {
        locked(&self.0).clear();
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        locked(&self.0).clone()
    }

    fn note(&self, bytes: &[u8]) {
        let mut kept = locked(&self.0);
        let room = MOST.saturating_sub(kept.len());
        kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }
}

impl<S> Recorded<S> {
    pub(super) fn new(stream: S) -> (Self, Record) {
        let record = Record::default();
        (Self { stream, record: record.clone() }, record)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Recorded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(new) = buffer.filled().get(before..) {
            self.record.note(new);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Recorded<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// As much of an answer as its head may be; a thousand large cookies fit.
const MOST: usize = 8 << 20;
