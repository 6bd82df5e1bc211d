//! One browser: a jar with a session in it, and what it can do with that.

use counterfoil_core::data::{DataError, Field, Fields, Key, SessionData};
use counterfoil_core::engine::{SessionError, SignInError, SignInOptions, StepUpError};
use counterfoil_core::rules::{Amr, EndReason};
use counterfoil_core::store::StoreError;
use counterfoil_core::testing::{Jar, Request};
use counterfoil_core::{Exchange, SessionId, Subject};

use super::site::Site;
use crate::model::Session;
use crate::note::{Answer, Cookies};
use crate::says::with_causes;

/// A jar with a session in it.
#[derive(Debug, Default)]
pub(super) struct Browser {
    jar: Jar,
    pub(super) session: String,
}

/// What a session holds.
#[derive(Debug, Default)]
struct Data {
    counter: u64,
    ballast: String,
}

impl Browser {
    /// The browser of a session that is known, with one of its tokens.
    pub(super) fn with(id: &str, session: &Session, token: &str) -> Self {
        let mut jar = Jar::default();
        jar.put(SESSION, token);
        if let Some((cookie, _)) = &session.elevated {
            jar.put(ELEVATED, cookie);
        }
        Self { jar, session: id.to_owned() }
    }

    pub(super) async fn sign_in(&mut self, site: &Site, user: u32) -> (Answer, Cookies) {
        let subject = name_of(user);
        let signed_in = self
            .ask(site, async |exchange| {
                let attempt = exchange.begin(subject?).await?;
                exchange.complete(exchange.verified(attempt, Amr::Pwd), SignInOptions::default()).await
            })
            .await;
        let answer = match signed_in.0 {
            Ok(signed_in) => {
                self.session = signed_in.session.to_string();
                Answer::SignedIn { session: self.session.clone() }
            }
            // The clock runs fast: where the store was slow, ten minutes of it have passed since the sign-in began.
            Err(SignInError::SubjectMoved | SignInError::Lapsed | SignInError::Session(SessionError::Ended)) => {
                Answer::Refused
            }
            Err(error) => failed(&error),
        };
        (answer, signed_in.1)
    }

    /// Presents the token and reads.
    pub(super) async fn look(&mut self, site: &Site) -> (Answer, Cookies) {
        let asked = self.ask(site, async |exchange| {
            let Some(identity) = exchange.identity().await? else { return Ok(Answer::Refused) };
            let data: Data = exchange.read().await?;
            let (session, elevated) = (identity.session.to_string(), identity.elevated_at.is_some());
            Ok(Answer::Accepted { user: number_of(identity.subject()), session, counter: data.counter, elevated })
        });
        settled(asked.await)
    }

    pub(super) async fn count(&mut self, site: &Site) -> (Answer, Cookies) {
        let asked = self.ask(site, async |exchange| {
            if exchange.identity().await?.is_none() {
                return Ok(Answer::Refused);
            }
            let counter = exchange.update(|data: &mut Data| {
                data.ballast.clone_from(&site.ballast);
                data.counter += 1;
                data.counter
            });
            Ok(Answer::Counted { counter: counter.await? })
        });
        settled(asked.await)
    }

    pub(super) async fn step_up(&mut self, site: &Site) -> (Answer, Cookies) {
        let asked = self.ask(site, async |exchange| match exchange.step_up(Amr::Otp).await {
            Ok(()) => Ok(Answer::Done),
            Err(StepUpError::NotSignedIn) => Ok(Answer::Refused),
            Err(StepUpError::Session(error)) => Err(error),
            Err(error) => Ok(failed(&error)),
        });
        settled(asked.await)
    }

    pub(super) async fn sign_out(&mut self, site: &Site) -> (Answer, Cookies) {
        let asked = self.ask(site, async |exchange| {
            if exchange.identity().await?.is_none() {
                return Ok(Answer::Refused);
            }
            exchange.sign_out().await?;
            Ok(Answer::Done)
        });
        settled(asked.await)
    }

    pub(super) async fn end_device(&mut self, site: &Site, other: &str) -> (Answer, Cookies) {
        let other: Option<SessionId> = other.parse().ok();
        let asked = self.ask(site, async |exchange| {
            if let Some(other) = other {
                exchange.end_device(other).await?;
            }
            Ok(Answer::Done)
        });
        settled(asked.await)
    }

    pub(super) async fn end_others(&mut self, site: &Site) -> (Answer, Cookies) {
        let asked = self.ask(site, async |exchange| {
            exchange.end_others(EndReason::EndedByUser).await?;
            Ok(Answer::Done)
        });
        settled(asked.await)
    }

    /// One request, and the cookies that came with its answer.
    async fn ask<R>(&mut self, site: &Site, handler: impl AsyncFnOnce(&Exchange) -> R) -> (R, Cookies) {
        let value = |jar: &Jar, name| jar.value(name).map(str::to_owned);
        let before = [SESSION, ELEVATED].map(|name| value(&self.jar, name));
        let answer = Request::new(&site.engine, &mut self.jar).send(handler).await;
        let [session, elevated] = [SESSION, ELEVATED].map(|name| value(&self.jar, name));
        let [session_before, elevated_before] = before;
        let cookies = Cookies {
            session: session.filter(|new| Some(new) != session_before.as_ref()),
            elevated: elevated.filter(|new| Some(new) != elevated_before.as_ref()),
        };
        (answer, cookies)
    }
}

/// An operator's deed.
pub(super) fn by_operator(done: Result<(), StoreError>) -> (Answer, Cookies) {
    let answer = done.map_or_else(|error| failed(&error), |()| Answer::Done);
    (answer, Cookies::default())
}

/// The subject with this number.
///
/// # Errors
/// None that these names could cause.
pub(super) fn name_of(user: u32) -> Result<Subject, SignInError> {
    Subject::new(format!("user-{user}")).map_err(|_| SignInError::NoFactor)
}

fn number_of(subject: &Subject) -> u32 {
    subject.as_str().strip_prefix("user-").and_then(|number| number.parse().ok()).unwrap_or(u32::MAX)
}

fn settled((answer, cookies): (Result<Answer, SessionError>, Cookies)) -> (Answer, Cookies) {
    let answer = answer.unwrap_or_else(|error| match error {
        SessionError::Ended | SessionError::NotSignedIn => Answer::Refused,
        error => failed(&error),
    });
    (answer, cookies)
}

fn failed(error: &dyn std::error::Error) -> Answer {
    Answer::Failed { error: with_causes(error) }
}

impl SessionData for Data {
    fn read(fields: &Fields) -> Result<Self, DataError> {
        Ok(Self {
            counter: COUNTER.decode(fields)?.unwrap_or_default(),
            ballast: BALLAST.decode(fields)?.unwrap_or_default(),
        })
    }

    fn write(&self) -> Result<Vec<(&'static str, Field)>, DataError> {
        Ok(vec![(COUNTER.name(), COUNTER.encode(&self.counter)?), (BALLAST.name(), BALLAST.encode(&self.ballast)?)])
    }
}

const COUNTER: Key<u64> = Key::new("crash.counter");
const BALLAST: Key<String> = Key::new("crash.ballast");
const SESSION: &str = "__Host-Http-id";
const ELEVATED: &str = "__Host-Http-el";
