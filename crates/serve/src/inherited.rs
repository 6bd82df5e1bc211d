//! Listeners that are there before the program is: the service manager holds their sockets, so a restart refuses nobody.
//!
//! The protocol is systemd's (`sd_listen_fds`): sockets from descriptor 3 on, their number in `LISTEN_FDS`, for the
//! process named by `LISTEN_PID`. Which is which is told by their addresses.

use std::io;
use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;
use tokio::net::TcpSocket;

/// The sockets that were handed over.
#[derive(Debug, Default)]
pub struct Inherited(Vec<TcpListener>);

/// Sockets that were handed over are of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotInherited {
    /// One is no TCP listener.
    #[error("a socket that was handed over (LISTEN_FDS) is not a TCP listener: correct the socket unit")]
    NotAListener(#[source] io::Error),
    /// Nobody listens there.
    #[error(
        "a socket for {address} was handed over (LISTEN_FDS), but the configuration has no listener there: \
         use the same addresses in both"
    )]
    Unasked {
        /// Its address.
        address: SocketAddr,
    },
}

impl Inherited {
    /// Takes what was handed to this process. Once: the next time there is nothing.
    ///
    /// # Errors
    /// [`NotInherited::NotAListener`]
    pub fn take() -> Result<Self, NotInherited> {
        let mut handed = ListenFd::from_env();
        let mut listeners = Vec::new();
        for index in 0..handed.len() {
            listeners.extend(handed.take_tcp_listener(index).map_err(NotInherited::NotAListener)?);
        }
        Ok(Self(listeners))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was handed over.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one that listens at `address`, or else a new one there.
    ///
    /// # Errors
    /// Where the system lets nobody listen there.
    pub fn or_bind(&mut self, address: SocketAddr) -> io::Result<tokio::net::TcpListener> {
        let there = |listener: &TcpListener| listener.local_addr().is_ok_and(|local| local == address);
        let Some(index) = self.0.iter().position(there) else {
            let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            // A restart need not wait until the system has forgotten the last connections.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            return socket.listen(MOST_WAITING);
        };
        let listener = self.0.swap_remove(index);
        listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(listener)
    }

    /// Makes sure that every socket is in use: one that nobody serves would take connections and never answer.
    ///
    /// # Errors
    /// [`NotInherited::Unasked`]
    pub fn all_used(self) -> Result<(), NotInherited> {
        match self.0.first().map(TcpListener::local_addr) {
            None => Ok(()),
            Some(Ok(address)) => Err(NotInherited::Unasked { address }),
            Some(Err(error)) => Err(NotInherited::NotAListener(error)),
        }
    }
}

/// Connections that wait to be accepted; the system has a limit of its own (4096 on Linux).
const MOST_WAITING: u32 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_that_was_handed_over_is_known_by_its_address() {
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (one, two) = (listen(), listen());
        let (first, second) = (one.local_addr().unwrap(), two.local_addr().unwrap());
        let mut inherited = Inherited(vec![one, two]);
        // Both addresses are taken: only by being handed over can they be listened at.
        assert_eq!(inherited.or_bind(second).unwrap().local_addr().unwrap(), second);
        assert_eq!(inherited.len(), 1);
        assert_eq!(inherited.or_bind(first).unwrap().local_addr().unwrap(), first);
        assert!(inherited.all_used().is_ok());
    }

    #[tokio::test]
    async fn without_one_a_new_listener_is_made_and_one_that_nobody_asked_for_is_refused() {
        let unasked = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = unasked.local_addr().unwrap();
        let mut inherited = Inherited(vec![unasked]);
        assert_ne!(inherited.or_bind("127.0.0.1:0".parse().unwrap()).unwrap().local_addr().unwrap(), address);
        let refused = inherited.all_used().unwrap_err().to_string();
        assert!(refused.contains(&format!("a socket for {address} was handed over")), "{refused}");
    }
}
