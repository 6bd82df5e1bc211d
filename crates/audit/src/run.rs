//! A whole audit: learns the site's ways, runs every proof, and sees to it that its own oracle held to the end.

use std::time::Instant;

use url::Url;

use crate::browser::{BrowserError, Program};
use crate::cookie::SetCookie;
use crate::exchange::Exchange;
use crate::finding::{Finding, Verdict};
use crate::framework;
use crate::outcome::Outcome;
use crate::profile::Profile;
use crate::proof::{self, OwnCheck, Proof, Reach, twice};
use crate::rule::{self, Group, Rule};
use crate::site::{Site, State};
use crate::visitor::Trouble;
use crate::wire::{TlsError, Wire, WireLimits, now_millis};

/// An audit to be run.
pub struct Audit {
    /// What is known of the site.
    pub profile: Profile,
    /// What it may cost.
    pub limits: WireLimits,
    /// How far it goes.
    pub reach: Reach,
    /// Certificates (PEM) that are believed besides the system's.
    pub certificates: Option<Vec<u8>>,
    /// The browser that shows what browsers do, and signs in where that takes one.
    pub browser: Option<Program>,
    /// The groups that are looked at.
    pub groups: Vec<Group>,
    /// Checks of one's own.
    pub own: Vec<Box<dyn OwnCheck + Send>>,
}

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The certificates that were given.
    #[error("certificates: {0}")]
    Certificates(#[from] TlsError),
    /// The browser that is wanted, or needed.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// The site does not answer, nobody can be signed in, or the profile's marker does not tell.
    #[error("nothing can be judged: {0}")]
    Blind(#[source] Trouble),
    /// The marker told members from strangers at first and no longer does.
    #[error("nothing can be judged: at the end of the audit {0} shows the marker to strangers")]
    Drifted(String),
}

/// How far an audit is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Progress {
    /// What is done now.
    pub doing: &'static str,
    /// Parts done.
    pub done: usize,
    /// Of so many.
    pub of: usize,
    /// Requests sent.
    pub requests: u32,
}

impl Audit {
    /// Of everything, within the default limits, without changing the account or waiting for lifetimes.
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            limits: WireLimits::default(),
            reach: Reach::default(),
            certificates: None,
            browser: None,
            groups: Group::ALL.to_vec(),
            own: Vec::new(),
        }
    }

    /// Runs it.
    ///
    /// # Errors
    ///
    /// Nothing could be judged; what could be judged only in part is in the outcome.
    pub async fn run(self, progress: &(dyn Fn(Progress) + Sync)) -> Result<Outcome, AuditError> {
        let (began, began_millis) = (Instant::now(), now_millis());
        let wire = Wire::new(&scope(&self.profile), self.limits, self.certificates.as_deref())?;
        let mut site = Site::new(self.profile.clone(), wire);
        if let Some(program) = self.program()? {
            site = site.with_browser(program).await?;
        }
        let proofs: Vec<&Proof> = proof::ALL.iter().copied().filter(|proof| self.wants(proof.rules)).collect();
        let of = proofs.len() + self.own.len() + 2;
        let tell = |site: &Site, doing, done| progress(Progress { doing, done, of, requests: site.wire().requests() });
        tell(&site, "learning the site's ways", 0);
        proof::learn(&site).await.map_err(AuditError::Blind)?;
        let mut findings = Vec::new();
        for (index, proof) in proofs.into_iter().enumerate() {
            tell(&site, proof.rules.first().map_or("", |rule| rule.group.name()), index + 1);
            findings.extend(twice(proof.rules, proof.repeats_itself, || (proof.prove)(&site, self.reach)).await);
        }
        for own in &self.own {
            tell(&site, Group::Own.name(), of - 1);
            findings.extend(twice(&own.rules(), false, || own.prove(&site)).await);
        }
        tell(&site, "headers and attributes", of - 1);
        match crate::gather::judge(&site, &self.groups).await {
            Ok(more) => findings.extend(more),
            Err(trouble) => findings.extend(unread(&trouble)),
        }
        still_tells(&site).await?;
        one_cause_once(&mut findings);
        tell(&site, "done", of);
        Ok(Outcome {
            site: site.profile.site.origin().ascii_serialization(),
            session_cookies: [site.ways().session.clone(), site.ways().also.clone()].concat(),
            framework: framework::told_by(&site.seen().iter().collect::<Vec<_>>()),
            findings: sorted(findings),
            requests: site.wire().requests(),
            took: began.elapsed(),
            began_millis,
            secrets: site.secrets(),
        })
    }

    /// Looks at one page as a stranger does: attributes and headers alone, for a site nothing else is known of.
    ///
    /// # Errors
    ///
    /// The page does not answer.
    pub async fn passive(page: &Url, limits: WireLimits, certificates: Option<&[u8]>) -> Result<Outcome, AuditError> {
        let (began, began_millis) = (Instant::now(), now_millis());
        let mut scope = vec![page.clone()];
        let mut without_tls = page.clone();
        if page.port().is_none() && without_tls.set_scheme("http").is_ok() {
            scope.push(without_tls);
        }
        let wire = Wire::new(&scope, limits, certificates)?;
        let (findings, seen) = crate::gather::judge_stranger(&wire, page).await.map_err(AuditError::Blind)?;
        Ok(Outcome {
            site: page.origin().ascii_serialization(),
            session_cookies: Vec::new(),
            framework: framework::told_by(&seen.iter().collect::<Vec<_>>()),
            findings: sorted(findings),
            requests: wire.requests(),
            took: began.elapsed(),
            began_millis,
            secrets: set_cookies(&seen),
        })
    }

    /// The browser, where something of the audit takes one.
    fn program(&self) -> Result<Option<&Program>, BrowserError> {
        match (&self.browser, &self.profile.sign_in.script) {
            (None, Some(_)) => Err(BrowserError::Needed),
            (program, Some(_)) => Ok(program.as_ref()),
            (program, None) => Ok(program.as_ref().filter(|_| self.groups.contains(&Group::Browser))),
        }
    }

    fn wants(&self, rules: &[&'static Rule]) -> bool {
        rules.iter().any(|rule| self.groups.contains(&rule.group))
    }
}

