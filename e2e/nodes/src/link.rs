//! The way from one node to the store, which can be held up or cut.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

/// What passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Everything.
    Open,
    /// Nothing; connections stay, and new ones are taken, and what was sent arrives once it is open again.
    Frozen,
    /// There is none: connections break, and new ones are refused.
    Cut,
}

/// A way of one's own to a server on this machine. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Link {
    port: u16,
    way: watch::Sender<Way>,
}

impl Link {
    /// To whoever listens at `port`.
    pub(crate) async fn to(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let own = listener.local_addr()?.port();
        let (way, seen) = watch::channel(Way::Open);
        tokio::spawn(accept(listener, own, port, seen));
        Ok(Self { port: own, way })
    }

    /// Where it begins.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on.
    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn accept(mut listener: TcpListener, own: u16, port: u16, mut way: watch::Receiver<Way>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(carry(stream, port, way.clone()));
                }
            }
            cut = reaches(&mut way, |way| way == Way::Cut) => {
                if !cut { return }
                drop(listener);
                let Some(reserved) = reserve(own, &mut way).await else { return };
                if !reaches(&mut way, |way| way != Way::Cut).await { return }
                let Ok(again) = reserved.listen(BACKLOG) else { return };
                listener = again;
            }
        }
    }
}

/// The port is ours, and whoever connects is refused. None once the link is dropped.
async fn reserve(port: u16, way: &mut watch::Receiver<Way>) -> Option<TcpSocket> {
    while way.has_changed().is_ok() {
        if let Ok(socket) = TcpSocket::new_v4()
            && socket.set_reuseaddr(true).is_ok()
            && socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_ok()
        {
            return Some(socket);
        }
        sleep(Duration::from_millis(1)).await;
    }
    None
}

/// One connection, for as long as both sides want it and nobody cuts it.
async fn carry(near: TcpStream, port: u16, mut way: watch::Receiver<Way>) {
    let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
    if near.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
        return;
    }
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let mut there = tokio::spawn(pass(near_in, far_out, way.clone()));
    let mut back = tokio::spawn(pass(far_in, near_out, way.clone()));
    tokio::select! {
        _ = reaches(&mut way, |way| way == Way::Cut) => {}
        _ = async { tokio::join!(&mut there, &mut back) } => {}
    }
    there.abort();
    back.abort();
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>) {
    let mut bytes = vec![0; 16 * 1_024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or_default();
        let part = bytes.get(..read).unwrap_or_default();
        let open = reaches(&mut way, |way| way != Way::Frozen).await;
        if !open || part.is_empty() || to.write_all(part).await.is_err() {
            // The other side hears that this one has ended, in its own time.
            let _ = to.shutdown().await;
            return;
        }
    }
}

/// Waits until it is so. `false` once the link is dropped.
async fn reaches(way: &mut watch::Receiver<Way>, so: impl Fn(Way) -> bool) -> bool {
    way.wait_for(|way| so(*way)).await.is_ok()
}

const BACKLOG: u32 = 1_024;

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    /// Sends back what it gets.
    async fn echo() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        port
    }

    async fn ask(stream: &mut TcpStream, byte: u8) -> io::Result<u8> {
        stream.write_all(&[byte]).await?;
        stream.read_u8().await
    }

    #[tokio::test]
    async fn what_is_frozen_arrives_later_and_what_is_cut_is_refused_until_it_is_open_again() {
        let link = Link::to(echo().await).await.unwrap();
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, link.port()));
        let mut stream = connect().await.unwrap();
        assert_eq!(ask(&mut stream, 1).await.unwrap(), 1);

        link.set(Way::Frozen);
        stream.write_all(&[2]).await.unwrap();
        let mut held = connect().await.unwrap();
        held.write_all(&[3]).await.unwrap();
        assert!(timeout(Duration::from_millis(50), stream.read_u8()).await.is_err());
        link.set(Way::Open);
        assert_eq!((stream.read_u8().await.unwrap(), held.read_u8().await.unwrap()), (2, 3));

        link.set(Way::Cut);
        assert!(stream.read_u8().await.is_err(), "connections break");
        while connect().await.is_ok() {}
        link.set(Way::Open);
        let mut again = loop {
            if let Ok(stream) = connect().await {
                break stream;
            }
        };
        assert_eq!(ask(&mut again, 4).await.unwrap(), 4);
    }
}
