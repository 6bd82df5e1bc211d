//! Revocations while something is broken: never let in beyond the bound, and all is well again afterwards.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use crate::client::{Account, Answer, Client, Cookie, Ending, NoAnswer};
use crate::judge::{Fate, Findings, Look, Seen, Violation, judge, longest_admitted};
use crate::lag::signed_in;
use crate::link::Way;
use crate::stage::{FIRST, Halt, Stage};

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing passes between one node and the store.
    Frozen,
    /// One node's connections to the store are cut, and new ones refused.
    Cut,
    /// One node does nothing for a while.
    NodePaused,
    /// The store does nothing for a while.
    StorePaused,
}

/// How long, and how much meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// What is promised.
    pub(crate) bound: Duration,
    /// How long it is broken, beyond the three seconds a node may live on what it knows.
    pub(crate) beyond: Duration,
    /// Sessions that are ended one by one.
    pub(crate) sessions: usize,
}

/// What was seen of one fault.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) fault: Fault,
    pub(crate) revoked: usize,
    pub(crate) looks: usize,
    /// Looks that were answered 503, or not at all.
    pub(crate) unavailable: usize,
    /// The longest that a session was let in after its end was acknowledged.
    pub(crate) longest: Duration,
    /// From the mending to the first answer that was right.
    pub(crate) good_again: Duration,
    pub(crate) findings: Findings,
}

/// The sessions of one fault: first those that are ended one by one, then those that are ended together, then those that stay.
struct Cast {
    cookies: Vec<Cookie>,
    alone: usize,
    home: usize,
    fates: Vec<Fate>,
}

impl Fault {
    pub(crate) const ALL: [Self; 4] = [Self::Frozen, Self::Cut, Self::NodePaused, Self::StorePaused];

    /// In words.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Frozen => "a node's way to the store frozen",
            Self::Cut => "a node's way to the store cut",
            Self::NodePaused => "a node paused",
            Self::StorePaused => "the store paused",
        }
    }

    fn begin(self, stage: &Stage) -> Result<(), Halt> {
        match self {
            Self::Frozen => stage.link.set(Way::Frozen),
            Self::Cut => stage.link.set(Way::Cut),
            Self::NodePaused => first(stage)?.pause()?,
            Self::StorePaused => stage.server.pause()?,
        }
        Ok(())
    }

    fn mend(self, stage: &Stage) -> Result<(), Halt> {
        match self {
            Self::Frozen | Self::Cut => stage.link.set(Way::Open),
            Self::NodePaused => first(stage)?.go_on()?,
            Self::StorePaused => stage.server.go_on()?,
        }
        Ok(())
    }

    /// When the last session is to be ended: early enough for the bound to pass before anything is mended; and while the
    /// store is paused, nothing can be ended.
    fn last_revocation(self, pace: Pace) -> Duration {
        match self {
            Self::StorePaused => BEFORE,
            _ => BEFORE + pace.beyond,
        }
    }
}

/// Breaks it, ends sessions meanwhile, mends it, and holds what was seen against the promise.
pub(crate) async fn try_one(stage: &Stage, fault: Fault, pace: Pace) -> Result<Told, Halt> {
    let clients = stage.clients();
    let mut cast = Cast::signed_in(&clients, pace).await?;
    let (stop, stopped) = watch::channel(());
    let watching = tokio::spawn(look_at_all(clients.clone(), cast.cookies.clone(), stopped));
    let began = Instant::now();
    let breaking = async {
        sleep_until(began + BEFORE).await;
        fault.begin(stage)?;
        sleep_until(began + BEFORE + TRUE_BOUND + pace.beyond).await;
        fault.mend(stage)
    };
    let (broken, revoked) = tokio::join!(breaking, cast.revoke(&clients, began, fault.last_revocation(pace)));
    broken?;
    let mended = Instant::now();
    let mut findings = Findings::default();
    findings.add(cast.good_again(&clients).await);
    let good_again = mended.elapsed();
    findings.add(cast.refused(&clients).await);
    // Nothing old comes after it: not from what was held up, nor from what is filled anew.
    sleep(AFTER).await;
    drop(stop);
    let looks = watching.await?;
    if revoked == 0 {
        return Err(Halt::NothingShown(format!("{}: no revocation was acknowledged", fault.name())));
    }
    let mut longest = Duration::ZERO;
    for (session, fate) in cast.fates.iter().enumerate() {
        for node in 0..clients.len() {
            let here = |look: &&Look| look.node == node && look.session == session;
            let mut here: Vec<_> = looks.iter().filter(here).copied().collect();
            here.sort_by_key(|look| look.sent);
            longest = longest.max(longest_admitted(*fate, &here));
            findings.add(judge(pace.bound, *fate, &here));
        }
    }
    let unavailable = looks.iter().filter(|look| look.seen.is_neither()).count();
    Ok(Told { fault, revoked, looks: looks.len(), unavailable, longest, good_again, findings })
}

