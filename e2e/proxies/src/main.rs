//! What real proxies do with the configurations the gateway writes. Knows nothing but the wire.
//!
//! Exit status: 0 all kept, 1 a promise was broken, 2 nothing could be shown.

mod args;
mod case;
mod chain;
mod http2;
mod doctor;
mod kind;
mod process;
mod server;
mod site;
mod table;
mod tls;
mod verdict;
mod wire;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use clap::Parser as _;

use crate::args::Args;
use crate::case::Case;
use crate::chain::Chain;
use crate::kind::Kind;
use crate::table::{Cell, Table};
use crate::verdict::Failure;

fn main() -> ExitCode {
    let args = Args::parse();
    let (cases, kinds, counterfoil) = (args.cases(), args.kinds(), args.counterfoil());
    for kind in &kinds {
        println!("{kind}: {}", kind.version().unwrap_or_else(|error| format!("{}: {error}", kind.program().display())));
    }
    let table = Mutex::new(Table::new(&cases, &kinds));
    thread::scope(|scope| {
        for kind in kinds {
            let (cases, counterfoil, table) = (&cases, &counterfoil, &table);
            scope.spawn(move || column(kind, cases, counterfoil, table));
        }
    });
    let table = table.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    print!("{}", table.show(args.verbose));
    ExitCode::from(table.worst())
}

/// All cases through one proxy.
fn column(kind: Kind, cases: &[Case], counterfoil: &Path, table: &Mutex<Table>) {
    let note = |case: &Case, cell| {
        if let Ok(mut table) = table.lock() {
            table.note(case.name, kind, cell);
        }
    };
    let chain = match Chain::start(kind, counterfoil) {
        Ok(chain) => chain,
        Err(failure) => {
            eprintln!("{kind}: {}", failure.in_full());
            return;
        }
    };
    for case in cases {
        chain.reset();
        let cell = match (case.run)(&chain) {
            Ok(seen) => Cell::Kept(seen),
            Err(failure @ Failure::Broken { .. }) => Cell::Broken(failure.in_full()),
            Err(failure @ Failure::Inexpressible(_)) => Cell::Inexpressible(failure.in_full()),
            Err(failure) => Cell::Unknown(format!("{}\n{}", failure.in_full(), chain.printed())),
        };
        note(case, cell);
    }
}
