//! What `counterfoil demo` runs: a small app with real sign-in that anyone can attack.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::Router;
use counterfoil::{
    Clock, PolicyError, SystemClock,
    origin::{Origin, OriginError},
};
use counterfoil_serve::control::{Control, Operated};
use counterfoil_serve::detector::DetectorFailed;
use counterfoil_serve::shared_signals;
use counterfoil_serve::{Bound, Certificate, CertificateFailed, keep::KeepFailed, stop_signal};
use counterfoil_telemetry::set::{Signer, SigningKey};
use counterfoil_telemetry::{EventsFailed, Running};
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
pub mod watch;

use app::{App, AppFailed, Beside};
use banner::Operator;
use chronicle::Also;
use options::{DemoArgs, Plan, PlanRefused, Transport};
use policy::{PolicyFileRefused, Written};
use watch::Watch;

/// Runs the demo until ctrl-c or SIGTERM. Prints the banner to standard output once it listens.
///
/// # Errors
/// [`DemoFailed`]; [`DemoFailed::is_configuration`] tells whether other arguments would help.
pub async fn run(mut arguments: DemoArgs) -> Result<(), DemoFailed> {
    let Written { sessions, limits: tries, events, detector } = policy::read(&mut arguments)?;
    let plan = Plan::try_from(arguments)?;
    let listen = plan.listen;
    let cannot_listen = |source| DemoFailed::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(cannot_listen)?;
    let bound = listener.local_addr().map_err(cannot_listen)?;
    let stop = stop_signal().map_err(DemoFailed::Signals)?;

    let (origins, own) = (plan.origins(bound)?, plan.own_origin(bound)?);
    let policy = policy::policy(&plan, &origins, sessions)?;
    let certificate = certificate(&plan, &origins)?;
    let limits = policy.limits();
    let longest = limits.absolute.max(limits.remember_for.unwrap_or_default());
    let kept = plan.keep.clone().open(longest).await?;
    let folder = plan.keep.folder().map(Path::to_owned);
    let events = events.within(folder.as_deref().unwrap_or(Path::new(".")));
    // Of a demo nobody keeps the keys: receivers look them up.
    let key = Arc::new(SigningKey::generate("demo").map_err(|_| AppFailed::Keys(counterfoil::KeyError::Derivation))?);
    let signer = Arc::clone(&key) as Arc<dyn Signer>;
    let events = events.start(&(Arc::new(SystemClock) as Arc<dyn Clock>), "demo", Some(&signer))?;
    let detector = detector.map(|detector| detector.within(folder.as_deref().unwrap_or(Path::new("."))).open());
    let detector = detector.transpose()?;
    let watch = match plan.metrics {
        Some(address) => Some(Watch::open(address, &events).await.map_err(DemoFailed::watched(address))?),
        None => None,
    };
    let watched = match &watch {
        Some(watch) => Some(watch.address().map_err(DemoFailed::watched(listen))?),
        None => None,
    };
    let also = Also::default().and(events.telemetry().clone());
    let also = watch.as_ref().map_or(also.clone(), |watch| also.and(watch.counted().clone()));
    let app = App::keeping(plan, policy, tries, kept, Beside { also, detector })?;
    let operated = folder.as_deref().and_then(|folder| operated(folder, &app, &events));
    let operator = folder.filter(|_| operated.is_some());
    // Nobody has to read it: a closed pipe is no reason to stop.
    let _ = io::stdout().write_all(
        banner::banner(&app, &own, certificate.as_ref(), Operator { folder: operator.as_deref(), metrics: watched })
            .as_bytes(),
    );
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
    let operated = operated.map(tokio::spawn);
    let watch = watch.map(|watch| tokio::spawn(watch.answer()));
    server.serve(routes::service(app.clone()).merge(signals(&app, &events, &key)), until_stopped).await;
    operated.into_iter().chain(watch).for_each(|task| task.abort());
    if !events.finish(LONGEST_TELLING).await {
        tracing::warn!(rule = "events", "not everybody was told of everything that happened");
    }
    Ok(())
}

/// What the listener encrypts with, where it does.
fn certificate(plan: &Plan, origins: &[Origin]) -> Result<Option<Certificate>, DemoFailed> {
    let certificate = match plan.transport {
        Transport::Plain => None,
        Transport::SelfMadeTls => Some(Certificate::self_made(origins, SystemTime::now())?),
    };
    if let (Some(file), Some(certificate)) = (&plan.certificate_to, &certificate) {
        let cannot_write = |source| DemoFailed::WriteCertificate { file: file.clone(), source };
        std::fs::write(file, certificate.pem()).map_err(cannot_write)?;
    }
    Ok(certificate)
}

/// What answers whoever runs the demo. A demo without it shows less, and is no less safe.
fn operated(folder: &Path, app: &App, events: &Running) -> Option<impl Future<Output = ()> + use<>> {
    let engine = app.site.engine().clone();
    match Control::open(folder) {
        Ok(control) => Some(control.answer(Operated::new(move || engine.clone(), events.telemetry().clone()))),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(
                rule = "control",
                folder = %folder.display(),
                error,
                "no socket there: `counterfoil sessions` and `counterfoil events` cannot ask"
            );
            None
        }
    }
}

/// What those look up, ask and tell who are configured for Shared Signals.
fn signals(app: &App, events: &Running, key: &SigningKey) -> Router {
    let Some(signals) = events.signals().cloned() else {
        return Router::new();
    };
    let (engine, jwks) = (app.site.engine().clone(), key.key_set());
    shared_signals::router(signals, move || Some(engine.clone())).merge(shared_signals::keys(jwks))
}

/// What waits for receivers at the end.
const LONGEST_TELLING: Duration = Duration::from_secs(5);

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
    /// The address for whoever watches is taken or not ours.
    #[error("--metrics {address}: cannot listen there")]
    Metrics {
        /// The address.
        address: SocketAddr,
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
    /// Events cannot go where the policy file says.
    #[error(transparent)]
    Events(#[from] EventsFailed),
    /// The detector cannot be asked as the policy file says.
    #[error("detector")]
    Detector(#[from] DetectorFailed),
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
    fn watched(address: SocketAddr) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Metrics { address, source }
    }

    /// Whether the arguments or the policy file are at fault, not the machine.
    pub const fn is_configuration(&self) -> bool {
        match self {
            Self::Plan(_)
            | Self::PolicyFile(_)
            | Self::Policy(_)
            | Self::Origin(_)
            | Self::Detector(_)
            | Self::App(AppFailed::Geo(_)) => true,
            Self::Events(error) => error.is_configuration(),
            _ => false,
        }
    }
}
