//! One browser and its tabs, and the weather between them and the server.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use fastrand::Rng;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{Bounds, Exchange, History, Shared};
use crate::{
    ask::{ACCOUNTS, Ask},
    browser::Browser,
    client::{Client, Reply},
    jar::Token,
    scenario::{Stage, up_to},
    verdict::Halt,
};

/// One browser from sign-in until everybody stops, or until it was refused or too slow.
pub(super) async fn browse(stage: Arc<Stage>, shared: Arc<Shared>, number: u64) -> Result<History, Halt> {
    let mut dice = stage.dice(number);
    let account = if number.is_multiple_of(2) { ACCOUNTS[0] } else { ACCOUNTS[1] };
    let page = Arc::new(Page {
        browser: Browser::sign_in(&stage.target, account).await?,
        roams: dice.u8(..4) == 0,
        successors: Mutex::default(),
        session: Mutex::default(),
    });
    let tabs = dice.usize(1..=8);
    let mut history = History { browser: number, ..History::default() };
    let mut open: JoinSet<(Exchange, u64)> = JoinSet::new();
    let mut over = false;
    while !over && !shared.stop.load(Relaxed) {
        for _ in open.len()..dice.usize(1..=tabs).max(open.len()) {
            let (stage, shared, page, dice) = (Arc::clone(&stage), Arc::clone(&shared), Arc::clone(&page), dice.fork());
            open.spawn(async move { page.visit(&stage, &shared, dice).await });
        }
        sleep(up_to(&mut dice, THINKING)).await;
        while let Some(done) = open.try_join_next() {
            over |= history.add(done?, stage.bounds());
        }
    }
    while let Some(done) = open.join_next().await {
        history.add(done?, stage.bounds());
    }
    let last = page.fetch(stage.target.home(), &Ask::me(), Duration::ZERO, Delivery::Prompt).await;
    history.add(last, stage.bounds());
    Ok(history)
}

impl History {
    /// `true` if there is no point in going on.
    fn add(&mut self, (exchange, rotations): (Exchange, u64), bounds: Bounds) -> bool {
        let over = exchange.is_refused() || exchange.is_beyond(bounds);
        self.rotations += rotations;
        self.exchanges.push(exchange);
        over
    }
}

/// What the tabs of one browser share.
#[derive(Debug)]
struct Page {
    browser: Browser,
    /// Its tabs use both networks.
    roams: bool,
    successors: Mutex<HashMap<Token, Token>>,
    session: Mutex<Option<serde_json::Value>>,
}

/// What becomes of a response's cookies.
#[derive(Debug, Clone, Copy)]
enum Delivery {
    Prompt,
    Late(Duration),
    Lost,
}

impl Page {
    /// One request of one tab, with the weather it meets.
    async fn visit(&self, stage: &Stage, shared: &Shared, mut dice: Rng) -> (Exchange, u64) {
        let ask = match dice.u8(..20) {
            0..10 => Ask::me(),
            10..13 => Ask::count_up(),
            13..15 => Ask::note("tab", "1"),
            15..18 => Ask::slow(up_to(&mut dice, HOLD)),
            _ => Ask::slow_note(up_to(&mut dice, HOLD), "slow", "1"),
        };
        let wait = if dice.u8(..10) < 3 { up_to(&mut dice, stage.grace.mul_f64(0.5)) } else { Duration::ZERO };
        let delivery = match dice.u8(..20) {
            0..4 => Delivery::Lost,
            4..9 => Delivery::Late(up_to(&mut dice, stage.rotate_every.mul_f64(0.7))),
            _ => Delivery::Prompt,
        };
        let client = if self.roams && dice.bool() { stage.target.away() } else { stage.target.home() };
        let done = self.fetch(client, &ask, wait, delivery).await;
        shared.requests.fetch_add(1, Relaxed);
        shared.late_requests.fetch_add(u64::from(!wait.is_zero()), Relaxed);
        shared.rotations.fetch_add(done.1, Relaxed);
        match delivery {
            Delivery::Lost => shared.lost.fetch_add(1, Relaxed),
            Delivery::Late(_) => shared.late.fetch_add(1, Relaxed),
            Delivery::Prompt => 0,
        };
        done
    }

    /// Attaches, waits, sends, and delivers the answer. Returns what was seen and how many rotations it brought.
    async fn fetch(&self, client: &Client, ask: &Ask, wait: Duration, delivery: Delivery) -> (Exchange, u64) {
        let jar = self.browser.attach();
        let attached = Instant::now();
        sleep(wait).await;
        let Ok(reply) = client.send(ask, &jar).await else {
            return (Exchange::unanswered(attached.elapsed()), 0);
        };
        let rotations = u64::from(self.browser.note(&reply));
        let second_successor = self.gives_second_successor(jar.session(), &reply);
        let response_late = self.deliver(&reply, delivery, reply.sent + ask.hold).await;
        let exchange = Exchange {
            request_late: (reply.received - attached).saturating_sub(ask.hold),
            response_late,
            status: Some(reply.status),
            removed: reply.removes_session(),
            second_successor,
            other_session: self.is_other_session(&reply),
        };
        (exchange, rotations)
    }

    /// How late the cookies came, counted from the earliest moment at which the server can have set them.
    async fn deliver(&self, reply: &Reply, delivery: Delivery, made: Instant) -> Duration {
        match delivery {
            Delivery::Lost => return Duration::ZERO,
            Delivery::Late(wait) => sleep(wait).await,
            Delivery::Prompt => {}
        }
        self.browser.apply(reply);
        made.elapsed()
    }

    fn gives_second_successor(&self, presented: Option<&Token>, reply: &Reply) -> bool {
        let (Some(presented), Some(given)) = (presented, reply.session()) else {
            return false;
        };
        let mut successors = self.successors.lock().unwrap_or_else(PoisonError::into_inner);
        successors.entry(presented.clone()).or_insert_with(|| given.clone()) != given
    }

    fn is_other_session(&self, reply: &Reply) -> bool {
        let Some(sid) = reply.member("sid") else { return false };
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        *session.get_or_insert_with(|| sid.clone()) != sid
    }
}

impl Exchange {
    /// No answer is a lost response; when the request arrived, if it did, is bounded by when we gave up.
    fn unanswered(after: Duration) -> Self {
        Self {
            request_late: after,
            response_late: Duration::ZERO,
            status: None,
            removed: false,
            second_successor: false,
            other_session: false,
        }
    }
}

const THINKING: Duration = Duration::from_millis(1_200);
const HOLD: Duration = Duration::from_millis(400);
