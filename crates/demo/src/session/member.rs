//! Somebody who is signed in: who, how surely, and where else.

use std::ops::Deref;

use axum::{extract::FromRequestParts, http::request::Parts, response::Response};
use counterfoil::{
    Amr, DeviceName, EndReason, Error, Identity, Moment, Page, Reaction, Recent, SessionId, SignedIn, Summary, Trigger,
    limits::Trial,
};
use serde::Serialize;

use super::Visitor;
use crate::{chronicle::written, pages::Device};

/// Somebody who is signed in. For anybody else the handler does not run.
#[derive(Debug, Clone)]
pub struct Member {
    visitor: Visitor,
    identity: Identity,
}

/// Somebody who confirmed their password, for as long as the policy lets that count. A fresh sign-in is not enough.
#[derive(Debug, Clone)]
pub struct SteppedUp(Member);

/// What `/me` says.
#[derive(Debug, Clone, Serialize)]
pub struct Me {
    subject: String,
    sid: String,
    assurance: &'static str,
    /// Authentication method references (RFC 8176).
    factors: Vec<&'static str>,
    /// Unix seconds.
    auth_time: u64,
    /// Unix seconds.
    created_at: u64,
    /// Seconds.
    expires_in: u64,
}

/// One session of the subject.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceEntry {
    sid: String,
    label: Box<str>,
    current: bool,
    /// Unix seconds.
    created_at: u64,
    /// Unix seconds.
    last_seen: u64,
}

impl Member {
    /// Who.
    pub fn name(&self) -> &str {
        self.identity.subject().as_str()
    }

    /// Whether a step-up is in force.
    pub fn is_elevated(&self) -> bool {
        self.identity.elevated_at.is_some()
    }

    /// Whether the password may be tried now.
    ///
    /// # Errors
    /// [`Error::TriedTooOften`], and as every session operation.
    pub async fn trial(&self) -> Result<Trial, Error> {
        self.session.trial().await
    }

    /// Whether a code may be tried now.
    ///
    /// # Errors
    /// As [`trial`](Self::trial).
    pub async fn code_trial(&self) -> Result<Trial, Error> {
        self.session.code_trial().await
    }

    /// Whether this session may ask now to be kept.
    ///
    /// # Errors
    /// As [`trial`](Self::trial).
    pub async fn refresh_trial(&self) -> Result<Trial, Error> {
        self.session.refresh_trial().await
    }

    /// Notes that the password was confirmed.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub async fn step_up(&self) -> Result<(), Error> {
        self.session.step_up(Amr::Pwd).await
    }

    /// Every session of the subject, newest first, with their clocks.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub async fn devices(&self) -> Result<Vec<DeviceEntry>, Error> {
        let entry = |session: Summary| DeviceEntry {
            sid: session.id.to_string(),
            label: session.label,
            current: session.id == self.identity.session,
            created_at: session.created_at.unix_seconds(),
            last_seen: session.seen_at.unix_seconds(),
        };
        Ok(self.session.devices(Page::FIRST).await?.into_iter().map(entry).collect())
    }

    /// Ends one session of the subject; `false` if they have none of that id. One's own is a sign-out.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub async fn end_device(&self, sid: &str) -> Result<bool, Error> {
        match sid.parse::<SessionId>() {
            Ok(id) if id == self.identity.session => self.session.sign_out().await.map(|()| true),
            Ok(id) => self.session.end_device(id).await,
            Err(_) => Ok(false),
        }
    }

    /// Ends all other sessions of the subject, sign-ins under way included.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub async fn end_others(&self, reason: EndReason) -> Result<(), Error> {
        self.session.end_others(reason).await
    }

    /// Names one device of the subject; `false` if they have none of that id.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub async fn rename_device(&self, sid: &str, name: DeviceName) -> Result<bool, Error> {
        match sid.parse::<SessionId>() {
            Ok(id) => self.session.rename_device(id, name).await,
            Err(_) => Ok(false),
        }
    }

    /// Who this is, how surely, and for how long.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Has done to the sessions of the subject what the policy says of a change of the account.
    ///
    /// # Errors
    /// [`Error`]: return it, and the reply fits.
    pub async fn trigger(&self, trigger: Trigger) -> Result<Reaction, Error> {
        self.session.trigger(trigger).await
    }

    /// Resolves when this session is over.
    pub async fn ended(self) {
        self.session.ended().await;
    }
}
impl From<Identity> for Me {
    fn from(identity: Identity) -> Self {
        Self {
            subject: identity.subject().as_str().to_owned(),
            sid: identity.session.to_string(),
            assurance: identity.assurance.as_str(),
            factors: identity.factors().iter().map(|factor| factor.amr.as_str()).collect(),
            auth_time: identity.auth_time().unix_seconds(),
            created_at: identity.created_at.unix_seconds(),
            expires_in: identity.expires_in.as_secs(),
        }
    }
}

impl From<DeviceEntry> for Device {
    fn from(entry: DeviceEntry) -> Self {
        let written = |seconds| written(Moment::from_unix_seconds(seconds));
        Self {
            sid: entry.sid,
            label: entry.label.into(),
            current: entry.current,
            created_at: written(entry.created_at),
            last_seen: written(entry.last_seen),
        }
    }
}

impl Deref for Member {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl Deref for SteppedUp {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let signed_in = <SignedIn as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        let visitor = Visitor::from_request_parts(parts, state).await?;
        Ok(Self { visitor, identity: Identity::clone(&signed_in) })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SteppedUp {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        Recent::<AS_LONG_AS_THE_POLICY_SAYS>::from_request_parts(parts, state).await?;
        Member::from_request_parts(parts, state).await.map(Self)
    }
}

const AS_LONG_AS_THE_POLICY_SAYS: u64 = u64::MAX;
