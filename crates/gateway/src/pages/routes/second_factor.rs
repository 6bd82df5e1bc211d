//! The second factor: set up, confirmed, removed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use counterfoil::accounts::{NoSecret, Offer, TotpSecret};
use counterfoil::data::Key;
use counterfoil::{Error, SystemEntropy, Trigger};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use super::super::fields::Fields;
use super::super::problem::Problem;
use super::super::qr;
use super::super::views::{SecondFactor, page};
use super::super::visitor::{Here, Member, SteppedUp, Visitor, Wants};
use super::account::{NOT_LOCAL, told};
use super::{held_back, refuse, see_other, unavailable};
use crate::accounts::{AccountName, SelfServiceRefused};

#[derive(Deserialize)]
pub(super) struct CodeField {
    code: String,
}

/// A secret on offer: in the session that asked, sealed at rest as all of its data, until it is confirmed or too old.
#[derive(Serialize, Deserialize)]
struct Offered {
    secret: String,
    /// Unix seconds.
    at: u64,
}

/// `GET totp`
pub(super) async fn show(State(here): State<Here>, member: Member) -> Result<Response, Error> {
    let enrolled = member.account().is_some_and(|name| here.local.accounts.takes_a_code(&name));
    let offered = if member.is_elevated() && !enrolled { offered(&member).await? } else { None };
    let offer = offered.as_ref().and_then(|secret| offer(&member, secret).ok());
    Ok(match member.wants {
        Wants::Page => view(&member, StatusCode::OK, enrolled, offer.as_ref(), None),
        Wants::Data => Json(json!({ "enrolled": enrolled })).into_response(),
    })
}

/// `GET totp/qr.svg`: what is on offer, as a picture.
pub(super) async fn picture(member: SteppedUp) -> Result<Response, Error> {
    let offered = offered(&member).await?;
    let Some(drawn) = offered.and_then(|secret| qr::svg(&offer(&member, &secret).ok()?.address).ok()) else {
        return Ok(refuse(&member, Problem::NotFound));
    };
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"))], drawn).into_response())
}

/// `POST totp/begin`
pub(super) async fn begin(State(here): State<Here>, member: SteppedUp) -> Result<Response, Error> {
    let Some(name) = member.account() else {
        return Ok(refuse(&member, Problem::Conflict(NOT_LOCAL)));
    };
    if here.local.accounts.takes_a_code(&name) {
        return Ok(refuse(&member, Problem::Conflict("There is a second factor; remove it first.")));
    }
    let made = TotpSecret::generate(&SystemEntropy).and_then(|secret| Ok((offer(&member, &secret)?, secret)));
    let (offer, secret) = match made {
        Ok(made) => made,
        Err(error) => return Ok(unavailable(&member, &error, "no second factor could be offered")),
    };
    let secret = STANDARD_NO_PAD.encode(*secret.to_bytes());
    member.session.set(OFFERED, &Offered { secret, at: member.session.exchange().arrived_at().unix_seconds() })?;
    Ok(match member.wants {
        Wants::Page => see_other("/.session/totp"),
        Wants::Data => Json(json!({ "address": offer.address, "secret": offer.secret })).into_response(),
    })
}

/// `POST totp/cancel`
pub(super) async fn cancel(member: SteppedUp) -> Result<Response, Error> {
    member.session.remove(OFFERED)?;
    Ok(match member.wants {
        Wants::Page => see_other("/.session/totp"),
        Wants::Data => Json(json!({ "cancelled": true })).into_response(),
    })
}

