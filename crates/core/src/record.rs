//! What a store keeps of one session, and the changes that may be made to it.

use std::sync::Arc;

use crate::data::Payload;
use crate::id::{SessionId, Subject, SubjectRef};
use crate::moment::Moment;
use crate::rules::{Factor, Family, History, Life, Limits, assurance};
use crate::store::{Epochs, Limit};
use crate::token::TokenHash;

/// One session, as a store keeps it. `seen_at` and the revision stand beside it, because they change more often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its public id.
    pub id: SessionId,
    /// Sign-in, or creation of an anonymous session.
    pub created_at: Moment,
    /// The epochs it was made under; older than the store's, and it is ended.
    pub epochs: Epochs,
    /// Its lifetimes, fixed when it began.
    pub limits: Limits,
    /// Its tokens.
    pub family: Family,
    /// Whose it is.
    pub holder: Holder,
    /// The application's data, opened only when a handler looks at it.
    pub data: Payload,
}

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Nobody's yet. A pending sign-in makes nobody somebody: nothing that yields a subject accepts it.
    Visitor(Option<Box<Pending>>),
    /// A subject's.
    Member(Arc<Member>),
}

/// The signed-in part of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who it is.
    pub subject: Subject,
    /// The name under which stores and events know the subject.
    pub reference: SubjectRef,
    /// What was verified, and when. Shared with whoever looks.
    pub factors: Arc<[Factor]>,
    /// Whether the session's token was ever presented; until then it is provisional.
    pub presented: bool,
    /// What people call the device: "Firefox on Linux".
    pub label: Box<str>,
    /// The last two step-ups.
    pub elevations: [Option<Elevation>; 2],
    /// Names under which others know the session, such as an identity provider's `sid`.
    pub references: Vec<Reference>,
    /// Where and by what it was used; `None` where the record's format has no place for it, or
    /// had none when the session began.
    pub history: Option<History>,
}

/// One step-up: the hash of its cookie's secret, and its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elevation {
    /// The hash of the elevated token's secret.
    pub hash: TokenHash,
    /// When it was granted.
    pub at: Moment,
    /// When it ends.
    pub until: Moment,
}

/// What becomes of a session's step-ups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepUp {
    /// One more, with the factor that was verified for it; the last two count.
    Granted(Elevation, Factor),
    /// None is left, however recent.
    Withdrawn,
}

/// A sign-in under way: some factors verified, others to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Who it would be.
    pub subject: Subject,
    /// The subject's epochs as they were before any credential was checked.
    pub epochs: Epochs,
    /// What was verified so far.
    pub factors: Vec<Factor>,
    /// Whether the user asked to be remembered.
    pub remember: bool,
    /// When it lapses.
    pub until: Moment,
}

/// A name under which somebody else knows a session, for `resolve`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// What kind of name: `oidc.sid`, for example.
    pub kind: Box<str>,
    /// The name.
    pub value: Box<str>,
}

/// What one `commit` changes; decided by pure rules, done by one store verb.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// User activity. A change of this alone does not move the revision.
    pub seen_at: Option<Moment>,
    /// What the family becomes.
    pub family: Option<Family>,
    /// What the data becomes.
    pub data: Option<Payload>,
    /// What the pending sign-in becomes; `Some(None)` drops it.
    pub pending: Option<Option<Box<Pending>>>,
    /// What becomes of the step-ups.
    pub step_up: Option<StepUp>,
    /// The session is presented for the first time: from now on it counts against the limit given here.
    pub first_use: Option<Option<Limit>>,
    /// The device's new name.
    pub label: Option<Box<str>>,
    /// What the session remembers of where it was used.
    pub history: Option<History>,
    /// Tighter limits: of each, the shorter counts from now on. A store may go on showing the session where it keeps limits
    /// of its own beside the record, in lists for example; the rules go by the record.
    pub limits: Option<Limits>,
}

impl Record {
    /// The signed-in part, if somebody is signed in.
    pub fn member(&self) -> Option<&Member> {
        match &self.holder {
            Holder::Member(member) => Some(member),
            Holder::Visitor(_) => None,
        }
    }

    /// The name under which stores know the subject, if somebody is signed in.
    pub fn subject(&self) -> Option<SubjectRef> {
        self.member().map(|member| member.reference)
    }

    /// The times of the session, with `seen_at` as the store has it.
    pub fn life(&self, seen_at: Moment) -> Life {
        let provisional = self.member().is_some_and(|member| !member.presented);
        Life { created_at: self.created_at, seen_at, provisional }
    }

    /// When a store may forget even the tombstone: an hour after nothing could be alive.
    pub fn forget_at(&self) -> Moment {
        Self::forget_after(&self.limits, self.created_at)
    }

    pub(crate) fn forget_after(limits: &Limits, created_at: Moment) -> Moment {
        limits.end_of(created_at) + std::time::Duration::from_hours(1)
    }

    /// The record with `change` applied. `seen_at` is the store's to keep.
    pub fn with(&self, change: &Change) -> Self {
        Self {
            limits: change.limits.map_or(self.limits, |tighter| tighter.tightest(&self.limits)),
            family: change.family.clone().unwrap_or_else(|| self.family.clone()),
            data: change.data.clone().unwrap_or_else(|| self.data.clone()),
            holder: match &self.holder {
                Holder::Visitor(pending) => Holder::Visitor(change.pending.clone().unwrap_or_else(|| pending.clone())),
                Holder::Member(member) => Holder::Member(Member::with(member, change)),
            },
            ..self.clone()
        }
    }
}

impl Member {
    /// When the subject last proved who they are.
    pub fn auth_time(&self) -> Option<Moment> {
        assurance::auth_time(&self.factors)
    }

    /// The same where the change is not about it, which is most changes.
    fn with(self: &Arc<Self>, change: &Change) -> Arc<Self> {
        let Change { first_use, label, step_up, history, .. } = change;
        if first_use.is_none() && label.is_none() && step_up.is_none() && history.is_none() {
            return Arc::clone(self);
        }
        let mut member = Self::clone(self);
        member.presented |= change.first_use.is_some();
        if let Some(label) = &change.label {
            member.label.clone_from(label);
        }
        if let Some(history) = &change.history {
            member.history = Some(history.clone());
        }
        match change.step_up {
            None => {}
            Some(StepUp::Granted(elevation, factor)) => {
                member.elevations = [Some(elevation), self.elevations[0]];
                let others = self.factors.iter().filter(|earlier| earlier.amr != factor.amr);
                member.factors = others.copied().chain([factor]).collect();
            }
            Some(StepUp::Withdrawn) => member.elevations = [None, None],
        }
        Arc::new(member)
    }
}

impl Change {
    /// Whether other nodes must hear of it: anything but a touch.
    pub fn is_more_than_touch(&self) -> bool {
        *self != Self { seen_at: self.seen_at, ..Self::default() }
    }
}
