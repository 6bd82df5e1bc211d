//! The session of a request, with typed data.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use counterfoil_core::SessionId;
use counterfoil_core::data::{Key, Keys, SessionData};
use counterfoil_core::device::DeviceName;
use counterfoil_core::engine::{Exchange, Identity, SessionError};
use counterfoil_core::rules::{Amr, EndReason, Reaction, Trigger};
use counterfoil_core::store::{Page, Summary};
use http::request::Parts;
use serde::{Serialize, de::DeserializeOwned};

use crate::error::Error;
use crate::handle::Handle;
use crate::limits::{Trial, TriedTooOften};

/// The session of this request, anonymous or signed in, with data of type `T`.
///
/// Cheap to clone, and may outlive the handler: into a task, a stream, a WebSocket. Nothing is stored for a visitor
/// until something is set.
///
/// # Security
/// [`update`](Self::update) and [`commit`](Self::commit) never bring an ended session back, and never lose somebody
/// else's change of another key. Data that cannot be read is an error, never "empty".
///
/// # Examples
/// ```
/// use counterfoil::{Error, Session, data::SessionData};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(SessionData, Serialize, Deserialize, Default)]
/// struct Shop { cart: Vec<String>, #[session(portable)] theme: String }
///
/// async fn add(session: Session<Shop>, item: String) -> Result<String, Error> {
///     let items = session.update(|shop| { shop.cart.push(item.clone()); shop.cart.len() }).await?;
///     Ok(format!("{items} items"))
/// }
/// async fn theme(session: Session<Shop>, theme: String) -> Result<(), Error> {
///     session.set(Shop::THEME, &theme)
/// }
/// ```
pub struct Session<T = ()> {
    handle: Handle,
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> Session<T> {
    /// The data as it is, with what this request has set.
    ///
    /// # Errors
    /// [`Error`] if the store did not answer or the data cannot be read.
    pub async fn read(&self) -> Result<T, Error> {
        Ok(self.exchange().read().await?)
    }

    /// Changes the data now, by compare-and-set: `change` runs again if another request was faster, and its answer is
    /// from the state that was stored. Creates an anonymous session where there is none.
    ///
    /// # Errors
    /// [`Error`] if nothing was stored: the session ended meanwhile, or the store did not answer.
    pub async fn update<R: Send>(&self, change: impl FnMut(&mut T) -> R + Send) -> Result<R, Error> {
        self.handle.may_create().await?;
        Ok(self.exchange().update(change).await?)
    }
}

impl<T> Session<T> {
    /// One key, with what this request has set.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn get<V: DeserializeOwned, N>(&self, key: Key<V, N>) -> Result<Option<V>, Error>
    where
        N: AsRef<str> + Send,
    {
        Ok(self.exchange().get(key).await?)
    }

    /// All of a group of keys, by name, with what this request has set.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn get_all<V: DeserializeOwned>(&self, keys: Keys<V>) -> Result<BTreeMap<String, V>, Error> {
        Ok(self.exchange().get_all(keys).await?)
    }

    /// Sets one key. It is written with the response, before its headers leave; other keys that others set survive.
    ///
    /// # Errors
    /// [`Error`] after the response was committed; in a stream, use [`update`](Self::update).
    pub fn set<V: Serialize, N: AsRef<str>>(&self, key: Key<V, N>, value: &V) -> Result<(), Error> {
        Ok(self.exchange().set(key, value)?)
    }

