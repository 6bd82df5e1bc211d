//! The command `counterfoil`: arguments to calls, nothing else.

mod audit;
mod config;
mod doctor;
mod events;
mod explain;
mod folder;
mod keys;
mod log;
mod proxy_config;
mod replay;
mod sessions;
mod store;
mod terminal;
mod trail;
mod user;

use std::{error::Error, process::ExitCode};

use audit::AuditArgs;
use clap::{Parser, Subcommand};
use config::ConfigCommand;
use counterfoil_demo::options::DemoArgs;
use counterfoil_gateway::options::ServeArgs;
use counterfoil_serve::Log;
use doctor::DoctorArgs;
use events::EventsCommand;
use explain::ExplainArgs;
use keys::KeysCommand;
use log::LogFormat;
use proxy_config::ProxyConfigArgs;
use replay::ReplayArgs;
use sessions::SessionsCommand;
use store::StoreCommand;
use tracing_subscriber::filter::Targets;
use trail::TrailCommand;
use user::UserCommand;

/// Counterfoil, the session layer for web apps and APIs
#[derive(Debug, Parser)]
#[command(name = "counterfoil", version, propagate_version = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// What to log to standard error: a level, or levels by target such as warn,counterfoil=debug
    #[arg(long, global = true, value_name = "FILTER", default_value = "info", env = "COUNTERFOIL_LOG")]
    log: Targets,

    /// How to log: lines for people, or an object of JSON to each line
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", env = "COUNTERFOIL_LOG_FORMAT")]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a small app with real sign-in, and try to steal your own session
    ///
    /// Prints the address, the accounts and what was assumed; open the address in a browser. Sessions and their keys are
    /// kept in a folder of yours: after a restart everybody is still signed in.
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(DemoArgs),

    /// Protect apps in any language, behind any proxy
    ///
    /// Prints what it protects, what it assumed and what to do next. Three listeners: for browsers, for the proxy, and for
    /// whoever watches.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),

    /// Look at the configuration of the gateway
    #[command(subcommand, after_help = config::EXAMPLES, arg_required_else_help = true)]
    Config(ConfigCommand),

    /// Say in plain words what is in force, where it falls short of a standard, and what is kept about people
    ///
    /// Lifetimes, limits, what ends sessions, what is decided on signs of theft; deviations from NIST SP 800-63B-4 and OWASP
    /// ASVS 5.0 with what to change; which personal data is kept, why, where and for how long. With --diff, what of that
    /// changed: for a build that fails when somebody weakens it. Nothing is changed, and no server is asked.
    #[command(after_help = explain::EXAMPLES)]
    Explain(ExplainArgs),

    /// Make and rotate the keys of a site
    ///
    /// The keys are in one file that only its owner may read. Nothing here prints key material.
    #[command(subcommand, after_help = keys::EXAMPLES, arg_required_else_help = true)]
    Keys(KeysCommand),

    /// Look after a folder of sessions: check, back up, restore, move; or after a server that nodes share: check, migrate
    ///
    /// The folder is that of an embedded store. Nothing else may work in it meanwhile; stop the server first. A Redis or
    /// PostgreSQL is looked at while nodes work with it.
    #[command(subcommand, after_help = store::EXAMPLES, arg_required_else_help = true)]
    Store(StoreCommand),

    /// Look at the sessions of a running server, and end some
    ///
    /// Whose they are, what was verified, where they were used and what speaks against that. What is ended is over at once, on
    /// every node.
    #[command(subcommand, after_help = sessions::EXAMPLES, arg_required_else_help = true)]
    Sessions(SessionsCommand),

    /// Watch what happens to the sessions of a running server
    #[command(subcommand, after_help = events::EXAMPLES, arg_required_else_help = true)]
    Events(EventsCommand),

    /// Look after the audit trail: verify it, read it, erase a person from it
    #[command(subcommand, after_help = trail::EXAMPLES, arg_required_else_help = true)]
    Trail(TrailCommand),

    /// Say who may sign in at the gateway's own pages
    ///
    /// For set-ups without an identity provider. Accounts are in the gateway's data folder; a running gateway follows
    /// them within seconds.
    #[command(subcommand, after_help = user::EXAMPLES, arg_required_else_help = true)]
    User(UserCommand),

    /// Write a proxy's configuration: every request for an app is asked about first
    ///
    /// The comments in it say what each line defends against. Nothing is changed on this machine but the files named.
    #[command(after_help = proxy_config::EXAMPLES, arg_required_else_help = true)]
    ProxyConfig(ProxyConfigArgs),

    /// Attack a deployed site through its own proxy, and say what to change in the proxy's configuration
    ///
    /// Sends spoofed headers, odd request lines and the like, and looks at what reaches the gateway and what would reach
    /// the app. The app itself is left alone, and nothing stays changed.
    #[command(after_help = doctor::EXAMPLES, arg_required_else_help = true)]
    Doctor(DoctorArgs),

    /// Prove from outside what is wrong with any site's session handling
    ///
    /// Signs in, and tries what an attacker would: a planted session, a copied cookie after sign-out, a request from
    /// another site. Each finding has its evidence, its controls and a fix in the words of the framework.
    #[command(after_help = audit::EXAMPLES, arg_required_else_help = true)]
    Audit(AuditArgs),

    /// Play recorded sequences of requests, and see what theft detection makes of them
    ///
    /// Each is played through the real engine, with a clock and a policy of its own: what would be noticed, what would be
    /// decided, and who would be let in.
    #[command(after_help = replay::EXAMPLES, arg_required_else_help = true)]
    Replay(ReplayArgs),
}

