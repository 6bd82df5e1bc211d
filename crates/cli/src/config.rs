//! `counterfoil config`: what a configuration comes to, and what is wrong with it.

use std::process::ExitCode;

use clap::Subcommand;
use counterfoil_gateway::config::ConfigError;
use counterfoil_gateway::options::{CheckArgs, Source};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what is in force, or name every mistake
    ///
    /// Reads the file and the environment as `serve` does, and changes nothing.
    Check(CheckArgs),
}

/// Does what was asked.
pub(crate) fn run(command: ConfigCommand) -> ExitCode {
    let ConfigCommand::Check(arguments) = command;
    match Source::from(arguments).read() {
        Ok(checked) => {
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

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil config check --config counterfoil.toml
  COUNTERFOIL__POLICY__PRESET=aal3 counterfoil config check --config counterfoil.toml
                                                     the environment counts, as it does for `serve`

Exit status: 0 if it can be served, warnings or not; 1 if it cannot be read; 2 if something must be changed.";
