//! What `counterfoil demo` runs: a small app with real sign-in that anyone can attack.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::SystemTime,
};

use axum::Router;
use tokio::net::TcpListener;

pub mod accounts;
pub mod app;
pub mod bank;
pub mod feed;
pub mod fields;
pub mod limit;
pub mod negotiate;
pub mod options;
pub mod pages;
pub mod problem;
pub mod routes;
pub mod serve;

use app::App;
use options::{DemoArgs, Origin, Plan, PlanRefused, Transport};
use serve::{Bound, Certificate};

/// Runs the demo until ctrl-c or SIGTERM. Prints the banner to standard output once it listens.
///
/// # Errors
/// [`DemoFailed`]; [`DemoFailed::is_configuration`] tells whether other arguments would help.
pub async fn run(arguments: DemoArgs) -> Result<(), DemoFailed> {
    let plan = Plan::try_from(arguments)?;
    if let Some(path) = &plan.policy {
        policy_text(path)?;
    }
    let listen = plan.listen;
    let cannot_listen = |source| DemoFailed::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(cannot_listen)?;
    let bound = listener.local_addr().map_err(cannot_listen)?;
    let stop = serve::stop_signal().map_err(DemoFailed::Signals)?;

    let origins = plan.origins(bound);
    let own = Origin::at(plan.transport.scheme(), bound);
    let certificate = match plan.transport {
        Transport::Plain => None,
        Transport::SelfMadeTls => Some(Certificate::self_made(&origins, SystemTime::now())?),
    };
    let app = App::new(plan, origins)?;
    // Nobody has to read it: a closed pipe is no reason to stop.
    let _ = io::stdout().write_all(serve::banner(&app, &own, certificate.as_ref()).as_bytes());
    if app.plan.mode == options::Mode::Test {
        tracing::warn!("test mode: cheap password hash, no limit on sign-in attempts, times may be below their floors");
    }

    let server = match &certificate {
        None => Bound::plain(listener),
        Some(certificate) => Bound::encrypted(listener, certificate),
    };
    let until_stopped = async {
        stop.await;
        app.feed.close();
    };
    server.serve(routes::router(Router::new()), until_stopped).await;
    Ok(())
}

/// Why the demo does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoFailed {
    /// Other arguments are needed; the text says which.
    #[error(transparent)]
    Plan(#[from] PlanRefused),
    /// The policy file is needed, or the option left out.
    #[error("--policy {path}: cannot be read", path = .path.display())]
    PolicyUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The policy file must be corrected.
    #[error("--policy {path}: is not TOML", path = .path.display())]
    PolicyNotToml {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
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
    /// No https.
    #[error(transparent)]
    Certificate(#[from] serve::CertificateFailed),
    /// No accounts.
    #[error("the demo accounts could not be made")]
    Accounts(#[from] accounts::HashingFailed),
}

impl DemoFailed {
    /// Whether the arguments or the policy file are at fault, not the machine.
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Plan(_) | Self::PolicyUnreadable { .. } | Self::PolicyNotToml { .. })
    }
}

/// The policy file, read and known to be TOML; what its keys mean is the library's to say.
fn policy_text(path: &Path) -> Result<String, DemoFailed> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| DemoFailed::PolicyUnreadable { path: path.to_path_buf(), source })?;
    match toml::from_str::<toml::Table>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(DemoFailed::PolicyNotToml { path: path.to_path_buf(), source: Box::new(error) }),
    }
}