impl Command {
    /// Whether requests would wait for a log line to be read.
    const fn serves(&self) -> bool {
        matches!(self, Self::Demo(_) | Self::Serve(_))
    }
}

const DEMO_EXAMPLES: &str = "\
Examples:
  counterfoil demo                       http://127.0.0.1:8080
  counterfoil demo --https               the same with Secure cookies, as in production
  counterfoil demo --memory              keeps nothing: every session ends with the process
  counterfoil demo --data ./sessions     keeps sessions and keys in a folder of your choice
  counterfoil demo --listen 0.0.0.0:8443 --https --origin https://192.0.2.7:8443
                                         reachable from other machines
  counterfoil demo --origin https://demo.example.org --trusted-proxy 127.0.0.1
                                         behind a proxy on this machine that speaks https
  counterfoil demo --test-mode --listen 127.0.0.1:0 --rotate-every 2s --grace 500ms
                                         on a free port, weakened for automated tests

Exit status: 0 after ctrl-c or SIGTERM, 1 if it cannot run, 2 for arguments or a policy that must be changed.";

const SERVE_EXAMPLES: &str = "\
Examples:
  counterfoil serve                                  one app at http://127.0.0.1:8080, for whoever is signed in
  counterfoil serve --origin https://wiki.example --upstream http://127.0.0.1:3000 --proxy caddy
                                                     the same for an app of yours
  counterfoil serve --config counterfoil.toml        as the file says; SIGHUP reads it again
  COUNTERFOIL__LISTEN__PUBLIC=127.0.0.1:9500 counterfoil serve --config counterfoil.toml
                                                     any key can be overridden so

Exit status: 0 after ctrl-c or SIGTERM, 1 if it cannot run, 2 for arguments or a configuration that must be changed.";

fn main() -> ExitCode {
    let Arguments { command, log: filter, log_format } = Arguments::parse();
    let log = match log::begin(filter, log_format, command.serves()) {
        Ok(log) => log,
        Err(error) => return failed(&error, ExitCode::FAILURE),
    };
    match command {
        Command::Demo(arguments) => demo(arguments, &log),
        Command::Serve(arguments) => serve(arguments, &log),
        Command::Config(command) => config::run(command),
        Command::Explain(arguments) => match explain::run(arguments) {
            Ok(code) => code,
            Err(error) => failed(&*error, ExitCode::from(2)),
        },
        Command::Keys(command) => found(keys::run(command)),
        Command::Store(command) => found(store::run(command)),
        Command::Sessions(command) => found(sessions::run(command)),
        Command::Events(command) => match events::run(command) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&*error, ExitCode::FAILURE),
        },
        Command::Trail(command) => found(trail::run(command)),
        Command::User(command) => match user::run(command) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&*error, ExitCode::FAILURE),
        },
        Command::Doctor(arguments) => match doctor::run(arguments) {
            Ok(report) if report.broken() > 0 => ExitCode::FAILURE,
            Ok(report) if report.unknown() > 0 => ExitCode::from(2),
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => failed(&error, ExitCode::from(2)),
        },
        Command::Audit(arguments) => match audit::run(&arguments) {
            Ok(code) => code,
            Err(error) => failed(&*error, ExitCode::from(2)),
        },
        Command::Replay(arguments) => match replay::run(&arguments) {
            Ok(code) => code,
            Err(error) => failed(&*error, ExitCode::from(2)),
        },
        Command::ProxyConfig(arguments) => match proxy_config::run(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) if error.is_configuration() => failed(&error, ExitCode::from(2)),
            Err(error) => failed(&error, ExitCode::FAILURE),
        },
    }
}

/// Of a command that says whether all is well.
fn found(well: Result<bool, Box<dyn Error>>) -> ExitCode {
    match well {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failed(&*error, ExitCode::FAILURE),
    }
}

fn demo(arguments: DemoArgs, log: &Log) -> ExitCode {
    run(counterfoil_demo::run(arguments), counterfoil_demo::DemoFailed::is_configuration, log)
}

fn serve(arguments: ServeArgs, log: &Log) -> ExitCode {
    let server = counterfoil_gateway::serve(arguments, log.clone());
    run(server, counterfoil_gateway::server::ServeFailed::is_configuration, log)
}

fn run<E: Error>(
    server: impl Future<Output = Result<(), E>>,
    is_configuration: impl Fn(&E) -> bool,
    log: &Log,
) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error, ExitCode::FAILURE),
    };
    let ended = runtime.block_on(server);
    log.finish(log::LONGEST_FLUSH);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_configuration(&error) => failed(&error, ExitCode::from(2)),
        Err(error) => failed(&error, ExitCode::FAILURE),
    }
}

/// One line with all causes, as clap prints its own.
fn failed(error: &dyn Error, code: ExitCode) -> ExitCode {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Some libraries repeat their causes in their own words.
        if !text.ends_with(&inner.to_string()) {
            text = format!("{text}: {inner}");
        }
        cause = inner.source();
    }
    eprintln!("error: {text}");
    code
}
