//! A detector that hangs, fails, panics, is asked too much at once, or is not waited for.

use std::sync::atomic::AtomicUsize;
use std::task::Poll;

use counterfoil_core::agent::{Agent, Browser, Platform};
use counterfoil_core::rules::{Decision, Evidence, Glimpse, Place};
use counterfoil_core::{Moment, SubjectRef};

use super::*;

#[derive(Clone, Copy)]
enum Mood {
    Silent,
    Speaks,
    Fails,
    Panics,
    PanicsAtOnce,
    Hangs,
}

/// Does as it is told, and counts how often.
struct Moody {
    mood: Mutex<Mood>,
    asked: AtomicUsize,
}

impl Detector for Moody {
    fn judge(&self, _: Question) -> impl Future<Output = Result<Verdict, NoVerdict>> + Send {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mood = *self.mood.lock();
        assert!(!matches!(mood, Mood::PanicsAtOnce), "before there is a future");
        async move {
            match mood {
                Mood::Silent => Ok(Verdict::NOTHING),
                Mood::Speaks => Ok(Verdict::NOTHING.with("own".parse()?, Decision::Notify)?),
                Mood::Fails => Err(NoVerdict::Failed("no".into())),
                Mood::Panics | Mood::PanicsAtOnce => panic!("on purpose"),
                Mood::Hangs => std::future::pending().await,
            }
        }
    }
}

impl Moody {
    fn is(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn moody(mood: Mood, bounds: Bounds) -> (Arc<Moody>, Guarded<Arc<Moody>>) {
    let moody = Arc::new(Moody { mood: Mutex::new(mood), asked: AtomicUsize::new(0) });
    (Arc::clone(&moody), Guard::new(bounds).around(moody))
}

async fn ask(guarded: &Guarded<Arc<Moody>>) -> Result<Verdict, NoVerdict> {
    Detector::judge(guarded, question()).await
}

/// Any question: what is in it is not looked at here.
fn question() -> Question {
    let agent = Agent { platform: Platform::Linux, browser: Browser::Firefox };
    let seen = Glimpse { agent, place: Place::UNKNOWN };
    let evidence = Evidence { seen, expected: None, gap_km: None, after: None };
    Question::new(Moment::EPOCH, SubjectRef::from_bytes([7; 16]), evidence)
}

fn counted(guarded: &Guarded<Arc<Moody>>) -> Vec<(&'static str, u64)> {
    let figures = guarded.guard.figures();
    let all = Outcome::ALL.into_iter().map(|outcome| (outcome.as_str(), figures.of(outcome)));
    all.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test(start_paused = true)]
async fn whatever_a_detector_does_there_is_an_answer_in_time() {
    use Mood::{Fails, Hangs, Panics, PanicsAtOnce, Silent, Speaks};
    #[rustfmt::skip]
    let rows = [
        (Silent,       "Ok(0)",                   0,   "nothing"),
        (Speaks,       "Ok(1)",                   0,   "signalled"),
        (Fails,        "the detector failed",     0,   "failed"),
        (Panics,       "the detector panicked",   0,   "failed"),
        (PanicsAtOnce, "the detector panicked",   0,   "failed"),
        (Hangs,        "the detector took too long", 250, "timed_out"),
    ];
    for (mood, expected, millis, outcome) in rows {
        let (_, guarded) = moody(mood, Bounds::default());
        let begin = Instant::now();
        let answer = match ask(&guarded).await {
            Ok(verdict) => format!("Ok({})", verdict.signals().len()),
            Err(error) => error.to_string(),
        };
        let took = begin.elapsed().as_millis();
        assert_eq!((answer.as_str(), took / 10 * 10), (expected, millis), "{outcome}");
        assert_eq!(counted(&guarded), [(outcome, 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_detector_slows_a_few_requests_and_then_one_every_few_seconds() {
    let (detector, guarded) = moody(Mood::Hangs, Bounds::default());
    for _ in 0..5 {
        assert!(matches!(ask(&guarded).await, Err(NoVerdict::TimedOut)));
    }
    let begin = Instant::now();
    for _ in 0..1_000 {
        assert!(matches!(ask(&guarded).await, Err(NoVerdict::Resting)));
    }
    assert_eq!((begin.elapsed(), detector.asked()), (Duration::ZERO, 5));
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(matches!(ask(&guarded).await, Err(NoVerdict::TimedOut)));
    assert!(matches!(ask(&guarded).await, Err(NoVerdict::Resting)));
    detector.is(Mood::Speaks);
    tokio::time::advance(Duration::from_secs(5)).await;
    for _ in 0..3 {
        assert_eq!(ask(&guarded).await.unwrap().strongest(), Decision::Notify);
    }
    assert_eq!(counted(&guarded), [("signalled", 3), ("timed_out", 6), ("resting", 1_001)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_beyond_the_limit_does_not_wait_and_is_no_failure() {
    let (detector, guarded) = moody(Mood::Hangs, Bounds { at_once: 2, failures: 1, ..Bounds::default() });
    let (mut one, mut two) = (Box::pin(ask(&guarded)), Box::pin(ask(&guarded)));
    assert!(futures_util::poll!(&mut one).is_pending() && futures_util::poll!(&mut two).is_pending());
    assert!(matches!(ask(&guarded).await, Err(NoVerdict::Busy)));
    assert_eq!(detector.asked(), 2);
    drop(one);
    detector.is(Mood::Silent);
    assert_eq!(
        ask(&guarded).await.unwrap(),
        Verdict::NOTHING,
        "whoever hung up gave their place back, and is no failure"
    );
    drop(two);
    assert_eq!(counted(&guarded), [("nothing", 1), ("busy", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_nobody_waits_for_is_made_by_the_next_one() {
    let (detector, guarded) = moody(Mood::Fails, Bounds { failures: 1, ..Bounds::default() });
    ask(&guarded).await.unwrap_err();
    tokio::time::advance(Duration::from_secs(5)).await;
    detector.is(Mood::Hangs);
    let mut probe = Box::pin(ask(&guarded));
    assert_eq!(futures_util::poll!(&mut probe).map(|answer| answer.is_ok()), Poll::Pending);
    assert!(matches!(ask(&guarded).await, Err(NoVerdict::Resting)));
    drop(probe);
    detector.is(Mood::Silent);
    assert_eq!(ask(&guarded).await.unwrap(), Verdict::NOTHING);
}
