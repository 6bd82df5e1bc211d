//! `counterfoil events`: what happens, as it happens.

use std::error::Error;
use std::io::{Write as _, stdout};

use clap::Subcommand;
use counterfoil_serve::control::Heard;

use crate::folder::Data;

#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Print each event from now on, one line of JSON each, until ctrl-c
    Tail {
        /// Only these: names such as session.ended, or beginnings such as `risk.*` (repeatable)
        #[arg(long, value_name = "EVENT", value_delimiter = ',')]
        only: Vec<String>,
        #[command(flatten)]
        data: Data,
    },
}

/// Does what was asked.
pub(crate) fn run(command: EventsCommand) -> Result<(), Box<dyn Error>> {
    let EventsCommand::Tail { only, data } = command;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tail = data.caller()?.tail(&only).await?;
        eprintln!("listening; ctrl-c ends it");
        while let Some(heard) = tail.next().await? {
            match heard {
                Heard::Event(json) => {
                    // Whoever reads this has gone, as `head` does.
                    if writeln!(stdout(), "{json}").is_err() {
                        return Ok(());
                    }
                }
                Heard::Missed(some) => eprintln!("{some} events passed: they came faster than they are read here"),
            }
        }
        Err("the server has ended".into())
    })
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil events tail                                  everything, where `serve` keeps its data
  counterfoil events tail --only 'risk.*,token.*'          what may be a theft
  counterfoil events tail --data ./demo-data | jq .event   of a demo or gateway with another data folder

Each line is the event as in files, webhooks and the audit trail. What happened before is in the audit trail, if there is
one: `counterfoil trail show`.

Exit status: 0 if the reader went away, 1 if nobody answers or the server has ended, 2 for arguments that must be changed.";
