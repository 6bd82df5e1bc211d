//! Who asks over the socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, Request, StatusCode};
use counterfoil_core::SessionId;
use counterfoil_core::store::Page;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::timeout;
use url::form_urlencoded::Serializer;

use super::Control;
use super::shown::{Ended, Entry, Found, Problem, Reached};

/// Asks the program that runs on a data folder.
#[derive(Debug, Clone)]
pub struct Caller {
    path: PathBuf,
}

/// Events as they happen.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    body: Incoming,
    read: Vec<u8>,
}

/// One thing that a [`Tail`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// An event, as JSON.
    Event(String),
    /// So many events passed because they were read too slowly.
    Missed(u64),
}

/// There is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// Nothing runs there.
    #[error("nothing runs on this folder: nobody listens at {}", path.display())]
    Nobody {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The socket is another user's.
    #[error("{} is another user's: ask as whoever runs the program, or as root", path.display())]
    NotOurs {
        /// The socket.
        path: PathBuf,
    },
    /// What listens there does not answer, or not in time.
    #[error("{}: no answer in time", path.display())]
    TimedOut {
        /// The socket.
        path: PathBuf,
    },
    /// The connection broke, or its other end is another program.
    #[error("{}: the connection broke, or another program listens there", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It was refused; the text says why, and what to do.
    #[error("{}", .0.title)]
    Refused(Problem),
}

impl Caller {
    /// Of the program that runs on this data folder.
    pub fn at(folder: &Path) -> Self {
        Self { path: folder.join(Control::NAME) }
    }

    /// The sessions of a subject, newest first.
    ///
    /// # Errors
    /// [`NoAnswer`]
    pub async fn list(&self, subject: &str, page: Page) -> Result<Vec<Entry>, NoAnswer> {
        let (skip, take) = (page.skip.to_string(), page.take.to_string());
        let query = query(&[("subject", subject), ("skip", &skip), ("take", &take)]);
        self.ask(Method::GET, &format!("/sessions?{query}")).await
    }

    /// What is known of an id.
    ///
    /// # Errors
    /// [`NoAnswer`]
    pub async fn show(&self, id: SessionId) -> Result<Found, NoAnswer> {
        self.ask(Method::GET, &format!("/sessions/{id}")).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`NoAnswer`]: it may or may not have ended.
    pub async fn end(&self, id: SessionId) -> Result<Ended, NoAnswer> {
        self.ask(Method::DELETE, &format!("/sessions/{id}")).await
    }

    /// Ends all sessions of a subject.
    ///
    /// # Errors
    /// [`NoAnswer`]: they may or may not have ended.
    pub async fn end_subject(&self, subject: &str) -> Result<Reached, NoAnswer> {
        self.ask(Method::DELETE, &format!("/sessions?{}", query(&[("subject", subject)]))).await
    }

    /// Ends every session there is.
    ///
    /// # Errors
    /// [`NoAnswer`]: they may or may not have ended.
    pub async fn end_all(&self) -> Result<Reached, NoAnswer> {
        self.ask(Method::DELETE, "/sessions?everybody=true").await
    }

    /// The events from now on that one of these patterns means; all without patterns.
    ///
    /// # Errors
    /// [`NoAnswer`]
    pub async fn tail(&self, only: &[String]) -> Result<Tail, NoAnswer> {
        let query = if only.is_empty() { String::new() } else { query(&[("only", &only.join(","))]) };
        let body = self.answer(Method::GET, &format!("/events?{query}")).await?;
        Ok(Tail { path: self.path.clone(), body, read: Vec::new() })
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, target: &str) -> Result<T, NoAnswer> {
        let body = self.answer(method, target).await?;
        self.read(body).await
    }

    /// The body of an answer that is none of refusal.
    async fn answer(&self, method: Method, target: &str) -> Result<Incoming, NoAnswer> {
        let asking = async {
            let stream = UnixStream::connect(&self.path).await.map_err(|error| self.nobody(error))?;
            let (mut sender, connection) =
                http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.broken(error))?;
            // It ends with the body.
            tokio::spawn(connection);
            let request = Request::builder().method(method).uri(target).header("host", "control");
            let request = request.body(Empty::<Bytes>::new()).map_err(|error| self.broken(error))?;
            sender.send_request(request).await.map_err(|error| self.broken(error))
        };
        let response = self.in_time(asking).await?;
        if response.status() == StatusCode::OK {
            return Ok(response.into_body());
        }
        Err(NoAnswer::Refused(self.read(response.into_body()).await?))
    }

    async fn read<T: DeserializeOwned>(&self, body: Incoming) -> Result<T, NoAnswer> {
        let reading = async { Limited::new(body, MOST_ANSWER).collect().await.map_err(|error| self.broken(error)) };
        let bytes = self.in_time(reading).await?.to_bytes();
        serde_json::from_slice(&bytes).map_err(|error| self.broken(error))
    }

    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, NoAnswer>>) -> Result<T, NoAnswer> {
        timeout(LONGEST, answer).await.unwrap_or_else(|_| Err(NoAnswer::TimedOut { path: self.path.clone() }))
    }

    fn nobody(&self, source: io::Error) -> NoAnswer {
        let path = self.path.clone();
        match source.kind() {
            io::ErrorKind::PermissionDenied => NoAnswer::NotOurs { path },
            _ => NoAnswer::Nobody { path, source },
        }
    }

    fn broken(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> NoAnswer {
        NoAnswer::Broken { path: self.path.clone(), source: source.into() }
    }
}

impl Tail {
    /// The next event, whenever there is one; nothing once the program ends.
    ///
    /// # Errors
    /// [`NoAnswer`]: the connection broke.
    pub async fn next(&mut self) -> Result<Option<Heard>, NoAnswer> {
        loop {
            if let Some(block) = self.block()
                && let Some(heard) = heard(&block)
            {
                return Ok(Some(heard));
            } else if self.holds_a_block() {
                continue;
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => self.read.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                Some(Err(source)) => return Err(self.broken(source)),
            }
            if self.read.len() > MOST_ANSWER {
                return Err(self.broken("an event is too large"));
            }
        }
    }

    fn holds_a_block(&self) -> bool {
        self.end_of_block().is_some()
    }

    fn end_of_block(&self) -> Option<usize> {
        self.read.windows(2).position(|pair| pair == b"\n\n")
    }

    /// What stands before the next empty line.
    fn block(&mut self) -> Option<String> {
        let end = self.end_of_block()?;
        let block: Vec<u8> = self.read.drain(..end + 2).collect();
        Some(String::from_utf8_lossy(&block).into_owned())
    }

    fn broken(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> NoAnswer {
        NoAnswer::Broken { path: self.path.clone(), source: source.into() }
    }
}

/// What a block of server-sent events says; nothing of a sign of life.
fn heard(block: &str) -> Option<Heard> {
    let field = |name: &str| block.lines().find_map(|line| Some(line.strip_prefix(name)?.trim_start()));
    let data = field("data:")?;
    match field("event:") {
        Some("missed") => data.parse().ok().map(Heard::Missed),
        _ => Some(Heard::Event(data.to_owned())),
    }
}

fn query(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The store may be slow; a program that hangs says nothing at all.
const LONGEST: Duration = Duration::from_secs(15);
/// More than a page of sessions, or an event.
const MOST_ANSWER: usize = 4 << 20;
