//! What operators change reaches the running gateway: the file is read again, and notes become triggers.

use std::time::Duration;

use counterfoil::StoreError;

use super::folder::{AccountsError, Spool};
use super::live::Accounts;
use super::note::Left;
use crate::gateway::Gateway;

/// Notes that were not taken up, or not all: they stay, and are taken up the next time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotSettled {
    /// The folder.
    #[error(transparent)]
    Files(#[from] AccountsError),
    /// The store did not answer; the sessions may or may not have ended.
    #[error("the sessions of a changed account could not be ended")]
    Store(#[from] StoreError),
    /// The process is shutting down.
    #[error("taking up changed accounts was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// Takes up what was changed: the file as it is now, then the notes, each of which does to the account's sessions what
/// the policy says. Says how many notes there were. Call it before the first request, so that a change made while the
/// gateway was down is in force from its first answer.
///
/// # Errors
/// [`NotSettled`]: what was not taken up stays for the next time.
pub async fn settle(accounts: &Accounts, gateway: &Gateway) -> Result<usize, NotSettled> {
    let this = accounts.clone();
    let spool = blocking(move || listed(&this)).await??;
    let mut settled = 0;
    for left in spool.notes {
        if !tell(gateway, &left).await? {
            break;
        }
        blocking(move || left.remove()).await??;
        settled += 1;
    }
    // After all that could be read, which must not wait for somebody to look at this.
    spool.strange.into_iter().next().map_or(Ok(settled), |strange| Err(strange.into()))
}

/// Goes on with [`settle`] every two seconds, as the demo follows its keys: long enough to cost nothing, short enough that
/// an operator who disables an account does not wait. Ends never; drop it.
pub async fn follow(accounts: Accounts, gateway: Gateway) {
    let mut told = None;
    loop {
        tokio::time::sleep(EVERY).await;
        // What went wrong is told once, not at every look.
        let wrong = settle(&accounts, &gateway).await.err().map(|error| in_full(&error));
        if let Some(error) = wrong.as_ref().filter(|error| told.as_ref() != Some(*error)) {
            tracing::error!(error, "changed accounts could not be taken up; those known before are in use");
        }
        told = wrong;
    }
}

/// The lock is what makes a note and its change one; without notes there is nothing to wait for.
fn listed(accounts: &Accounts) -> Result<Spool, AccountsError> {
    let folder = accounts.folder();
    if !folder.may_have_notes() {
        return accounts.look().map(|()| Spool::default());
    }
    let Some(locked) = folder.try_lock()? else {
        // Somebody is in the middle of a change, or waits for the store with one of ours.
        return Ok(Spool::default());
    };
    accounts.look()?;
    locked.notes()
}

/// Has the sessions told. `false` while there is no site that could.
async fn tell(gateway: &Gateway, left: &Left) -> Result<bool, StoreError> {
    // All sites share one store, and with no session that asks every one of them ends, whatever a policy says.
    let Some(site) = gateway.sites().iter().next().cloned() else { return Ok(false) };
    if let Some(subject) = left.note.account.subject() {
        let reaction = site.sessions.trigger(&subject, left.note.change.trigger()).await?;
        tracing::info!(
            change = left.note.change.trigger().as_str(),
            reaction = reaction.as_str(),
            "an account was changed"
        );
    }
    Ok(true)
}

fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, NotSettled> {
    tokio::task::spawn_blocking(work).await.map_err(NotSettled::Interrupted)
}

const EVERY: Duration = Duration::from_secs(2);
