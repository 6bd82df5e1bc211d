//! The mock's memory: sessions with one chain of tokens each, counters, passwords.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use tokio::time::Instant;

use super::Fault;

pub(super) type Id = u64;

#[derive(Debug)]
pub(super) struct Sessions {
    fault: Fault,
    rotate_every: Duration,
    grace: Duration,
    limit: usize,
    made: u64,
    live: BTreeMap<Id, Session>,
    ended: BTreeMap<Id, Session>,
    counters: HashMap<String, u64>,
    subjects: HashMap<String, Subject>,
}

#[derive(Debug)]
struct Session {
    subject: String,
    presented: bool,
    current: String,
    closed_at: Instant,
    next: Option<Next>,
}

#[derive(Debug)]
struct Next {
    token: String,
    seen: Option<Instant>,
    until: Option<Instant>,
}

#[derive(Debug)]
struct Subject {
    password: String,
    epoch: u64,
}

impl Sessions {
    pub(super) fn new(fault: Fault, rotate_every: Duration, grace: Duration, limit: usize) -> Self {
        let account = |name: &str| (name.to_owned(), Subject { password: format!("{name}-demo-1"), epoch: 0 });
        Self {
            fault,
            rotate_every,
            grace,
            limit,
            made: 0,
            live: BTreeMap::new(),
            ended: BTreeMap::new(),
            counters: HashMap::new(),
            subjects: [account("ada"), account("grace")].into(),
        }
    }

    /// The session this token stands for now.
    pub(super) fn present(&mut self, token: &str, now: Instant) -> Option<Id> {
        let id: Id = token.split_once('.')?.0.parse().ok()?;
        let (fault, grace) = (self.fault, self.grace);
        let session = self.live.get_mut(&id)?;
        session.close(now);
        let accepted = session.accept(token, now, grace, fault);
        if !accepted {
            return None;
        }
        let first = !std::mem::replace(&mut session.presented, true);
        if first && fault != Fault::LimitForgotten {
            self.push_out_the_oldest(id);
        }
        Some(id)
    }

    /// The token that the answer to `token` sets.
    pub(super) fn successor(&mut self, id: Id, token: &str, now: Instant) -> Option<String> {
        let (rotate_every, fault) = (self.rotate_every, self.fault);
        let fresh = self.fresh_token(id);
        let session = self.live.get_mut(&id)?;
        if session.current != token {
            return None;
        }
        if session.next.is_none() {
            if now < session.closed_at + rotate_every {
                return None;
            }
            session.next = Some(Next { token: fresh.clone(), seen: None, until: None });
        }
        let next = session.next.as_mut().filter(|next| next.seen.is_none())?;
        if fault == Fault::NewSuccessorEachTime {
            next.token = fresh;
        }
        Some(next.token.clone())
    }

    pub(super) fn end(&mut self, id: Id) {
        if let Some(session) = self.live.remove(&id) {
            self.ended.insert(id, session);
        }
    }

    pub(super) fn revive(&mut self, id: Id) {
        if let Some(session) = self.ended.remove(&id) {
            self.live.insert(id, session);
        }
    }

    pub(super) fn subject(&self, id: Id) -> String {
        self.live[&id].subject.clone()
    }

    /// The subject's epoch, if the password is right.
    pub(super) fn verify(&self, subject: &str, password: &str) -> Option<u64> {
        let subject = &self.subjects[subject];
        (subject.password == password).then_some(subject.epoch)
    }

    /// `None` if the subject moved since its password was verified.
    pub(super) fn sign_in(&mut self, subject: &str, epoch: u64, now: Instant) -> Option<String> {
        if self.subjects[subject].epoch != epoch && self.fault != Fault::EpochForgotten {
            return None;
        }
        let id = self.made;
        let current = self.fresh_token(id);
        let session = Session {
            subject: subject.to_owned(),
            presented: false,
            current: current.clone(),
            closed_at: now,
            next: None,
        };
        self.live.insert(id, session);
        Some(current)
    }

    pub(super) fn change_password(&mut self, subject: &str, password: &str, except: Id) {
        let state = self.subjects.get_mut(subject).unwrap();
        state.password = password.to_owned();
        state.epoch += 1;
        self.live.retain(|id, session| *id == except || session.subject != subject);
    }

    pub(super) fn visit(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    pub(super) fn counter(&self, owner: &str) -> u64 {
        self.counters.get(owner).copied().unwrap_or_default()
    }

    pub(super) fn set_counter(&mut self, owner: &str, value: u64) {
        self.counters.insert(owner.to_owned(), value);
    }

    pub(super) fn count_up(&mut self, owner: &str) -> u64 {
        let counter = self.counters.entry(owner.to_owned()).or_default();
        *counter += 1;
        *counter
    }

    fn fresh_token(&mut self, id: Id) -> String {
        self.made += 1;
        format!("{id}.{}", self.made)
    }

    fn push_out_the_oldest(&mut self, newcomer: Id) {
        let subject = self.subject(newcomer);
        let rivals = |session: &&Session| session.subject == subject && session.presented;
        while self.live.values().filter(rivals).count() > self.limit {
            let oldest = self.live.iter().find(|(id, session)| **id != newcomer && rivals(session)).map(|(id, _)| *id);
            self.live.remove(&oldest.unwrap());
        }
    }
}

impl Session {
    fn close(&mut self, now: Instant) {
        if let Some(Next { token, until: Some(until), .. }) =
            self.next.take_if(|next| next.until.is_some_and(|at| at < now))
        {
            self.current = token;
            self.closed_at = until;
        }
    }

    fn accept(&mut self, token: &str, now: Instant, grace: Duration, fault: Fault) -> bool {
        let Some(next) = self.next.as_mut() else {
            return self.current == token;
        };
        if next.token != token {
            return self.current == token && (!fault.kills_at_first_use() || next.seen.is_none());
        }
        let seen = *next.seen.get_or_insert(now);
        if next.until.is_none() && now >= seen + grace {
            next.until = Some(now + grace);
        }
        true
    }
}