    /// Removes one key, with the response.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn remove<V, N: AsRef<str>>(&self, key: Key<V, N>) -> Result<(), Error> {
        Ok(self.exchange().remove(key)?)
    }

    /// Writes what was set so far, now: before a stream begins, or to know that it is stored.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn commit(&self) -> Result<(), Error> {
        self.handle.may_create().await?;
        Ok(self.exchange().commit().await?)
    }

    /// Who is signed in or remembered, if anybody. For pages that greet; use [`SignedIn`](crate::SignedIn) where it
    /// matters.
    ///
    /// # Errors
    /// [`Error`] if the store did not answer: an outage is not absence.
    pub async fn identity(&self) -> Result<Option<Identity>, Error> {
        Ok(self.exchange().identity().await?)
    }

    /// Resolves when nobody is signed in any more: signed out, revoked from anywhere, or past a limit, also where they
    /// are still remembered. At once if nobody was signed in. A store that does not answer ends it too after a minute.
    pub async fn ended(&self) {
        if let Ok(Some(identity)) = self.exchange().identity().await {
            self.handle.site.hub.ended(identity.session).await;
        }
    }

    /// Signs out. Final: when it returned, nothing of this session is admitted again. Fine where nobody is signed in.
    ///
    /// # Errors
    /// [`Error`] if the store did not answer: the session may live on, and its cookie stays.
    pub async fn sign_out(&self) -> Result<(), Error> {
        let done = self.handle.detached(|exchange| async move { exchange.sign_out().await }).await;
        Ok(done?)
    }

    /// Whether whoever is signed in may try now to prove it again, by a password: before [`step_up`](Self::step_up), or
    /// before a new password is taken. Ask before it is looked at. What fails too often raises the signal `step_up_failures`.
    ///
    /// # Errors
    /// [`Error::TriedTooOften`]: 429, and nothing is looked at. [`Error`] if nobody is signed in, or the store did not
    /// answer.
    pub async fn trial(&self) -> Result<Trial, Error> {
        let id = self.identity().await?.ok_or(SessionError::NotSignedIn)?.session;
        let asked = self.handle.site.limits.step_up(id).await;
        self.guarded(asked)
    }

    /// The same for a one-time code.
    ///
    /// # Errors
    /// As [`trial`](Self::trial).
    pub async fn code_trial(&self) -> Result<Trial, Error> {
        let identity = self.identity().await?.ok_or(SessionError::NotSignedIn)?;
        let name = identity.subject().as_str();
        let asked = self.handle.site.limits.code(self.handle.asker(name).await, name).await;
        self.guarded(asked)
    }

    /// If it fails too often, somebody else may sit there.
    fn guarded(&self, asked: Result<Trial, TriedTooOften>) -> Result<Trial, Error> {
        let trial = asked.map_err(|refusal| self.handle.held_back(None, refusal))?;
        let exchange = Arc::clone(&self.handle.exchange);
        Ok(trial.or_else(move || exchange.step_up_failed()))
    }

    /// Whether this session may ask now to be kept, on a route that is for nothing else.
    ///
    /// # Errors
    /// As [`trial`](Self::trial).
    pub async fn refresh_trial(&self) -> Result<Trial, Error> {
        let id = self.identity().await?.ok_or(SessionError::NotSignedIn)?.session;
        let asked = self.handle.site.limits.refresh(id).await;
        asked.map_err(|refusal| self.handle.held_back(None, refusal))
    }

    /// Grants a step-up, after `amr` was verified anew.
    ///
    /// # Errors
    /// [`Error`] if nobody is signed in, or the store did not answer.
    pub async fn step_up(&self, amr: Amr) -> Result<(), Error> {
        let done = self.handle.detached(move |exchange| async move { exchange.step_up(amr).await }).await;
        Ok(done?)
    }

    /// The sessions of the signed-in subject, newest first.
    ///
    /// # Errors
    /// [`Error`] if nobody is signed in, or the store did not answer.
    pub async fn devices(&self, page: Page) -> Result<Vec<Summary>, Error> {
        Ok(self.exchange().devices(page).await?)
    }

    /// Ends another session of the signed-in subject; `false` if they have no such session.
    ///
    /// # Errors
    /// [`Error`] if nobody is signed in, or the store did not answer.
    pub async fn end_device(&self, id: SessionId) -> Result<bool, Error> {
        let done = self.handle.detached(move |exchange| async move { exchange.end_device(id).await }).await;
        Ok(done?)
    }

    /// Gives one of the signed-in subject's devices the name its user wants; `false` if they have no such session.
    ///
    /// # Errors
    /// [`Error`] if nobody is signed in, or the store did not answer.
    pub async fn rename_device(&self, id: SessionId, name: DeviceName) -> Result<bool, Error> {
        let done = self.handle.detached(move |exchange| async move { exchange.rename_device(id, &name).await }).await;
        Ok(done?)
    }

    /// Does what the policy says of a change of the account, such as a new password, to the sessions of the signed-in
    /// subject, and says what was done. Call it once the change is stored; for a change that somebody else made, see
    /// [`Counterfoil::trigger`](crate::Counterfoil::trigger).
    ///
    /// # Errors
    /// [`Error`] if nobody is signed in, or the store did not answer: then it may or may not have been done. Doing it
    /// twice is fine.
    ///
    /// # Examples
    /// ```
    /// use counterfoil::{Error, Session, Trigger};
    /// # async fn store_password(_: &str) {}
    ///
    /// async fn change_password(session: Session, new: String) -> Result<(), Error> {
    ///     store_password(&new).await;
    ///     session.trigger(Trigger::PasswordChanged).await?; // unless the policy says otherwise, the others end
    ///     Ok(())
    /// }
    /// ```
    pub async fn trigger(&self, trigger: Trigger) -> Result<Reaction, Error> {
        let done = self.handle.detached(move |exchange| async move { exchange.trigger(trigger).await }).await;
        Ok(done?)
    }

    /// Ends all other sessions of the signed-in subject, sign-ins under way included. Where the account changed, use
    /// [`trigger`](Self::trigger).
    ///
    /// # Errors
    /// [`Error`] if nobody is signed in, or the store did not answer.
    pub async fn end_others(&self, reason: EndReason) -> Result<(), Error> {
        let done = self.handle.detached(move |exchange| async move { exchange.end_others(reason).await }).await;
        Ok(done?)
    }

    /// The exchange beneath, for what has no method here.
    pub fn exchange(&self) -> &Arc<Exchange> {
        &self.handle.exchange
    }
}

impl<S: Sync, T> FromRequestParts<S> for Session<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let handle = Handle::of(parts).map_err(IntoResponse::into_response)?;
        Ok(Self { handle, data: PhantomData })
    }
}

impl<T> Clone for Session<T> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), data: PhantomData }
    }
}

impl<T> std::fmt::Debug for Session<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Session").finish_non_exhaustive()
    }
}
