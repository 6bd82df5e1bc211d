//! Whoever tells never waits, everybody is told in order, and what is lost is counted.

use std::sync::mpsc::{self, Receiver, Sender};

use counterfoil_core::{EventKind, Moment, SessionId};

use super::*;

const LONG: Duration = Duration::from_mins(1);

fn event(number: u64) -> Event {
    Event { at: Moment::from_unix_millis(number), session: None, subject: None, kind: EventKind::TokenForged }
}

/// When, and on which site.
type Heard = (u64, Option<Arc<str>>);

/// Tells what it was told, and waits at each event until it may go on.
struct Slow {
    told: Sender<Heard>,
    go: Receiver<()>,
    rests: Sender<()>,
}

impl Sink for Slow {
    fn take(&mut self, told: &Told) {
        let _ = self.go.recv();
        let _ = self.told.send((told.event.at.unix_millis(), told.site.clone()));
    }

    fn rest(&mut self) {
        let _ = self.rests.send(());
    }
}

/// Such a sink; what it is told, what lets it go on, and when it rests.
fn slow() -> (Slow, Receiver<Heard>, Sender<()>, Receiver<()>) {
    let ((told, heard), (let_go, go), (rests, rested)) = (mpsc::channel(), mpsc::channel(), mpsc::channel());
    (Slow { told, go, rests }, heard, let_go, rested)
}

#[test]
fn everybody_is_told_of_everything_in_order() {
    let ((one, heard_by_one, go_one, rested), (two, heard_by_two, go_two, _two)) = (slow(), slow());
    let telemetry = Telemetry::builder().sink(one).sink(two).start().unwrap();
    drop((go_one, go_two));
    for number in 0..100 {
        telemetry.emit(&event(number));
    }
    telemetry.site("wiki").emit(&event(100));
    assert!(telemetry.finish(LONG));
    assert!(rested.try_recv().is_ok(), "whoever buffers is told when to write");
    for heard in [heard_by_one, heard_by_two] {
        let all: Vec<_> = heard.try_iter().collect();
        assert!(all.iter().map(|(number, _)| *number).eq(0..=100));
        assert_eq!(all.last().unwrap().1.as_deref(), Some("wiki"));
        assert_eq!(all[0].1, None);
    }
}

#[test]
fn nobody_waits_for_a_sink_that_stalls_and_what_is_lost_is_counted() {
    let (sink, heard, go, _rested) = slow();
    let telemetry = Telemetry::builder().waiting(10).sink(sink).start().unwrap();
    for number in 0..100 {
        telemetry.emit(&event(number));
    }
    assert!(!telemetry.finish(Duration::ZERO));
    // The thread took those that were there when it woke, ten at most, and ten more wait.
    let lost = telemetry.lost();
    assert!((80..=90).contains(&lost), "{lost}");
    drop(go);
    assert!(telemetry.finish(LONG));
    assert_eq!(heard.try_iter().count() as u64, 100 - lost);
    telemetry.emit(&event(1));
    assert!(telemetry.finish(LONG));
    assert_eq!((telemetry.lost(), heard.try_iter().count()), (lost, 1), "and then it goes on");
}

#[test]
fn whoever_follows_hears_what_happens_from_then_on_and_how_much_it_missed() {
    let telemetry = Telemetry::builder().start().unwrap();
    telemetry.emit(&event(0));
    assert!(telemetry.finish(LONG));
    let mut live = telemetry.follow();
    telemetry.emit(&event(1));
    assert!(telemetry.finish(LONG));
    assert_eq!(live.try_recv().unwrap().event.at.unix_millis(), 1);
    let all = u64::try_from(MOST_UNREAD).unwrap() + 5;
    for number in 0..all {
        telemetry.emit(&event(number));
    }
    assert!(telemetry.finish(LONG));
    assert!(matches!(live.try_recv(), Err(broadcast::error::TryRecvError::Lagged(5))));
}

#[test]
fn an_event_is_small_enough_to_be_copied_on_the_way() {
    assert!(size_of::<Waiting>() <= 256, "{}", size_of::<Waiting>());
    assert!(size_of::<SessionId>() < size_of::<Waiting>());
}
