//! What whoever operates a site may see of any session, and end.

use super::Engine;
use crate::event::EventKind;
use crate::id::{SessionId, Subject, SubjectRef};
use crate::moment::Moment;
use crate::record::{Holder, Pending, Record};
use crate::rules::{EndReason, Factor, Glimpse, Known, Signals, Standing};
use crate::store::{Ending, Live, Loaded, Page, StoreError, Summary};

/// What is known of an id.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Inspection {
    /// A session that may be used.
    Live(Box<Inspected>),
    /// It is over, and why.
    Over(EndReason),
    /// Never heard of it, or forgotten long ago.
    Absent,
}

/// One session, for whoever operates the site. No token, no hash and no address is in it.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// Its public id.
    pub id: SessionId,
    /// Whose it is; nobody's while anonymous.
    pub subject: Option<Subject>,
    /// The name under which events know the subject.
    pub reference: Option<SubjectRef>,
    /// What people call the device; empty while anonymous.
    pub label: Box<str>,
    /// When it began.
    pub created_at: Moment,
    /// The last activity, to within the touch step.
    pub seen_at: Moment,
    /// When it ends if nobody uses it.
    pub expires_at: Moment,
    /// When it ends whatever anybody does.
    pub ends_at: Moment,
    /// Whether it only greets: idle or absolute passed, and the user wished to be remembered.
    pub remembered: bool,
    /// Whether its token was ever presented; until then it is provisional. Of no meaning while anonymous.
    pub presented: bool,
    /// What was verified, and when.
    pub factors: Vec<Factor>,
    /// Until when a step-up counts, if one does.
    pub elevated_until: Option<Moment>,
    /// Until when a sign-in is under way, if one is.
    pub signing_in_until: Option<Moment>,
    /// How often its token was renewed.
    pub rotations: u32,
    /// Where and by what it was used, the context in use first.
    pub contexts: Vec<Visited>,
}

/// A context that a session was used in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visited {
    /// The client and where it is. Coarse: no address.
    pub glimpse: Glimpse,
    /// When it was first seen.
    pub first: Moment,
    /// When it was last seen.
    pub last: Moment,
    /// What speaks against it and nobody has answered.
    pub doubts: Signals,
}

impl Engine {
    /// The sessions of `subject`, newest first. Provisional ones are not among them.
    ///
    /// # Errors
    /// [`StoreError`] if the store did not answer.
    pub async fn sessions_of(&self, subject: &Subject, page: Page) -> Result<Vec<Summary>, StoreError> {
        self.store().list(self.reference(subject), page, self.now()).await
    }

    /// What is known of the session of this id. Does not count as activity.
    ///
    /// # Errors
    /// [`StoreError`] if the store did not answer.
    pub async fn inspect(&self, id: SessionId) -> Result<Inspection, StoreError> {
        let now = self.now();
        let loaded = self.store().load(id, now, None).await?;
        Ok(match self.standing(&loaded, now) {
            Ok((live, standing)) => Inspection::Live(Box::new(self.inspected(&live, standing, now))),
            Err(Some(reason)) => Inspection::Over(reason),
            Err(None) => Inspection::Absent,
        })
    }

    /// Ends the session of this id and says whose it was, so that whoever it belongs to is told. `false` if it was over, or
    /// never was.
    ///
    /// # Errors
    /// [`StoreError`]: it may or may not have ended; try again.
    pub async fn end_by_id(&self, id: SessionId, reason: EndReason) -> Result<bool, StoreError> {
        let now = self.now();
        let subject = match self.store().load(id, now, None).await? {
            Loaded::Live(live) => live.record.subject(),
            Loaded::Ended(_) | Loaded::Absent => None,
        };
        let ended = matches!(self.store().end(id, None, reason, now).await?, Ending::Done);
        if ended {
            self.tell(Some(id), subject, EventKind::SessionEnded { reason });
        }
        Ok(ended)
    }

    fn inspected(&self, live: &Live, standing: Standing, now: Moment) -> Inspected {
        let Live { record, seen_at, .. } = live;
        let member = record.member();
        let elevations = member.into_iter().flat_map(|member| member.elevations.iter().flatten());
        let history = member.and_then(|member| member.history.as_ref());
        Inspected {
            id: record.id,
            subject: member.map(|member| member.subject.clone()),
            reference: record.subject(),
            label: member.map(|member| member.label.clone()).unwrap_or_default(),
            created_at: record.created_at,
            seen_at: *seen_at,
            expires_at: self.expiry(live, standing),
            ends_at: self.latest_end(live, standing),
            remembered: standing == Standing::Remembered,
            presented: member.is_none_or(|member| member.presented),
            factors: member.map(|member| member.factors.to_vec()).unwrap_or_default(),
            elevated_until: elevations.map(|elevation| elevation.until).filter(|until| *until > now).max(),
            signing_in_until: pending(record).map(|pending| pending.until).filter(|until| *until > now),
            rotations: record.family.generation,
            contexts: history.map(|history| history.contexts().iter().map(Visited::from).collect()).unwrap_or_default(),
        }
    }
}

impl From<&Known> for Visited {
    fn from(known: &Known) -> Self {
        Self { glimpse: known.into(), first: known.first, last: known.sight.at, doubts: known.doubts }
    }
}

fn pending(record: &Record) -> Option<&Pending> {
    match &record.holder {
        Holder::Visitor(pending) => pending.as_deref(),
        Holder::Member(_) => None,
    }
}

#[cfg(test)]
mod tests;