/// Strangers must be strangers at the end as at the beginning: a marker that drifts makes every verdict worthless.
async fn still_tells(site: &Site) -> Result<(), AuditError> {
    match site.who(&site.visitor()).await {
        Ok(seeing) if seeing.state == State::In => Err(AuditError::Drifted(seeing.page.sent.url.path().to_owned())),
        // Without an answer, or without requests left, nothing is known against it.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What is said of headers when they could not be looked at.
fn unread(trouble: &Trouble) -> Vec<Finding> {
    let passive = rule::ALL.iter().filter(|rule| matches!(rule.group, Group::Attributes | Group::Transport));
    passive.map(|rule| Finding::inconclusive(rule, "", trouble.to_string())).collect()
}

/// Cookies' values, which are nobody's to read.
fn set_cookies(seen: &[Exchange]) -> Vec<String> {
    let lines = seen.iter().flat_map(|one| one.answer.all("set-cookie"));
    lines.filter_map(|line| SetCookie::read(line).ok()).map(|cookie| cookie.value).filter(|one| one.len() > 5).collect()
}

/// As reports have them.
fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|one| (one.rule.group, place_of(one.rule)));
    findings
}

/// A sign-in that takes on any id takes on that of an earlier sign-in too: one mistake, said once.
fn one_cause_once(findings: &mut [Finding]) {
    let fixed = [&rule::FIXATION_KEPT, &rule::FIXATION_ADOPTED];
    let cause =
        findings.iter().find(|one| one.verdict == Verdict::Flaw && fixed.contains(&one.rule)).map(|one| one.rule);
    let Some(cause) = cause else { return };
    for one in findings.iter_mut().filter(|one| one.rule == &rule::ROTATION_NONE && one.verdict == Verdict::Flaw) {
        let why = format!("signing in keeps whatever id there is: see {}", cause.id);
        *one = Finding::skipped(one.rule, one.place.clone(), why);
    }
}

/// The site, and the same host without TLS.
fn scope(profile: &Profile) -> Vec<Url> {
    let mut scope = vec![profile.site.clone()];
    scope.extend(plain(profile));
    scope
}

/// Where the site would be without TLS.
pub(crate) fn plain(profile: &Profile) -> Option<Url> {
    if let Some(url) = &profile.plain_http {
        return Some(url.clone());
    }
    let mut url = profile.site.clone();
    let own_port = profile.site.scheme() == "https" && profile.site.port().is_none();
    (own_port && url.set_scheme("http").is_ok()).then_some(url)
}

fn place_of(rule: &Rule) -> usize {
    crate::rule::ALL.iter().position(|one| *one == rule).unwrap_or(usize::MAX)
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Audit").field("profile", &self.profile).field("reach", &self.reach).finish_non_exhaustive()
    }
}