impl Cast {
    async fn signed_in(clients: &[Client], pace: Pace) -> Result<Self, Halt> {
        let [one, other] = Account::ALL;
        let (alone, together) = (pace.sessions, pace.sessions / 3 + 1);
        let accounts = std::iter::repeat_n(one, alone).chain(std::iter::repeat_n(other, together)).chain([other, one]);
        let mut cookies = Vec::new();
        for (session, account) in accounts.enumerate() {
            cookies.push(signed_in(clients, session % clients.len(), account).await?);
        }
        let fates = vec![Fate::Kept; cookies.len()];
        Ok(Self { cookies, alone, home: alone + together, fates })
    }

    /// Ends all that are to be ended by then, at nodes that are well; those together half-way. Says how many were.
    async fn revoke(&mut self, clients: &[Client], began: Instant, by: Duration) -> usize {
        let mut well = clients.iter().enumerate().filter(|(node, _)| *node != FIRST).map(|(_, client)| client).cycle();
        for session in 0..self.alone {
            let share = u32::try_from(session).unwrap_or(u32::MAX);
            sleep_until(began + by * share / u32::try_from(self.alone).unwrap_or(1).max(1)).await;
            let (Some(client), Some(cookie)) = (well.next(), self.cookies.get(session)) else { break };
            let asked = Instant::now();
            let fate = fate(asked, client.end(Ending::SignOut(cookie)).await);
            self.set(session..session + 1, fate);
            if session == self.alone / 2
                && let (Some(client), Some(home)) = (well.next(), self.cookies.get(self.home))
            {
                let asked = Instant::now();
                let fate = self::fate(asked, client.end(Ending::Others { by: home }).await);
                self.set(self.alone..self.home, fate);
            }
        }
        self.fates.iter().filter(|fate| matches!(fate, Fate::Revoked { .. })).count()
    }

    fn set(&mut self, sessions: std::ops::Range<usize>, fate: Fate) {
        for slot in self.fates.get_mut(sessions).into_iter().flatten() {
            *slot = fate;
        }
    }

    /// Waits until every node lets in, by the same cookie, whom nobody signed out.
    async fn good_again(&self, clients: &[Client]) -> Vec<Violation> {
        let Some(cookie) = self.cookies.last() else { return Vec::new() };
        let mut violations = Vec::new();
        for (node, client) in clients.iter().enumerate() {
            if !comes_to(client, cookie, Seen::Admitted).await {
                violations.push(Violation::NotGoodAgain { node });
            }
        }
        violations
    }

    /// Every session that was ended, at every node, now that all is well.
    async fn refused(&self, clients: &[Client]) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (session, (fate, cookie)) in self.fates.iter().zip(&self.cookies).enumerate() {
            for (node, client) in clients.iter().enumerate().filter(|_| matches!(fate, Fate::Revoked { .. })) {
                if !comes_to(client, cookie, Seen::SignedOut).await {
                    violations.push(Violation::NeverRefused { node, session });
                }
            }
        }
        violations
    }
}

fn fate(asked: Instant, answer: Result<Answer, NoAnswer>) -> Fate {
    match answer {
        Ok(answer) if answer.acknowledges() => Fate::Revoked { asked, acknowledged: answer.received },
        _ => Fate::InDoubt { asked },
    }
}

/// Whether it does, before anybody's patience ends; an answer of the other kind ends it at once.
async fn comes_to(client: &Client, cookie: &Cookie, wanted: Seen) -> bool {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        match client.look(cookie).await.2 {
            seen if seen == wanted => return true,
            Seen::Admitted | Seen::SignedOut => return false,
            Seen::Unavailable | Seen::Nothing => sleep(Duration::from_millis(10)).await,
        }
    }
    false
}

/// Asks every node for every session in turn, whether or not earlier answers have come: what is held up must not hold up
/// the next question, or nothing would be asked while it matters.
async fn look_at_all(clients: Vec<Client>, cookies: Vec<Cookie>, mut stopped: watch::Receiver<()>) -> Vec<Look> {
    let (mut looks, mut running) = (Vec::new(), JoinSet::new());
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut turns = cookies.iter().enumerate().cycle();
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let Some((session, cookie)) = turns.next() else { break };
                for (node, client) in clients.iter().enumerate() {
                    let (client, cookie) = (client.clone(), cookie.clone());
                    running.spawn(async move {
                        let (sent, received, seen) = client.look(&cookie).await;
                        Look { node, session, sent, received, seen }
                    });
                }
            }
            Some(look) = running.join_next() => looks.extend(look),
            _ = stopped.changed() => break,
        }
    }
    while let Some(look) = running.join_next().await {
        looks.extend(look);
    }
    looks
}

fn first(stage: &Stage) -> Result<&crate::node::Node, Halt> {
    stage.nodes.get(FIRST).ok_or_else(|| Halt::NothingShown("there is no node".to_owned()))
}

/// What nodes are started with: the default. It stays broken for longer than that, whatever is believed here.
const TRUE_BOUND: Duration = Duration::from_secs(3);
/// All is well for so long at first, and sessions are ended already.
const BEFORE: Duration = Duration::from_millis(500);
/// And for so long at the end.
const AFTER: Duration = Duration::from_millis(500);
/// One session is asked for at each node.
const EVERY: Duration = Duration::from_millis(10);
/// For a node that was mended.
const PATIENCE: Duration = Duration::from_secs(30);
