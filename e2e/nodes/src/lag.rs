//! How long after its acknowledgement a revocation is known at the last of the other nodes, while nothing is broken.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::client::{Account, Client, Cookie, Ending};
use crate::judge::{Fate, Findings, Look, Seen, Violation, judge};
use crate::stage::{Halt, Stage};

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// One for each revocation.
    pub(crate) lags: Vec<Duration>,
    /// Looks at sessions that were just being ended, and those after the end.
    pub(crate) looks: usize,
    /// Revocations that another node, asked after the acknowledgement, did not know of yet.
    pub(crate) behind: usize,
    /// Answers that were neither yes nor no.
    pub(crate) odd: usize,
    pub(crate) findings: Findings,
}

/// What all workers share.
struct Work {
    clients: Vec<Client>,
    bound: Duration,
    count: usize,
    next: AtomicUsize,
    bar: ProgressBar,
}

/// One account, and its session from whose list others are ended.
struct Worker {
    work: Arc<Work>,
    account: Account,
    home: Cookie,
    /// Sessions that have ended, to be tried once more after a while.
    ended: VecDeque<(Instant, usize, Cookie)>,
    measured: Measured,
}

/// Ends `count` sessions, at each node in turn, while the other nodes are asked for them without a pause.
pub(crate) async fn measure(stage: &Stage, bound: Duration, count: usize, bar: &ProgressBar) -> Result<Measured, Halt> {
    let work = Work { clients: stage.clients(), bound, count, next: AtomicUsize::new(0), bar: bar.clone() };
    let work = Arc::new(work);
    let mut workers = JoinSet::new();
    for account in Account::ALL {
        workers.spawn(Worker::run(Arc::clone(&work), account));
    }
    let mut all = Measured::default();
    while let Some(measured) = workers.join_next().await {
        all.add(measured??);
    }
    if all.odd > count / 100 {
        let text =
            format!("{} answers were neither yes nor no; the nodes' last words:\n{}", all.odd, stage.last_words());
        return Err(Halt::NothingShown(text));
    }
    Ok(all)
}

impl Worker {
    async fn run(work: Arc<Work>, account: Account) -> Result<Measured, Halt> {
        let home = signed_in(&work.clients, 0, account).await?;
        let mut worker = Self { work, account, home, ended: VecDeque::new(), measured: Measured::default() };
        loop {
            let number = worker.work.next.fetch_add(1, Relaxed);
            if number >= worker.work.count {
                break;
            }
            worker.revoke(number).await?;
            worker.work.bar.inc(1);
            while worker.ended.front().is_some_and(|(at, ..)| at.elapsed() > LATER) {
                worker.try_again().await;
            }
        }
        while let Some((at, ..)) = worker.ended.front() {
            sleep_until(*at + LATER).await;
            worker.try_again().await;
        }
        Ok(worker.measured)
    }

    /// One revocation, from the sign-in to the last refusal.
    async fn revoke(&mut self, number: usize) -> Result<(), Halt> {
        let nodes = self.work.clients.len();
        let cookie = signed_in(&self.work.clients, number / nodes % nodes, self.account).await?;
        let revoker = number % nodes;
        let Some(client) = self.work.clients.get(revoker).cloned() else { return Ok(()) };
        let sid = client.sid(&cookie).await?;
        let mut others = JoinSet::new();
        for (node, client) in self.work.clients.iter().enumerate().filter(|(node, _)| *node != revoker) {
            others.spawn(until_refused(client.clone(), node, number, cookie.clone()));
        }
        let ending = match number / nodes % 3 {
            0 => Ending::SignOut(&cookie),
            1 => Ending::Device { by: &self.home, sid: &sid },
            _ => Ending::Others { by: &self.home },
        };
        let answer = client.end(ending).await?;
        if !answer.acknowledges() {
            // Nothing was promised. The machine, or the store, is too busy.
            self.measured.odd += 1;
            return Ok(());
        }
        let fate = Fate::Revoked { asked: answer.sent, acknowledged: answer.received };
        if client.look(&cookie).await.2 == Seen::Admitted {
            self.measured.findings.add([Violation::OwnNode { node: revoker, session: number }]);
        }
        let mut known = answer.received;
        let mut behind = false;
        while let Some(looks) = others.join_next().await {
            let looks = looks?;
            let late = |look: &Look| look.seen == Seen::Admitted && look.sent > answer.received;
            behind |= looks.iter().any(late);
            self.measured.looks += looks.len();
            self.measured.odd += looks.iter().filter(|look| look.seen.is_neither()).count();
            self.measured.findings.add(judge(self.work.bound, fate, &looks));
            match looks.last() {
                Some(last) if last.seen == Seen::SignedOut => known = known.max(last.received),
                Some(Look { node, .. }) => {
                    self.measured.findings.add([Violation::NeverRefused { node: *node, session: number }]);
                }
                None => {}
            }
        }
        self.measured.behind += usize::from(behind);
        self.measured.lags.push(known - answer.received);
        self.ended.push_back((Instant::now(), number, cookie));
        Ok(())
    }

    /// A session that ended a while ago, at every node.
    async fn try_again(&mut self) {
        let Some((_, session, cookie)) = self.ended.pop_front() else { return };
        for (node, client) in self.work.clients.iter().enumerate() {
            self.measured.looks += 1;
            if client.look(&cookie).await.2 == Seen::Admitted {
                self.measured.findings.add([Violation::CameBack { node, session }]);
            }
        }
    }
}

impl Measured {
    fn add(&mut self, other: Self) {
        self.lags.extend(other.lags);
        self.looks += other.looks;
        self.behind += other.behind;
        self.odd += other.odd;
        self.findings.merge(other.findings);
    }
}

/// A session that begins at one node and was looked at on all, so that it is in the memory of each.
pub(crate) async fn signed_in(clients: &[Client], at: usize, account: Account) -> Result<Cookie, Halt> {
    let client = clients.get(at).ok_or_else(|| Halt::NothingShown("there is no such node".to_owned()))?;
    let cookie = client.sign_in(account).await?;
    for client in clients {
        // What is read while something else is told may not be kept at first.
        for _ in 0..WARM {
            client.sid(&cookie).await?;
        }
    }
    Ok(cookie)
}

/// Asks without a pause until it is refused, or far beyond any bound.
async fn until_refused(client: Client, node: usize, session: usize, cookie: Cookie) -> Vec<Look> {
    let (began, mut looks) = (Instant::now(), Vec::new());
    while began.elapsed() < LONG {
        let (sent, received, seen) = client.look(&cookie).await;
        looks.push(Look { node, session, sent, received, seen });
        if seen == Seen::SignedOut {
            break;
        }
    }
    looks
}

/// How often a session is looked at on each node before it is ended.
const WARM: usize = 2;
/// After this time, what has ended is tried once more.
const LATER: Duration = Duration::from_secs(1);
/// When nobody waits for a refusal any more.
const LONG: Duration = Duration::from_secs(20);
