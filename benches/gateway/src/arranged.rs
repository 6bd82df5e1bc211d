//! A gateway that is arranged as an operator would, with sessions that are there before it starts.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use counterfoil_benches::Failed;
use counterfoil_benches::server::on;
use counterfoil_core::store::DynStore;
use counterfoil_core::testing::{Jar, sign_in};
use counterfoil_core::{Engine, Subject};
use counterfoil_gateway::config::{Environment, read};
use counterfoil_gateway::gateway::Gateway;
use counterfoil_proxies::house::{at, serve};
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::process::{Process, listening};
use counterfoil_proxies::site::{FILE, HOST, RULES, Site, free_port};
use counterfoil_serve::keep::{Kept, Sessions};
use futures_util::future::try_join_all;
use tempfile::TempDir;

/// Files, addresses and cookies; what runs is started by whoever needs it.
pub(crate) struct Arranged {
    pub(crate) kind: Kind,
    /// Where browsers would find the app: the proxy's address.
    pub(crate) front: SocketAddr,
    /// Where the gateway takes questions.
    pub(crate) decision: SocketAddr,
    /// As browsers write it.
    pub(crate) host: String,
    /// One session each: `name=value`.
    pub(crate) cookies: Vec<String>,
    folder: TempDir,
}

impl Arranged {
    /// Has `counterfoil` write the proxy's configuration, and signs people in. Questions go to `decision`, or to a port that
    /// is free for the gateway.
    pub(crate) fn new(
        kind: Kind,
        counterfoil: &Path,
        upstream: SocketAddr,
        decision: Option<SocketAddr>,
        sessions: usize,
    ) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let front = at(free_port()?);
        let host = format!("{HOST}:{}", front.port());
        let decision = decision.map_or_else(|| free_port().map(at), Ok)?;
        let public = at(free_port()?);
        let origin = format!("http://{host}");
        let site = Site { kind, origin, upstream, public, decision, cookie_return: "one", rules: RULES };
        site.configure(counterfoil, folder.path(), None)?;
        let cookies = sign_everybody_in(folder.path(), sessions)?;
        Ok(Self { kind, front, decision, host, cookies, folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the gateway on `core`, or on any.
    pub(crate) fn gateway(&self, counterfoil: &Path, core: Option<usize>) -> Result<Process, Failed> {
        on(core, || Ok(serve(counterfoil, self.folder(), self.decision)?))
    }

    /// Starts the proxy with the configuration that was written.
    pub(crate) fn proxy(&self, core: Option<usize>) -> Result<Process, Failed> {
        let mut proxy = on(core, || Ok(Process::start(self.kind.command(self.folder())?, self.kind.program())?))?;
        listening(self.front, &mut proxy, self.kind.name(), || "it says why in its folder".to_owned())?;
        Ok(proxy)
    }
}

/// Through the engine, straight into the store that the gateway will open: the price of passwords is not what is measured.
fn sign_everybody_in(folder: &Path, sessions: usize) -> Result<Vec<String>, Failed> {
    let checked = read(&folder.join(FILE), &Environment::new::<String, String>([]))?;
    let config = checked.config;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let Kept { ring, sessions: kept, .. } = runtime.block_on(config.keep().open(Duration::ZERO))?;
    let store: Arc<dyn DynStore> = match kept {
        Sessions::Memory(store) => Arc::new(store),
        Sessions::Folder(store) => Arc::new(*store),
        Sessions::Redis(store) => Arc::new(*store),
        Sessions::Postgres(store) => Arc::new(*store),
    };
    let gateway = Gateway::new(&config.apps, ring, store)?;
    let site = gateway.sites().iter().next().cloned().ok_or("no app")?;
    let mut cookies = Vec::with_capacity(sessions);
    while cookies.len() < sessions {
        let next = cookies.len()..sessions.min(cookies.len() + AT_ONCE);
        cookies.extend(runtime.block_on(try_join_all(next.map(|number| cookie(site.sessions.engine(), number))))?);
    }
    Ok(cookies)
}

/// Names of one length, so that all answers are equally long.
async fn cookie(engine: &Engine, number: usize) -> Result<String, Failed> {
    let mut jar = Jar::default();
    sign_in(engine, &mut jar, &Subject::new(format!("user-{number:06}"))?).await?;
    let cookie = jar.header(engine.now()).ok_or("a sign-in without a cookie")?;
    Ok(cookie.to_str()?.to_owned())
}

/// A program of ours beside this one, which prints where it listens.
pub(crate) fn program(name: &str) -> Result<Command, Failed> {
    let folder = std::env::current_exe()?.parent().ok_or("no folder")?.to_owned();
    let mut command = Command::new(folder.join(name));
    command.stdin(Stdio::piped());
    Ok(command)
}

/// Sign-ins that wait for the disk together.
const AT_ONCE: usize = 256;
