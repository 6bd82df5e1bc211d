//! Our auditor over published applications, unchanged, and what is true of their sessions by a look of its own.

mod app;
mod auditor;
mod browser;
mod compare;
mod house;
mod page;
mod profile;
mod state;
mod table;
mod truth;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::app::Which;
use crate::compare::Row;

/// Runs the auditor over published applications and compares its verdicts with what they really do.
#[derive(Debug, Parser)]
#[command(name = "audit-apps")]
struct Args {
    /// The program under test
    #[arg(long, value_name = "PATH", default_value = "target/release/counterfoil")]
    counterfoil: PathBuf,

    /// This application alone; may be repeated
    #[arg(long, value_name = "NAME", value_enum)]
    only: Vec<Which>,

    /// Tell what is true and where it was seen, also where the auditor says the same
    #[arg(long)]
    verbose: bool,

    /// Write the table into this page, between its marks
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let wanted = if args.only.is_empty() { Which::ALL.to_vec() } else { args.only.clone() };
    let mut rows = Vec::new();
    let mut broken = 0;
    for which in wanted {
        match compare::one(which, &args.counterfoil) {
            Ok(row) => {
                print!("{}", row.told(args.verbose));
                rows.push(row);
            }
            Err(failure) => {
                println!("{}: {failure}", which.name());
                broken += 1;
            }
        }
    }
    let good = rows.iter().filter(|row| row.is_good()).count();
    println!("\n{good} of {} applications: every verdict that was compared is right", rows.len() + broken);
    if let Some(page) = &args.write
        && let Err(error) = table::write(page, &rows)
    {
        eprintln!("audit-apps: {}: {error}", page.display());
        return ExitCode::from(2);
    }
    if broken == 0 && rows.iter().all(Row::is_good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }
}
