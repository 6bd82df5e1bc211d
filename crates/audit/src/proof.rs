//! Proofs: each asks the site something only a flaw would answer with yes, with its controls beside it.

mod bearer;
mod bound;
mod browser;
mod concurrency;
mod csrf;
mod expiry;
mod fixation;
mod pending;
mod role;
mod rotation;
mod sign_out;
#[cfg(test)]
mod tests;
mod tokens;
mod websocket;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::finding::{Finding, Verdict};
use crate::rule::Rule;
use crate::site::Site;
use crate::visitor::Trouble;

pub(crate) use self::role::learn;

/// Verdicts to come.
pub type Proving<'a> = Pin<Box<dyn Future<Output = Result<Vec<Finding>, Trouble>> + Send + 'a>>;

/// How far an audit goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reach {
    /// Whether it may change the account, and change it back: its password.
    pub change_account: bool,
    /// How long it may wait for stated lifetimes to pass; none for not at all.
    pub wait: Option<Duration>,
}

/// One proof and what it judges.
pub(crate) struct Proof {
    /// A verdict about each of them comes of it.
    pub(crate) rules: &'static [&'static Rule],
    /// Whether a flaw it finds was already shown twice.
    pub(crate) repeats_itself: bool,
    pub(crate) prove: for<'a> fn(&'a Site, Reach) -> Proving<'a>,
}

/// A check of one's own. It is run as ours are: a flaw it finds is looked for again, and is `inconclusive` where it is not
/// found twice.
///
/// # Examples
///
/// That an export is for members alone:
///
/// ```
/// use counterfoil_audit::finding::Finding;
/// use counterfoil_audit::proof::{OwnCheck, Proving};
/// use counterfoil_audit::rule::{Group, Rule, Severity};
/// use counterfoil_audit::site::Site;
/// use counterfoil_audit::visitor::From;
///
/// static EXPORT_OPEN: Rule = Rule {
///     id: "acme-export-open",
///     group: Group::Own,
///     severity: Severity::High,
///     title: "Strangers can read the export",
///     wstg: "WSTG-ATHZ-02",
///     asvs: "8.2.1",
///     cwe: 862,
///     fix: "Ask who is there before the export is written.",
/// };
///
/// struct Export;
///
/// impl OwnCheck for Export {
///     fn rules(&self) -> Vec<&'static Rule> {
///         vec![&EXPORT_OPEN]
///     }
///
///     fn prove<'a>(&'a self, site: &'a Site) -> Proving<'a> {
///         Box::pin(async move {
///             let place = "GET /export";
///             let member = site.member().await?.visitor.get("/export", From::Address).await?;
///             if member.answer.status != 200 {
///                 return Ok(vec![Finding::inconclusive(&EXPORT_OPEN, place, "members do not get it either")]);
///             }
///             let stranger = site.visitor().get("/export", From::Address).await?;
///             let finding = match stranger.answer.status {
///                 200 => Finding::flaw(&EXPORT_OPEN, place, "a stranger got the export"),
///                 status => Finding::sound(&EXPORT_OPEN, place, format!("a stranger got {status}")),
///             };
///             Ok(vec![finding.because("control: a member", &member).because("a stranger", &stranger)])
///         })
///     }
/// }
///
/// # fn audit(mut audit: counterfoil_audit::run::Audit) {
/// audit.own.push(Box::new(Export));
/// # }
/// ```
pub trait OwnCheck: Sync {
    /// What it judges; their group is [`Group::Own`](crate::rule::Group::Own).
    fn rules(&self) -> Vec<&'static Rule>;

    /// Asks the site.
    fn prove<'a>(&'a self, site: &'a Site) -> Proving<'a>;
}

/// Runs what `prove` starts; once more where it finds a flaw, and only what is found again stays one.
pub(crate) async fn twice<'a>(
    rules: &[&'static Rule],
    repeats_itself: bool,
    prove: impl Fn() -> Proving<'a>,
) -> Vec<Finding> {
    let first = match prove().await {
        Ok(findings) => findings,
        Err(trouble) => return rules.iter().map(|rule| Finding::inconclusive(rule, "", trouble.to_string())).collect(),
    };
    let found = first.iter().any(|one| one.verdict == Verdict::Flaw);
    let again = if found && !repeats_itself { Some(prove().await) } else { None };
    let mut findings: Vec<_> = first.into_iter().map(|one| confirmed(one, again.as_ref())).collect();
    for rule in rules {
        if findings.iter().all(|one| one.rule != *rule) {
            findings.push(Finding::skipped(rule, "", "does not apply to this site"));
        }
    }
    findings
}

fn confirmed(finding: Finding, again: Option<&Result<Vec<Finding>, Trouble>>) -> Finding {
    let Some(again) = again.filter(|_| finding.verdict == Verdict::Flaw) else { return finding };
    let doubt = match again {
        Ok(second) => {
            let same = |one: &&Finding| one.rule == finding.rule && one.place == finding.place;
            match second.iter().find(same) {
                Some(one) if one.verdict == Verdict::Flaw => return finding,
                Some(one) => format!("shown once; when it was tried again: {}", one.seen),
                None => "shown once, and not again".to_owned(),
            }
        }
        Err(trouble) => format!("shown once; it could not be tried again: {trouble}"),
    };
    Finding { verdict: Verdict::Inconclusive, seen: doubt, ..finding }
}

/// Ours, in the order in which they run: what might end the account's sessions comes last.
pub(crate) static ALL: &[&Proof] = &[
    &role::PROOF,
    &fixation::PROOF,
    &rotation::SIGN_IN,
    &rotation::RAISE,
    &sign_out::PROOF,
    &sign_out::REVIVED,
    &bearer::PROOF,
    &csrf::CHANGES,
    &csrf::SIGN_IN,
    &csrf::SIGN_OUT,
    &websocket::PROOF,
    &browser::COOKIES,
    &browser::CHANGES,
    &tokens::TELLS,
    &tokens::FORGED,
    &tokens::CROSS,
    &tokens::CLOCK,
    &tokens::SAMPLED,
    &tokens::EXPIRED,
    &pending::PROOF,
    &bound::REGISTRATION,
    &bound::REFRESH,
    &bound::COOKIES,
    &concurrency::SEEN,
    &concurrency::ELSEWHERE,
    &expiry::PROOF,
    &concurrency::PASSWORD,
];
