//! `counterfoil doctor`: its arguments, and what its findings are worth as an exit status.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use counterfoil_gateway::doctor::{Options, ProbeError, Report, examine};

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The site, as browsers know it
    #[arg(value_name = "URL")]
    site: String,

    /// The data folder of the running gateway
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// Where to connect to, instead of what the site's name says
    #[arg(long, value_name = "ADDRESS")]
    connect: Option<SocketAddr>,

    /// Root certificates in PEM, instead of the system's
    #[arg(long, value_name = "PATH")]
    ca: Option<PathBuf>,
}

/// Attacks the site and prints what was found.
///
/// # Errors
/// [`ProbeError`], if the examination cannot begin.
pub(crate) fn run(arguments: DoctorArgs) -> Result<Report, ProbeError> {
    let DoctorArgs { site, data, connect, ca } = arguments;
    let report = examine(&Options { site, data, connect, roots: ca })?;
    println!("{report}");
    Ok(report)
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil doctor https://wiki.example --data /var/lib/counterfoil
                                         through the proxy that is deployed there
  counterfoil doctor https://wiki.example --data /var/lib/counterfoil --connect 127.0.0.1:443 --ca ca.pem
                                         before the name leads here

Run it on the gateway's machine, as the gateway's user or root: while it works, a key of its own lies in the data folder.

Exit status: 0 if every promise is kept, 1 if one is broken, 2 if it could not begin or could not tell.";
