//! The ground truth for auditors of sessions, and what any of them makes of it.

mod args;
mod check;
mod corpus;
mod desk;
mod exploit;
mod foreign;
mod house;
mod install;
mod judge;
mod jwt;
mod list;
mod measure;
mod odd;
mod plan;
mod rival;
mod score;
mod site;
mod visitor;
mod web;
mod write;

use std::path::Path;
use std::process::ExitCode;
use std::thread;

use clap::Parser as _;

use crate::args::{Args, What};
use crate::corpus::Corpus;

fn main() -> ExitCode {
    let done = Corpus::read().map_err(Failure::from).and_then(|corpus| match Args::parse().what {
        What::List => {
            print!("{}", list::of(&corpus, &odd::read()?));
            Ok(ExitCode::SUCCESS)
        }
        What::Serve { name, fixed, port, write_profile } => {
            serve(&corpus, &name, fixed, port, write_profile.as_deref())
        }
        What::Check { names } => check::run(&corpus, &names),
        What::Install { rivals } => install::run(rivals),
        What::Measure(measure) => measure::run(&corpus, &measure.plan()),
    });
    done.unwrap_or_else(|failure| {
        eprintln!("corpus: {failure}");
        ExitCode::from(2)
    })
}

fn serve(corpus: &Corpus, name: &str, fixed: bool, port: u16, file: Option<&Path>) -> Result<ExitCode, Failure> {
    let pair = corpus.pair(name);
    let odd = odd::read()?.into_iter().find(|odd| odd.name == name);
    let standing = site::open(name, fixed, port)?;
    let profile = match (pair, odd) {
        (Some(pair), _) => corpus.profile(pair, standing.port),
        (None, Some(odd)) => odd.profile(standing.port),
        (None, None) => return Err(Failure::Unknown(name.to_owned())),
    };
    let (scheme, host) =
        pair.map_or(("http", "127.0.0.1"), |pair| (if pair.tls { "https" } else { "http" }, &pair.host));
    println!("{scheme}://{host}:{}", standing.port);
    match file {
        Some(file) => std::fs::write(file, profile)?,
        None => print!("{profile}"),
    }
    loop {
        thread::park();
    }
}

/// Why nothing could be shown.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Table(#[from] corpus::Wrong),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("rivals.toml: {0}")]
    Rivals(#[from] toml::de::Error),
    #[error("cannot start {0}: {1}")]
    Start(String, std::io::Error),
    #[error("{0} could not install what is needed")]
    Install(String),
    #[error("the auditor's report cannot be read: {0}")]
    Report(String),
    #[error("there is no {0}; `corpus list` says what there is")]
    Unknown(String),
}
