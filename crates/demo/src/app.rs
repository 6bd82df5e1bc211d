//! What the handlers share.

use std::sync::Arc;

use crate::{
    accounts::{Accounts, Cost, HashingFailed},
    bank::Bank,
    feed::Feed,
    limit::AttemptLimit,
    options::{Mode, Origin, Plan},
};

/// The demo's state beside the sessions; cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

/// The parts of [`App`], reached through it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Parts {
    /// Who may sign in.
    pub accounts: Accounts,
    /// How often.
    pub attempts: AttemptLimit,
    /// What the accounts hold.
    pub bank: Bank,
    /// What happened to their sessions.
    pub feed: Feed,
    /// How the demo was started.
    pub plan: Plan,
    /// The origins browsers may use; the first one is shown.
    pub origins: Vec<Origin>,
}

impl App {
    /// Fresh accounts, balances and feed.
    ///
    /// # Errors
    /// [`HashingFailed`] where the seeded passwords cannot be hashed.
    pub fn new(plan: Plan, origins: Vec<Origin>) -> Result<Self, HashingFailed> {
        let (cost, attempts) = match plan.mode {
            Mode::Normal => (Cost::Owasp, AttemptLimit::on()),
            Mode::Test => (Cost::Test, AttemptLimit::Off),
        };
        let accounts = Accounts::seeded(cost)?;
        let bank = Bank::open(accounts.names());
        let feed = Feed::for_subjects(accounts.names());
        Ok(Self(Arc::new(Parts { accounts, attempts, bank, feed, plan, origins })))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
