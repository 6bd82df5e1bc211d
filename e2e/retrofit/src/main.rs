//! What becomes of published applications behind the gateway, in a real browser. Knows nothing but the wire and the
//! `DevTools` socket.
//!
//! Exit status: 0 all as it must be, 1 a promise was broken, 2 something could not be shown.

mod app;
mod args;
mod attack;
mod everyday;
mod notes;
mod stage;
mod table;
mod verdict;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::Parser as _;
use counterfoil_browser::chromium::{Believes, Chromium, Launch};
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::server::{Answer, Says, Server};
use counterfoil_proxies::site::HOST;
use counterfoil_proxies::tls::Tls;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{Program, Which, dokuwiki::DokuWiki, jupyterlab::JupyterLab, otterwiki::OtterWiki};
use crate::args::Args;
use crate::notes::Notes;
use crate::stage::{Stage, resolver_rules};
use crate::table::{Column, Table};
use crate::verdict::Failure;

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_run(&error.into()),
    };
    runtime.block_on(run(&args)).unwrap_or_else(|failure| cannot_run(&failure))
}

/// Until all is done or somebody interrupts; either way every process is gone afterwards.
async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = run_all(args) => done,
        _ = interrupt.recv() => Ok(ExitCode::from(2)),
        _ = terminate.recv() => Ok(ExitCode::from(2)),
    }
}

async fn run_all(args: &Args) -> Result<ExitCode, Failure> {
    let mut versions = Vec::new();
    for app in args.apps() {
        versions.push(format!("{app} {}", app.version()?));
    }
    for kind in &args.proxy {
        versions.push(kind.version()?);
    }
    let (mut table, began) = (Table::default(), Instant::now());
    for app in args.apps() {
        for kind in args.proxy.iter().copied() {
            let column = column(args, app, kind).await?;
            report(args, &column);
            table.add(column);
        }
    }
    versions.push(browser(&args.chromium, &Tls::new(HOST)?, "").await?.0.version().await?);
    let versions = versions.join("; ");
    println!("{}{versions}; {:.0} s", table.show(), began.elapsed().as_secs_f64());
    if let Some(page) = &args.write {
        table.write(page, &format!("Last written with {versions}."))?;
    }
    Ok(ExitCode::from(table.worst()))
}

/// One application behind one proxy: its days and its attacks, each with data of its own.
async fn column(args: &Args, app: Which, kind: Kind) -> Result<Column, Failure> {
    let mut notes = Notes::default();
    match app {
        Which::Dokuwiki => both::<DokuWiki>(args, kind, &mut notes).await?,
        Which::Jupyterlab => both::<JupyterLab>(args, kind, &mut notes).await?,
        Which::Otterwiki => both::<OtterWiki>(args, kind, &mut notes).await?,
    }
    Ok(Column { app, kind, notes })
}

async fn both<P: Program + 'static>(args: &Args, kind: Kind, notes: &mut Notes) -> Result<(), Failure> {
    for everyday in [true, false] {
        let elsewhere = Server::open(Says::Answer(Answer::new(200)))?;
        let tls = Tls::new(HOST)?;
        let (browser, _profile) = browser(&args.chromium, &tls, &resolver_rules(elsewhere.address)).await?;
        let (counterfoil, devtools) = (args.counterfoil(), browser.devtools().clone());
        let open = move || Stage::open::<P>(kind, &counterfoil, &tls, elsewhere, devtools);
        let stage = Arc::new(tokio::task::spawn_blocking(open).await??);
        let done =
            if everyday { everyday::all::<P>(&stage, notes).await } else { attack::all::<P>(&stage, notes).await };
        if done.is_none() || notes.iter().any(|(_, shown)| shown.is_err()) {
            let name = format!("{}-{kind}-{}", P::NAME, if everyday { "everyday" } else { "attack" });
            for picture in stage.opened.pictures(&args.pictures, &name).await {
                println!("  {picture}");
            }
        }
        // Its processes are waited for.
        tokio::task::spawn_blocking(move || drop(stage)).await?;
    }
    Ok(())
}

/// A browser on a profile of its own, which finds the other site by name.
async fn browser(program: &Path, tls: &Tls, rules: &str) -> Result<(Chromium, TempDir), Failure> {
    let profile = tempfile::tempdir()?;
    let folder = profile.path().join("Default");
    std::fs::create_dir_all(&folder)?;
    // A private window would withhold cookies from other sites' requests whatever their `SameSite`.
    std::fs::write(folder.join("Preferences"), r#"{"profile":{"cookie_controls_mode":0}}"#)?;
    let believes = Believes::Keys(vec![BASE64_STANDARD.encode(digest(&SHA256, tls.public_key()))]);
    let launch = Launch { program: program.to_owned(), rules: rules.to_owned(), believes };
    Ok((launch.start(profile.path()).await?, profile))
}

fn report(args: &Args, column: &Column) {
    for (row, shown) in column.notes.iter() {
        let (word, text) = match shown {
            Ok(seen) if args.verbose => ("as it must be", seen.clone()),
            Ok(_) => continue,
            Err(failure) if failure.is_broken_promise() => ("BROKEN", failure.in_full()),
            Err(failure) => ("NOT SHOWN", failure.in_full()),
        };
        println!("{} behind {}: {row} {word}: {text}", column.app, column.kind);
    }
}

fn cannot_run(failure: &Failure) -> ExitCode {
    eprintln!("retrofit: {}", failure.in_full());
    ExitCode::from(2)
}
