//! Requests over a network: counted, paced, kept to the site, and read back as they came.

mod connection;
mod head;
mod record;
mod socket;
#[cfg(test)]
mod tests;
mod tls;

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use http::header::RETRY_AFTER;
use tokio::time::{sleep, timeout};
use url::{Origin, Url};

pub use self::socket::SocketAnswer;
pub(crate) use self::socket::authority;
pub use self::tls::TlsError;

use self::connection::{Idle, Opened};
use crate::exchange::{Answer, Exchange, Sent};

/// The way to a site, and to nowhere else.
pub struct Wire {
    scope: Vec<Origin>,
    limits: WireLimits,
    tls: tls::Trust,
    idle: Mutex<Vec<Idle>>,
    spent: Mutex<Spent>,
}

/// What an audit may cost the site and us.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct WireLimits {
    /// Requests in all.
    pub budget: u32,
    /// Requests in a second; none for as fast as the site answers.
    pub per_second: Option<u32>,
    /// How long an answer may take.
    pub answer: Duration,
    /// How much of a body is read.
    pub body_bytes: usize,
    /// How long, in all, the audit waits where the site asks it to by `Retry-After`.
    pub yields: Duration,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// All requests the audit may send were sent.
    #[error("the budget of {0} requests is spent")]
    Budget(u32),
    /// The address is not the site's.
    #[error("{0} is not the site's; the audit asks nobody else")]
    Scope(String),
    /// Nobody answers there.
    #[error("cannot connect to {host}: {cause}")]
    Connect {
        /// Host and port.
        host: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// No trust.
    #[error("cannot speak TLS with {host}: {cause}")]
    Tls {
        /// Host and port.
        host: String,
        /// What the library says.
        cause: std::io::Error,
    },
    /// It takes too long.
    #[error("no answer from {host} within {seconds} s")]
    Timeout {
        /// Host and port.
        host: String,
        /// The limit.
        seconds: u64,
    },
    /// What came is no HTTP, or ends in the middle.
    #[error("{host} did not answer in HTTP: {cause}")]
    Http {
        /// Host and port.
        host: String,
        /// What was wrong.
        cause: String,
    },
    /// A request that cannot be written.
    #[error("cannot be sent: {0}")]
    Request(String),
}

#[derive(Default)]
struct Spent {
    requests: u32,
    yielded: Duration,
    next: Option<Instant>,
}

impl Default for WireLimits {
    /// 300 requests, as fast as the site answers, 15 s each, 1 MiB of each body, four minutes of waiting in all.
    fn default() -> Self {
        Self {
            budget: 300,
            per_second: None,
            answer: Duration::from_secs(15),
            body_bytes: 1 << 20,
            yields: Duration::from_mins(4),
        }
    }
}

impl Wire {
    /// To `scope` alone; certificates are those the system trusts, and `more` (PEM) besides.
    ///
    /// # Errors
    ///
    /// No certificate can be read from `more`.
    pub fn new(scope: &[Url], limits: WireLimits, more: Option<&[u8]>) -> Result<Self, TlsError> {
        Ok(Self {
            scope: scope.iter().map(Url::origin).collect(),
            limits,
            tls: tls::Trust::new(more)?,
            idle: Mutex::default(),
            spent: Mutex::default(),
        })
    }

    /// How many requests were sent.
    pub fn requests(&self) -> u32 {
        locked(&self.spent).requests
    }

    /// How many more may be.
    pub fn left(&self) -> u32 {
        self.limits.budget.saturating_sub(self.requests())
    }

    /// Why nothing more can be sent, where that is so.
    pub(crate) fn exhausted(&self) -> Option<WireError> {
        (self.left() == 0).then_some(WireError::Budget(self.limits.budget))
    }

    /// Whether an address is the site's.
    pub fn reaches(&self, url: &Url) -> bool {
        self.scope.contains(&url.origin())
    }

