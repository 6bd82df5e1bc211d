//! `counterfoil store migrate`, and what the other commands say of the format that is written.

use std::error::Error;
use std::fmt;

use counterfoil::stores::Format;
use counterfoil::stores::embedded::Archive;
use counterfoil_serve::upkeep::{self, Migrated, Migration};

use super::StoreArgument;
use super::shared::{Named, wait};

/// Says in which format records are written.
pub(super) struct Written(pub(super) Format);

pub(super) fn migrate(store: &StoreArgument, dry_run: bool) -> Result<(), Box<dyn Error>> {
    let sealer = store.keys.sealer();
    let (place, migrated): (Box<dyn fmt::Display>, _) = match Named::of(&store.store.0)? {
        Named::Folder(folder) => {
            let archive = Archive::open(&folder, sealer?)?;
            let from = Some(archive.format());
            let migrated = match dry_run {
                _ if from == Some(Format::LATEST) => Migrated::Current,
                true => Migrated::Planned(from, None),
                false => archive.migrate().map(|_| Migrated::Done(from))?,
            };
            (Box::new(folder.display().to_string()), migrated)
        }
        Named::Server(place) => {
            let migration = if dry_run { Migration::Dry } else { Migration::Real };
            let migrated = wait(&place, upkeep::migrate(&place, &sealer?, migration))?;
            (Box::new(place), migrated)
        }
    };
    say(&*place, migrated);
    Ok(())
}

fn say(place: &dyn fmt::Display, migrated: Migrated) {
    let to = Format::LATEST.version();
    match migrated {
        Migrated::Current => println!("{place}: {}; nothing to do", Written(Format::LATEST)),
        Migrated::Done(None) => println!("{place}: made; {}", Written(Format::LATEST)),
        Migrated::Done(Some(from)) => println!(
            "{place}: session records are written in format {to} from now on, no more in {}. Those that are there were not \
             changed: they are read as ever, and take it when they next change",
            from.version()
        ),
        Migrated::Planned(from, sql) => {
            if let Some(sql) = sql {
                println!("-- {place}: `counterfoil store migrate` would run this, in one transaction\n{sql}");
            }
            match from {
                None => eprintln!("{place}: nothing is there yet; the first node that starts makes it as this would"),
                Some(from) => eprintln!(
                    "{place}: `counterfoil store migrate` would have session records written in format {to}, no more in {}. \
                     Those that are there would not be changed: they are read as ever, and take it when they next change. A \
                     version that knows only format {} could not use this store any more: migrate once every node runs this \
                     version",
                    from.version(),
                    from.version()
                ),
            }
            eprintln!("{place}: nothing was changed");
        }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "session records are written in format {}", self.0.version())?;
        if self.0 < Format::LATEST {
            let latest = Format::LATEST.version();
            write!(
                out,
                "; once every node runs this version, `counterfoil store migrate` has them written in {latest}"
            )?;
        }
        Ok(())
    }
}
