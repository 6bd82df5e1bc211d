//! Connections that are no sockets, for tests whose clock stands still: nothing but the runtime itself moves bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;

use super::{Client, Limits};

/// A client all of whose connections come out at the other end, whatever the address.
pub(crate) fn client(limits: Limits) -> (Client, mpsc::UnboundedReceiver<DuplexStream>) {
    let (to_receiver, connections) = mpsc::unbounded_channel();
    (Client::over(Dial(to_receiver), limits), connections)
}

#[derive(Clone)]
struct Dial(mpsc::UnboundedSender<DuplexStream>);

struct Wire(TokioIo<DuplexStream>);

impl tower_service::Service<http::Uri> for Dial {
    type Response = Wire;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Wire>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let sent = self.0.send(theirs).map_err(|_| io::ErrorKind::ConnectionRefused.into());
        std::future::ready(sent.map(|()| Wire(TokioIo::new(ours))))
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, to)
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
