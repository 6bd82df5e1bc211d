//! `counterfoil config`: what a configuration comes to, and what is wrong with it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use counterfoil::SystemClock;
use counterfoil_gateway::app::AppName;
use counterfoil_gateway::assertion::SharedKeys;
use counterfoil_gateway::config::ConfigError;
use counterfoil_gateway::options::{CheckArgs, Source};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what is in force, or name every mistake
    ///
    /// Reads the file and the environment as `serve` does, and changes nothing.
    Check(CheckArgs),
    /// Hand out the keys that an app with `assertion = "hs256"` verifies with
    ///
    /// As `kid=key kid=key`, first the one that signs. Who has them can make assertions for this app, and for no other. They
    /// rotate with the gateway's file `assertion-keys`: after `counterfoil keys rotate` ask again, and give the app all that
    /// come. The new key signs no sooner than ten minutes later.
    SharedKey(SharedKeyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SharedKeyArgs {
    /// The app
    app: AppName,
    #[command(flatten)]
    configuration: CheckArgs,
    /// Write them to this file, which its owner alone may read; one that is there is replaced
    #[arg(long, value_name = "FILE", required_unless_present = "print")]
    out: Option<PathBuf>,
    /// Print them: whoever sees the terminal, or keeps what it says, has them
    #[arg(long, conflicts_with = "out")]
    print: bool,
}

/// Does what was asked.
pub(crate) fn run(command: ConfigCommand) -> ExitCode {
    match command {
        ConfigCommand::Check(arguments) => check(arguments),
        ConfigCommand::SharedKey(arguments) => shared_key(arguments),
    }
}

fn check(arguments: CheckArgs) -> ExitCode {
    match Source::from(arguments).read() {
        Ok(checked) => {
            // Read, so that nobody finds out at the next start.
            if let Err(error) = checked.config.places() {
                eprintln!("error: {error}");
                return ExitCode::from(2);
            }
            if let Err(error) = checked.config.events.check() {
                return crate::failed(&error, ExitCode::from(2));
            }
            if let Err(error) = checked.config.detector() {
                eprintln!("error: detector.{error}");
                return ExitCode::from(2);
            }
            print!("{}", checked.config);
            if !checked.assumed.is_empty() {
                println!("\nassumed");
            }
            for (key, value) in &checked.assumed {
                println!("  {key} is {value}");
            }
            for warning in &checked.warnings {
                eprintln!("warning: {warning}");
            }
            ExitCode::SUCCESS
        }
        Err(ConfigError::Mistakes(mistakes)) => {
            for mistake in &mistakes {
                eprintln!("error: {mistake}");
            }
            ExitCode::from(2)
        }
        Err(error) => crate::failed(&error, ExitCode::FAILURE),
    }
}

fn shared_key(arguments: SharedKeyArgs) -> ExitCode {
    let SharedKeyArgs { app, configuration, out, .. } = arguments;
    let config = match Source::from(configuration).read() {
        Ok(checked) => checked.config,
        Err(error @ ConfigError::Mistakes(_)) => return crate::failed(&error, ExitCode::from(2)),
        Err(error) => return crate::failed(&error, ExitCode::FAILURE),
    };
    let keys = match SharedKeys::of(&config, &app, SystemClock) {
        Ok(keys) => keys,
        Err(error) if error.is_configuration() => return crate::failed(&error, ExitCode::from(2)),
        Err(error) => return crate::failed(&error, ExitCode::FAILURE),
    };
    match out {
        None => println!("{}", keys.as_str()),
        Some(path) => {
            if let Err(error) = keys.write(&path) {
                eprintln!("error: {}: {error}", path.display());
                return ExitCode::FAILURE;
            }
            println!("{}: {}", path.display(), keys.kids().join(", "));
        }
    }
    let file = config.assertion_keys();
    eprintln!("`counterfoil keys rotate --file {}` makes the next one: then hand them out again", file.display());
    ExitCode::SUCCESS
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil config check --config counterfoil.toml
  COUNTERFOIL__POLICY__PRESET=aal3 counterfoil config check --config counterfoil.toml
                                                     the environment counts, as it does for `serve`
  counterfoil config shared-key wiki --config counterfoil.toml --out /etc/wiki/counterfoil-keys
                                                     what an app that verifies HS256 has to be told

Exit status: 0 if it can be served, warnings or not; 1 if it cannot be read; 2 if something must be changed.";
