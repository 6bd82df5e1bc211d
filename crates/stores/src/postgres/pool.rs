//! Connections, each lent to one verb at a time. What a verb left in the middle of an answer is closed, not lent again.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Row;

use super::address::Address;
use super::connection::{Connection, Connector, Parameters};
use super::error::PostgresError;
use super::statement::Ask;

pub(super) struct Pool {
    pub(super) connector: Arc<Connector>,
    size: usize,
    pub(super) free: Semaphore,
    /// The one used last is lent first: what is not needed grows old, and idle, and costs nothing.
    pub(super) idle: Mutex<Vec<Connection>>,
}

/// A connection while a verb has it. It goes back only once whoever asked has heard the whole answer.
struct Lent<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(super) fn new(connector: Arc<Connector>, size: usize) -> Self {
        Self { connector, size, free: Semaphore::new(size), idle: Mutex::default() }
    }

    pub(super) fn address(&self) -> &Address {
        &self.connector.address
    }

    /// Asks, on whichever connection is free. What only reads is asked once more where a connection that lay idle turns out
    /// to be broken; what was undone, because others wanted the same in another order, is done again.
    pub(super) async fn ask(&self, ask: Ask, parameters: Parameters<'_>) -> Result<Vec<Row>, PostgresError> {
        let limit = self.connector.limit;
        let deadline = Instant::now() + limit;
        let mut again = AGAIN;
        loop {
            let error = match self.ask_once(ask, parameters, deadline, limit).await {
                Err(error) if again > 0 => error,
                answered => return answered,
            };
            let lost = matches!(error, PostgresError::Lost(_));
            if !error.is_undone() && (!lost || !ask.only_reads()) {
                return Err(error);
            }
            again -= 1;
        }
    }

    async fn ask_once(
        &self,
        ask: Ask,
        parameters: Parameters<'_>,
        deadline: Instant,
        limit: Duration,
    ) -> Result<Vec<Row>, PostgresError> {
        let lent = timeout_at(deadline, self.lend());
        let Ok(permit) = lent.await else {
            return Err(PostgresError::Exhausted { size: self.size, within: limit });
        };
        let answered = async {
            let mut lent = Lent { pool: self, connection: None, _permit: permit };
            let connection = match self.idle_one() {
                Some(connection) => connection,
                None => self.connector.connect().await?,
            };
            let answer = connection.ask(ask, parameters).await;
            if !matches!(answer, Err(PostgresError::Lost(_))) {
                lent.connection = Some(connection);
            }
            answer
        };
        match timeout_at(deadline, answered).await {
            Ok(Err(PostgresError::Said { code, .. })) if *code == *CANCELED => Err(PostgresError::Late(limit)),
            Ok(answer) => answer,
            Err(_) => Err(PostgresError::Late(limit)),
        }
    }

    #[expect(clippy::unreachable, reason = "nobody closes the semaphore")]
    async fn lend(&self) -> SemaphorePermit<'_> {
        match self.free.acquire().await {
            Ok(permit) => permit,
            Err(_) => unreachable!("the pool is never closed"),
        }
    }

    fn idle_one(&self) -> Option<Connection> {
        let mut idle = self.idle.lock();
        idle.retain(|connection| !connection.is_closed());
        idle.pop()
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take().filter(|connection| !connection.is_closed()) {
            self.pool.idle.lock().push(connection);
        }
    }
}

/// How often at most.
const AGAIN: u32 = 2;
/// Whoever canceled it, it took the time that it had.
const CANCELED: &str = "57014";
