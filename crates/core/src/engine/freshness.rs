//! What a route may demand beyond a sign-in: that it is recent, or that somebody was active there a moment ago.

use std::time::Duration;

use super::conclude::denial_of;
use super::exchange::Exchange;
use super::identity::Identity;
use crate::data::Keys;
use crate::event::EventKind;
use crate::moment::Moment;
use crate::rules::Limits;
use crate::seam::Denial;

impl Exchange {
    /// Who is signed in and proved who they are, by signing in or by stepping up, less than `max_age` ago.
    ///
    /// # Errors
    /// The [`Denial`] to answer with.
    pub async fn require_auth_age(&self, max_age: Duration) -> Result<Identity, Denial> {
        let identity = self.require_signed_in().await?;
        if self.arrived_at().since(identity.auth_time()) < max_age {
            return Ok(identity);
        }
        Err(self.ask_again(&identity, max_age))
    }

    /// Who is signed in and, less than `max_idle` ago, either proved who they are or was active where the same is
    /// demanded.
    ///
    /// # Security
    /// Activity elsewhere does not count, and neither does a request that is refused: else whoever finds a desk left
    /// alone would open any other page, or this one twice, and be let in. Activity is noted in the session's data at the
    /// touch step, so this limit too is never exceeded and may come early by that step.
    ///
    /// # Errors
    /// The [`Denial`] to answer with.
    pub async fn require_active(&self, max_idle: Duration) -> Result<Identity, Denial> {
        let identity = self.require_signed_in().await?;
        let (now, noted) = (self.arrived_at(), ACTIVE.key(&max_idle.as_millis().to_string()));
        let active = self.get(noted.clone()).await.map_err(|error| denial_of(&error))?;
        let active =
            active.map_or(identity.auth_time(), |active| identity.auth_time().max(Moment::from_unix_millis(active)));
        let idle = now.since(active);
        if idle >= max_idle {
            return Err(self.ask_again(&identity, max_idle));
        }
        if idle >= Limits::touch_step_of(max_idle) && !self.route().quiet {
            // Too late in a stream whose headers are gone: the limit comes early then, which is the safe side.
            let _ = self.set(noted, &now.unix_millis());
        }
        Ok(identity)
    }

    fn ask_again(&self, identity: &Identity, max_age: Duration) -> Denial {
        self.tell(Some(identity.session), Some(identity.reference), EventKind::SignInAgainRequired);
        Denial::SignInAgain { max_age }
    }
}

/// The last activity where a demand holds, by the demand, in Unix milliseconds. Applications name their keys otherwise.
const ACTIVE: Keys<u64> = Keys::new("counterfoil.active/");
