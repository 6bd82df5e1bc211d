//! What happened to each subject's sessions, as lines to read and as a live stream.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
};

use axum::response::sse;
use futures_util::{Stream, StreamExt as _, stream};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::broadcast::{self, error::RecvError};

/// One line: something happened to one of the subject's sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventLine {
    /// When, as RFC 3339 text.
    pub at: String,
    /// What, as the event's stable name.
    pub name: String,
    /// The public session id.
    pub session: String,
    /// A sentence for people.
    pub detail: String,
}

/// What a live stream yields.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heard {
    /// A line and its number; numbers of one subject only grow.
    Line(u64, EventLine),
    /// The reader was too slow: that many lines passed unread.
    Missed(u64),
}

/// The last [`KEPT_LINES`] lines of each subject. The subjects are fixed when it is built, so its size is bounded.
#[derive(Debug)]
pub struct Feed {
    lanes: HashMap<String, Mutex<Lane>>,
}

/// How many lines of a subject are remembered.
pub const KEPT_LINES: usize = 100;

/// How many lines a live reader may lag behind before some are dropped for it.
pub const LIVE_LINES: usize = 64;

#[derive(Debug)]
struct Lane {
    kept: VecDeque<(u64, EventLine)>,
    next: u64,
    /// None once closed.
    live: Option<broadcast::Sender<(u64, EventLine)>>,
}

