//! The table `[detector]` of a configuration.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use counterfoil::Span;
use counterfoil::detector::{Asking, Bounds, Guard, Occasion, Occasions, OnSilence};
use counterfoil_core::policy::explain::{Collected, Statement};
use counterfoil_telemetry::client::{Client, Endpoint, EndpointError, Limits, PlainHttp, Trust, TrustError};
use counterfoil_telemetry::{Unread, read_public, read_secret};
use http::HeaderValue;
use serde::Deserialize;

use super::{Call, CalledOut, answer, headers};

/// The table `[detector]` of a configuration. Without it nobody is asked.
///
/// # Examples
/// ```
/// use counterfoil_serve::detector::DetectorSettings;
///
/// let settings: DetectorSettings = serde_json::from_str(
///     r#"{ "url": "https://risk.example/judge", "on": ["sign_in", "signal"], "fail": "closed", "timeout": "100ms" }"#,
/// )?;
/// assert!(settings.check().is_ok());
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorSettings {
    /// Where it is asked: `https://risk.example/judge`.
    pub url: String,
    /// Whether it may be another machine that is reached without TLS.
    #[serde(default)]
    pub plain_http: bool,
    /// A file that nobody but its owner may read, with the secret that it is shown as `authorization: Bearer …`.
    pub secret_file: Option<PathBuf>,
    /// Authorities that it is believed by, in PEM [default: those of the system].
    pub authorities: Option<PathBuf>,
    /// On which requests it is asked [default: `sign_in`, `new_context`, `signal`].
    pub on: Option<Vec<Occasion>>,
    /// What follows where it does not answer [default: `open`].
    #[serde(default)]
    pub fail: OnSilence,
    /// How long an answer may take [default: 250 ms].
    pub timeout: Option<Span>,
    /// How many questions are asked at once [default: 32].
    pub at_once: Option<usize>,
}

