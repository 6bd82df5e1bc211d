//! A profile proposed and written to a file, for somebody to read.

use std::io::Write as _;
use std::path::PathBuf;

use super::{CommandError, OutputError, bytes, output, site};
use crate::discover::discover;
use crate::profile::Account;
use crate::run::AuditError;
use crate::wire::{Wire, WireLimits};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// The page with the sign-in form.
    pub page: String,
    /// Who signs in.
    pub account: Account,
    /// Where the profile goes; there must be nothing yet.
    pub file: PathBuf,
    /// Certificates (PEM) that are believed besides the system's.
    pub certificates: Option<PathBuf>,
    /// Requests in all.
    pub budget: u32,
    /// Requests in a second.
    pub rate: Option<u32>,
}

impl Discovery {
    /// Finds out before anything is asked or sent whether the profile could be written.
    ///
    /// # Errors
    ///
    /// There is a file already, or no folder for it.
    pub fn check(&self) -> Result<(), CommandError> {
        site(&self.page)?;
        if self.file.exists() {
            return Err(OutputError::Exists(self.file.clone()).into());
        }
        Ok(output::check_folder(&self.file)?)
    }

    /// Signs in once, and writes what was found out; the password is not in it.
    ///
    /// # Errors
    ///
    /// Nobody could be signed in, or nothing tells members from strangers.
    pub async fn run(self) -> Result<String, CommandError> {
        self.check()?;
        let page = site(&self.page)?;
        let limits = WireLimits { budget: self.budget, per_second: self.rate, ..WireLimits::default() };
        let certificates = self.certificates.as_deref().map(bytes).transpose()?;
        let wire = Wire::new(std::slice::from_ref(&page), limits, certificates.as_deref()).map_err(AuditError::from)?;
        let proposal = discover(wire, &page, &self.account).await?;
        let failed = |source| OutputError::Write { path: self.file.clone(), source };
        // Whoever made a file meanwhile keeps it.
        let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&self.file);
        file.and_then(|mut file| file.write_all(proposal.text.as_bytes())).map_err(failed)?;
        Ok(format!(
            "{0}: written; read it, correct what is wrong, and then\n  counterfoil audit --profile {0} --out report.html\n",
            self.file.display()
        ))
    }
}
