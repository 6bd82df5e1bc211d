//! From the library's events to lines that the account they concern may read.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, OnceLock},
    time::{Duration, UNIX_EPOCH},
};

use counterfoil::accounts::sentence;
use counterfoil::{Event, EventSink, Moment, SessionId, SubjectRef, log_event};
use parking_lot::Mutex;

use crate::feed::{EventLine, Feed};

/// Takes every event: to the log, to whoever else is told, and to the feed of the account whose session it concerns.
///
/// # Security
/// Events name sessions by their public id and accounts by a keyed reference. What concerns no account known here (an
/// anonymous session, a forged token) goes to the log only; nobody reads lines about another account's sessions.
#[derive(Debug)]
pub struct Chronicle {
    feed: Arc<Feed>,
    /// Set once, when the keys of the references exist.
    names: OnceLock<HashMap<SubjectRef, String>>,
    owners: Mutex<Owners>,
    also: Also,
}

/// Who else is told of every event.
#[derive(Clone, Default)]
pub struct Also(Vec<Arc<dyn EventSink>>);

/// Whose session it is, for events that name a session only. Bounded: the oldest are forgotten.
#[derive(Debug, Default)]
struct Owners {
    of: HashMap<SessionId, SubjectRef>,
    in_order: VecDeque<SessionId>,
}

impl Chronicle {
    /// A chronicle that knows nobody yet.
    pub fn new(feed: Arc<Feed>) -> Self {
        Self { feed, names: OnceLock::new(), owners: Mutex::default(), also: Also::default() }
    }

    /// Tells these as well.
    #[must_use]
    pub fn telling(self, also: Also) -> Self {
        Self { also, ..self }
    }

    /// Tells it who is behind each reference. The first call counts.
    pub fn introduce(&self, names: impl IntoIterator<Item = (SubjectRef, String)>) {
        // A second introduction changes nothing, and none is made.
        let _ = self.names.set(names.into_iter().collect());
    }

    fn name_of(&self, event: &Event) -> Option<&str> {
        let subject = match (event.subject, event.session) {
            (Some(subject), Some(session)) => {
                self.owners.lock().note(session, subject);
                subject
            }
            (Some(subject), None) => subject,
            (None, Some(session)) => *self.owners.lock().of.get(&session)?,
            (None, None) => return None,
        };
        self.names.get()?.get(&subject).map(String::as_str)
    }
}

impl Also {
    /// This one, too.
    #[must_use]
    pub fn and(mut self, sink: impl EventSink) -> Self {
        self.0.push(Arc::new(sink));
        self
    }
}

impl std::fmt::Debug for Also {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Also({})", self.0.len())
    }
}

impl EventSink for Chronicle {
    fn emit(&self, event: &Event) {
        log_event(event);
        self.also.0.iter().for_each(|sink| sink.emit(event));
        if let Some(name) = self.name_of(event) {
            self.feed.publish(name, line(event));
        }
    }
}

impl Owners {
    fn note(&mut self, session: SessionId, subject: SubjectRef) {
        if self.of.insert(session, subject).is_none() {
            self.in_order.push_back(session);
        }
        if self.in_order.len() > MOST_OWNERS
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.of.remove(&oldest);
        }
    }
}

/// A point in time, for people and machines: RFC 3339.
pub fn written(moment: Moment) -> String {
    let seconds = Duration::from_secs(moment.unix_seconds().min(LAST_SECOND));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + seconds).to_string()
}

fn line(event: &Event) -> EventLine {
    EventLine {
        at: written(event.at),
        name: event.kind.name().to_owned(),
        session: event.session.map(|id| id.to_string()).unwrap_or_default(),
        detail: sentence(&event.kind).into_owned(),
    }
}

/// More than the lines of all feeds can speak of, and a few megabytes at most.
const MOST_OWNERS: usize = 20_000;
/// The end of the year 9999, beyond which RFC 3339 has no words.
const LAST_SECOND: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use counterfoil::{EndReason, EventKind};

    use super::*;

    const ADA: SubjectRef = SubjectRef::from_bytes([1; 16]);

    fn chronicle() -> Chronicle {
        let chronicle = Chronicle::new(Arc::new(Feed::for_subjects(["ada"])));
        chronicle.introduce([(ADA, "ada".to_owned())]);
        chronicle
    }

    fn session(number: u16) -> SessionId {
        let mut bytes = [0; SessionId::LENGTH];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        SessionId::from_bytes(bytes)
    }

    fn event(session: Option<SessionId>, subject: Option<SubjectRef>, kind: EventKind) -> Event {
        Event { at: Moment::from_unix_seconds(1_700_000_000), session, subject, kind }
    }

    fn names(chronicle: &Chronicle) -> Vec<String> {
        chronicle.feed.recent("ada").into_iter().rev().map(|line| line.name).collect()
    }

    #[test]
    fn an_event_that_names_a_session_only_reaches_its_owner() {
        let chronicle = chronicle();
        let dead = EventKind::DeadToken { reason: EndReason::SignOut };
        chronicle.emit(&event(Some(session(1)), None, dead));
        chronicle.emit(&event(Some(session(1)), Some(ADA), EventKind::SessionCreated { previous: None }));
        chronicle.emit(&event(Some(session(1)), None, dead));
        chronicle.emit(&event(Some(session(2)), None, dead));
        assert_eq!(names(&chronicle), ["session.created", "token.dead"]);
    }

    #[test]
    fn what_concerns_nobody_known_is_nobodys_line() {
        let chronicle = chronicle();
        let stranger = SubjectRef::from_bytes([2; 16]);
        chronicle.emit(&event(None, None, EventKind::TokenForged));
        chronicle.emit(&event(Some(session(1)), Some(stranger), EventKind::SteppedUp));
        chronicle.emit(&event(None, Some(ADA), EventKind::LimitReached));
        assert_eq!(names(&chronicle), ["sign_in.limit_reached"]);
    }

    #[test]
    fn a_line_is_dated_and_says_what_happened_in_words() {
        let chronicle = chronicle();
        chronicle.emit(&event(Some(session(1)), Some(ADA), EventKind::SessionEnded { reason: EndReason::Reuse }));
        let line = &chronicle.feed.recent("ada")[0];
        assert_eq!((line.at.as_str(), line.name.as_str()), ("2023-11-14T22:13:20Z", "session.ended"));
        assert_eq!(line.detail, "The session is over: a copied token was used.");
        assert_eq!(line.session, session(1).to_string());
        assert_eq!(written(Moment::from_unix_millis(u64::MAX)), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn owners_are_forgotten_when_there_are_too_many() {
        let mut owners = Owners::default();
        for number in 0..=u16::try_from(MOST_OWNERS).unwrap() {
            owners.note(session(number), ADA);
            owners.note(session(number), ADA);
        }
        assert_eq!((owners.of.len(), owners.in_order.len()), (MOST_OWNERS, MOST_OWNERS));
        assert!(!owners.of.contains_key(&session(0)) && owners.of.contains_key(&session(1)));
    }
}
