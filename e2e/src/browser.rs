//! A signed-in browser: one jar that several requests share, and every session token it was ever given.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::StatusCode;
use tokio::{net::TcpSocket, sync::Semaphore};

use crate::{
    ask::{Account, Ask},
    client::{Client, NoAnswer, Reply},
    jar::{Jar, Token},
    verdict::Halt,
};

/// The server under test, reached from one or two networks of this machine.
#[derive(Debug)]
pub(crate) struct Target {
    home: Client,
    away: Option<Client>,
}

impl Target {
    /// Connections to `address`, `connections` at once at most; a second network where the system lends one.
    pub(crate) async fn new(address: SocketAddr, connections: usize) -> Result<Self, NoAnswer> {
        let permits = Arc::new(Semaphore::new(connections));
        let home = Client::new(address, None, Arc::clone(&permits))?;
        let away =
            if can_send_from(AWAY, address).await { Some(Client::new(address, Some(AWAY), permits)?) } else { None };
        Ok(Self { home, away })
    }

    /// Where everybody sends from.
    pub(crate) fn home(&self) -> &Client {
        &self.home
    }

    /// The other network, or the same where there is only one.
    pub(crate) fn away(&self) -> &Client {
        self.away.as_ref().unwrap_or(&self.home)
    }

    /// Whether there are two.
    pub(crate) fn has_two_networks(&self) -> bool {
        self.away.is_some()
    }

    /// How `GET /me` answers to this session token and nothing else.
    pub(crate) async fn status_of(&self, token: &Token) -> Result<StatusCode, NoAnswer> {
        Ok(self.home.send_again(&Ask::me(), &Jar::only(token.clone())).await?.status)
    }

    /// Whether this session token still signs somebody in.
    ///
    /// # Errors
    /// Also where the answer is neither 2xx nor 401: then nothing was shown.
    pub(crate) async fn is_alive(&self, token: &Token) -> Result<bool, Halt> {
        match self.status_of(token).await? {
            StatusCode::UNAUTHORIZED => Ok(false),
            status if status.is_success() => Ok(true),
            status => Err(Halt::Setup { step: "GET /me", status }),
        }
    }
}

/// One jar, and what has been in it.
#[derive(Debug)]
pub(crate) struct Browser {
    target: Arc<Target>,
    jar: Mutex<Jar>,
    seen: Mutex<Vec<Token>>,
}

impl Browser {
    /// A browser with an empty jar.
    pub(crate) fn stranger(target: &Arc<Target>) -> Self {
        Self { target: Arc::clone(target), jar: Mutex::default(), seen: Mutex::default() }
    }

    /// A browser that has just signed in.
    ///
    /// # Errors
    /// [`Halt::SignIn`] where the answer sets no session cookie.
    pub(crate) async fn sign_in(target: &Arc<Target>, account: Account) -> Result<Self, Halt> {
        let browser = Self::stranger(target);
        let reply = target.home.send_again(&Ask::log_in(account), &Jar::default()).await?;
        if !reply.is_done() || reply.session().is_none() {
            return Err(Halt::SignIn(reply.status));
        }
        browser.note(&reply);
        browser.apply(&reply);
        Ok(browser)
    }

    /// The server it talks to.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// The cookies as of now: what a request attaches when it is made.
    pub(crate) fn attach(&self) -> Jar {
        lock(&self.jar).clone()
    }

    /// Stores the cookies of a reply, as a browser does when the reply arrives.
    pub(crate) fn apply(&self, reply: &Reply) {
        lock(&self.jar).apply(&reply.cookies);
    }

    /// Remembers the session token of a reply. `true` if it was never seen before.
    pub(crate) fn note(&self, reply: &Reply) -> bool {
        let Some(token) = reply.session() else { return false };
        let mut seen = lock(&self.seen);
        let new = !seen.contains(token);
        if new {
            seen.push(token.clone());
        }
        new
    }

    /// Every session token it was ever given, oldest first.
    pub(crate) fn seen(&self) -> Vec<Token> {
        lock(&self.seen).clone()
    }

    /// Attaches, sends, notes and applies at once.
    pub(crate) async fn ask(&self, ask: &Ask) -> Result<Reply, NoAnswer> {
        let reply = self.target.home.send(ask, &self.attach()).await?;
        self.note(&reply);
        self.apply(&reply);
        Ok(reply)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn can_send_from(source: IpAddr, address: SocketAddr) -> bool {
    let Ok(socket) = TcpSocket::new_v4() else { return false };
    socket.bind((source, 0).into()).is_ok() && socket.connect(address).await.is_ok()
}

/// Loopback too, but another network to anyone who looks at addresses.
const AWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 77, 0, 1));
