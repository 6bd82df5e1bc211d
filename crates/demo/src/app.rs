//! What the handlers share.

use std::sync::Arc;

use counterfoil::geo::{Databases, GeoError};
use counterfoil::{Counterfoil, KeyError, LimitSettings, Limiter, Policy, origin::Origin};
use counterfoil_serve::{detector::CalledOut, keep::Kept, place::Place};

use crate::{
    accounts::{Accounts, Cost, HashingFailed},
    bank::Bank,
    chronicle::{Also, Chronicle},
    feed::Feed,
    options::{Mode, Plan},
    second_factor::SecondFactors,
    session,
};

/// The demo's state; cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

/// The parts of [`App`], reached through it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Parts {
    /// Who may sign in.
    pub accounts: Accounts,
    /// Who needs a code as well.
    pub second_factors: SecondFactors,
    /// What the accounts hold.
    pub bank: Bank,
    /// What happened to their sessions.
    pub feed: Arc<Feed>,
    /// Where sessions and keys are, in words.
    pub kept: String,
    /// How the demo was started.
    pub plan: Plan,
    /// The sessions.
    pub site: Counterfoil,
}

/// Who else is told what happens, and who is asked about requests.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Who is told.
    pub also: Also,
    /// Who is asked.
    pub detector: Option<CalledOut>,
}

/// Why there is no app.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppFailed {
    /// The accounts that exist at start could not be made.
    #[error("the demo accounts could not be made")]
    Accounts(#[from] HashingFailed),
    /// The system gives no randomness for keys.
    #[error("the keys for this process could not be made")]
    Keys(#[from] KeyError),
    /// A database of places cannot be used: put it right, or leave the option out.
    #[error("--geo-{}: {} {}", .0.file.key(), .0.path.display(), .0.problem)]
    Geo(GeoError),
}

impl App {
    /// Fresh accounts, balances, feed and sessions; nothing is kept, whatever the plan says.
    ///
    /// # Errors
    /// [`AppFailed`]: the machine is at fault, not the arguments.
    pub fn new(plan: Plan, policy: Policy) -> Result<Self, AppFailed> {
        Self::keeping(plan, policy, LimitSettings::default(), Kept::in_memory()?, Beside::default())
    }

    /// As [`new`](Self::new), with limits of one's own, the sessions and keys that are kept, who is told what happens, and who is asked.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn keeping(
        plan: Plan,
        policy: Policy,
        limits: LimitSettings,
        kept: Kept,
        beside: Beside,
    ) -> Result<Self, AppFailed> {
        let limiter = match plan.mode {
            Mode::Normal => kept.limiter(limits),
            Mode::Test => Limiter::off(),
        };
        Self::with(plan, policy, limiter, kept, beside)
    }

    /// As [`new`](Self::new), with other limits.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_limits(plan: Plan, policy: Policy, limiter: Limiter) -> Result<Self, AppFailed> {
        Self::with(plan, policy, limiter, Kept::in_memory()?, Beside::default())
    }

    fn with(plan: Plan, policy: Policy, limiter: Limiter, kept: Kept, beside: Beside) -> Result<Self, AppFailed> {
        let Beside { also, detector } = beside;
        let cost = match plan.mode {
            Mode::Normal => Cost::Owasp,
            Mode::Test => Cost::Test,
        };
        let accounts = Accounts::seeded(cost)?;
        let bank = Bank::open(accounts.names());
        let feed = Arc::new(Feed::for_subjects(accounts.names()));
        let chronicle = Chronicle::new(Arc::clone(&feed)).telling(also);
        let kept_where = kept_where(&kept);
        let places = (!plan.geo.is_empty()).then(|| Databases::open(&plan.geo)).transpose().map_err(AppFailed::Geo)?;
        let site = session::site(policy, kept, limiter, places, detector, chronicle, accounts.names())?;
        let second_factors = SecondFactors::default();
        Ok(Self(Arc::new(Parts { accounts, second_factors, bank, feed, kept: kept_where, plan, site })))
    }

    /// The origins browsers may use; the first one is shown.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.site.engine().policy().public_origins().iter()
    }
}

/// Where sessions and keys are, in words.
fn kept_where(kept: &Kept) -> String {
    let store = kept.keep.store();
    match (kept.keep.folder().map(std::path::Path::display), store) {
        (None, _) => "sessions and keys are in memory only: every session ends with this process".to_owned(),
        (Some(keys), Place::Memory) => {
            format!("keys are kept in {keys}; sessions are in memory only, and end with this process")
        }
        (Some(folder), Place::Embedded(sessions)) if sessions.parent() == kept.keep.folder() => {
            format!("sessions and keys are kept in {folder}: a restart signs nobody out; --memory keeps nothing")
        }
        (Some(keys), _) => {
            let bound = kept.keep.bound().unwrap_or_default();
            format!(
                "keys are kept in {keys}, sessions at {store}: a restart signs nobody out, and what another node ends is \
                 refused here within {bound:?}"
            )
        }
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
