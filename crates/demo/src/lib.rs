//! What `counterfoil demo` runs: a small app with real sign-in that anyone can attack.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
    time::SystemTime,
};

use counterfoil::{PolicyError, origin::OriginError};
use counterfoil_serve::{Bound, Certificate, CertificateFailed, keep::KeepFailed, stop_signal};
use tokio::net::TcpListener;

pub mod accounts;
pub mod app;
pub mod bank;
pub mod banner;
pub mod chronicle;
pub mod feed;
pub mod fields;
pub mod negotiate;
pub mod options;
pub mod pages;
pub mod policy;
pub mod problem;
pub mod routes;
pub mod second_factor;
pub mod session;

use app::{App, AppFailed};
use options::{DemoArgs, Plan, PlanRefused, Transport};
use policy::PolicyFileRefused;

/// Runs the demo until ctrl-c or SIGTERM. Prints the banner to standard output once it listens.
///
/// # Errors
/// [`DemoFailed`]; [`DemoFailed::is_configuration`] tells whether other arguments would help.
pub async fn run(mut arguments: DemoArgs) -> Result<(), DemoFailed> {
    let (settings, tries) = policy::read(&mut arguments)?;
    let plan = Plan::try_from(arguments)?;
    let listen = plan.listen;
    let cannot_listen = |source| DemoFailed::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(cannot_listen)?;
    let bound = listener.local_addr().map_err(cannot_listen)?;
    let stop = stop_signal().map_err(DemoFailed::Signals)?;

    let (origins, own) = (plan.origins(bound)?, plan.own_origin(bound)?);
    let policy = policy::policy(&plan, &origins, settings)?;
    let certificate = match plan.transport {
        Transport::Plain => None,
        Transport::SelfMadeTls => Some(Certificate::self_made(&origins, SystemTime::now())?),
    };
    if let (Some(file), Some(certificate)) = (&plan.certificate_to, &certificate) {
        let cannot_write = |source| DemoFailed::WriteCertificate { file: file.clone(), source };
        std::fs::write(file, certificate.pem()).map_err(cannot_write)?;
    }
    let limits = policy.limits();
    let longest = limits.absolute.max(limits.remember_for.unwrap_or_default());
    let kept = plan.keep.clone().open(longest).await?;
    let app = App::keeping(plan, policy, tries, kept)?;
    // Nobody has to read it: a closed pipe is no reason to stop.
    let _ = io::stdout().write_all(banner::banner(&app, &own, certificate.as_ref()).as_bytes());
    if app.plan.mode == options::Mode::Test {
        tracing::warn!("test mode: cheap password hash, no limits on trying, times may be below their floors");
    }

    let server = match &certificate {
        None => Bound::plain(listener),
        Some(certificate) => Bound::encrypted(listener, certificate),
    };
    let until_stopped = async {
        stop.await;
        app.feed.close();
    };
    server.serve(routes::service(app.clone()), until_stopped).await;
    Ok(())
}

/// Why the demo does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoFailed {
    /// Other arguments are needed; the text says which.
    #[error(transparent)]
    Plan(#[from] PlanRefused),
    /// The policy file must be corrected, or the option left out.
    #[error(transparent)]
    PolicyFile(#[from] PolicyFileRefused),
    /// The policy contradicts itself, or weakens what only `--test-mode` may weaken; the text names keys and values.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The listener has no origin that browsers could send.
    #[error("--listen: the address cannot be written as an origin")]
    Origin(#[from] OriginError),
    /// The address is taken or not ours: free it, or take another.
    #[error("--listen {listen}: cannot listen there")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The system lets nobody wait for signals.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
    /// Sessions or keys cannot be kept: take another folder or store, or `--memory`.
    #[error(
        "sessions and keys cannot be kept; --data names another folder, --store another store, --memory keeps nothing"
    )]
    Keep(#[from] KeepFailed),
    /// No https.
    #[error(transparent)]
    Certificate(#[from] CertificateFailed),
    /// The file cannot be written: name another.
    #[error("--write-certificate {}: cannot be written", .file.display())]
    WriteCertificate {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No accounts, or no keys.
    #[error(transparent)]
    App(#[from] AppFailed),
}

impl DemoFailed {
    /// Whether the arguments or the policy file are at fault, not the machine.
    pub fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::Plan(_) | Self::PolicyFile(_) | Self::Policy(_) | Self::Origin(_) | Self::App(AppFailed::Geo(_))
        )
    }
}
