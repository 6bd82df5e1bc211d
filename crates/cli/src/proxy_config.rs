//! `counterfoil proxy-config`: its arguments, and where the files go.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use counterfoil_gateway::app::{AppConfig, AppName};
use counterfoil_gateway::config::ConfigError;
use counterfoil_gateway::options::{ServeArgs, Source};
use counterfoil_gateway::proxy_config::{Certificate, ProxyConfigError, ProxyFile, proxy_config};

#[derive(Debug, Args)]
pub(crate) struct ProxyConfigArgs {
    /// For which proxy
    #[arg(value_name = "PROXY")]
    proxy: ProxyArgument,

    /// Which app; not needed where there is one
    #[arg(long, value_name = "NAME")]
    app: Option<AppName>,

    /// The gateway's configuration
    ///
    /// Every key can be overridden by a variable, as for `serve`.
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_CONFIG", conflicts_with_all = ["origin", "upstream"])]
    config: Option<PathBuf>,

    /// Where browsers see the app, without a file (repeatable)
    #[arg(long, value_name = "URL")]
    origin: Vec<String>,

    /// Where the app itself is, without a file
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,

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

/// Why nothing was written, or not all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    ProxyConfig(#[from] ProxyConfigError),
    #[error("there is no app `{asked}`; there is {there}")]
    NoSuchApp { asked: AppName, there: String },
    #[error("name one by --app: there is {0}")]
    WhichApp(String),
    #[error(
        "app `{app}` is configured for {configured} (`apps.{app}.proxy`), and its decisions are for no other proxy"
    )]
    OtherProxy { app: AppName, configured: &'static str },
    #[error("{0}")]
    Write(PathBuf, #[source] io::Error),
}

impl Failed {
    /// Whether other arguments or another configuration would help.
    pub(crate) const fn is_configuration(&self) -> bool {
        !matches!(self, Self::Write(..) | Self::Config(ConfigError::Unreadable { .. }))
    }
}

/// Writes or prints the configuration.
///
/// # Errors
/// [`Failed`]
pub(crate) fn run(arguments: ProxyConfigArgs) -> Result<(), Failed> {
    let ProxyConfigArgs { proxy, app, config, origin, upstream, certificate, key, out } = arguments;
    let name = proxy.name();
    let from = ServeArgs { config, origin, upstream, proxy: Some(name.to_owned()), data: None };
    let config = Source::from(from).read()?.config;
    let app = chosen(&config.apps, app)?;
    if app.proxy.as_str() != name {
        return Err(Failed::OtherProxy { app: app.name.clone(), configured: app.proxy.as_str() });
    }
    let certificate = certificate.zip(key).map(|(chain, key)| Certificate { chain, key });
    let files = proxy_config(app.proxy, app, &config.listen, certificate.as_ref(), config.events.signals.as_ref())?;
    let Some(folder) = out else {
        print(&files);
        return Ok(());
    };
    write(&folder, &files)
}

fn chosen(apps: &[AppConfig], asked: Option<AppName>) -> Result<&AppConfig, Failed> {
    let there = || apps.iter().map(|app| format!("`{}`", app.name)).collect::<Vec<_>>().join(", ");
    match (asked, apps) {
        (Some(asked), _) => {
            let found = apps.iter().find(|app| app.name == asked);
            found.ok_or_else(|| Failed::NoSuchApp { asked, there: there() })
        }
        (None, [only]) => Ok(only),
        (None, _) => Err(Failed::WhichApp(there())),
    }
}

fn write(folder: &Path, files: &[ProxyFile]) -> Result<(), Failed> {
    fs::create_dir_all(folder).map_err(|error| Failed::Write(folder.to_owned(), error))?;
    for file in files {
        let path = folder.join(&file.name);
        fs::write(&path, &file.text).map_err(|error| Failed::Write(path.clone(), error))?;
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

impl ProxyArgument {
    /// As configurations name it.
    fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
            Self::EnvoyGrpc => "envoy-grpc",
        }
    }
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil proxy-config nginx --config counterfoil.toml
                                         to the terminal
  counterfoil proxy-config haproxy --config counterfoil.toml --app wiki \\
      --certificate /etc/haproxy/wiki.pem --key /etc/haproxy/wiki.pem --out /etc/haproxy
                                         both files into a folder
  counterfoil proxy-config caddy --origin https://wiki.example --upstream http://127.0.0.1:8080
                                         for `counterfoil serve` without a file

Exit status: 0 if it was written, 1 if a file could not be read or written, 2 if something must be changed.";
