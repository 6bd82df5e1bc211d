//! The end of a request: what was set is written, the token rotates, and the effects leave.

use super::error::SessionError;
use super::exchange::{Exchange, Holding, Phase, Presence};
use crate::cookie::CookieKind;
use crate::event::EventKind;
use crate::moment::Moment;
use crate::record::Change;
use crate::rules::{Family, Renewal};
use crate::seam::{Denial, Effects};
use crate::store::StoreError;
use crate::token::{Nonce, Token};

/// The token a response shall carry.
struct Renewed {
    token: Token,
    /// What the family becomes, if the token is new.
    family: Option<Family>,
}

impl Exchange {
    /// Ends the request before its response headers leave: one write for data and rotation together.
    ///
    /// Where the data could not be written, the effects replace the application's answer; its cookies of sign-in,
    /// step-up and sign-out leave all the same.
    pub async fn conclude(&self) -> Effects {
        self.state.lock().phase = Phase::Concluding;
        let carries_data = !self.intents().is_empty();
        let written = self.write_out().await;
        let mut state = self.state.lock();
        state.phase = Phase::Concluded;
        Effects {
            set_cookie: state.outbox.take(),
            remove_old: state.remove_old.take(),
            uses_session: state.presence.is_some(),
            // A rotation that did not come about is no loss: the old token is still good.
            denial: written.err().filter(|_| carries_data).map(|error| denial_of(&error)),
        }
    }

    async fn write_out(&self) -> Result<(), SessionError> {
        for _ in 0..ATTEMPTS {
            let intents = self.intents();
            let opened = self.state.lock().presence.clone();
            let mut presence = match opened {
                Some(presence) => presence,
                None if intents.is_empty() => return Ok(()),
                None => self.presence().await?,
            };
            let renewed = self.renewal(&mut presence).await?;
            let family = renewed.as_ref().and_then(|renewed| renewed.family.clone());
            let offers = family.is_some();
            if self.try_write(&presence, &intents, Change { family, ..Change::default() }).await? {
                if let (Some(renewed), Some(holding)) = (renewed, presence.holding()) {
                    self.send_renewed(&renewed.token, holding, offers);
                }
                return Ok(());
            }
        }
        Err(SessionError::Contended)
    }

    fn send_renewed(&self, token: &Token, holding: &Holding, offers: bool) {
        let record = &holding.live.record;
        let end = record.limits.end_of(record.created_at);
        self.send(self.engine.cookie(CookieKind::Session, token, end, self.engine.now()));
        if offers {
            self.tell(Some(record.id), record.subject(), EventKind::SessionRotated);
        }
    }

    /// The token this response shall carry, if any, by the session as it is now.
    async fn renewal(&self, presence: &mut Presence) -> Result<Option<Renewed>, SessionError> {
        let now = self.engine.now();
        let Some(holding) = self.renewable(presence) else {
            return Ok(None);
        };
        let Some(token) = &self.arrival.session else {
            return Ok(None);
        };
        let renewed = self.renew(token, holding, now)?;
        if renewed.as_ref().is_none_or(|renewed| renewed.family.is_some()) {
            return Ok(renewed);
        }
        // The same successor again: no write will tell whether the session is still as we saw it, and a slow response
        // could put a dead token back into the jar. So look again.
        let loaded = self.engine.store().load(token.id(), now, None).await?;
        let Ok((live, _)) = self.engine.standing(&loaded, now) else {
            return Ok(None);
        };
        *presence = presence.with(live);
        presence.holding().map_or(Ok(None), |holding| self.renew(token, holding, now))
    }

    /// The session whose token was presented, if a token cookie may leave with this response at all.
    fn renewable<'a>(&self, presence: &'a Presence) -> Option<&'a Holding> {
        let Presence::Member(holding) = presence else {
            return None;
        };
        let presented = self.arrival.session.as_ref().is_some_and(|token| token.id() == holding.live.record.id);
        let free = self.arrival.renewable && self.state.lock().outbox.is_none();
        (presented && free).then_some(holding)
    }

    fn renew(&self, token: &Token, holding: &Holding, now: Moment) -> Result<Option<Renewed>, SessionError> {
        let (keys, family) = (self.engine.keys(), &holding.live.record.family);
        let rotate_every = self.engine.policy().rotate_every();
        Ok(match family.conclude(&token.presented(), holding.verdict, now, rotate_every) {
            Renewal::Keep => None,
            Renewal::Offer => {
                let nonce = Nonce::from_bytes(crate::entropy::random(self.engine.entropy())?);
                let key = keys.signing_id();
                token.successor(&nonce, key, keys).and_then(|successor| {
                    let family = family.offering(successor.hash(), key, nonce, now)?;
                    Some(Renewed { token: successor, family: Some(family) })
                })
            }
            // A chain key that has left the ring, or another secret than the one that was hashed: no cookie.
            Renewal::Repeat(link) => token
                .successor(&link.nonce, link.key, keys)
                .filter(|successor| successor.hash() == link.hash)
                .map(|token| Renewed { token, family: None }),
        })
    }
}

fn denial_of(error: &SessionError) -> Denial {
    match error {
        SessionError::Ended => Denial::Ended,
        SessionError::Store(StoreError::Corrupt { .. })
        | SessionError::Data(_)
        | SessionError::Payload(_)
        | SessionError::TooLarge { .. }
        | SessionError::TooLate => Denial::NotStored,
        _ => Denial::Unavailable,
    }
}

/// How often the session may change under our hands. Each round somebody else got through.
const ATTEMPTS: usize = 1_024;
