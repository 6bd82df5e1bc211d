//! What happened to each subject's sessions lately, for them to read. In memory, and bounded.

use std::collections::{HashMap, VecDeque};

use counterfoil::accounts::sentence;
use counterfoil::{Event, EventKind, EventSink, Moment, SessionId, SubjectRef};
use parking_lot::Mutex;

/// Takes every event of the gateway, and keeps the last [`KEPT_LINES`] of each subject. A restart forgets them.
///
/// # Security
/// Events name sessions by their public id and accounts by a keyed reference; nobody reads lines about another account's
/// sessions. What concerns no account known here (an anonymous session, a forged token) is nobody's line.
#[derive(Debug, Default)]
pub struct History(Mutex<Kept>);

/// How many lines of a subject are kept.
pub const KEPT_LINES: usize = 50;
/// How many subjects have lines; the one that had none for longest is forgotten first. With [`KEPT_LINES`] lines of some
/// 60 bytes each, a busy gateway keeps 30 MB and no more.
pub const MOST_SUBJECTS: usize = 10_000;
/// For how many sessions it is known whose they are, where an event does not say.
pub const MOST_SESSIONS: usize = 50_000;

/// One thing that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) at: Moment,
    pub(super) session: Option<SessionId>,
    pub(super) kind: EventKind,
}

#[derive(Debug, Default)]
struct Kept {
    lines: HashMap<SubjectRef, Lane>,
    owners: HashMap<SessionId, SubjectRef>,
    owners_in_order: VecDeque<SessionId>,
    /// Grows with every line.
    clock: u64,
}

#[derive(Debug, Default)]
struct Lane {
    lines: VecDeque<Line>,
    last: u64,
}

impl History {
    /// What is kept of this subject, newest first.
    pub(super) fn recent(&self, subject: SubjectRef) -> Vec<Line> {
        self.0.lock().lines.get(&subject).map(|lane| lane.lines.iter().rev().copied().collect()).unwrap_or_default()
    }
}

impl EventSink for History {
    fn emit(&self, event: &Event) {
        let mut kept = self.0.lock();
        let Some(subject) = kept.owner(event) else { return };
        if is_told(&event.kind) {
            kept.add(subject, Line { at: event.at, session: event.session, kind: event.kind });
        }
    }
}

impl Line {
    pub(super) fn words(&self) -> String {
        sentence(&self.kind).into_owned()
    }
}

impl Kept {
    fn owner(&mut self, event: &Event) -> Option<SubjectRef> {
        let Some(session) = event.session else { return event.subject };
        let Some(subject) = event.subject else { return self.owners.get(&session).copied() };
        if self.owners.insert(session, subject).is_none() {
            self.owners_in_order.push_back(session);
        }
        if self.owners_in_order.len() > MOST_SESSIONS
            && let Some(oldest) = self.owners_in_order.pop_front()
        {
            self.owners.remove(&oldest);
        }
        Some(subject)
    }

    fn add(&mut self, subject: SubjectRef, line: Line) {
        self.clock += 1;
        let kept = self.lines.entry(subject).or_default();
        kept.last = self.clock;
        if kept.lines.len() == KEPT_LINES {
            kept.lines.pop_front();
        }
        kept.lines.push_back(line);
        if self.lines.len() > MOST_SUBJECTS {
            self.forget_some();
        }
    }

    /// An eighth of the subjects at once, so that looking for them costs little for each line.
    fn forget_some(&mut self) {
        let mut ages: Vec<_> = self.lines.values().map(|lane| lane.last).collect();
        ages.sort_unstable();
        let oldest = ages.get(MOST_SUBJECTS / 8).copied().unwrap_or_default();
        self.lines.retain(|_, lane| lane.last > oldest);
    }
}

/// What people can do something with. Rotations come every few minutes, and would push everything else out.
const fn is_told(kind: &EventKind) -> bool {
    !matches!(kind, EventKind::SessionRotated | EventKind::CspViolated { .. } | EventKind::StepUpRequired)
}

#[cfg(test)]
mod tests {
    use counterfoil::EndReason;

    use super::*;

    fn subject(number: usize) -> SubjectRef {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        SubjectRef::from_bytes(bytes)
    }

    fn session(number: usize) -> SessionId {
        let mut bytes = [0; SessionId::LENGTH];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        SessionId::from_bytes(bytes)
    }

    fn event(at: u64, session: Option<SessionId>, subject: Option<SubjectRef>, kind: EventKind) -> Event {
        Event { at: Moment::from_unix_seconds(at), session, subject, kind }
    }

    fn words(history: &History, number: usize) -> Vec<String> {
        history.recent(subject(number)).iter().map(Line::words).collect()
    }

    #[test]
    fn a_subject_reads_its_own_lines_newest_first_and_rotations_are_none() {
        let history = History::default();
        let created = EventKind::SessionCreated { previous: None };
        history.emit(&event(1, Some(session(1)), Some(subject(1)), created));
        history.emit(&event(2, Some(session(1)), Some(subject(1)), EventKind::SessionRotated));
        history.emit(&event(3, Some(session(1)), None, EventKind::DeadToken { reason: EndReason::SignOut }));
        history.emit(&event(4, Some(session(2)), None, EventKind::DeadToken { reason: EndReason::SignOut }));
        history.emit(&event(5, Some(session(2)), Some(subject(2)), created));
        history.emit(&event(6, None, None, EventKind::TokenForged));
        assert_eq!(words(&history, 1), ["Somebody used a token of a session that is over: signed out.", "Signed in."]);
        assert_eq!(words(&history, 2), ["Signed in."]);
        assert!(words(&history, 3).is_empty());
    }

    #[test]
    fn lines_subjects_and_sessions_are_bounded_and_the_oldest_go_first() {
        let history = History::default();
        for number in 0..=KEPT_LINES {
            history.emit(&event(number as u64, None, Some(subject(0)), EventKind::SteppedUp));
        }
        let recent = history.recent(subject(0));
        assert_eq!((recent.len(), recent.last().unwrap().at.unix_seconds()), (KEPT_LINES, 1));
        for number in 0..=MOST_SESSIONS {
            history.emit(&event(1, Some(session(number)), Some(subject(number)), EventKind::SteppedUp));
        }
        let kept = history.0.lock();
        assert!(kept.lines.len() <= MOST_SUBJECTS && kept.lines.len() >= MOST_SUBJECTS / 2);
        assert_eq!((kept.owners.len(), kept.owners_in_order.len()), (MOST_SESSIONS, MOST_SESSIONS));
        assert!(kept.lines.contains_key(&subject(MOST_SESSIONS)) && !kept.lines.contains_key(&subject(0)));
    }
}