/// `POST totp/confirm`
pub(super) async fn confirm(
    State(here): State<Here>,
    member: SteppedUp,
    Fields(form): Fields<CodeField>,
) -> Result<Response, Error> {
    let Some(name) = member.account() else {
        return Ok(refuse(&member, Problem::Conflict(NOT_LOCAL)));
    };
    let trial = match member.session.code_trial().await {
        Ok(trial) => trial,
        Err(error) => return held_back(&member, error),
    };
    let Some(secret) = offered(&member).await? else {
        return Ok(refuse(
            &member,
            Problem::Conflict("Nothing waits to be confirmed, or it waited too long: begin again."),
        ));
    };
    let shown = offer(&member, &secret).ok();
    let enrol = async move |here: Here, name: AccountName| here.local.accounts.enrol(&name, secret, &form.code).await;
    let asking = Arc::new(Member::clone(&member));
    match told(here, asking, name, Trigger::MfaChanged, enrol).await? {
        Ok(()) => {
            trial.passed().await;
            member.session.remove(OFFERED)?;
            changed(&member, "Your second factor is set up. Every other session of yours is over.").await
        }
        Err(SelfServiceRefused::WrongCode) => {
            let problem =
                Problem::Invalid("That code is not right. Is the clock of your device right? Try the next one.");
            Ok(match member.wants {
                Wants::Page => view(&member, problem.status(), false, shown.as_ref(), Some(problem.explanation())),
                Wants::Data => refuse(&member, problem),
            })
        }
        Err(refused) => Ok(not_changed(&member, &refused)),
    }
}

/// `POST totp/remove`
pub(super) async fn remove(State(here): State<Here>, member: SteppedUp) -> Result<Response, Error> {
    let Some(name) = member.account() else {
        return Ok(refuse(&member, Problem::Conflict(NOT_LOCAL)));
    };
    let remove = async move |here: Here, name: AccountName| here.local.accounts.remove_totp(&name).await;
    let asking = Arc::new(Member::clone(&member));
    match told(here, asking, name, Trigger::MfaChanged, remove).await? {
        Ok(()) => changed(&member, "Your second factor is removed. Every other session of yours is over.").await,
        Err(refused) => Ok(not_changed(&member, &refused)),
    }
}

fn not_changed(member: &Member, refused: &SelfServiceRefused) -> Response {
    match refused {
        SelfServiceRefused::Enrolled => refuse(member, Problem::Conflict("There is a second factor; remove it first.")),
        SelfServiceRefused::None => refuse(member, Problem::Conflict("There is no second factor to remove.")),
        other => unavailable(member, other, "a second factor could not be changed"),
    }
}

async fn changed(visitor: &Visitor, words: &str) -> Result<Response, Error> {
    match visitor.wants {
        Wants::Page => visitor.on_to("/.session/totp", words).await,
        Wants::Data => Ok(Json(json!({ "changed": true })).into_response()),
    }
}

/// What waits to be confirmed in this session, if it is young enough.
async fn offered(visitor: &Visitor) -> Result<Option<TotpSecret>, Error> {
    let Some(offered) = visitor.session.get(OFFERED).await? else { return Ok(None) };
    let now = visitor.session.exchange().arrived_at().unix_seconds();
    if now.saturating_sub(offered.at) >= OFFERED_FOR_SECONDS {
        return Ok(None);
    }
    let bytes = STANDARD_NO_PAD.decode(&offered.secret).map(Zeroizing::new).ok();
    Ok(bytes.and_then(|bytes| TotpSecret::from_bytes(bytes.as_slice().try_into().ok()?).ok()))
}

fn offer(visitor: &Visitor, secret: &TotpSecret) -> Result<Offer, NoSecret> {
    let (name, place) = (visitor.subject().map_or("", counterfoil::Subject::as_str), visitor.place());
    // A host of IPv6 holds colons, which addresses for authenticator apps cannot; the app's name never does.
    secret.offer(name, place.issuer()).or_else(|_| secret.offer(name, place.app()))
}

fn view(member: &Member, status: StatusCode, enrolled: bool, offer: Option<&Offer>, message: Option<&str>) -> Response {
    let (frame, elevated) = (member.frame(), member.is_elevated());
    page(status, &SecondFactor { frame, enrolled, elevated, offer, message })
}

const OFFERED: Key<Offered> = Key::new("gateway.totp");
/// Time enough to install an app; short enough that a page left open shows nothing to the next person.
const OFFERED_FOR_SECONDS: u64 = 15 * 60;
