//! Whether a new short-lived cookie takes a new signature by the registered key.

use super::{Binding, REFRESH, binding, not_offered, place_of};
use crate::bound::{Device, unsigned};
use crate::exchange::Exchange;
use crate::finding::Finding;
use crate::rule::{self, Rule};
use crate::site::{Site, State};
use crate::visitor::{Trouble, Visitor};

pub(super) async fn prove(site: &Site) -> Result<Vec<Finding>, Trouble> {
    if let Some(skipped) = not_offered(site, REFRESH.rules) {
        return Ok(skipped);
    }
    Ok(vec![replayed(site).await?, not_signed(site).await?, by_another_key(site).await?])
}

/// Somebody else's machine, with every cookie but the short-lived ones.
struct Thief<'a> {
    rule: &'static Rule,
    binding: Binding<'a>,
    visitor: Visitor<'a>,
}

impl<'a> Thief<'a> {
    async fn new(site: &'a Site, rule: &'static Rule) -> Result<Self, Trouble> {
        let binding = binding(site).await?;
        let visitor = binding.bound.without(&binding.visitor);
        Ok(Self { rule, binding, visitor })
    }

    /// What a proof has to repeat now: as the last answer said.
    fn challenge(&self) -> Option<&str> {
        self.binding.bound.challenge.as_deref()
    }

    /// A flaw where that proof gives a cookie that signs in; else the answer.
    async fn tries(&mut self, proof: Option<&str>, seen: &str) -> Result<Result<Finding, Exchange>, Trouble> {
        let bound = &mut self.binding.bound;
        let answer = bound.send(&mut self.visitor, proof).await?;
        if !bound.gives(&answer) {
            return Ok(Err(answer));
        }
        let seeing = self.visitor.site().who(&self.visitor).await?;
        let finding = match seeing.state {
            State::In => Finding::flaw(self.rule, place_of(&answer), seen),
            State::Out | State::Unclear => {
                let why = "a cookie was given, and does not sign in";
                Finding::inconclusive(self.rule, place_of(&answer), why)
            }
        };
        Ok(Ok(self.on(finding, &answer).because("the page with what it gave", &seeing.page)))
    }

    /// Nothing was given; the key itself still gets a cookie, so that this is not because the session has ended.
    async fn sound(mut self, answer: &Exchange, seen: &str) -> Result<Finding, Trouble> {
        let binding = &mut self.binding;
        let after = binding.bound.refresh(&mut binding.visitor).await?.exchange;
        let finding = if binding.bound.gives(&after) {
            Finding::sound(self.rule, place_of(answer), seen)
        } else {
            let why = "nothing was given, nor to the key itself afterwards: the session had ended";
            Finding::sound(self.rule, place_of(answer), why)
        };
        Ok(self.on(finding, answer).because("control: the key itself, afterwards", &after))
    }

    fn on(&self, finding: Finding, answer: &Exchange) -> Finding {
        finding
            .because("control: a refresh signed by the key", &self.binding.refreshed.exchange)
            .because("the other refresh", answer)
    }
}

async fn replayed(site: &Site) -> Result<Finding, Trouble> {
    let rule = &rule::BOUND_REFRESH_REPLAYED;
    let mut thief = Thief::new(site, rule).await?;
    let Some(used) = thief.binding.refreshed.proof.clone() else {
        return Ok(Finding::skipped(rule, "", "refreshing takes no proof"));
    };
    match thief.tries(Some(&used), "a proof that had been used gave a new bound cookie").await? {
        Ok(finding) => Ok(finding),
        Err(answer) => thief.sound(&answer, "a proof is good for one refresh").await,
    }
}

async fn not_signed(site: &Site) -> Result<Finding, Trouble> {
    let mut thief = Thief::new(site, &rule::BOUND_REFRESH_UNSIGNED).await?;
    if let Ok(finding) = thief.tries(None, "a new bound cookie was given without any proof").await? {
        return Ok(finding);
    }
    let proof = unsigned(thief.challenge());
    match thief.tries(Some(&proof), "a proof that says it is unsigned gave a new bound cookie").await? {
        Ok(finding) => Ok(finding),
        Err(answer) => thief.sound(&answer, "nothing is given without a signature").await,
    }
}

async fn by_another_key(site: &Site) -> Result<Finding, Trouble> {
    let mut thief = Thief::new(site, &rule::BOUND_REFRESH_FOREIGN_KEY).await?;
    // Where the last answer named no challenge, one without a proof does.
    if thief.challenge().is_none() {
        let Err(_) = thief.tries(None, "").await? else {
            return Ok(Finding::skipped(thief.rule, "", "refreshing takes no proof"));
        };
    }
    let proof = Device::new()?.proof(false, thief.challenge(), None)?;
    let seen = "a proof signed by a key that was never registered gave a new bound cookie";
    if let Ok(finding) = thief.tries(Some(&proof), seen).await? {
        return Ok(finding);
    }
    let proof = Device::new()?.proof(true, thief.challenge(), None)?;
    let seen = "a proof signed by a key that it brought along gave a new bound cookie";
    match thief.tries(Some(&proof), seen).await? {
        Ok(finding) => Ok(finding),
        Err(answer) => thief.sound(&answer, "no other key's signature counts").await,
    }
}
