//! What is inside a token, whether another can be made of it, and whether the next can be computed.

mod clock;
mod cross;
mod forged;
mod keys;
mod sampled;
mod web_token;

use super::{Proof, Reach};
use crate::finding::Finding;
use crate::profile::Account;
use crate::rule;
use crate::shape::invented;
use crate::site::{Member, Seeing, Site, State};
use crate::token::{Seal, Structure, structure};
use crate::visitor::{Bearer, Trouble, Visitor};

pub(super) static TELLS: Proof =
    Proof { rules: &[&rule::TOKEN_TELLS], repeats_itself: true, prove: |site, _| Box::pin(tells(site)) };

pub(super) static FORGED: Proof = Proof {
    rules: &[
        &rule::TOKEN_UNSIGNED,
        &rule::TOKEN_ALG_NONE,
        &rule::TOKEN_ALG_CONFUSED,
        &rule::TOKEN_SIGNATURE_IGNORED,
        &rule::TOKEN_KNOWN_SECRET,
    ],
    repeats_itself: false,
    prove: |site, _| Box::pin(forged::prove(site)),
};

pub(super) static EXPIRED: Proof = Proof {
    rules: &[&rule::TOKEN_EXPIRY_IGNORED],
    // It waits, with two tokens at once.
    repeats_itself: true,
    prove: |site, reach: Reach| Box::pin(clock::expired(site, reach)),
};

pub(super) static CLOCK: Proof = Proof {
    rules: &[&rule::EXPIRY_CLIENT_CLOCK],
    repeats_itself: false,
    prove: |site, _| Box::pin(clock::altered(site)),
};

pub(super) static CROSS: Proof =
    Proof { rules: &[&rule::TOKEN_CROSS_USE], repeats_itself: false, prove: |site, _| Box::pin(cross::prove(site)) };

pub(super) static SAMPLED: Proof = Proof {
    rules: &[&rule::TOKEN_PREDICTABLE, &rule::TOKEN_SHORT, &rule::TOKEN_STATIC],
    // What was learnt from some tokens was shown by the others.
    repeats_itself: true,
    prove: |site, _| Box::pin(sampled::prove(site)),
};

/// A token that signs somebody in, alone or with the others of the session, and where it is.
struct Held<'a> {
    /// A cookie's name, or none for the bearer token.
    cookie: Option<String>,
    value: String,
    /// The client with it, and with nothing that is not the session.
    holder: Visitor<'a>,
}

/// What of a member signs them in.
fn held<'a>(member: &Member<'a>) -> Vec<Held<'a>> {
    let visitor = &member.visitor;
    let ways = visitor.site().ways();
    let of = |name: &String, all: &[String]| {
        let value = visitor.jar.get(name)?.to_owned();
        Some(Held { cookie: Some(name.clone()), value, holder: visitor.only(all) })
    };
    let sessions = ways.session.iter().filter_map(|name| of(name, &ways.session));
    let others = ways.also.iter().filter_map(|name| of(name, std::slice::from_ref(name)));
    let bearer = visitor.bearer.as_ref().filter(|_| ways.bearer || ways.session.is_empty());
    let bearer =
        bearer.map(|Bearer(token)| Held { cookie: None, value: token.clone(), holder: visitor.bearer_alone() });
    sessions.chain(others).chain(bearer).collect()
}

impl<'a> Held<'a> {
    fn place(&self) -> String {
        self.cookie.clone().unwrap_or_else(|| "bearer token".to_owned())
    }

    fn structure(&self) -> Structure {
        structure(&self.value)
    }

    /// The same client with another token.
    fn with(&self, value: &str) -> Visitor<'a> {
        let mut visitor = self.holder.clone();
        match &self.cookie {
            Some(name) => visitor.jar.set(&visitor.site().profile.site, name, value),
            None => visitor.bearer = Some(Bearer(value.to_owned())),
        }
        visitor
    }

    /// Who the site takes for signed in by another token.
    async fn tried(&self, value: &str) -> Result<Seeing, Trouble> {
        let site = self.holder.site();
        site.keep_secret(value);
        site.who(&self.with(value)).await
    }

    async fn tried_as(&self, value: &str, account: &Account) -> Result<Seeing, Trouble> {
        let site = self.holder.site();
        site.keep_secret(value);
        site.whether(&self.with(value), account).await
    }

    /// The token itself gets in, and one that looks the same does not: none where either does not hold.
    async fn controls(&self) -> Result<Option<Controls>, Trouble> {
        let genuine = self.tried(&self.value).await?;
        let garbage = self.tried(&invented(&self.value)).await?;
        let hold = genuine.state == State::In && garbage.state == State::Out;
        Ok(hold.then_some(Controls { genuine, garbage }))
    }
}

/// What shows that it is the token that decides.
struct Controls {
    genuine: Seeing,
    garbage: Seeing,
}

impl Controls {
    fn on(&self, finding: Finding, shown: &Seeing) -> Finding {
        finding
            .because("control: the token itself", &self.genuine.page)
            .because("control: one that nobody made", &self.garbage.page)
            .because("the token that was made of it", &shown.page)
    }
}

async fn tells(site: &Site) -> Result<Vec<Finding>, Trouble> {
    let rule = &rule::TOKEN_TELLS;
    let member = site.member().await?;
    let judged = held(&member).into_iter().map(|held| {
        let known = held.structure();
        let told = known.tells(&site.profile.account.user);
        if told.is_empty() {
            let why = if known.seal == Seal::Encrypted { "it is encrypted" } else { "it tells for whom it is at most" };
            return Finding::sound(rule, held.place(), why);
        }
        let fields: Vec<_> = told.iter().take(8).map(String::as_str).collect();
        let seen = format!("whoever holds it can read {}", fields.join(", "));
        Finding::flaw(rule, held.place(), seen).because("where it is sent", &member.page)
    });
    Ok(judged.collect())
}