    /// Sends one request. Where the site asks for patience, it is sent again after that; a redirect is an answer.
    ///
    /// # Errors
    ///
    /// There is no answer; [`WireError`] says why.
    pub async fn send(&self, sent: Sent) -> Result<Exchange, WireError> {
        self.send_for(sent, self.limits.body_bytes).await
    }

    /// The same for whoever needs more of the body.
    pub(crate) async fn send_for(&self, sent: Sent, most: usize) -> Result<Exchange, WireError> {
        loop {
            self.account(&sent.url).await?;
            let answer = self.once(&sent, most).await?;
            match self.asked_to_wait(&answer) {
                Some(wait) => sleep(wait).await,
                None => return Ok(Exchange { sent, answer }),
            }
        }
    }

    async fn once(&self, sent: &Sent, most: usize) -> Result<Answer, WireError> {
        let host = host(&sent.url);
        let within = self.limits.answer;
        let late = || WireError::Timeout { host: host.clone(), seconds: within.as_secs() };
        // A connection that was idle may have been closed meanwhile: then nothing came, and what is safe is sent anew.
        if sent.method.is_safe()
            && let Some(idle) = self.rested(&sent.url)
            && let Ok(answer) = timeout(within, self.over(idle, sent, most)).await.map_err(|_| late())?
        {
            return Ok(answer);
        }
        timeout(within, async {
            let opened = Opened::to(&sent.url, &self.tls).await?;
            self.over(Idle::of(sent.url.origin(), opened), sent, most).await
        })
        .await
        .map_err(|_| late())?
    }

    async fn over(&self, mut idle: Idle, sent: &Sent, most: usize) -> Result<Answer, WireError> {
        let began = Instant::now();
        let read = idle.ask(sent, most).await.map_err(|cause| WireError::Http { host: host(&sent.url), cause })?;
        let answer = Answer {
            status: read.status,
            headers: read.headers,
            body: read.body,
            cut: read.cut,
            took: began.elapsed(),
            at_millis: now_millis(),
        };
        if read.reusable {
            locked(&self.idle).push(idle);
        }
        Ok(answer)
    }

    fn rested(&self, url: &Url) -> Option<Idle> {
        let mut idle = locked(&self.idle);
        idle.retain(Idle::is_open);
        let at = idle.iter().position(|one| one.leads_to(&url.origin()))?;
        Some(idle.swap_remove(at))
    }

    /// Counts a request, and waits for its turn.
    async fn account(&self, url: &Url) -> Result<(), WireError> {
        if !self.reaches(url) {
            return Err(WireError::Scope(url.origin().ascii_serialization()));
        }
        let wait = {
            let mut spent = locked(&self.spent);
            if spent.requests >= self.limits.budget {
                return Err(WireError::Budget(self.limits.budget));
            }
            spent.requests += 1;
            let now = Instant::now();
            let turn = spent.next.unwrap_or(now).max(now);
            if let Some(rate) = self.limits.per_second {
                spent.next = Some(turn + Duration::from_secs(1) / rate.max(1));
            }
            turn - now
        };
        sleep(wait).await;
        Ok(())
    }

    /// How long to wait before the same is sent again: as the site says, while there is patience left.
    fn asked_to_wait(&self, answer: &Answer) -> Option<Duration> {
        let busy = answer.status == 429 || (answer.status == 503 && answer.first(RETRY_AFTER.as_str()).is_some());
        if !busy {
            return None;
        }
        let asked = answer.first(RETRY_AFTER.as_str()).and_then(|value| value.trim().parse().ok()).unwrap_or(2);
        let wait = Duration::from_secs(asked).max(Duration::from_millis(200));
        let mut spent = locked(&self.spent);
        let total = spent.yielded + wait;
        (total <= self.limits.yields).then(|| {
            spent.yielded = total;
            wait
        })
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Wire").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Milliseconds since 1970.
pub fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn host(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// What a panic elsewhere left locked is still whole: every change below these locks is one assignment.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
