//! The running server: its listeners, what happens at each signal, and the end.

mod banner;
mod household;
mod reload;

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use counterfoil::accounts::Cost;
use counterfoil::geo::{Databases, GeoError};
use counterfoil::stores::embedded::{EmbeddedStore, Sealer};
use counterfoil::stores::near_cache::NearCache;
use counterfoil::{Clock, Event, EventSink as _, FileKeys, KeyError, Store, SystemClock};
use counterfoil_core::store::DynStore;
use counterfoil_serve::control::{Control, Operated};
use counterfoil_serve::detector::DetectorFailed;
use counterfoil_serve::inherited::{Inherited, NotInherited};
use counterfoil_serve::keep::{KeepFailed, Kept, Sessions};
use counterfoil_serve::{Bound, Bounds, Log, stop_signal};
use counterfoil_telemetry::set::Signer;
use counterfoil_telemetry::{EventsFailed, Running};
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::accounts::{self, Accounts, SelfServiceRefused};
use crate::assertion::Assertions;
use crate::authz::Decisions;
use crate::config::{Checked, Config, ConfigError};
use crate::doctor::Doctor;
use crate::gateway::Gateway;
use crate::ops::{self, Health, NearCacheFigures, Phase};
use crate::options::Source;
use crate::pages::{History, Local};

/// What the listeners for browsers and for proxies serve. The health listener's routes are [`ops::router`].
#[derive(Debug, Clone)]
pub struct Routers {
    /// For browsers: `/.session/…` and `/.well-known/counterfoil/…`.
    pub public: Router,
    /// For proxies: `/authz/…`.
    pub decision: Decisions,
}

