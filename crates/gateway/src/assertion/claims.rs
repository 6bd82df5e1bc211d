//! What an assertion says of one request.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use counterfoil::Moment;
use counterfoil_core::csrf::{CsrfVerdict, PassReason};
use serde::Serialize;

use super::{LIFE, Unsigned};
use crate::app::Algorithm;
use crate::decide::Who;
use crate::gateway::Site;
use crate::request::Original;

/// Who made which request, as far as the decision found out.
pub(crate) struct Claims<'a> {
    pub(crate) site: &'a Site,
    pub(crate) original: &'a Original<'a>,
    pub(crate) who: &'a Who,
    pub(crate) passed: PassReason,
    /// What the headers alone said, for sites that only report.
    pub(crate) verdict: CsrfVerdict,
}

#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    aud: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    iat: u64,
    exp: u64,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amr: Vec<&'static str>,
    acr: &'static str,
    csrf: &'static str,
    csrf_reason: &'static str,
    req: String,
}

impl Claims<'_> {
    pub(super) fn algorithm(&self) -> Algorithm {
        self.site.app.assertion
    }

    pub(super) fn app(&self) -> &crate::app::AppName {
        &self.site.app.name
    }

    /// The payload, of an assertion made now.
    pub(super) fn payload(&self, now: Moment, jti: [u8; 16]) -> Result<Vec<u8>, Unsigned> {
        let signed_in = self.who.signed_in();
        let (csrf, csrf_reason) = self.csrf();
        let payload = Payload {
            iss: self.original.origin.as_str(),
            aud: self.site.app.name.as_str(),
            sub: signed_in.map(|identity| identity.subject().as_str()),
            sid: signed_in.map(|identity| identity.session.to_string()),
            iat: now.unix_seconds(),
            exp: (now + LIFE).unix_seconds(),
            jti: BASE64.encode(jti),
            auth_time: signed_in.map(|identity| identity.auth_time().unix_seconds()),
            amr: self.amr(),
            acr: self.who.assurance(),
            csrf,
            csrf_reason,
            req: bound(self.original.method.as_str(), self.original.authority(), self.original.target),
        };
        serde_json::to_vec(&payload).map_err(|_| Unsigned::Refused)
    }

    /// All that tells one assertion from another, but when it was made: of two requests for which this is the same, one
    /// assertion will do.
    pub(super) fn same(&self, kid: &str) -> Vec<u8> {
        let Self { site, original, .. } = self;
        let mut same = Vec::with_capacity(192 + original.target.len());
        let mut add = |part: &[u8]| {
            same.extend_from_slice(part);
            // Stands in none of the parts.
            same.push(b'\n');
        };
        let (_, csrf_reason) = self.csrf();
        for part in [
            kid,
            site.app.name.as_str(),
            original.origin.as_str(),
            self.who.assurance(),
            csrf_reason,
            original.method.as_str(),
            original.target,
        ] {
            add(part.as_bytes());
        }
        if let Some(identity) = self.who.signed_in() {
            add(identity.session.as_bytes());
            add(&identity.auth_time().unix_millis().to_be_bytes());
            for factor in identity.factors() {
                add(factor.amr.as_str().as_bytes());
            }
        }
        same
    }

    /// Each method once, in the order in which they were used.
    fn amr(&self) -> Vec<&'static str> {
        let mut all = Vec::new();
        for factor in self.who.signed_in().into_iter().flat_map(|identity| identity.factors().iter()) {
            let name = factor.amr.as_str();
            if !all.contains(&name) {
                all.push(name);
            }
        }
        all
    }

    /// `ok` where it was judged and passed, `n/a` where there was nothing to judge, `fail` where the site only reports.
    fn csrf(&self) -> (&'static str, &'static str) {
        match self.passed {
            PassReason::SafeMethod | PassReason::Off => ("n/a", self.passed.as_str()),
            PassReason::ReportOnly => ("fail", self.verdict.as_str()),
            passed => ("ok", passed.as_str()),
        }
    }
}

/// What binds an assertion to its request. Neither a method nor a host has a line feed in it, so no other three are the
/// same text.
pub(super) fn bound(method: &str, host: &str, target: &str) -> String {
    BASE64.encode(digest(&SHA256, format!("{method}\n{host}\n{target}").as_bytes()))
}
