//! What happens in one history: who is there, and what goes wrong.

use std::sync::Arc;

use counterfoil_core::rules::EndReason;
use counterfoil_core::{SessionId, Subject};
use fastrand::Rng;
use parking_lot::Mutex;

use super::browser::{Browser, Errand, visit};
use super::site::{Error, Site};
use super::stream::Lossy;
use super::world::{NODES, SECOND};

/// For how long people and faults are about, in microseconds.
pub(super) const ACTIVE: u64 = 240 * SECOND;
/// And how long it takes until all of it has come to rest.
pub(super) const REST: u64 = 30 * SECOND;

type Shared = Arc<Mutex<Browser>>;

/// Has everybody begin.
pub(super) fn begin(site: &Arc<Site>) -> Result<Vec<Shared>, Error> {
    let mut browsers = Vec::new();
    for subject in ["ada", "ben", "cyd"] {
        for agent in AGENTS {
            let browser = Arc::new(Mutex::new(Browser::new(Subject::new(subject)?, agent)));
            for _tab in 0..2 {
                site.world.spawn(None, tab(Arc::clone(site), Arc::clone(&browser)));
            }
            browsers.push(browser);
        }
    }
    site.world.spawn(None, thief(Arc::clone(site), browsers.clone()));
    site.world.spawn(None, operator(Arc::clone(site), browsers.clone()));
    site.world.spawn(None, trouble(Arc::clone(site)));
    Ok(browsers)
}

/// One tab: pages and forms, on whichever node the balancer picks, at times several at once.
async fn tab(site: Arc<Site>, browser: Shared) {
    let world = site.world.clone();
    while world.now() < ACTIVE {
        world.sleep(world.draw(|random| random.u64(SECOND / 50..2 * SECOND))).await;
        let signed_in = browser.lock().session.is_some();
        let errand = match (signed_in, world.draw(|random| random.u8(..100))) {
            (false, _) => Errand::SignIn,
            (true, 0) => Errand::SignOut,
            (true, 1..=9) => Errand::Write,
            (true, 10..=19) => Errand::Slow,
            (true, _) => Errand::Read,
        };
        let beside = if signed_in { world.draw(|random| random.u8(..8).saturating_sub(5)) } else { 0 };
        for _ in 0..beside {
            world.spawn(None, visit(Arc::clone(&site), Arc::clone(&browser), pick(&site), Errand::Read));
        }
        visit(Arc::clone(&site), Arc::clone(&browser), pick(&site), errand).await;
    }
}

/// Somebody with a copy of a browser's jar, who comes back with it again and again.
async fn thief(site: Arc<Site>, browsers: Vec<Shared>) {
    let world = site.world.clone();
    world.sleep(world.draw(|random| random.u64(..ACTIVE / 2))).await;
    let Some(victim) = browsers.get(world.draw(|random| random.usize(..browsers.len()))) else { return };
    let copy = victim.lock().stolen_by("curl/8");
    let Some(session) = copy.session else { return };
    site.truth.stolen(session);
    world.note(format_args!("the token of {session} is stolen"));
    let copy = Arc::new(Mutex::new(copy));
    while world.now() < ACTIVE {
        visit(Arc::clone(&site), Arc::clone(&copy), pick(&site), Errand::Read).await;
        world.sleep(world.draw(|random| random.u64(..10 * SECOND))).await;
    }
}

/// Somebody who ends sessions: of one user, now and then all, or just one.
async fn operator(site: Arc<Site>, browsers: Vec<Shared>) {
    let world = site.world.clone();
    while world.now() < ACTIVE {
        world.sleep(world.draw(|random| random.u64(5 * SECOND..60 * SECOND))).await;
        let Some(browser) = browsers.get(world.draw(|random| random.usize(..browsers.len()))) else { return };
        let Browser { subject, session, .. } = browser.lock().clone();
        let (node, what) = (pick(&site), world.draw(|random| random.u8(..10)));
        // Whoever asked and heard nothing has not been told that they ended.
        let _ = world.ask(node, revoke(Arc::clone(&site), node, (what, subject, session))).await;
    }
}

async fn revoke(site: Arc<Site>, index: usize, (what, subject, session): (u8, Subject, Option<SessionId>)) {
    let Some(node) = site.node(index) else { return };
    let (engine, reason) = (&node.engine, EndReason::Admin);
    let reference = engine.reference(&subject);
    let of_subject = |id: &SessionId| site.truth.live(*id).is_some_and(|live| live.record.subject() == Some(reference));
    let (ended, concerned) = match (what, session) {
        (0, _) => {
            let all = site.truth.sessions();
            (engine.end_all(reason).await, all)
        }
        (1..=4, Some(session)) => (engine.end(session, reason).await, vec![session]),
        _ => {
            let theirs = site.truth.sessions().into_iter().filter(of_subject).collect();
            (engine.end_subject(&subject, reason).await, theirs)
        }
    };
    if ended.is_ok() {
        site.world.note(format_args!("node {index} ended {} sessions", concerned.len()));
        for id in concerned {
            site.truth.known(index, id);
        }
    }
}

/// Nodes are paused, streams cut, clocks set, the store stops.
async fn trouble(site: Arc<Site>) {
    let world = site.world.clone();
    while world.now() < ACTIVE {
        world.sleep(world.draw(|random| random.u64(SECOND / 2..7 * SECOND))).await;
        let (index, lasts) = (pick(&site), world.draw(|random| random.u64(SECOND / 10..15 * SECOND)));
        let Some(node) = site.node(index) else { return };
        match world.draw(|random| random.u8(..10)) {
            0..=2 => {
                world.note(format_args!("node {index} is paused for {lasts} µs"));
                world.pause(index, true);
                let (paused, end) = (world.clone(), world.sleep(lasts));
                world.spawn(None, async move {
                    end.await;
                    paused.pause(index, false);
                });
            }
            3..=7 => {
                let lossy = if world.draw(Rng::bool) { Lossy::Yes } else { Lossy::No };
                world.note(format_args!("node {index}'s stream is cut for {lasts} µs, lossy: {lossy:?}"));
                node.stream.cut(lossy);
                let (stream, end) = (node.stream.clone(), world.sleep(lasts));
                world.spawn(None, async move {
                    end.await;
                    stream.mend();
                });
            }
            8 => site.truth.stop(lasts / 4),
            _ => {
                let millis = world.draw(|random| random.i64(-2_000..=2_000));
                world.note(format_args!("node {index}'s clock is set by {millis} ms"));
                node.set_clock_by(millis);
            }
        }
    }
}

/// Whichever node the balancer picks.
fn pick(site: &Site) -> usize {
    site.world.draw(|random| random.usize(..NODES))
}

const AGENTS: [&str; 2] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1",
];
