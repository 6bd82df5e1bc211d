//! An examination: every check in order, and the fix of what fails in the words of the site's proxy.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::checks;
use super::fix::fix;
use super::probe::{Probe, ProbeError};
use super::report::{Finding, Report, Verdict};

/// What to examine, and from where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The site as browsers know it.
    pub site: String,
    /// The data folder of the gateway, which must be running.
    pub data: PathBuf,
    /// Where to connect to instead of what the site's name says.
    pub connect: Option<SocketAddr>,
    /// Root certificates instead of the system's.
    pub roots: Option<PathBuf>,
}

/// Attacks a deployed chain. Takes some seconds; changes nothing that stays.
///
/// # Errors
/// [`ProbeError`], if the examination cannot begin.
pub fn examine(options: &Options) -> Result<Report, ProbeError> {
    let probe = Probe::open(options)?;
    let site = probe.site()?;
    let mut findings = Vec::new();
    for check in checks::ALL {
        let verdict = (check.try_it)(&probe, &site);
        let lost = check.is_first && !matches!(verdict, Verdict::Kept(_));
        let fix = matches!(verdict, Verdict::Broken(_)).then(|| fix(check.about, &site.proxy)).flatten();
        findings.push(Finding { promise: check.promise, verdict, fix });
        if lost {
            // Without the echo nothing else could be told from a refusal.
            break;
        }
    }
    Ok(Report { site: probe.origin.to_string(), app: site.app, proxy: site.proxy, findings })
}
