//! Sign-out is final: reads, writes and rotations in flight bring nothing back.
//!
//! Each session is brought to a point where a rotation is due, is under way or has just closed. Then slow reads, slow
//! writes and plain requests start together, and in their middle it signs out. Every token the browser was ever given,
//! also by answers that came later, is tried right after the sign-out and again when nothing is in flight any more.

use std::{
    sync::{Arc, atomic::AtomicU64, atomic::Ordering::Relaxed},
    time::Duration,
};

use fastrand::Rng;
use http::StatusCode;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{Stage, up_to};
use crate::{
    ask::{ACCOUNTS, Ask},
    browser::Browser,
    client::{NoAnswer, Reply},
    jar::Token,
    verdict::{Findings, Halt, Moment, Outcome, Violation},
};

/// What was seen of one session that signed out.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    pub(crate) session: u64,
    /// How the sign-out was answered.
    pub(crate) sign_out: StatusCode,
    /// How each token was answered while requests were still in flight.
    pub(crate) right_after: Vec<StatusCode>,
    /// How each token was answered in the end, those of late answers included.
    pub(crate) when_all_ended: Vec<StatusCode>,
    /// Answers that the server can only have made after the sign-out was answered, and that set a session cookie.
    pub(crate) cookies_after: usize,
}

/// What the observation breaks.
pub(crate) fn judge(seen: &Observation) -> Vec<Violation> {
    let session = seen.session;
    let revived = |moment, answers: &[StatusCode]| -> Vec<Violation> {
        let alive = answers.iter().enumerate().filter(|(_, status)| **status != StatusCode::UNAUTHORIZED);
        alive.map(|(token, &status)| Violation::Revived { session, token, status, moment }).collect()
    };
    let mut violations = revived(Moment::RightAfter, &seen.right_after);
    violations.extend(revived(Moment::WhenAllEnded, &seen.when_all_ended));
    if seen.cookies_after > 0 {
        violations.push(Violation::CookieAfterSignOut { session });
    }
    if !(seen.sign_out.is_success() || seen.sign_out == StatusCode::SEE_OTHER) {
        violations.push(Violation::SignOutFailed { session, status: seen.sign_out });
    }
    violations
}

/// Races `stage.count` sign-outs.
pub(crate) async fn run(stage: Stage) -> Result<Outcome, Halt> {
    let stage = Arc::new(stage);
    let tally = Arc::new(Tally::default());
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    let mut findings = Findings::default();
    let mut running: JoinSet<Result<Option<Observation>, Halt>> = JoinSet::new();
    let (mut raced, mut started) = (0, 0);
    while raced < stage.count {
        let wanted = stage.count - raced > running.len() as u64 && started < stage.count * 2;
        tokio::select! {
            seat = Arc::clone(&seats).acquire_owned(), if wanted => {
                let (stage, tally) = (Arc::clone(&stage), Arc::clone(&tally));
                running.spawn(async move {
                    let _seat = seat;
                    race(&stage, started, &tally).await
                });
                started += 1;
            }
            Some(done) = running.join_next() => {
                if let Some(observation) = done?? {
                    raced += 1;
                    stage.bar.set_position(raced);
                    findings.add(judge(&observation));
                }
            }
            else => break,
        }
    }
    Ok(tally.outcome(stage.count, raced, started, findings))
}

/// What happened besides; shows that the races were races.
#[derive(Debug, Default)]
struct Tally {
    tokens: AtomicU64,
    rotating: AtomicU64,
    overtaken: AtomicU64,
    late_cookies: AtomicU64,
    unanswered: AtomicU64,
}

impl Tally {
    fn outcome(&self, wanted: u64, raced: u64, started: u64, findings: Findings) -> Outcome {
        let (rotating, overtaken) = (self.rotating.load(Relaxed), self.overtaken.load(Relaxed));
        let ended_early = started - raced;
        let doubt = if raced < wanted || ended_early * 20 > raced {
            Some(format!("{ended_early} sessions were over before they could sign out"))
        } else if rotating == 0 {
            Some("no rotation was ever in flight".to_owned())
        } else if overtaken == 0 {
            Some("no request was ever overtaken by a sign-out".to_owned())
        } else {
            None
        };
        let counted = format!(
            "{raced} sign-outs, {} tokens revived; each of {} tokens tried twice; {rotating} with a rotation in \
             flight; {overtaken} requests overtaken by the sign-out, {} of them brought a token late; {ended_early} sessions \
             over too early and raced anew; {} requests without an answer",
            findings.of("revived"),
            self.tokens.load(Relaxed),
            self.late_cookies.load(Relaxed),
            self.unanswered.load(Relaxed),
        );
        Outcome { counted, findings, doubt }
    }
}

