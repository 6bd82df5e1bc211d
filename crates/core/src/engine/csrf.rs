//! CSRF tokens of this session, and the end of the CSRF decision.

use super::exchange::{Exchange, Presence};
use crate::csrf::{self, CsrfMode, CsrfVerdict, PassReason};
use crate::event::EventKind;
use crate::record::Record;
use crate::seam::Denial;
use crate::store::StoreError;

use super::SessionError;

impl Exchange {
    /// A CSRF token for this session, masked anew each time; `None` where there is no session to protect.
    ///
    /// # Errors
    /// [`SessionError::Store`] if the session could not be opened, [`SessionError::NoEntropy`] without randomness.
    pub async fn csrf_token(&self) -> Result<Option<String>, SessionError> {
        let presence = self.presence().await?;
        let Some(holding) = presence.holding() else {
            return Ok(None);
        };
        let binding = self.binding(&holding.live.record);
        Ok(Some(csrf::token::issue(&self.engine.keys(), &binding, self.engine.entropy())?))
    }

    /// Ends the CSRF decision with the token the request carried, from the header or the form. Runs before the handler
    /// and before any other requirement: 403 wins over 401.
    ///
    /// # Errors
    /// The [`Denial`] to answer with. The handler must not run.
    pub async fn settle_csrf(&self, token: Option<&str>) -> Result<PassReason, Denial> {
        let verdict = self.arrival.csrf;
        let enforced = self.engine.policy().csrf() == CsrfMode::Enforce;
        let valid = match (verdict, token) {
            (CsrfVerdict::NeedsToken(_), Some(token)) => match self.is_csrf_token(token).await {
                Err(_) if enforced => return Err(Denial::Unavailable),
                valid => valid.unwrap_or(false),
            },
            _ => false,
        };
        verdict.settle(valid).or_else(|reason| {
            let session = self.arrival.session.as_ref().map(crate::token::Token::id);
            self.tell(session, None, EventKind::CsrfDenied { reason: reason.as_str(), enforced });
            self.engine.count_denied(session);
            if enforced { Err(Denial::Csrf(reason)) } else { Ok(PassReason::ReportOnly) }
        })
    }

    /// Whether `token` was issued for the session of this request. Beside a signed-in session the anonymous one does
    /// not count.
    async fn is_csrf_token(&self, token: &str) -> Result<bool, StoreError> {
        let presence: Presence = self.presence().await?;
        let Some(holding) = presence.holding() else {
            return Ok(false);
        };
        Ok(csrf::token::verify(&self.engine.keys(), &self.binding(&holding.live.record), token))
    }

    fn binding(&self, record: &Record) -> csrf::token::Binding<'_> {
        let origin = self.engine.policy().public_origins().iter().nth(self.arrival.origin);
        csrf::token::Binding {
            session: record.id,
            signed_in_at: record.created_at,
            host: origin.map_or("", crate::origin::Origin::host),
        }
    }
}
