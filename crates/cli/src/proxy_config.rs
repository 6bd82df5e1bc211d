//! `counterfoil proxy-config`: its arguments, and where the files go.

use std::{error::Error, net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use counterfoil::{Policy, PolicySettings};
use counterfoil_gateway::app::{Algorithm, AppConfig, AppName, CookieReturn, Proxy};
use counterfoil_gateway::config::Listen;
use counterfoil_gateway::proxy_config::{Certificate, ProxyFile, proxy_config};
use counterfoil_gateway::rules::Rules;

#[derive(Debug, Args)]
pub(crate) struct ProxyConfigArgs {
    /// For which proxy
    #[arg(value_name = "PROXY")]
    proxy: ProxyArgument,

    /// The name of the app
    #[arg(long, value_name = "NAME", default_value = "app")]
    app: AppName,

    /// Where browsers find the app; may be repeated
    #[arg(long, value_name = "ORIGIN", required = true)]
    origin: Vec<String>,

    /// Where the app itself listens
    #[arg(long, value_name = "URL")]
    upstream: String,

    /// Where the gateway listens for browsers, by way of the proxy
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9400")]
    public: SocketAddr,

    /// Where the gateway listens for the proxy itself
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9401")]
    decision: SocketAddr,

    /// Whether session cookies come back with the app's answers
    ///
    /// `none` for apps that hold an answer back longer than a rotation takes: then cookies are renewed on pages of ours.
    #[arg(long, value_name = "HOW", default_value = "one")]
    cookie_return: CookieArgument,

    /// The certificate of the app's hosts, with those above it, in PEM
    #[arg(long, value_name = "PATH", requires = "key")]
    certificate: Option<PathBuf>,

    /// Its private key, in PEM
    #[arg(long, value_name = "PATH", requires = "certificate")]
    key: Option<PathBuf>,

    /// Write the files into this folder instead of to the terminal
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ProxyArgument {
    Nginx,
    Traefik,
    Caddy,
    Haproxy,
    Envoy,
    EnvoyGrpc,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CookieArgument {
    One,
    None,
}

/// Writes or prints the configuration.
///
/// # Errors
/// What must be changed in the arguments, or why a file could not be written.
pub(crate) fn run(arguments: &ProxyConfigArgs) -> Result<(), Box<dyn Error>> {
    let app = arguments.app()?;
    let listen = Listen { public: arguments.public, decision: arguments.decision, health: arguments.public };
    let certificate = arguments.certificate.clone().zip(arguments.key.clone());
    let certificate = certificate.map(|(chain, key)| Certificate { chain, key });
    let files = proxy_config(app.proxy, &app, &listen, certificate.as_ref())?;
    match &arguments.out {
        Some(folder) => write(folder, &files)?,
        None => print(&files),
    }
    Ok(())
}

impl ProxyConfigArgs {
    fn app(&self) -> Result<AppConfig, Box<dyn Error>> {
        let policy = PolicySettings { origins: self.origin.clone(), ..PolicySettings::default() };
        let upstream = self.upstream.parse().map_err(|error| format!("--upstream {}: {error}", self.upstream))?;
        Ok(AppConfig {
            name: self.app.clone(),
            proxy: self.proxy.into(),
            policy: Policy::try_from(policy)?,
            rules: Rules::default(),
            cookie_return: self.cookie_return.into(),
            assertion: Algorithm::default(),
            upstream: Some(upstream),
        })
    }
}

fn write(folder: &PathBuf, files: &[ProxyFile]) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder).map_err(|error| format!("--out {}: {error}", folder.display()))?;
    for file in files {
        let path = folder.join(&file.name);
        std::fs::write(&path, &file.text).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

/// One after another; where there are several, each below its name.
fn print(files: &[ProxyFile]) {
    for file in files {
        if files.len() > 1 {
            println!("##### {}", file.name);
        }
        print!("{}", file.text);
    }
}

impl From<ProxyArgument> for Proxy {
    fn from(argument: ProxyArgument) -> Self {
        match argument {
            ProxyArgument::Nginx => Self::Nginx,
            ProxyArgument::Traefik => Self::Traefik,
            ProxyArgument::Caddy => Self::Caddy,
            ProxyArgument::Haproxy => Self::Haproxy,
            ProxyArgument::Envoy => Self::Envoy,
            ProxyArgument::EnvoyGrpc => Self::EnvoyGrpc,
        }
    }
}

impl From<CookieArgument> for CookieReturn {
    fn from(argument: CookieArgument) -> Self {
        match argument {
            CookieArgument::One => Self::One,
            CookieArgument::None => Self::None,
        }
    }
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil proxy-config nginx --origin https://wiki.example --upstream http://127.0.0.1:8080
                                         to the terminal
  counterfoil proxy-config haproxy --app wiki --origin https://wiki.example --upstream http://127.0.0.1:8080 \\
      --certificate /etc/haproxy/wiki.pem --key /etc/haproxy/wiki.pem --out /etc/haproxy
                                         both files into a folder

Exit status: 0 if it was written, 1 if a file could not be written, 2 for arguments that must be changed.";
