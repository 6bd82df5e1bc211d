//! The end of a request: what was set is written, the token rotates, and the effects leave.

use super::arrival::Renewable;
use super::error::SessionError;
use super::exchange::{Exchange, Holding, Phase, Presence, State};
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
        if let Some(effects) = self.conclude_at_once() {
            return effects;
        }
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

    /// As [`conclude`](Self::conclude), without waiting: `None` where something has to be written. For most requests
    /// there is nothing.
    pub fn conclude_at_once(&self) -> Option<Effects> {
        let mut state = self.state.lock();
        let writes = !state.intents.is_empty() || self.is_renewal_due(&state);
        (!writes).then(|| {
            state.phase = Phase::Concluded;
            Effects {
                set_cookie: state.outbox.take(),
                remove_old: state.remove_old.take(),
                uses_session: state.presence.is_some(),
                denial: None,
            }
        })
    }

    /// Whether the token that was presented would be renewed if a cookie could leave with this response. For a transport
    /// that lost its cookies on the way (`may_set_cookie` is false) and can send the browser where they arrive. `false`
    /// where the session was not opened.
    pub fn is_rotation_due(&self) -> bool {
        let state = self.state.lock();
        let (Some(Presence::Member(holding)), Some(token)) = (&state.presence, &self.arrival.session) else {
            return false;
        };
        let possible = self.arrival.renewable != Renewable::Not && token.id() == holding.live.record.id;
        possible && self.renewal_of(token, holding, self.engine.now()) != Renewal::Keep
    }

    fn is_renewal_due(&self, state: &State) -> bool {
        let renewable = state.presence.as_ref().and_then(|presence| self.renewable(presence, state));
        renewable.is_some_and(|(token, holding)| self.renewal_of(token, holding, self.engine.now()) != Renewal::Keep)
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
        let Some((token, holding)) = self.renewable(presence, &self.state.lock()) else {
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

    /// The token that was presented and its session, if a token cookie may leave with this response at all.
    fn renewable<'s, 'p>(&'s self, presence: &'p Presence, state: &State) -> Option<(&'s Token, &'p Holding)> {
        let (Presence::Member(holding), Some(token)) = (presence, &self.arrival.session) else {
            return None;
        };
        let free = self.arrival.renewable == Renewable::Here && state.outbox.is_none();
        (free && token.id() == holding.live.record.id).then_some((token, holding))
    }

    fn renewal_of<'a>(&self, token: &Token, holding: &'a Holding, now: Moment) -> Renewal<'a> {
        let rotate_every = self.engine.policy().rotate_every();
        holding.live.record.family.conclude(&token.presented(), holding.verdict, now, rotate_every)
    }

    fn renew(&self, token: &Token, holding: &Holding, now: Moment) -> Result<Option<Renewed>, SessionError> {
        let (keys, family) = (self.engine.keys(), &holding.live.record.family);
        Ok(match self.renewal_of(token, holding, now) {
            Renewal::Keep => None,
            Renewal::Offer => {
                let nonce = Nonce::from_bytes(crate::entropy::random(self.engine.entropy())?);
                let key = keys.signing_id();
                token.successor(&nonce, key, &keys).and_then(|successor| {
                    let family = family.offering(successor.hash(), key, nonce, now)?;
                    Some(Renewed { token: successor, family: Some(family) })
                })
            }
            // A chain key that has left the ring, or another secret than the one that was hashed: no cookie.
            Renewal::Repeat(link) => token
                .successor(&link.nonce, link.key, &keys)
                .filter(|successor| successor.hash() == link.hash)
                .map(|token| Renewed { token, family: None }),
        })
    }
}

pub(super) fn denial_of(error: &SessionError) -> Denial {
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