/// A detector cannot be asked. The text begins with the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectorFailed {
    /// Nothing may be sent there.
    #[error("url: {0}")]
    Url(#[from] EndpointError),
    /// It would never be asked.
    #[error("on: is empty; name one of {}, or remove the table", names())]
    Never,
    /// People wait for it.
    #[error("timeout ({0}) must be 10ms to 5s: people wait for it")]
    Timeout(Span),
    /// That many questions are none, or too many.
    #[error("at_once ({0}) must be 1 to 1000")]
    AtOnce(usize),
    /// The secret cannot be read.
    #[error("secret_file: {0}")]
    Secret(#[source] Unread),
    /// It is no secret that can be shown so. It is not repeated.
    #[error("secret_file: {}: must hold one line of 16 to 512 characters, without spaces", .0.display())]
    NotASecret(PathBuf),
    /// The file of authorities cannot be read.
    #[error("authorities: {0}")]
    Unread(#[source] Unread),
    /// Its certificates cannot be used.
    #[error("authorities")]
    Authorities(#[from] TrustError),
}

impl DetectorFailed {
    /// The setting at fault.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Url(_) => "url",
            Self::Never => "on",
            Self::Timeout(_) => "timeout",
            Self::AtOnce(_) => "at_once",
            Self::Secret(_) | Self::NotASecret(_) => "secret_file",
            Self::Unread(_) | Self::Authorities(_) => "authorities",
        }
    }
}

impl DetectorSettings {
    /// The same, with relative paths beginning in `folder`.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        let within = |path: &mut PathBuf| *path = folder.join(&*path);
        self.secret_file.iter_mut().chain(&mut self.authorities).for_each(within);
        self
    }

    /// Looks at all that can be wrong without reading a file.
    ///
    /// # Errors
    /// [`DetectorFailed`]: the first thing that is wrong.
    pub fn check(&self) -> Result<(), DetectorFailed> {
        self.endpoint()?;
        if self.asking().on.is_empty() {
            return Err(DetectorFailed::Never);
        }
        let Bounds { timeout, at_once, .. } = self.bounds();
        if !(Duration::from_millis(10)..=Duration::from_secs(5)).contains(&timeout) {
            return Err(DetectorFailed::Timeout(timeout.into()));
        }
        if !(1..=1_000).contains(&at_once) {
            return Err(DetectorFailed::AtOnce(at_once));
        }
        Ok(())
    }

    /// The detector, ready to be asked: its files are read.
    ///
    /// # Errors
    /// [`DetectorFailed`]: the first thing that is wrong.
    pub fn open(&self) -> Result<CalledOut, DetectorFailed> {
        self.check()?;
        let (bounds, asking) = (self.bounds(), self.asking());
        let limits = Limits { connect: bounds.timeout, whole: bounds.timeout, body: answer::MOST_BYTES };
        let client = Client::new(&self.trust()?, limits)?;
        let secret = self.secret_file.as_deref().map(bearer).transpose()?;
        let call = Call { client, to: self.endpoint()?, headers: headers(secret), site: None };
        Ok(CalledOut { guard: Guard::new(bounds), asking, call })
    }

    /// The names of the occasions on which it is asked.
    fn occasions(&self) -> String {
        self.asking().on.iter().map(Occasion::as_str).collect::<Vec<_>>().join(", ")
    }

    /// What it comes to, in words. Of the URL only the origin: the rest may be secret.
    pub fn explain(settings: Option<&Self>) -> Vec<Statement> {
        let Some(settings) = settings else {
            return vec![Statement::new("detector.url", "none", ASKED).about(&["ASVS 8.2.4"]).of_strength([0])];
        };
        let (Bounds { timeout, at_once, .. }, Asking { on, on_silence }) = (settings.bounds(), settings.asking());
        let failing = match on_silence {
            OnSilence::Open => "Where it does not answer, our own rules decide alone.",
            OnSilence::Closed => {
                "Where it does not answer, detection.decisions.detector_silent holds until it does, or there was a step-up."
            }
        };
        let url = settings.origin();
        let occasions = Occasion::ALL.map(|occasion| i64::from(on.has(occasion)));
        vec![
            Statement::new("detector.url", url, ASKED).about(&["ASVS 8.2.4"]).of_strength([1]),
            Statement::new(
                "detector.on",
                settings.occasions(),
                "On which requests it is asked, before they are decided.",
            )
            .about(&["ASVS 8.2.4"])
            .of_strength(occasions),
            Statement::new("detector.fail", on_silence.as_str(), failing)
                .about(&["ASVS 16.5.2"])
                .of_strength([i64::from(on_silence == OnSilence::Closed)]),
            Statement::new("detector.timeout", Span::from(timeout).to_string(), "How long an answer may take."),
            Statement::new(
                "detector.at_once",
                at_once.to_string(),
                "How many questions are asked at once. What comes on top is not answered.",
            ),
        ]
    }

    /// What it is told about people.
    pub fn collected(settings: Option<&Self>) -> Vec<Collected> {
        let Some(settings) = settings else { return Vec::new() };
        vec![Collected::new(
            "people.detector",
            &[
                "the session's public id, and a keyed hash of the account's name",
                "when, the kind of browser and platform, country, network operator and kind of network, now and before",
                "what our own rules noticed and decided, and what kind of route it is; no address, no path, no name",
            ],
            "to ask the operator's own detector about a request before it is decided",
            settings.origin(),
            "as long as whoever runs the detector keeps it",
        )]
    }

    fn origin(&self) -> String {
        self.endpoint().map_or_else(|_| "not a URL".to_owned(), |to| to.to_string())
    }

    fn endpoint(&self) -> Result<Endpoint, EndpointError> {
        Endpoint::checked(&self.url, if self.plain_http { PlainHttp::Anywhere } else { PlainHttp::Loopback })
    }

    fn asking(&self) -> Asking {
        let on = self.on.as_ref().map_or(Occasions::NEWS, |on| on.iter().copied().collect());
        Asking { on, on_silence: self.fail }
    }

    fn bounds(&self) -> Bounds {
        let default = Bounds::default();
        Bounds {
            timeout: self.timeout.map_or(default.timeout, Duration::from),
            at_once: self.at_once.unwrap_or(default.at_once),
            ..default
        }
    }

    fn trust(&self) -> Result<Trust, DetectorFailed> {
        match &self.authorities {
            None => Ok(Trust::System),
            Some(file) => Ok(Trust::Pem(read_public(file, MOST_AUTHORITIES).map_err(DetectorFailed::Unread)?)),
        }
    }
}

impl fmt::Display for DetectorSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} on {}; fails {}", self.origin(), self.occasions(), self.fail.as_str())
    }
}

/// The secret as it is shown (RFC 6750, section 2.1).
fn bearer(file: &Path) -> Result<HeaderValue, DetectorFailed> {
    let text = read_secret(file).map_err(DetectorFailed::Secret)?;
    let secret = text.trim_end_matches(['\r', '\n']);
    let fits = (16..=512).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic());
    let value = fits.then(|| HeaderValue::from_str(&format!("Bearer {secret}")).ok()).flatten();
    let mut value = value.ok_or_else(|| DetectorFailed::NotASecret(file.to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn names() -> String {
    Occasion::ALL.map(Occasion::as_str).join(", ")
}

const ASKED: &str = "Your own detector: it is asked about requests, and may make what is decided stronger.";
/// Some hundred certificates.
const MOST_AUTHORITIES: u64 = 1 << 20;

#[cfg(test)]
mod tests;
