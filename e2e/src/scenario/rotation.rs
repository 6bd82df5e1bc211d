//! Nobody honest is signed out by rotation: parallel tabs, lost and late responses, late requests, two networks.
//!
//! Each browser is one jar and one to eight tabs. The bounds are those of property 1 in the design: a request reaches
//! the server less than `grace` after its cookie was attached, a cookie reaches the jar less than `rotate_every` after
//! its response was made. The races plan well below both and measure what really happened: a browser that was slower
//! than the bounds (a busy machine) shows nothing, is set aside, counted, and replaced.

mod tabs;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::StatusCode;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::Stage;
use crate::verdict::{Findings, Halt, Outcome, Violation};

/// The lateness under which the promise holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) request: Duration,
    pub(crate) response: Duration,
}

/// One request of one tab.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// At most so long passed between attaching the cookie and the server seeing it.
    pub(crate) request_late: Duration,
    /// At most so long passed between the server answering and the jar having the cookie.
    pub(crate) response_late: Duration,
    /// None if no answer came.
    pub(crate) status: Option<StatusCode>,
    /// The cookie was removed.
    pub(crate) removed: bool,
    /// The token presented had been given another successor before.
    pub(crate) second_successor: bool,
    /// `GET /me` spoke of another session than the first time.
    pub(crate) other_session: bool,
}

/// Everything that happened to one browser.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) browser: u64,
    pub(crate) rotations: u64,
    pub(crate) exchanges: Vec<Exchange>,
}

/// What a history shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Kept,
    /// Signed out, but the harness had been slower than the bounds allow: it shows nothing.
    TooSlow,
    Broken(Vec<Violation>),
}

/// What the history breaks, if it kept to the bounds itself.
pub(crate) fn judge(history: &History, bounds: Bounds) -> Verdict {
    let browser = history.browser;
    let any = |wrong: fn(&Exchange) -> bool| history.exchanges.iter().any(wrong);
    let unexpected = history.exchanges.iter().filter_map(|exchange| exchange.status).find(|status| !is_usual(*status));
    let found = [
        any(|exchange| exchange.removed).then_some(Violation::CookieRemoved { browser }),
        any(|exchange| exchange.second_successor).then_some(Violation::SecondSuccessor { browser }),
        any(|exchange| exchange.other_session).then_some(Violation::OtherSession { browser }),
        unexpected.map(|status| Violation::Unexpected { browser, status }),
    ];
    let mut violations: Vec<Violation> = found.into_iter().flatten().collect();
    let slow = history.exchanges.iter().any(|exchange| exchange.is_beyond(bounds));
    if !slow && any(Exchange::is_refused) {
        violations.push(Violation::HonestSignOut { browser });
    }
    match violations.is_empty() {
        false => Verdict::Broken(violations),
        true if slow => Verdict::TooSlow,
        true => Verdict::Kept,
    }
}

fn is_usual(status: StatusCode) -> bool {
    status.is_success() || status == StatusCode::SEE_OTHER || status == StatusCode::UNAUTHORIZED
}

impl Exchange {
    fn is_refused(&self) -> bool {
        self.status == Some(StatusCode::UNAUTHORIZED)
    }

    fn is_beyond(&self, bounds: Bounds) -> bool {
        self.request_late > bounds.request || self.response_late > bounds.response
    }
}

/// Lets browsers rotate until `stage.count` rotations were counted in browsers that show something.
pub(crate) async fn run(stage: Stage) -> Result<Outcome, Halt> {
    let stage = Arc::new(stage);
    let shared = Arc::new(Shared::default());
    let mut count = Count::default();
    let crowd = (stage.count / 3).clamp(4, LARGEST_CROWD);
    let mut browsers = JoinSet::new();
    let mut next = 0;
    let mut quiet = Quiet::since(Instant::now());
    loop {
        while !shared.stop.load(Relaxed) && (browsers.len() as u64) < crowd {
            browsers.spawn(tabs::browse(Arc::clone(&stage), Arc::clone(&shared), next));
            next += 1;
        }
        tokio::select! {
            Some(done) = browsers.join_next() => {
                count.add(&done??, stage.bounds());
            }
            () = sleep(WATCH) => {}
        }
        let seen = shared.rotations.load(Relaxed);
        stage.bar.set_position(seen.min(stage.count));
        let enough = seen.saturating_sub(count.set_aside_rotations) >= stage.count;
        let stuck = quiet.lasts(seen, stage.rotate_every * 5 + Duration::from_secs(30));
        shared.stop.store(enough || stuck || count.findings.total() > 0, Relaxed);
        if browsers.is_empty() && (count.rotations >= stage.count || stuck || count.findings.total() > 0) {
            return Ok(count.outcome(&stage, &shared));
        }
    }
}

/// What the browsers have in common.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    rotations: AtomicU64,
    lost: AtomicU64,
    late: AtomicU64,
    late_requests: AtomicU64,
    requests: AtomicU64,
}

/// The judged histories, added up.
#[derive(Debug, Default)]
struct Count {
    rotations: u64,
    kept: u64,
    set_aside: u64,
    set_aside_rotations: u64,
    slowest_request: Duration,
    slowest_response: Duration,
    findings: Findings,
}

impl Count {
    fn add(&mut self, history: &History, bounds: Bounds) {
        match judge(history, bounds) {
            Verdict::Kept => {
                self.kept += 1;
                self.rotations += history.rotations;
                for exchange in &history.exchanges {
                    self.slowest_request = self.slowest_request.max(exchange.request_late);
                    self.slowest_response = self.slowest_response.max(exchange.response_late);
                }
            }
            Verdict::TooSlow => {
                self.set_aside += 1;
                self.set_aside_rotations += history.rotations;
            }
            Verdict::Broken(violations) => self.findings.add(violations),
        }
    }

    fn outcome(self, stage: &Stage, shared: &Shared) -> Outcome {
        let doubt = if self.rotations < stage.count {
            Some(format!("{} rotations asked for, and no more came", stage.count))
        } else if self.set_aside > self.kept {
            Some("this machine was too slow for most browsers: they are set aside".to_owned())
        } else {
            None
        };
        let counted = format!(
            "{} rotations in {} browsers, {} honest sign-outs; {} requests, {} of them late (at most {} ms of {}), \
             {} responses lost, {} late (at most {} ms of {}); {} networks; {} browsers set aside as slower than the \
             bounds",
            self.rotations,
            self.kept,
            self.findings.of("honest-sign-out"),
            shared.requests.load(Relaxed),
            shared.late_requests.load(Relaxed),
            self.slowest_request.as_millis(),
            stage.bounds().request.as_millis(),
            shared.lost.load(Relaxed),
            shared.late.load(Relaxed),
            self.slowest_response.as_millis(),
            stage.bounds().response.as_millis(),
            if stage.target.has_two_networks() { 2 } else { 1 },
            self.set_aside,
        );
        Outcome { counted, findings: self.findings, doubt }
    }
}

impl Stage {
    fn bounds(&self) -> Bounds {
        Bounds { request: self.grace.mul_f64(0.95), response: self.rotate_every.mul_f64(0.95) }
    }
}

/// How long nothing has rotated.
#[derive(Debug)]
struct Quiet {
    count: u64,
    since: Instant,
}

impl Quiet {
    fn since(now: Instant) -> Self {
        Self { count: 0, since: now }
    }

    fn lasts(&mut self, count: u64, longest: Duration) -> bool {
        if count != self.count {
            *self = Self { count, since: Instant::now() };
        }
        self.since.elapsed() > longest
    }
}

const LARGEST_CROWD: u64 = 500;
const WATCH: Duration = Duration::from_millis(100);
