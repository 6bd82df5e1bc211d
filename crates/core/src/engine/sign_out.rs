//! Signing out. Final: when it returned, nothing of this session is admitted again.

use super::exchange::{Exchange, Presence};
use crate::cookie::CookieKind;
use crate::event::EventKind;
use crate::rules::EndReason;
use crate::store::{Ending, StoreError};

impl Exchange {
    /// Ends the session of this request and removes its cookie. Fine where nobody is signed in.
    ///
    /// # Security
    /// The token alone is enough, whatever the clocks say; a token that is dead already ends nothing and may not even
    /// be of this browser's session any more, but its user asked to be signed out here, so the cookie goes.
    ///
    /// # Errors
    /// [`StoreError`]: the session may live on. Reply 503; the cookie stays, so that the user can try again.
    pub async fn sign_out(&self) -> Result<(), StoreError> {
        let presence = self.presence().await?;
        if let Presence::Member(holding) = &presence {
            let record = &holding.live.record;
            let (store, reason) = (self.engine.store(), EndReason::SignOut);
            if matches!(store.end(record.id, None, reason, self.engine.now()).await?, Ending::Done) {
                self.tell(Some(record.id), record.subject(), EventKind::SessionEnded { reason });
            }
            self.state.lock().intents.clear();
            self.settle(Presence::Nobody);
        }
        // A session that this very request took over or began has its cookie on the way: that must not leave either.
        if self.arrival.cookie_bearing || matches!(presence, Presence::Member(_)) {
            self.send(Some(self.engine.policy().cookies().removal(CookieKind::Session)));
        }
        self.dismiss_old_cookie();
        Ok(())
    }
}
