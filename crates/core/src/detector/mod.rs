//! An operator's own detector: what it is asked about a request, and when. It may add to what we decide, and take nothing
//! away.

mod verdict;

use std::sync::Arc;

use crate::id::{SessionId, SubjectRef};
use crate::moment::Moment;
use crate::rules::{Decision, Evidence, Sensitivity, Signals};
use crate::store::BoxFuture;

pub use self::verdict::{Named, NoVerdict, NotASignalName, SignalName, TooManySignals, Verdict};

/// Something of an operator's own that knows more about requests than we do.
///
/// The engine asks it about the requests that [`Asking`] names, once each, and waits for the answer before anything is decided.
/// What it says is bound to the context of the request: a verdict of [`StepUp`](Decision::StepUp) holds back whoever is there,
/// and nobody else, until they prove who they are.
///
/// # Security
/// A verdict makes what we decide stronger, never weaker. The question tells no address, no token, no cookie, no path and no
/// name of anybody. Whoever answers can ask people for a step-up and end their sessions, and can sign in nobody.
///
/// # Errors
/// [`NoVerdict`]: what follows is [`Asking::on_silence`]. The engine waits as long as the detector takes: give it one that is
/// bounded, as `counterfoil::detector::Guard` makes of any.
///
/// # Examples
/// ```
/// use counterfoil_core::detector::{Detector, NoVerdict, Question, Verdict};
/// use counterfoil_core::rules::{Decision, NetworkKind};
///
/// /// Nobody of ours works on rented computers.
/// struct NoServers;
///
/// impl Detector for NoServers {
///     async fn judge(&self, question: Question) -> Result<Verdict, NoVerdict> {
///         if question.evidence.seen.place.kind != NetworkKind::Hosting {
///             return Ok(Verdict::NOTHING);
///         }
///         Ok(Verdict::NOTHING.with("rented_computer".parse()?, Decision::StepUp)?)
///     }
/// }
/// ```
pub trait Detector: Send + Sync + 'static {
    /// What there is to say about a request. Where the client hangs up the future is dropped on the way, and nothing of the
    /// request is written.
    fn judge(&self, question: Question) -> impl Future<Output = Result<Verdict, NoVerdict>> + Send;
}

/// [`Detector`] as an object. Implemented for every detector; implement [`Detector`] instead.
pub trait DynDetector: Send + Sync + 'static {
    /// As [`Detector::judge`].
    fn judge(&self, question: Question) -> BoxFuture<'_, Result<Verdict, NoVerdict>>;
}

impl<D: Detector> DynDetector for D {
    fn judge(&self, question: Question) -> BoxFuture<'_, Result<Verdict, NoVerdict>> {
        Box::pin(Detector::judge(self, question))
    }
}

impl<D: Detector> Detector for Arc<D> {
    fn judge(&self, question: Question) -> impl Future<Output = Result<Verdict, NoVerdict>> + Send {
        Detector::judge(&**self, question)
    }
}

impl Detector for Box<dyn DynDetector> {
    async fn judge(&self, question: Question) -> Result<Verdict, NoVerdict> {
        DynDetector::judge(&**self, question).await
    }
}

/// What a detector is asked: all that is known of a request when it is judged, as coarse as in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Question {
    /// When the request's head arrived.
    pub at: Moment,
    /// Why it is asked: those of [`Asking::on`] that hold.
    pub asked_on: Occasions,
    /// The session; `None` at a sign-in, which has none yet.
    pub session: Option<SessionId>,
    /// Whose: a keyed hash of the subject.
    pub subject: SubjectRef,
    /// What the application declared about the route.
    pub sensitivity: Sensitivity,
    /// Whether it asks for a change: a method that is not safe, or a route that is declared so.
    pub changes_state: bool,
    /// Whether a person waits for a page.
    pub navigation: bool,
    /// What the request shows, and what it was held against. No address is in it.
    pub evidence: Evidence,
    /// What our own rules noticed.
    pub signals: Signals,
    /// What our own rules decided.
    pub decision: Decision,
}

/// A kind of request that a detector may be asked about. The names are stable: settings and questions use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Occasion {
    /// Somebody's credential was checked and found good; there is no session yet.
    SignIn,
    /// A session shows a client or a network that it was not seen with; or one about which the detector was silent.
    NewContext,
    /// Our own rules noticed something new.
    Signal,
    /// The application declared the route to be sensitive.
    SensitiveRoute,
    /// It asks for a change.
    Write,
    /// Any request of a signed-in session. Each then waits for the store and for the detector.
    EveryRequest,
}

/// A set of occasions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Occasions(u8);

/// When a detector is asked, and what its silence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking {
    /// On which requests.
    pub on: Occasions,
    /// What follows where there is no answer.
    pub on_silence: OnSilence,
}

/// What follows where a detector does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSilence {
    /// Our own rules decide alone.
    #[default]
    Open,
    /// The context of the request is in doubt: what is decided on [`detector_silent`](crate::rules::Signal::DetectorSilent)
    /// holds for it (a step-up on sensitive routes, unless the policy says otherwise) until the detector answers about it, or
    /// whoever is there proves who they are. Ordinary requests go on.
    Closed,
}

impl Question {
    /// About a request at `at` of `subject`'s, with nothing else known of it: for tests of detectors. Set the rest.
    pub const fn new(at: Moment, subject: SubjectRef, evidence: Evidence) -> Self {
        Self {
            at,
            asked_on: Occasions::NONE,
            session: None,
            subject,
            sensitivity: Sensitivity::Ordinary,
            changes_state: false,
            navigation: false,
            evidence,
            signals: Signals::NONE,
            decision: Decision::None,
        }
    }
}

impl Occasion {
    /// Each of them.
    pub const ALL: [Self; 6] =
        [Self::SignIn, Self::NewContext, Self::Signal, Self::SensitiveRoute, Self::Write, Self::EveryRequest];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::NewContext => "new_context",
            Self::Signal => "signal",
            Self::SensitiveRoute => "sensitive_route",
            Self::Write => "write",
            Self::EveryRequest => "every_request",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Occasions {
    /// None.
    pub const NONE: Self = Self(0);
    /// Those on which something is new: the default. Most requests are none of them, and cost what they did.
    pub const NEWS: Self = Self::NONE.with(Occasion::SignIn).with(Occasion::NewContext).with(Occasion::Signal);

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `occasion` is among them.
    pub const fn has(self, occasion: Occasion) -> bool {
        self.0 & occasion.bit() != 0
    }

    /// These and `occasion`.
    #[must_use]
    pub const fn with(self, occasion: Occasion) -> Self {
        Self(self.0 | occasion.bit())
    }

    /// These, and `occasion` if so.
    #[must_use]
    pub const fn and_if(self, so: bool, occasion: Occasion) -> Self {
        if so { self.with(occasion) } else { self }
    }

    /// Those of both.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Occasion> {
        Occasion::ALL.into_iter().filter(move |occasion| self.has(*occasion))
    }
}

impl FromIterator<Occasion> for Occasions {
    fn from_iter<I: IntoIterator<Item = Occasion>>(occasions: I) -> Self {
        occasions.into_iter().fold(Self::NONE, Self::with)
    }
}

impl std::fmt::Debug for Occasions {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.iter().map(Occasion::as_str)).finish()
    }
}

impl Default for Asking {
    fn default() -> Self {
        Self { on: Occasions::NEWS, on_silence: OnSilence::Open }
    }
}

impl OnSilence {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}
