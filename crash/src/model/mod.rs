//! What must be true of the store by what was asked and answered. Knows notes, and nothing of the store.
//!
//! What was answered has happened; what was asked and not answered may have happened, but not half of it. What was over
//! once stays over.

mod session;
#[cfg(test)]
mod tests;
mod violation;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use counterfoil_core::Moment;

pub(crate) use self::session::Session;
use self::session::{FirstUse, Period};
pub(crate) use self::violation::Violation;
use crate::note::{Answer, Cookies, Deed, Note};

/// All that is known.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) sessions: BTreeMap<String, Session>,
    /// What was asked and not answered, by number; what an earlier process asked included.
    asked: HashMap<u64, Asked>,
    /// Endings cut short by a crash, and what became of the sessions they concerned.
    halves: HashMap<u64, Half>,
    pub(crate) now: Moment,
    pub(crate) round: u32,
    pub(crate) tally: Tally,
}

/// Something that was asked.
#[derive(Debug)]
struct Asked {
    at: Moment,
    deed: Deed,
    round: u32,
    /// Whether the session must have been over before it was asked.
    over: bool,
    /// Whether all sessions were being ended meanwhile: then the answer may be from before or after.
    clouded: bool,
}

/// What became of the sessions of one ending that was cut short.
#[derive(Debug, Default)]
struct Half {
    alive: bool,
    dead: bool,
}

/// How often each kind of thing was acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) sign_ins: u64,
    pub(crate) changes: u64,
    pub(crate) rotations: u64,
    pub(crate) step_ups: u64,
    pub(crate) sign_outs: u64,
    pub(crate) revocations: u64,
    pub(crate) uses: u64,
    pub(crate) sweeps: u64,
}

impl World {
    /// All that these notes say, and what is wrong with it.
    pub(crate) fn of(notes: impl IntoIterator<Item = Note>) -> (Self, Vec<Violation>) {
        let mut world = Self::default();
        let violations = notes.into_iter().flat_map(|note| world.take(note)).collect();
        (world, violations)
    }

    /// Learns one note; what is wrong with it.
    pub(crate) fn take(&mut self, note: Note) -> Vec<Violation> {
        match note {
            Note::Began { round } => self.begin(round),
            Note::Phase(_) => {}
            Note::Intent { number, at, deed } => {
                self.now = self.now.max(at);
                self.intend(number, at, deed);
            }
            Note::Answer { number, at, answer, cookies } => {
                self.now = self.now.max(at);
                return match self.asked.remove(&number) {
                    Some(asked) => self.learn(number, &asked, at, answer, cookies),
                    None => vec![Violation::Unasked { number }],
                };
            }
        }
        Vec::new()
    }

    /// What the process before asked may have happened until it was killed, and not later.
    fn begin(&mut self, round: u32) {
        let before = std::mem::replace(&mut self.round, round);
        for asked in self.asked.values().filter(|asked| asked.round == before) {
            if let Some(session) = asked.deed.presented().and_then(|id| self.sessions.get_mut(id)) {
                session.used_until = session.used_until.max(self.now);
                if session.first_use == FirstUse::Never {
                    session.first_use = FirstUse::Perhaps;
                }
            }
        }
    }

    fn intend(&mut self, number: u64, at: Moment, deed: Deed) {
        let mut over = false;
        if let Some(session) = deed.presented().and_then(|id| self.sessions.get_mut(id)) {
            over = session.must_be_over(at);
        }
        let round = self.round;
        let clouded = self.asked.values().any(|asked| asked.round == round && asked.deed == Deed::EndAll);
        if deed == Deed::EndAll {
            for other in self.asked.values_mut() {
                other.clouded = true;
            }
        }
        for session in self.ended_by(&deed) {
            session.ends.push(number);
        }
        match &deed {
            Deed::Count { session } => self.with(session, |session| session.counter.1 += 1),
            Deed::StepUp { session } => self.with(session, |session| session.elevated = None),
            _ => {}
        }
        self.asked.insert(number, Asked { at, deed, round: self.round, over, clouded });
    }

