//! Device-bound sessions (W3C DBSC) as a browser has them: reads an offer, makes a key, registers it, refreshes by signing.

mod device;
mod field;
mod instructions;
#[cfg(test)]
mod tests;

use http::Method;
use url::Url;

pub(crate) use self::device::{Device, unsigned};
pub(crate) use self::instructions::Instructions;

use crate::exchange::Exchange;
use crate::visitor::{Body, From, Ready, Trouble, Visitor};

/// What a site offers by `Secure-Session-Registration`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Where a key is registered.
    pub(crate) url: Url,
    /// What the proof has to repeat.
    pub(crate) challenge: Option<String>,
    /// The same, for who signed in elsewhere.
    pub(crate) authorization: Option<String>,
}

/// A session whose short-lived cookie takes a key, as its browser knows it.
pub(crate) struct Bound {
    pub(crate) device: Device,
    pub(crate) instructions: Instructions,
    /// The answer that gave the instructions.
    pub(crate) registered: Exchange,
    /// What the next proof has to repeat, where the site has said so.
    pub(crate) challenge: Option<String>,
}

/// A refresh as a browser makes it.
pub(crate) struct Refreshed {
    /// The proof that was sent last.
    pub(crate) proof: Option<String>,
    pub(crate) exchange: Exchange,
}

impl Offer {
    /// The first of an answer that takes the one kind of key we make.
    pub(crate) fn of(exchange: &Exchange) -> Option<Self> {
        let offers = field::list(&exchange.answer.joined(REGISTRATION)?)?;
        let ours = offers.into_iter().find(|offer| offer.items.iter().any(|one| one == "ES256"))?;
        let url = exchange.sent.url.join(ours.parameter("path")?).ok()?;
        let text = |name| ours.parameter(name).map(str::to_owned);
        Some(Self { url, challenge: text("challenge"), authorization: text("authorization") })
    }
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Offer({}, challenge redacted)", self.url.path())
    }
}

/// Registers a new key, as the offer says where the challenge is the offer's; nothing is bound where the site refuses.
pub(crate) async fn register(
    visitor: &mut Visitor<'_>,
    offer: &Offer,
    challenge: Option<&str>,
) -> Result<(Exchange, Option<Bound>), Trouble> {
    let device = Device::new()?;
    let proof = device.proof(true, challenge, offer.authorization.as_deref())?;
    let mut headers = vec![(RESPONSE.to_owned(), proof)];
    headers.extend(offer.authorization.clone().map(|value| ("Authorization".to_owned(), value)));
    let registered = post(visitor, &offer.url, headers).await?;
    let Some(instructions) = Instructions::of(&registered) else { return Ok((registered, None)) };
    let challenge = challenge_of(&registered, &instructions.id);
    Ok((registered.clone(), Some(Bound { device, instructions, registered, challenge })))
}

impl Bound {
    /// Asks for a new short-lived cookie; signs what the site wants signed, as often as browsers do.
    pub(crate) async fn refresh(&mut self, visitor: &mut Visitor<'_>) -> Result<Refreshed, Trouble> {
        for _ in 0..MOST_TRIES {
            let proof = match &self.challenge {
                Some(challenge) => Some(self.device.proof(false, Some(challenge), None)?),
                None => None,
            };
            let exchange = self.send(visitor, proof.as_deref()).await?;
            if exchange.answer.status != 403 || self.challenge.is_none() {
                return Ok(Refreshed { proof, exchange });
            }
        }
        Err(Trouble::Control(format!("{} asks for one proof after another", self.instructions.refresh.path())))
    }

    /// One request for a new cookie, with whatever proof; what the next has to repeat is in the answer.
    pub(crate) async fn send(&mut self, visitor: &mut Visitor<'_>, proof: Option<&str>) -> Result<Exchange, Trouble> {
        let mut headers = vec![(ID.to_owned(), self.instructions.id.clone())];
        headers.extend(proof.map(|proof| (RESPONSE.to_owned(), proof.to_owned())));
        let answer = post(visitor, &self.instructions.refresh, headers).await?;
        self.challenge = challenge_of(&answer, &self.instructions.id).or(self.challenge.take());
        Ok(answer)
    }

    /// Whether an answer gives one of the short-lived cookies.
    pub(crate) fn gives(&self, exchange: &Exchange) -> bool {
        exchange.answer.status < 300 && self.instructions.given(exchange).next().is_some()
    }

    /// The same visitor without the short-lived cookies: what a copy is once they have run out.
    pub(crate) fn without<'a>(&self, visitor: &Visitor<'a>) -> Visitor<'a> {
        let mut copy = visitor.clone();
        for credential in &self.instructions.credentials {
            copy.jar.remove(&credential.name);
        }
        copy
    }
}

async fn post(visitor: &mut Visitor<'_>, url: &Url, headers: Vec<(String, String)>) -> Result<Exchange, Trouble> {
    for (_, value) in &headers {
        visitor.site().keep_secret(value);
    }
    let ready = Ready { method: Method::POST, url: url.clone(), body: Body::Empty, headers, token: None, page: None };
    visitor.send(&ready, From::Own).await
}

/// What `Secure-Session-Challenge` says for that session.
fn challenge_of(exchange: &Exchange, id: &str) -> Option<String> {
    let all = field::list(&exchange.answer.joined(CHALLENGE)?)?;
    let ours = all.into_iter().find(|one| one.parameter("id") == Some(id))?;
    ours.items.into_iter().next()
}

const REGISTRATION: &str = "secure-session-registration";
const CHALLENGE: &str = "secure-session-challenge";
const RESPONSE: &str = "Secure-Session-Response";
const ID: &str = "Sec-Secure-Session-Id";

/// As Chromium does.
const MOST_TRIES: usize = 4;
