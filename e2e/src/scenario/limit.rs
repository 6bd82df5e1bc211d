//! The limit of concurrent sessions holds: 64 parallel sign-ins of one subject leave exactly that many.
//!
//! A new session is provisional until it is first presented and pushes nobody over the limit before. So all tokens are
//! presented once, in parallel, and only then counted: twice, in different orders, and the two must agree.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::{sync::Barrier, task::JoinSet};

use super::Stage;
use crate::{
    ask::{ACCOUNTS, Account, Ask},
    browser::Target,
    client::NoAnswer,
    jar::{Jar, Token},
    verdict::{Findings, Halt, Outcome, Violation},
};

/// Which of the sessions of one round were alive, in two checks.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    pub(crate) round: u64,
    pub(crate) limit: usize,
    pub(crate) alive: [BTreeSet<usize>; 2],
}

/// What the observation breaks.
pub(crate) fn judge(seen: &Observation) -> Vec<Violation> {
    let (round, limit) = (seen.round, seen.limit);
    let counts = seen.alive.iter().map(BTreeSet::len).enumerate().filter(|(_, alive)| *alive != limit);
    let mut violations: Vec<Violation> =
        counts.map(|(check, alive)| Violation::LimitBroken { round, check: check + 1, alive, limit }).collect();
    let [first, second] = &seen.alive;
    if first != second {
        violations.push(Violation::LimitUnsteady { round });
    }
    violations
}

/// Runs `stage.count` rounds; the accounts take turns.
pub(crate) async fn run(stage: Stage) -> Result<Outcome, Halt> {
    let limit = usize::try_from(stage.limit).unwrap_or(usize::MAX);
    let mut findings = Findings::default();
    let mut admitted = 0;
    for round in 0..stage.count {
        let account = if round.is_multiple_of(2) { ACCOUNTS[0] } else { ACCOUNTS[1] };
        let tokens = Arc::new(sign_in_in_parallel(&stage.target, account).await?);
        admitted += tokens.len();
        present_all_at_once(&stage.target, &tokens).await?;
        let mut order: Vec<usize> = (0..tokens.len()).collect();
        let first = alive(&stage.target, &tokens, &order).await?;
        stage.dice(round).shuffle(&mut order);
        let second = alive(&stage.target, &tokens, &order).await?;
        sign_out(&stage.target, &tokens, &second).await?;
        findings.add(judge(&Observation { round, limit, alive: [first, second] }));
        stage.bar.inc(1);
    }
    let counted = format!(
        "{} rounds of {WAYS} parallel sign-ins, limit {limit}: {} checks with another number alive; \
         {admitted} sign-ins got a cookie",
        stage.count,
        findings.of("limit-broken"),
    );
    Ok(Outcome { counted, findings, doubt: None })
}

/// The tokens of those that were let in; a policy that refuses beyond the limit gives fewer.
async fn sign_in_in_parallel(target: &Arc<Target>, account: Account) -> Result<Vec<Token>, Halt> {
    let ready = Arc::new(Barrier::new(WAYS));
    let mut sign_ins = JoinSet::new();
    for _ in 0..WAYS {
        let (target, ready) = (Arc::clone(target), Arc::clone(&ready));
        sign_ins.spawn(async move {
            ready.wait().await;
            target.home().send(&Ask::log_in(account), &Jar::default()).await
        });
    }
    let mut tokens = Vec::with_capacity(WAYS);
    while let Some(done) = sign_ins.join_next().await {
        let reply = done??;
        match reply.session() {
            Some(token) => tokens.push(token.clone()),
            None if reply.is_refusal() => {}
            None => return Err(Halt::SignIn(reply.status)),
        }
    }
    Ok(tokens)
}

async fn present_all_at_once(target: &Arc<Target>, tokens: &Arc<Vec<Token>>) -> Result<(), Halt> {
    let place = Arc::new(AtomicUsize::new(0));
    let mut visits = JoinSet::new();
    for _ in 0..tokens.len() {
        let (target, tokens, place) = (Arc::clone(target), Arc::clone(tokens), Arc::clone(&place));
        visits.spawn(async move {
            match tokens.get(place.fetch_add(1, Relaxed)) {
                Some(token) => target.status_of(token).await.map(drop),
                None => Ok::<(), NoAnswer>(()),
            }
        });
    }
    while let Some(done) = visits.join_next().await {
        done??;
    }
    Ok(())
}

async fn alive(target: &Target, tokens: &[Token], order: &[usize]) -> Result<BTreeSet<usize>, Halt> {
    let mut alive = BTreeSet::new();
    for (place, token) in order.iter().filter_map(|place| Some((*place, tokens.get(*place)?))) {
        if target.is_alive(token).await? {
            alive.insert(place);
        }
    }
    Ok(alive)
}

/// Leaves the subject with no session, so that the next round starts from nothing.
async fn sign_out(target: &Target, tokens: &[Token], alive: &BTreeSet<usize>) -> Result<(), Halt> {
    for token in alive.iter().filter_map(|place| tokens.get(*place)) {
        target.home().send(&Ask::log_out(), &Jar::only(token.clone())).await?;
    }
    Ok(())
}

const WAYS: usize = 64;