/// Why the gateway does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeFailed {
    /// The configuration must be corrected; the text names each mistake.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address is taken or not ours: free it, or configure another.
    #[error("listen.{name} {address}: cannot listen there")]
    Listen {
        /// Which listener.
        name: &'static str,
        /// Its address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// What the service manager handed over is of no use.
    #[error(transparent)]
    Inherited(#[from] NotInherited),
    /// The system lets nobody wait for signals.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
    /// Sessions and keys cannot be opened.
    #[error("sessions and keys cannot be opened")]
    Keep(#[from] KeepFailed),
    /// The keys do not suit a policy.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A database of places cannot be used; the text says why.
    #[error(transparent)]
    Geo(#[from] GeoError),
    /// Events cannot go where it is configured; the text says why.
    #[error(transparent)]
    Events(#[from] EventsFailed),
    /// The operator's detector cannot be asked; the text says why.
    #[error("detector")]
    Detector(#[from] DetectorFailed),
    /// The accounts cannot be read; the text says why.
    #[error("the accounts in the data folder cannot be used")]
    Accounts(#[from] SelfServiceRefused),
}

impl ServeFailed {
    /// Whether the configuration is at fault, not the machine.
    pub const fn is_configuration(&self) -> bool {
        match self {
            Self::Config(ConfigError::Mistakes(_)) | Self::Geo(_) | Self::Detector(_) => true,
            Self::Events(error) => error.is_configuration(),
            _ => false,
        }
    }
}

/// Runs the gateway until ctrl-c or SIGTERM; SIGHUP reads the configuration again. Prints to standard output what it
/// protects, what it assumed and what to do next.
///
/// # Errors
/// [`ServeFailed`]; [`ServeFailed::is_configuration`] tells whether another configuration would help.
pub async fn run<R>(source: Source, log: Log, routers: R) -> Result<(), ServeFailed>
where
    R: FnOnce(&Gateway, &Local) -> Routers,
{
    allow_connections();
    let checked = source.read()?;
    for warning in &checked.warnings {
        tracing::warn!(rule = "config", "{warning}");
    }
    let stop = stop_signal().map_err(ServeFailed::Signals)?;
    let reloads = reload::signals().map_err(ServeFailed::Signals)?;
    let listeners = Listeners::open(&checked.config)?;
    let house = House::open(&checked.config, log).await?;
    let routers = routers(&house.gateway, &house.local);
    // What was changed while nobody ran is in force from the first answer. What could not be taken up is tried again.
    if let Err(error) = accounts::settle(&house.local.accounts, &house.gateway).await {
        tracing::error!(error = &error as &dyn Error, "changed accounts could not be taken up");
    }
    // Nobody has to read it: a closed pipe is no reason to stop.
    let _ = io::stdout().write_all(banner::banner(&checked, source.file(), &listeners.addresses()).as_bytes());

    let housekeeping = tokio::spawn(household::keep(house.gateway.clone(), house.keys.clone()));
    let following = tokio::spawn(accounts::follow(house.local.accounts.clone(), house.gateway.clone()));
    let operated = operated(&checked.config, &house).map(tokio::spawn);
    let reloading = tokio::spawn(reload::at_each(reloads, source, checked.config.clone(), house.gateway.clone()));
    tell_service_manager(&[NotifyState::Ready]);
    listeners.serve(&checked, routers, house.health.clone(), stop).await;
    reloading.abort();
    housekeeping.abort();
    following.abort();
    if let Some(operated) = operated {
        operated.abort();
    }
    if !house.events.finish(LONGEST_TELLING).await {
        tracing::warn!(
            rule = "events",
            "not everybody was told of everything that happened; the audit trail has it, if there is one"
        );
    }
    // The last write is on the disk when the store is gone.
    drop(house);
    tracing::info!("stopped");
    Ok(())
}

/// What answers the operator. A gateway without it is no less safe.
fn operated(config: &Config, house: &House) -> Option<impl Future<Output = ()> + use<>> {
    let (gateway, first) = (house.gateway.clone(), house.gateway.operator()?);
    let engine = move || gateway.operator().unwrap_or_else(|| first.clone());
    match Control::open(&config.data) {
        Ok(control) => Some(control.answer(Operated::new(engine, house.events.telemetry().clone()))),
        Err(error) => {
            let error = &error as &dyn Error;
            tracing::error!(rule = "control", folder = %config.data.display(), error, "no socket there: `counterfoil sessions` and `events` cannot ask");
            None
        }
    }
}

/// The gateway, and what it lives on.
struct House {
    gateway: Gateway,
    events: Running,
    local: Local,
    keys: Option<FileKeys>,
    health: Health,
}

impl House {
    async fn open(config: &Config, log: Log) -> Result<Self, ServeFailed> {
        // Before anything is made that a start would leave behind.
        let places = config.places()?;
        if let Some(places) = &places {
            places.follow(Databases::EVERY);
        }
        config.events.check()?;
        let detector = config.detector()?;
        let limits = config.apps.iter().map(|app| app.policy.limits());
        let longest = limits.map(|limits| limits.absolute.max(limits.remember_for.unwrap_or_default())).max();
        let kept = config.keep().open(longest.unwrap_or_default()).await?;
        let limiter = kept.limiter(config.limits.clone());
        let Kept { ring, sessions, file, .. } = kept;
        let Opened { store, count, near_cache } = Opened::from(sessions);
        let history = Arc::new(History::default());
        let assertions = Arc::new(Assertions::in_file(&config.assertion_keys(), SystemClock)?);
        let signer = Arc::clone(&assertions) as Arc<dyn Signer>;
        let events = config.events.clone().start(&(Arc::new(SystemClock) as Arc<dyn Clock>), &node(), Some(&signer))?;
        let told = Arc::clone(&history);
        let builder = Gateway::builder(ring.clone(), store).assertions(assertions).doctor(Doctor::at(&config.data));
        let gateway = builder
            .limits(limiter)
            .places(places)
            .detector(detector)
            .events(move |event: &Event| told.emit(event))
            .telemetry(events.telemetry().clone())
            .signals(events.signals().cloned())
            .build(&config.apps)?;
        events.counted_by(gateway.meters().events());
        if let Some(time) = gateway.time() {
            // A clock that is off is told now, not with the first request; being put right needs no other start.
            time.look().await;
        }
        let accounts = Accounts::open(accounts::Folder::at(&config.data), Sealer::new(ring), Cost::Owasp)?;
        let local = Local { accounts, history };
        let count = move |now| count.as_ref().map(|store| store.sessions(now));
        let health = Health::new(gateway.clone(), count).remembering(near_cache).with(log);
        Ok(Self { gateway, events, local, keys: file, health })
    }
}

/// What this node is called where many tell: its host, where the system knows one.
fn node() -> String {
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    host.unwrap_or_else(|| "counterfoil".to_owned())
}

/// The store, and who tells of it.
struct Opened {
    store: Arc<dyn DynStore>,
    count: Option<Arc<EmbeddedStore>>,
    near_cache: Option<NearCacheFigures>,
}

impl Opened {
    fn before<S: Store>(near_cache: Box<NearCache<S>>) -> Self {
        let near_cache = Arc::<NearCache<S>>::from(near_cache);
        let store = Arc::clone(&near_cache) as Arc<dyn DynStore>;
        let figures = move || (near_cache.figures(), near_cache.settings().bound);
        Self { store, count: None, near_cache: Some(Arc::new(figures)) }
    }
}

impl From<Sessions> for Opened {
    fn from(sessions: Sessions) -> Self {
        match sessions {
            Sessions::Memory(store) => Self { store: Arc::new(store), count: None, near_cache: None },
            Sessions::Folder(store) => {
                let store = Arc::<EmbeddedStore>::from(store);
                Self { store: Arc::clone(&store) as Arc<dyn DynStore>, count: Some(store), near_cache: None }
            }
            Sessions::Redis(store) => Self::before(store),
            Sessions::Postgres(store) => Self::before(store),
        }
    }
}

/// The sockets.
struct Listeners {
    public: TcpListener,
    decision: TcpListener,
    health: TcpListener,
}

impl Listeners {
    /// Those that were handed over, and new ones for the rest.
    fn open(config: &Config) -> Result<Self, ServeFailed> {
        let mut inherited = Inherited::take()?;
        let mut open =
            |name, address| inherited.or_bind(address).map_err(|source| ServeFailed::Listen { name, address, source });
        let listen = config.listen;
        let listeners = Self {
            public: open("public", listen.public)?,
            decision: open("decision", listen.decision)?,
            health: open("health", listen.health)?,
        };
        inherited.all_used()?;
        Ok(listeners)
    }

    /// Where they really are: port 0 takes a free one.
    fn addresses(&self) -> [(&'static str, Option<SocketAddr>); 3] {
        let named = [("public", &self.public), ("decision", &self.decision), ("health", &self.health)];
        named.map(|(name, listener)| (name, listener.local_addr().ok()))
    }

    /// Serves until `stop`, and then what is under way. Whoever watches is told to the last.
    async fn serve(self, checked: &Checked, routers: Routers, health: Health, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        let until = |mut stopped: watch::Receiver<bool>| async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        let (over, all_over) = watch::channel(false);
        let proxies = |listener| Bound::plain(listener).within(Bounds::OF_PROXIES);
        let public = match &checked.config.proxy_protocol {
            None => proxies(self.public),
            Some(peers) => proxies(self.public).announced_by(peers.clone()),
        };
        let decisions = ops::measured(routers.decision, health.gateway());
        let public = public.serve(routers.public, until(stopped.clone()));
        let decision = proxies(self.decision).with_plain_http2().serve(decisions, until(stopped));
        let watched = proxies(self.health).serve(ops::router(health.clone()), until(all_over));
        health.enter(Phase::Serving);
        let to_the_end = async {
            let until_stopped = async {
                stop.await;
                health.enter(Phase::Stopping);
                tell_service_manager(&[NotifyState::Stopping]);
                tracing::info!("stopping: what is under way is answered first");
                stopping.send_replace(true);
            };
            tokio::join!(public, decision, until_stopped);
            over.send_replace(true);
        };
        tokio::join!(to_the_end, watched);
    }
}

/// As many files as the system allows this process at all: each connection is one.
fn allow_connections() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised =
        getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files could not be raised; connections beyond it wait");
    }
}

/// Tells systemd, where it started this process; nobody else is asked.
fn tell_service_manager(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager was not told");
    }
}

/// What waits for receivers at the end; a service manager allows more.
const LONGEST_TELLING: Duration = Duration::from_secs(5);
