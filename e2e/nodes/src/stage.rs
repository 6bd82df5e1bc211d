//! A real store, and three nodes on it; one of them by a way that can be cut.

use std::io;
use std::path::Path;

use clap::ValueEnum;
use counterfoil_servers::{Postgres, Redis, ServerError};
use tempfile::TempDir;

use crate::client::{Client, NoAnswer};
use crate::link::Link;
use crate::node::{Node, NodeError};

/// Which store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Redis,
    Postgres,
}

/// Three nodes and what is between them. They end when it is dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The [first](FIRST) reaches the store by the link, the others directly.
    pub(crate) nodes: Vec<Node>,
    pub(crate) link: Link,
    pub(crate) server: Server,
    _keys: TempDir,
}

/// A running store.
#[derive(Debug)]
pub(crate) enum Server {
    Redis(Redis),
    Postgres(Postgres),
}

/// The run cannot go on; it shows nothing either way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error("a node did not answer as it must for anything to be tried")]
    Answer(#[from] NoAnswer),
    #[error("this machine")]
    System(#[from] io::Error),
    #[error("a task of the harness itself failed")]
    Task(#[from] tokio::task::JoinError),
    #[error("{0}")]
    NothingShown(String),
    #[error("interrupted")]
    Interrupted,
}

impl Kind {
    /// As it is spoken of.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Redis => "Redis",
            Self::Postgres => "PostgreSQL",
        }
    }
}

impl Stage {
    /// Starts the store and three times `binary demo` on it.
    pub(crate) async fn start(kind: Kind, binary: &Path) -> Result<Self, Halt> {
        let server = match kind {
            Kind::Redis => Server::Redis(Redis::start().await?),
            Kind::Postgres => Server::Postgres(Postgres::start().await?),
        };
        let link = Link::to(server.port()).await?;
        // Nodes that share a store share their keys: the first makes them.
        let keys = tempfile::Builder::new().prefix("counterfoil-nodes-").tempdir()?;
        let mut nodes = Vec::new();
        for port in [link.port(), server.port(), server.port()] {
            nodes.push(Node::start(binary, &server.url(port), keys.path()).await?);
        }
        Ok(Self { nodes, link, server, _keys: keys })
    }

    /// Whoever speaks to the nodes, in their order.
    pub(crate) fn clients(&self) -> Vec<Client> {
        self.nodes.iter().map(|node| node.client().clone()).collect()
    }

    /// What the nodes wrote last.
    pub(crate) fn last_words(&self) -> String {
        self.nodes.iter().map(Node::last_words).collect()
    }

    /// Whether all nodes are still there.
    pub(crate) fn check(&mut self) -> Result<(), Halt> {
        self.nodes.iter_mut().try_for_each(Node::check).map_err(Halt::from)
    }
}

impl Server {
    fn port(&self) -> u16 {
        match self {
            Self::Redis(server) => server.port(),
            Self::Postgres(server) => server.port(),
        }
    }

    /// Its address, with another port.
    fn url(&self, port: u16) -> String {
        let url = match self {
            Self::Redis(server) => server.url(),
            Self::Postgres(server) => server.url(),
        };
        url.replace(&format!(":{}", self.port()), &format!(":{port}"))
    }

    /// It does nothing from now on, and keeps its connections.
    pub(crate) fn pause(&self) -> io::Result<()> {
        match self {
            Self::Redis(server) => server.hold(),
            Self::Postgres(server) => server.hold(),
        }
    }

    /// It goes on.
    pub(crate) fn go_on(&self) -> io::Result<()> {
        match self {
            Self::Redis(server) => server.go_on(),
            Self::Postgres(server) => server.go_on(),
        }
    }
}

/// The node that comes to harm.
pub(crate) const FIRST: usize = 0;