impl Feed {
    /// A feed with one lane per subject.
    pub fn for_subjects<'a>(subjects: impl IntoIterator<Item = &'a str>) -> Self {
        let lane = || Lane { kept: VecDeque::new(), next: 1, live: Some(broadcast::Sender::new(LIVE_LINES)) };
        Self { lanes: subjects.into_iter().map(|subject| (subject.to_owned(), Mutex::new(lane()))).collect() }
    }

    /// Adds a line. A subject without a lane has no readers, so its lines are dropped.
    pub fn publish(&self, subject: &str, event: EventLine) {
        let Some(mut lane) = self.lanes.get(subject).map(Mutex::lock) else {
            return;
        };
        let number = lane.next;
        lane.next += 1;
        if lane.kept.len() == KEPT_LINES {
            lane.kept.pop_front();
        }
        lane.kept.push_back((number, event.clone()));
        if let Some(live) = &lane.live {
            // Fails when nobody listens, which is fine.
            let _ = live.send((number, event));
        }
    }

    /// The lines still remembered, newest first.
    pub fn recent(&self, subject: &str) -> Vec<EventLine> {
        let Some(lane) = self.lanes.get(subject) else {
            return Vec::new();
        };
        lane.lock().kept.iter().rev().map(|(_, line)| line.clone()).collect()
    }

    /// The remembered lines numbered above `after`, then every new one, until the feed closes. No gap, no repetition.
    pub fn follow(&self, subject: &str, after: u64) -> impl Stream<Item = Heard> + Send + use<> {
        let (kept, live) = match self.lanes.get(subject).map(Mutex::lock) {
            Some(lane) => {
                let kept = lane.kept.iter().filter(|(number, _)| *number > after).cloned().collect();
                (kept, lane.live.as_ref().map(broadcast::Sender::subscribe))
            }
            None => (Vec::new(), None),
        };
        let kept = kept.into_iter().map(|(number, line)| Heard::Line(number, line));
        let live = stream::unfold(live, |live| async move {
            let mut live = live?;
            match live.recv().await {
                Ok((number, event)) => Some((Heard::Line(number, event), Some(live))),
                Err(RecvError::Lagged(missed)) => Some((Heard::Missed(missed), Some(live))),
                Err(RecvError::Closed) => None,
            }
        });
        stream::iter(kept).chain(live)
    }

    /// Ends every live stream, so that a server can shut down; lines are still kept.
    pub fn close(&self) {
        self.lanes.values().for_each(|lane| drop(lane.lock().live.take()));
    }

    /// [`follow`](Self::follow) as server-sent events: `hello` at once, then `line` and `missed`.
    ///
    /// `after` is the client's `Last-Event-ID`, or 0. Line breaks inside a value cannot end an event early, because
    /// the data is JSON.
    pub fn server_sent_events(
        &self,
        subject: &str,
        after: u64,
    ) -> impl Stream<Item = Result<sse::Event, Infallible>> + Send + use<> {
        let hello = sse::Event::default().event("hello").data("{}");
        let events = self.follow(subject, after).map(|heard| {
            Ok(match heard {
                Heard::Line(number, line) => {
                    let data = serde_json::json!(line).to_string();
                    sse::Event::default().event("line").id(number.to_string()).data(data)
                }
                Heard::Missed(missed) => {
                    sse::Event::default().event("missed").data(serde_json::json!({ "missed": missed }).to_string())
                }
            })
        });
        stream::once(async { Ok(hello) }).chain(events)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn line(detail: impl Into<String>) -> EventLine {
        EventLine {
            at: "2026-01-01T00:00:00Z".into(),
            name: "signed_in".into(),
            session: "ses_1".into(),
            detail: detail.into(),
        }
    }

    fn feed() -> Feed {
        Feed::for_subjects(["ada", "grace"])
    }

    #[test]
    fn a_subject_reads_its_own_lines_newest_first_and_the_oldest_are_forgotten() {
        let feed = feed();
        (0..=KEPT_LINES).for_each(|n| feed.publish("ada", line(n.to_string())));
        let recent = feed.recent("ada");
        assert_eq!(recent.len(), KEPT_LINES);
        assert_eq!((recent[0].detail.as_str(), recent[KEPT_LINES - 1].detail.as_str()), ("100", "1"));
        assert!(feed.recent("grace").is_empty());
    }

    #[test]
    fn lines_of_strangers_are_dropped() {
        let feed = feed();
        feed.publish("mallory", line("1"));
        assert!(feed.recent("mallory").is_empty());
    }

    #[tokio::test]
    async fn a_reader_gets_what_is_kept_and_then_what_comes() {
        let feed = feed();
        feed.publish("ada", line("before"));
        let mut heard = std::pin::pin!(feed.follow("ada", 0));
        feed.publish("grace", line("not hers"));
        feed.publish("ada", line("after"));
        assert_eq!(heard.next().await, Some(Heard::Line(1, line("before"))));
        assert_eq!(heard.next().await, Some(Heard::Line(2, line("after"))));
        assert!(heard.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_reader_who_comes_back_gets_only_what_is_new() {
        let feed = feed();
        (1..=3).for_each(|n| feed.publish("ada", line(n.to_string())));
        let mut heard = std::pin::pin!(feed.follow("ada", 2));
        assert_eq!(heard.next().await, Some(Heard::Line(3, line("3"))));
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_what_it_missed() {
        let feed = feed();
        let mut heard = std::pin::pin!(feed.follow("ada", 0));
        (0..LIVE_LINES + 5).for_each(|n| feed.publish("ada", line(n.to_string())));
        assert_eq!(heard.next().await, Some(Heard::Missed(5)));
        assert_eq!(heard.next().await, Some(Heard::Line(6, line("5"))));
    }

    #[tokio::test]
    async fn streams_end_when_the_feed_closes() {
        let feed = feed();
        let early = feed.follow("ada", 0);
        feed.close();
        feed.publish("ada", line("kept"));
        assert_eq!(early.collect::<Vec<_>>().await, []);
        assert_eq!(feed.follow("ada", 0).collect::<Vec<_>>().await, [Heard::Line(1, line("kept"))]);
    }

    #[tokio::test]
    async fn the_first_event_comes_before_anything_happened() {
        let feed = feed();
        let mut events = std::pin::pin!(feed.server_sent_events("ada", 0));
        assert!(events.next().now_or_never().is_some());
        assert!(events.next().now_or_never().is_none());
    }
}
