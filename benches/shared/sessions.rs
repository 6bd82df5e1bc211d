//! The site of the other measurements, with its sessions in a store that nodes share: the one its arguments name.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use counterfoil::SystemClock;
use counterfoil_benches::Failed;
use counterfoil_benches::server::serve_made;
use counterfoil_benches::site::{app_over, sealer};
use counterfoil_core::store::Store;
use counterfoil_stores::near_cache::{self, NearCache};
use counterfoil_stores::postgres::{self, PostgresStore};
use counterfoil_stores::redis::{self, RedisStore};

/// Serve the measured site over a store that nodes share; `shared-costs` starts it.
#[derive(Debug, Parser)]
#[command(name = "shared-sessions")]
struct Arguments {
    /// Where the sessions are: redis://… or postgres://…
    store: String,

    /// Where a node that uses Redis keeps what it ended
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// This node's memory before it
    #[arg(long)]
    near_cache: bool,
}

fn main() -> ExitCode {
    let Arguments { store, journal, near_cache } = Arguments::parse();
    serve_made(async move || {
        if store.starts_with("postgres") {
            let settings = postgres::Settings::default();
            return over(PostgresStore::open(&store, sealer()?, SystemClock, settings).await?, near_cache);
        }
        let settings = redis::Settings { journal, ..redis::Settings::default() };
        over(RedisStore::open(&store, sealer()?, SystemClock, settings).await?, near_cache)
    })
}

fn over(store: impl Store, near_cache: bool) -> Result<axum::Router, Failed> {
    if !near_cache {
        return app_over(store);
    }
    let settings = near_cache::Settings::default();
    app_over(NearCache::new(store, SystemClock, settings, |task| drop(tokio::spawn(task)))?)
}
