//! Whether a session that is bound to a key needs the key: registration, refresh, and the cookies themselves.

mod cookies;
mod refresh;
mod registration;

use super::Proof;
use crate::bound::{self, Bound, Offer, Refreshed};
use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::rule::{self, Rule};
use crate::site::{Keys, Site};
use crate::visitor::{From, Trouble, Visitor};

pub(super) static REGISTRATION: Proof = Proof {
    rules: &[&rule::BOUND_CHALLENGE_UNCHECKED, &rule::BOUND_CHALLENGE_REUSED],
    repeats_itself: false,
    prove: |site, _| Box::pin(registration::prove(site)),
};

pub(super) static REFRESH: Proof = Proof {
    rules: &[&rule::BOUND_REFRESH_REPLAYED, &rule::BOUND_REFRESH_UNSIGNED, &rule::BOUND_REFRESH_FOREIGN_KEY],
    repeats_itself: false,
    prove: |site, _| Box::pin(refresh::prove(site)),
};

pub(super) static COOKIES: Proof = Proof {
    rules: &[&rule::BOUND_COOKIE_NOT_NEEDED, &rule::BOUND_ATTRIBUTES_DIFFER, &rule::BOUND_COOKIE_LIVES_LONG],
    repeats_itself: false,
    prove: |site, _| Box::pin(cookies::prove(site)),
};

/// Somebody who signed in and was offered to bind the session, and has not done so.
struct Offered<'a> {
    visitor: Visitor<'a>,
    offer: Offer,
}

/// Somebody whose session is bound as a browser would bind it, and who refreshed it once.
struct Binding<'a> {
    visitor: Visitor<'a>,
    offer: Offer,
    bound: Bound,
    refreshed: Refreshed,
}

/// Where no key can be registered there is nothing to prove.
fn not_offered(site: &Site, rules: &[&'static Rule]) -> Option<Vec<Finding>> {
    let why = "the site offers no device-bound sessions";
    (site.ways().keys == Keys::None).then(|| rules.iter().map(|rule| Finding::skipped(rule, "", why)).collect())
}

async fn offered(site: &Site) -> Result<Offered<'_>, Trouble> {
    let mut visitor = site.visitor();
    site.walk_in(&mut visitor, &site.profile.account, From::Own).await?;
    if visitor.offer.is_none() {
        visitor.get(site.marker_at(), From::Address).await?;
    }
    let offer = visitor.offer.clone();
    let offer = offer.ok_or_else(|| Trouble::Control("a key was asked for before, and now is not".to_owned()))?;
    Ok(Offered { visitor, offer })
}

/// The control of every proof here: a key that is registered and refreshed as the standard says.
async fn binding(site: &Site) -> Result<Binding<'_>, Trouble> {
    let Offered { mut visitor, offer } = offered(site).await?;
    let place = offer.url.path().to_owned();
    let (_, bound) = bound::register(&mut visitor, &offer, offer.challenge.as_deref()).await?;
    let mut bound = bound
        .ok_or_else(|| Trouble::Control(format!("{place} does not take a key that is registered as it should be")))?;
    let refreshed = bound.refresh(&mut visitor).await?;
    if !bound.gives(&refreshed.exchange) {
        let (path, status) = (bound.instructions.refresh.path(), refreshed.exchange.answer.status);
        return Err(Trouble::Control(format!("{path} answered {status} to a right proof, without the bound cookie")));
    }
    Ok(Binding { visitor, offer, bound, refreshed })
}

fn place_of(exchange: &Exchange) -> String {
    format!("{} {}", exchange.sent.method, exchange.sent.url.path())
}
