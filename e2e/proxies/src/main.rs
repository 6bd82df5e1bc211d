//! What real proxies do with the configurations the gateway writes. Knows nothing but the wire.
//!
//! Exit status: 0 all kept, 1 a promise was broken, 2 nothing could be shown.

mod args;
mod case;
mod chain;
mod doctor;
mod http2;
mod journey;
mod show;
mod table;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use clap::Parser as _;

use crate::args::Args;
use crate::case::Case;
use crate::chain::Chain;
use crate::doctor::Patient;
use crate::table::{Cell, Table};
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::verdict::{Failure, Shown};

fn main() -> ExitCode {
    let args = Args::parse();
    if args.show {
        return match args.shown().run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                eprintln!("proxies: {}", failure.in_full());
                ExitCode::from(2)
            }
        };
    }
    for kind in args.kinds() {
        println!("{kind}: {}", kind.version().unwrap_or_else(|error| format!("{}: {error}", kind.program().display())));
    }
    let mut worst = Vec::new();
    if !args.doctor {
        worst.push(contract(&args));
    }
    if args.names_no_case() {
        worst.push(examinations(&args));
    }
    ExitCode::from(if worst.contains(&1) { 1 } else { worst.into_iter().max().unwrap_or_default() })
}

/// Every case through every proxy.
fn contract(args: &Args) -> u8 {
    let (cases, kinds, counterfoil) = (args.cases(), args.scripted(), args.counterfoil());
    let table = Mutex::new(Table::new(&cases, &kinds));
    thread::scope(|scope| {
        for kind in kinds {
            let (cases, counterfoil, table) = (&cases, &counterfoil, &table);
            scope.spawn(move || column(kind, cases, counterfoil, table));
        }
    });
    let table = table.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    print!("{}", table.show(args.verbose));
    table.worst()
}

/// A sign-in through every proxy, and the doctor at right configurations and spoiled ones.
fn examinations(args: &Args) -> u8 {
    let counterfoil = args.counterfoil();
    println!("\nwith the gateway itself");
    let ends = thread::scope(|scope| {
        let one = |kind| {
            let counterfoil = &counterfoil;
            scope.spawn(move || examine(kind, counterfoil))
        };
        let running: Vec<_> = args.kinds().into_iter().map(one).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|_| vec![2])).collect::<Vec<u8>>()
    });
    println!("{} of {} as they must be", ends.len() - ends.iter().filter(|end| **end != 0).count(), ends.len());
    if ends.contains(&1) { 1 } else { ends.into_iter().max().unwrap_or_default() }
}

/// All examinations of one proxy.
fn examine(kind: Kind, counterfoil: &Path) -> Vec<u8> {
    let say = |name: &str, shown: Shown| {
        let (word, text, end) = match shown {
            Ok(seen) => ("held", seen, 0),
            Err(failure @ Failure::Broken { .. }) => ("BROKEN", failure.in_full(), 1),
            Err(failure) => ("NOT SHOWN", failure.in_full(), 2),
        };
        println!("{kind:<9} {name:<16} {word}: {text}");
        end
    };
    match Patient::admit(kind, counterfoil) {
        Err(failure) => vec![say("gateway", Err(failure))],
        Ok(patient) => {
            let journey = say("journey", patient.journey());
            // The gateway keeps no record of what it is asked in this contract.
            if !kind.speaks_http() {
                return vec![journey];
            }
            let well = say("doctor", patient.is_well());
            let ill = doctor::of(kind).map(|spoil| say(spoil.name, patient.is_ill(spoil)));
            [journey, well].into_iter().chain(ill).collect()
        }
    }
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