    fn learn(&mut self, number: u64, asked: &Asked, at: Moment, answer: Answer, cookies: Cookies) -> Vec<Violation> {
        let period = Period { asked: asked.at, answered: at };
        let found = match (&asked.deed, answer) {
            (deed, Answer::Failed { error }) => vec![Violation::Failed { deed: deed.name(), error }],
            (Deed::SignIn { user, replaces }, Answer::SignedIn { session }) => {
                self.tally.sign_ins += 1;
                if let Some(old) = replaces {
                    self.with(old, |old| old.ended(number, at));
                }
                let mut new = Session::born(*user, period, cookies.session.clone());
                new.ends.extend(asked.clouded.then_some(number));
                self.sessions.insert(session, new);
                return Vec::new();
            }
            (Deed::Remember { session }, answer) => {
                let known =
                    answer == Answer::Done || !self.sessions.get(session).is_some_and(|it| it.is_remembered(at));
                let lost = || Violation::Lost { session: session.clone(), what: "that it ended" };
                return (!known).then(lost).into_iter().collect();
            }
            // Its user's sessions were being ended.
            (Deed::SignIn { .. }, Answer::Refused) => return Vec::new(),
            (deed, Answer::Refused) => self.refused(deed, at),
            (_, answer) => self.accepted(number, asked, period, &answer),
        };
        if let Some(id) = asked.deed.presented() {
            self.carry(id, period, cookies);
        }
        found
    }

    /// A session's token was refused: it is over, for good.
    fn refused(&mut self, deed: &Deed, at: Moment) -> Vec<Violation> {
        let Some(id) = deed.presented() else { return vec![Violation::Unexpected { deed: deed.name() }] };
        let mut found = Vec::new();
        if let Some(session) = self.sessions.get_mut(id) {
            let stolen = matches!(deed, Deed::Steal { .. });
            if let (true, [only]) = (session.would_be_alive(at) && !stolen, session.ends.as_slice())
                && self.asked.get(only).is_some_and(|end| end.round < self.round)
            {
                let half = self.halves.entry(*only).or_default();
                half.dead = true;
                found.extend(half.alive.then(|| Violation::Half { session: id.to_owned() }));
            }
            if session.must_be_alive(at) && !stolen {
                found.push(Violation::Lost { session: id.to_owned(), what: "the session" });
            }
            session.over = true;
        }
        found
    }

    /// The deed was done.
    fn accepted(&mut self, number: u64, asked: &Asked, period: Period, answer: &Answer) -> Vec<Violation> {
        let (deed, mut found) = (&asked.deed, Vec::new());
        if let Some(id) = deed.presented() {
            found.extend(self.alive(number, id, asked, period));
            let Some(session) = self.sessions.get_mut(id) else { return found };
            found.extend(session.judge(id, answer, period));
        }
        match deed {
            Deed::Count { .. } => self.tally.changes += 1,
            Deed::StepUp { .. } => self.tally.step_ups += 1,
            Deed::Use { .. } | Deed::Steal { .. } => self.tally.uses += 1,
            Deed::Sweep => self.tally.sweeps += 1,
            Deed::SignOut { .. } => self.tally.sign_outs += 1,
            _ => self.tally.revocations += 1,
        }
        let by_itself = matches!(deed, Deed::SignOut { .. } | Deed::EndDevice { .. });
        for session in self.sessions.values_mut().filter(|session| session.ends.contains(&number)) {
            if by_itself {
                session.ended(number, period.answered);
            }
            session.over = true;
        }
        found
    }

    /// A session's token was accepted: whatever was asked before that might have ended it has not.
    fn alive(&mut self, number: u64, id: &str, asked: &Asked, period: Period) -> Option<Violation> {
        let session = self.sessions.get_mut(id)?;
        session.used(period, &asked.deed);
        let superseded = matches!(asked.deed, Deed::Steal { .. });
        if asked.over || superseded {
            return Some(Violation::Revived { session: id.to_owned(), superseded });
        }
        if asked.clouded {
            return None;
        }
        let (ends, own) = std::mem::take(&mut session.ends).into_iter().partition(|end| *end != number);
        session.ends = own;
        let [only] = <[u64; 1]>::try_from(ends).ok()?;
        let before = self.asked.get(&only).is_some_and(|end| end.round < self.round);
        let half = self.halves.entry(only).or_default();
        half.alive |= before;
        (before && half.dead).then(|| Violation::Half { session: id.to_owned() })
    }