/// One session. `None` where it was over before it could sign out: then nothing was raced.
async fn race(stage: &Stage, session: u64, tally: &Tally) -> Result<Option<Observation>, Halt> {
    let mut dice = stage.dice(session);
    let account = if session.is_multiple_of(2) { ACCOUNTS[0] } else { ACCOUNTS[1] };
    let browser = Arc::new(Browser::sign_in(&stage.target, account).await?);
    if !grow_old(stage, &browser, &mut dice).await? {
        return Ok(None);
    }
    let known = browser.seen().len();
    let mut flights = start_flights(&browser, &mut dice);
    sleep(up_to(&mut dice, SIGN_OUT_WITHIN)).await;
    let Some(sign_out) = sign_out(&browser).await? else {
        return Ok(None);
    };

    let right_after = try_all(&browser, &browser.seen()).await?;
    let (mut cookies_after, mut over_early) = (0, false);
    while let Some(landed) = flights.join_next().await {
        let Some(landed) = landed? else {
            tally.unanswered.fetch_add(1, Relaxed);
            continue;
        };
        over_early |= landed.reply.status == StatusCode::UNAUTHORIZED && landed.reply.received < sign_out.sent;
        cookies_after += usize::from(landed.made_after(sign_out.received) && landed.reply.session().is_some());
        if landed.reply.received > sign_out.received {
            tally.overtaken.fetch_add(1, Relaxed);
            tally.late_cookies.fetch_add(u64::from(landed.reply.session().is_some()), Relaxed);
        }
    }
    let tokens = browser.seen();
    let when_all_ended = try_all(&browser, &tokens).await?;
    if over_early {
        return Ok(None);
    }
    tally.rotating.fetch_add(u64::from(tokens.len() > known), Relaxed);
    tally.tokens.fetch_add(tokens.len() as u64, Relaxed);
    Ok(Some(Observation { session, sign_out: sign_out.status, right_after, when_all_ended, cookies_after }))
}

/// Uses the session until a rotation is due, or its first one is being closed. `false` if it did not live that long.
async fn grow_old(stage: &Stage, browser: &Browser, dice: &mut Rng) -> Result<bool, NoAnswer> {
    let about = Duration::from_millis(100);
    let due = stage.rotate_every + up_to(dice, about);
    let waits = match dice.u8(..10) {
        0..2 => vec![up_to(dice, about)],
        2..7 => vec![due.saturating_sub(about / 4)],
        _ => vec![due + about, Duration::ZERO, stage.grace + about, up_to(dice, stage.grace * 2)],
    };
    for wait in waits {
        if !browser.ask(&Ask::me()).await?.status.is_success() {
            return Ok(false);
        }
        sleep(wait).await;
    }
    Ok(true)
}

/// A request that was in the air while the session signed out.
#[derive(Debug)]
struct Landed {
    hold: Duration,
    reply: Reply,
}

impl Landed {
    /// The server worked on it for `hold` at least, so it cannot have answered before that.
    fn made_after(&self, moment: Instant) -> bool {
        self.reply.sent + self.hold > moment
    }
}

fn start_flights(browser: &Arc<Browser>, dice: &mut Rng) -> JoinSet<Option<Landed>> {
    let mut asks = Vec::from([Ask::me(), Ask::me(), Ask::count_up(), Ask::count_up(), Ask::note("plain", "1")]);
    for key in ["a", "b", "c"] {
        asks.push(Ask::slow(LONGEST_HOLD.mul_f64(dice.f64())));
        asks.push(Ask::slow_note(LONGEST_HOLD.mul_f64(dice.f64()), key, "1"));
    }
    dice.shuffle(&mut asks);
    let mut flights = JoinSet::new();
    for ask in asks {
        let (browser, wait) = (Arc::clone(browser), up_to(dice, START_WITHIN));
        flights.spawn(async move {
            sleep(wait).await;
            let reply = browser.ask(&ask).await.ok()?;
            Some(Landed { hold: ask.hold, reply })
        });
    }
    flights
}

/// Signs out with the cookie of this moment. `None` if the session was over already.
async fn sign_out(browser: &Browser) -> Result<Option<Reply>, NoAnswer> {
    let before = browser.attach();
    let reply = browser.target().home().send(&Ask::log_out(), &before).await?;
    browser.note(&reply);
    browser.apply(&reply);
    Ok((reply.status != StatusCode::UNAUTHORIZED).then_some(reply))
}

async fn try_all(browser: &Browser, tokens: &[Token]) -> Result<Vec<StatusCode>, NoAnswer> {
    let mut answers = Vec::with_capacity(tokens.len());
    for token in tokens {
        answers.push(browser.target().status_of(token).await?);
    }
    Ok(answers)
}

const AT_ONCE: usize = 250;
const START_WITHIN: Duration = Duration::from_millis(150);
const SIGN_OUT_WITHIN: Duration = Duration::from_millis(300);
const LONGEST_HOLD: Duration = Duration::from_millis(400);
