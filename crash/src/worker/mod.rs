//! A process with a store: opens it, looks whether all is there that must be, works with it until it is told to stop or
//! killed.

mod browser;
mod site;
mod user;
mod verify;

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use counterfoil_stores::embedded::{Archive, EmbeddedStore};
use futures_executor::block_on;
use futures_util::future::join_all;

use self::site::Site;
pub(crate) use self::site::Trouble;
use crate::note::Phase;
use crate::says::Says;

/// How a worker is called: by the harness, never by a person.
#[derive(Debug, Clone, Args)]
pub(crate) struct WorkerArgs {
    /// The store's folder
    #[arg(long)]
    pub(crate) folder: PathBuf,
    /// Where it notes what it asks and is answered; what stands there already has happened
    #[arg(long)]
    pub(crate) notes: PathBuf,
    /// Its dice
    #[arg(long)]
    pub(crate) seed: u64,
    /// How many deeds; without, it works until its input ends. None at all: it only looks
    #[arg(long)]
    pub(crate) deeds: Option<u64>,
    /// Bytes of session data beside the counter
    #[arg(long, default_value_t = 64)]
    pub(crate) ballast: usize,
}

/// Works. What it finds goes to its output, a line each.
pub(crate) fn run(arguments: &WorkerArgs) -> ExitCode {
    match work(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            println!("{}", Says::from(trouble));
            ExitCode::FAILURE
        }
    }
}

fn work(arguments: &WorkerArgs) -> Result<(), Trouble> {
    let notes = site::Notes::open(&arguments.notes)?;
    for looked in 0..2 {
        notes.phase(Phase::Opening)?;
        let site = Site::open(arguments, &notes)?;
        notes.phase(Phase::Verifying)?;
        let sessions = block_on(verify::all(&site, looked == 0))?;
        println!("{}", Says::Looked { sessions });
        // A second look finds what the first one, or a restart without a crash, would bring back.
        if looked == 0 {
            drop(site);
            check(arguments)?;
        } else if arguments.deeds != Some(0) {
            load(arguments, site, &notes)?;
        }
    }
    notes.phase(Phase::Closed)?;
    println!("{}", Says::Closed);
    Ok(())
}

/// What `counterfoil store check` looks for.
fn check(arguments: &WorkerArgs) -> Result<(), Trouble> {
    let archive = Archive::open(&arguments.folder, site::sealer()?).map_err(Trouble::Refused)?;
    let checked = archive.check(&mut |_| {})?;
    for finding in &checked.findings {
        let text = format!("{} {}: {}", finding.space, finding.key, finding.what);
        println!("{}", Says::Finding { text });
    }
    println!("{}", Says::Checked { entries: checked.entries });
    Ok(())
}

/// Browsers in several threads, several in each, until it is enough.
fn load(arguments: &WorkerArgs, site: Site, notes: &site::Notes) -> Result<(), Trouble> {
    let site = Arc::new(site);
    notes.phase(Phase::Loading)?;
    if arguments.deeds.is_none() {
        let site = Arc::downgrade(&site);
        std::thread::spawn(move || {
            // Its end, or an error, is the word to stop.
            let _ = std::io::stdin().read(&mut [0]);
            if let Some(site) = site.upgrade() {
                site.stop();
            }
        });
    }
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (site, seed) = (Arc::clone(&site), arguments.seed);
            std::thread::spawn(move || {
                let users = (0..USERS_EACH).map(|user| user::live(&site, thread * USERS_EACH + user, seed));
                block_on(join_all(users)).into_iter().collect::<Result<Vec<()>, _>>()
            })
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| Trouble::Panicked)??;
    }
    notes.phase(Phase::Closing)?;
    site.close();
    Ok(())
}

/// Opens the store; what a start is refused with is an answer too.
fn open(arguments: &WorkerArgs) -> Result<EmbeddedStore, Trouble> {
    let opened = EmbeddedStore::open(&arguments.folder, site::sealer()?, site::small());
    opened.map_err(Trouble::Refused)
}

const THREADS: u32 = 3;
const USERS_EACH: u32 = 8;
