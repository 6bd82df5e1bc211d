//! The proxies: where each program is, and how it is started with a generated configuration.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::ValueEnum;

/// A proxy, and the contract it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// nginx: `auth_request`.
    Nginx,
    /// Traefik: `forwardAuth`.
    Traefik,
    /// Caddy: `forward_auth`.
    Caddy,
    /// HAProxy: our action in Lua.
    Haproxy,
    /// Envoy: `ext_authz` over HTTP.
    Envoy,
    /// Envoy: `ext_authz` over gRPC.
    EnvoyGrpc,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Nginx, Self::Traefik, Self::Caddy, Self::Haproxy, Self::Envoy, Self::EnvoyGrpc];

    /// Whether its contract is one that a scripted decision endpoint speaks.
    pub fn speaks_http(self) -> bool {
        self != Self::EnvoyGrpc
    }

    /// As `counterfoil proxy-config` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
            Self::EnvoyGrpc => "envoy-grpc",
        }
    }

    /// What its program is called.
    const fn program_name(self) -> &'static str {
        match self {
            Self::EnvoyGrpc => "envoy",
            _ => self.name(),
        }
    }

    /// The path of a decision about app `app`, for a request with this target.
    pub fn decision(self, target: &str) -> String {
        match self {
            Self::Nginx => "/authz/auth-request/app".to_owned(),
            Self::Traefik | Self::Caddy | Self::Haproxy => "/authz/forward-auth/app".to_owned(),
            Self::Envoy | Self::EnvoyGrpc => format!("/authz/ext-authz/app{target}"),
        }
    }

    /// The status that allows.
    pub const fn allowed(self) -> u16 {
        match self {
            Self::Envoy | Self::EnvoyGrpc => 200,
            _ => 204,
        }
    }

    /// The version line of the program.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn version(self) -> io::Result<String> {
        let word = match self {
            Self::Nginx | Self::Haproxy => "-v",
            Self::Traefik | Self::Caddy => "version",
            Self::Envoy | Self::EnvoyGrpc => "--version",
        };
        let output = Command::new(self.program()).arg(word).output()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        Ok(text.lines().find(|line| line.chars().any(|c| c.is_ascii_digit())).unwrap_or_default().trim().to_owned())
    }

    /// The program: named by a variable such as `NGINX_BIN`, installed by us, or the system's.
    pub fn program(self) -> PathBuf {
        if let Some(named) = std::env::var_os(format!("{}_BIN", self.program_name().to_uppercase())) {
            return named.into();
        }
        let ours = Path::new("target/proxies/bin").join(self.program_name());
        let sbin = Path::new("/usr/sbin").join(self.program_name());
        // Where `/usr/sbin` is not on the path. Envoy's own program comes first: what lies in `bin` only calls it, and would
        // be what is ended instead.
        let found = self.wrapped().into_iter().chain([ours, sbin]).find(|path| path.is_file());
        found.unwrap_or_else(|| self.program_name().into())
    }

    /// Where Envoy's package keeps the program.
    fn wrapped(self) -> Option<PathBuf> {
        let versions = fs::read_dir("target/proxies/lib").ok()?.flatten();
        let inside = |version: fs::DirEntry| version.path().join("site-packages/envoy/_bin/envoy");
        if matches!(self, Self::Envoy | Self::EnvoyGrpc) {
            versions.map(inside).find(|path| path.is_file())
        } else {
            None
        }
    }

    /// The command that runs it in the foreground, as one process, on the files in `folder`. Its own state stays there.
    ///
    /// # Errors
    /// If a file beside the generated ones cannot be written.
    pub fn command(self, folder: &Path) -> io::Result<Command> {
        let program = self.program();
        let program = if program.components().count() > 1 { fs::canonicalize(program)? } else { program };
        let mut command = Command::new(program);
        match self {
            Self::Nginx => {
                fs::write(folder.join("nginx.conf"), NGINX)?;
                command.arg("-p").arg(folder).args(["-e", "error.log", "-c", "nginx.conf"]);
            }
            Self::Traefik => {
                command.args(["--configFile=traefik.yml", "--log.level=WARN"]);
            }
            Self::Caddy => {
                fs::write(folder.join("Caddyfile"), CADDY)?;
                command.args(["run", "--adapter", "caddyfile", "--config", "Caddyfile"]);
                command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
            }
            Self::Haproxy => {
                command.args(["-db", "-f", "counterfoil-app.cfg"]);
            }
            Self::Envoy | Self::EnvoyGrpc => {
                // Several run beside each other; without an epoch of its own each would look for one before it.
                command.args([
                    "-c",
                    "counterfoil-app.yaml",
                    "--concurrency",
                    "1",
                    "--disable-hot-restart",
                    "-l",
                    "warning",
                ]);
            }
        }
        let log = fs::File::create(folder.join(LOG))?;
        command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// What a proxy printed, in its folder.
pub const LOG: &str = "printed.log";

/// One process, and nothing outside the folder it is started in.
const NGINX: &str = "\
daemon off;
master_process off;
pid nginx.pid;
error_log error.log info;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxied;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    # For the case with 2 MB; it is the app's matter, not the decision's.
    client_max_body_size 8m;
    include counterfoil-app.conf;
}
";

/// Nothing but the app: no ports, no certificates, no traces of a run.
const CADDY: &str = "\
{
    admin off
    auto_https off
    persist_config off
}
import counterfoil-app.caddy
";
