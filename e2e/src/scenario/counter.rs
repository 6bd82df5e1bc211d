//! No update is lost: the replies of a counter under 64 parallel updates are 1…64, each once.

use std::{collections::BTreeMap, sync::Arc};

use tokio::{sync::Barrier, task::JoinSet, time::sleep};

use super::Stage;
use crate::{
    ask::{ACCOUNTS, Ask},
    browser::Browser,
    client::Reply,
    verdict::{Findings, Halt, Outcome, Violation},
};

/// What one session's counter replied.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    pub(crate) round: u64,
    /// One per request; none where there was no answer with a number.
    pub(crate) replies: Vec<Option<u64>>,
    /// What it says when all have been answered.
    pub(crate) end: Option<u64>,
}

/// What the observation breaks.
pub(crate) fn judge(seen: &Observation) -> Vec<Violation> {
    let round = seen.round;
    let expected = seen.replies.len() as u64;
    let mut times: BTreeMap<u64, u64> = (1..=expected).map(|value| (value, 0)).collect();
    for value in seen.replies.iter().flatten() {
        *times.entry(*value).or_default() += 1;
    }
    let unanswered = seen.replies.iter().filter(|reply| reply.is_none()).count();
    let missing: Vec<u64> = times.iter().filter(|(_, times)| **times == 0).map(|(value, _)| *value).collect();
    let is_surplus = |value: u64, times: u64| times > 1 || value > expected || value == 0;
    let surplus: Vec<u64> =
        times.iter().filter(|(value, times)| is_surplus(**value, **times)).map(|(value, _)| *value).collect();
    let mut violations = Vec::new();
    if !(missing.is_empty() && surplus.is_empty() && unanswered == 0) {
        violations.push(Violation::CounterReplies { round, missing, surplus, unanswered });
    }
    if seen.end != Some(expected) {
        violations.push(Violation::CounterEnd { round, value: seen.end, expected });
    }
    violations
}

/// Whose counter it is; the rounds take turns.
#[derive(Debug, Clone, Copy)]
enum Owner {
    SignedIn,
    SignedInAndRotating,
    Anonymous,
}

/// Runs `stage.count` rounds, each with a fresh session.
pub(crate) async fn run(stage: Stage) -> Result<Outcome, Halt> {
    let mut findings = Findings::default();
    for round in 0..stage.count {
        let owner = match round % 3 {
            0 => Owner::SignedIn,
            1 => Owner::Anonymous,
            _ => Owner::SignedInAndRotating,
        };
        let browser = Arc::new(fresh(&stage, owner).await?);
        let replies = count_in_parallel(&browser).await?;
        let end = number(&browser.ask(&Ask::counter()).await?);
        findings.add(judge(&Observation { round, replies, end }));
        stage.bar.inc(1);
    }
    let counted = format!(
        "{} rounds of {WAYS} parallel updates in fresh sessions, signed in, anonymous, and with a rotation due; \
         {} with a lost or doubled reply",
        stage.count,
        findings.of("counter-replies"),
    );
    Ok(Outcome { counted, findings, doubt: None })
}

async fn fresh(stage: &Stage, owner: Owner) -> Result<Browser, Halt> {
    if let Owner::Anonymous = owner {
        let browser = Browser::stranger(&stage.target);
        let reply = browser.ask(&Ask::note("visit", "1")).await?;
        return match browser.attach().anonymous() {
            Some(_) => Ok(browser),
            None => Err(Halt::Setup { step: "an anonymous POST /note without dev-an", status: reply.status }),
        };
    }
    let browser = Browser::sign_in(&stage.target, ACCOUNTS[0]).await?;
    if let Owner::SignedInAndRotating = owner {
        sleep(stage.rotate_every).await;
    }
    Ok(browser)
}

async fn count_in_parallel(browser: &Arc<Browser>) -> Result<Vec<Option<u64>>, Halt> {
    let ready = Arc::new(Barrier::new(WAYS));
    let mut updates = JoinSet::new();
    for _ in 0..WAYS {
        let (browser, ready) = (Arc::clone(browser), Arc::clone(&ready));
        updates.spawn(async move {
            let jar = browser.attach();
            ready.wait().await;
            let reply = browser.target().home().send(&Ask::count_up(), &jar).await?;
            browser.apply(&reply);
            Ok::<_, Halt>(number(&reply))
        });
    }
    let mut replies = Vec::with_capacity(WAYS);
    while let Some(done) = updates.join_next().await {
        replies.push(done??);
    }
    Ok(replies)
}

fn number(reply: &Reply) -> Option<u64> {
    reply.member("value").filter(|_| reply.status.is_success())?.as_u64()
}

const WAYS: usize = 64;