    /// Cookies go into the jar.
    fn carry(&mut self, id: &str, period: Period, cookies: Cookies) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if let Some(cookie) = cookies.elevated {
            session.elevated = Some((cookie, period));
        }
        if let Some(token) = cookies.session {
            self.tally.rotations += 1;
            session.rotated(token);
        }
    }

    /// The sessions that end if this is done.
    fn ended_by(&mut self, deed: &Deed) -> Vec<&mut Session> {
        let user = deed.presented().and_then(|id| self.sessions.get(id)).map(|session| session.user);
        let ends = |id: &String, session: &Session| match deed {
            Deed::SignIn { replaces, .. } => replaces.as_ref() == Some(id),
            Deed::SignOut { session } | Deed::Steal { session, .. } => session == id,
            Deed::EndDevice { other, .. } => other == id,
            Deed::EndOthers { session: spared } => user == Some(session.user) && spared != id,
            Deed::EndUser { user } => *user == session.user,
            Deed::EndAll => true,
            Deed::Use { .. } | Deed::Count { .. } | Deed::StepUp { .. } | Deed::Sweep | Deed::Remember { .. } => false,
        };
        self.sessions.iter_mut().filter(|(id, session)| !session.over && ends(id, session)).map(|(_, it)| it).collect()
    }

    fn with(&mut self, id: &str, change: impl FnOnce(&mut Session)) {
        if let Some(session) = self.sessions.get_mut(id) {
            change(session);
        }
    }
}

impl Tally {
    pub(crate) const fn add(&mut self, other: &Self) {
        self.sign_ins += other.sign_ins;
        self.changes += other.changes;
        self.rotations += other.rotations;
        self.step_ups += other.step_ups;
        self.sign_outs += other.sign_outs;
        self.revocations += other.revocations;
        self.uses += other.uses;
        self.sweeps += other.sweeps;
    }
}

impl Deed {
    /// Whose token is presented.
    pub(crate) fn presented(&self) -> Option<&str> {
        match self {
            Self::SignIn { .. } | Self::EndUser { .. } | Self::EndAll | Self::Sweep | Self::Remember { .. } => None,
            Self::Use { session, .. }
            | Self::Steal { session, .. }
            | Self::Count { session }
            | Self::StepUp { session }
            | Self::SignOut { session }
            | Self::EndDevice { session, .. }
            | Self::EndOthers { session } => Some(session),
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::SignIn { .. } => "a sign-in",
            Self::Use { .. } => "a use",
            Self::Steal { .. } => "a theft",
            Self::Count { .. } => "a change",
            Self::StepUp { .. } => "a step-up",
            Self::SignOut { .. } => "a sign-out",
            Self::EndDevice { .. } => "the end of a device",
            Self::EndOthers { .. } => "the end of other sessions",
            Self::EndUser { .. } => "a revocation of a user",
            Self::EndAll => "a revocation of all",
            Self::Sweep => "a sweep",
            Self::Remember { .. } => "a question for an ending",
        }
    }
}

/// The limits of the site: short, so that much ends by itself within a round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits;

impl Limits {
    pub(crate) const IDLE: Duration = Duration::from_mins(30);
    pub(crate) const ABSOLUTE: Duration = Duration::from_hours(3);
    pub(crate) const ROTATE_EVERY: Duration = Duration::from_mins(6);
    pub(crate) const GRACE: Duration = Duration::from_secs(65);
    pub(crate) const ELEVATED_FOR: Duration = Duration::from_mins(5);
    /// A session that nobody presented ends this long after it began.
    pub(crate) const UNUSED: Duration = Duration::from_mins(5);
    /// A tombstone is kept for so long after nothing could be alive.
    pub(crate) const REMEMBERED: Duration = Duration::from_hours(1);
    /// How far the last use that was written may lag behind: a twentieth of the idle limit.
    pub(crate) const TOUCH_STEP: Duration = Duration::from_secs(90);
}
