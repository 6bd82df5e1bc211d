//! `counterfoil store`: its arguments, its progress bars, and what it says.

mod migration;
mod shared;

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write as _, stdin, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use counterfoil::stores::embedded::{Archive, Sealer, Sessions, import};
use counterfoil::{Clock as _, EnvironmentKeys, FileKeys, SystemClock, keys::SharedRing};
use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressState, ProgressStyle};

use self::shared::{Deed, Named, no_server};

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Look at every entry of a folder: whether it can be read, is what was written, and agrees with the others; or whether a
    /// node could start on a server
    ///
    /// Changes nothing, but that an empty Redis is marked as one of these keys. Exit status 1 if something is wrong.
    Check {
        #[command(flatten)]
        store: StoreArgument,
    },
    /// Count what lies in a folder
    Stats {
        #[command(flatten)]
        folder: FolderArgument,
    },
    /// Copy everything into an empty folder
    Backup {
        #[command(flatten)]
        folder: FolderArgument,
        /// Where to: an empty folder, or one that does not exist yet
        into: PathBuf,
    },
    /// Make a store of a backup, in which nobody is signed in
    ///
    /// Whoever signed out since the backup must not be signed in by it, so all its sessions end.
    Restore {
        /// The folder of the backup
        #[arg(value_name = "BACKUP")]
        backup: PathBuf,
        /// Where to: an empty folder, or one that does not exist yet
        into: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Write everything as JSON lines; what is sealed stays sealed
    Export {
        #[command(flatten)]
        folder: FolderArgument,
        /// The file to write, which must not exist; standard output if it is left out
        #[arg(value_name = "FILE")]
        into: Option<PathBuf>,
    },
    /// Make a store of an export, in which nobody is signed in
    Import {
        /// The export; `-` for standard input
        #[arg(value_name = "FILE")]
        export: PathBuf,
        /// Where to: an empty folder, or one that does not exist yet
        into: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Have sessions written in the format of this version from now on: once every node runs it
    ///
    /// Nothing that lies there is changed: records are read as ever, and take the format when they next change. Nodes that run
    /// go on, and notice within seconds; an earlier version cannot use the store any more. A folder must not be in use
    /// meanwhile. In a PostgreSQL without tables it makes them, in one transaction.
    Migrate {
        #[command(flatten)]
        store: StoreArgument,
        /// Say what would be done (for a PostgreSQL, as SQL), and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// A store, and its keys.
#[derive(Debug, Args)]
pub(crate) struct StoreArgument {
    /// The folder of the store, or a server's address: redis://…, rediss://…, postgres://…
    ///
    /// Others see what is on a command line: give an address that has a password in it as the variable.
    #[arg(value_name = "STORE", env = "COUNTERFOIL__STORE", hide_env_values = true)]
    store: Written,
    #[command(flatten)]
    keys: KeysArgument,
}

/// What somebody wrote. It may have a password in it.
#[derive(Clone)]
struct Written(OsString);

/// A folder, and its keys.
#[derive(Debug, Args)]
pub(crate) struct FolderArgument {
    /// The folder of the store
    #[arg(value_name = "DIR")]
    folder: Written,
    #[command(flatten)]
    keys: KeysArgument,
}

/// What a restore and an import have in common.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Keep its sessions signed in, ALSO THOSE THAT SIGNED OUT SINCE; only to move a store nobody used meanwhile
    #[arg(long)]
    danger_keep_sessions: bool,
    #[command(flatten)]
    keys: KeysArgument,
}

#[derive(Debug, Args)]
pub(crate) struct KeysArgument {
    /// The key file of the site; without it the keys are in `COUNTERFOIL_KEYS` and `COUNTERFOIL_REFERENCE_KEY`
    #[arg(long, value_name = "PATH", env = "COUNTERFOIL_KEY_FILE")]
    key_file: Option<PathBuf>,
}

/// Does what was asked. `false` if something is wrong with the store.
pub(crate) fn run(command: StoreCommand) -> Result<bool, Box<dyn Error>> {
    match command {
        StoreCommand::Check { store } => return checked(&store),
        StoreCommand::Stats { folder } => stats(&folder.open(Deed::Count)?)?,
        StoreCommand::Backup { folder, into } => {
            no_server(&into, Deed::Move)?;
            let archive = folder.open(Deed::BackUp)?;
            let bar = bar("copied", archive.about());
            let copied = archive.back_up(&into, &mut |done| bar.set_position(done))?;
            bar.finish_and_clear();
            println!("{}: a backup of {}", into.display(), entries(copied));
        }
        StoreCommand::Restore { backup, into, common } => restored(&backup, &into, &common)?,
        StoreCommand::Export { folder, into } => export(&folder.open(Deed::Move)?, into.as_deref())?,
        StoreCommand::Import { export, into, common } => imported(&export, &into, &common)?,
        StoreCommand::Migrate { store, dry_run } => migration::migrate(&store, dry_run)?,
    }
    Ok(true)
}

fn checked(store: &StoreArgument) -> Result<bool, Box<dyn Error>> {
    match Named::of(&store.store.0)? {
        Named::Folder(folder) => check(&Archive::open(&folder, store.keys.sealer()?)?),
        Named::Server(place) => shared::check(&place, store.keys.sealer()?),
    }
}

fn check(archive: &Archive) -> Result<bool, Box<dyn Error>> {
    let bar = bar("checked", archive.about());
    let checked = archive.check(&mut |done| bar.set_position(done))?;
    bar.finish_and_clear();
    for finding in &checked.findings {
        println!("{} {}: {}", finding.space, finding.key, finding.what);
    }
    if checked.more > 0 {
        println!("… and {} more", HumanCount(checked.more));
    }
    let wrong = checked.findings.len() as u64 + checked.more;
    match wrong {
        0 => {
            println!("{}: {}, all sound", archive.path().display(), entries(checked.entries));
            println!("{}: {}", archive.path().display(), migration::Written(archive.format()));
        }
        _ => println!(
            "{}: something is wrong with {} of {}; restore a backup",
            archive.path().display(),
            HumanCount(wrong),
            entries(checked.entries)
        ),
    }
    Ok(wrong == 0)
}

fn stats(archive: &Archive) -> Result<(), Box<dyn Error>> {
    let bar = bar("counted", archive.about());
    let stats = archive.stats(&mut |done| bar.set_position(done))?;
    bar.finish_and_clear();
    let rows = [
        ("sessions", HumanCount(stats.sessions).to_string(), "those that are over and not swept yet included"),
        ("earlier", HumanCount(stats.earlier).to_string(), "of these, written by an earlier version; good as they are"),
        ("devices", HumanCount(stats.memos).to_string(), "subjects whose devices are known"),
        ("tombstones", HumanCount(stats.tombstones).to_string(), "sessions that were ended"),
        ("unreadable", HumanCount(stats.unreadable).to_string(), "`store check` names them"),
        ("subjects", HumanCount(stats.subjects).to_string(), "whose sessions were all ended at once"),
        ("references", HumanCount(stats.references).to_string(), "names that others have for sessions"),
        ("data", HumanBytes(stats.bytes).to_string(), "keys and values"),
        ("on disk", HumanBytes(stats.bytes_on_disk).to_string(), "files, their spare room included"),
    ];
    for (what, count, means) in rows {
        println!("{what:<12}{count:>14}  {means}");
    }
    println!("{}", migration::Written(archive.format()));
    Ok(())
}

fn restored(backup: &Path, into: &Path, common: &Common) -> Result<(), Box<dyn Error>> {
    no_server(backup, Deed::Restore)?;
    no_server(into, Deed::Restore)?;
    let archive = Archive::open(backup, common.keys.sealer()?)?;
    let bar = bar("restored", archive.about());
    let mut progress = |done| bar.set_position(done);
    let restored = archive.restore(into, common.sessions(), SystemClock.now(), &mut progress)?;
    bar.finish_and_clear();
    println!("{}: {} restored; {}", into.display(), entries(restored), common.what_became());
    Ok(())
}

fn export(archive: &Archive, into: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let bar = bar("exported", archive.about());
    let mut progress = |done| bar.set_position(done);
    let exported = match into {
        None => archive.export(&mut stdout().lock(), &mut progress)?,
        Some(path) => {
            let file = File::create_new(path).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => at(path, "is there already; take another name", error),
                _ => at(path, "cannot make this file", error),
            })?;
            let mut out = BufWriter::new(&file);
            let exported = archive.export(&mut out, &mut progress)?;
            out.flush().and_then(|()| file.sync_all()).map_err(|error| at(path, "cannot write this file", error))?;
            exported
        }
    };
    bar.finish_and_clear();
    if let Some(path) = into {
        println!("{}: {}", path.display(), entries(exported));
    }
    Ok(())
}

fn imported(export: &Path, into: &Path, common: &Common) -> Result<(), Box<dyn Error>> {
    no_server(into, Deed::Move)?;
    let sealer = common.keys.sealer()?;
    let mut quiet = |_| {};
    let imported = if export == Path::new("-") {
        import(&mut stdin().lock(), into, &sealer, common.sessions(), SystemClock.now(), &mut quiet)?
    } else {
        let file = File::open(export).map_err(|error| at(export, "cannot read this file", error))?;
        let bytes = file.metadata().map(|metadata| metadata.len()).unwrap_or_default();
        let bar = bar("read", bytes).with_style(style(BYTES));
        let mut reader = BufReader::new(bar.wrap_read(file));
        let imported = import(&mut reader, into, &sealer, common.sessions(), SystemClock.now(), &mut quiet)?;
        bar.finish_and_clear();
        imported
    };
    println!("{}: {} imported; {}", into.display(), entries(imported.entries), common.what_became());
    Ok(())
}

impl FolderArgument {
    fn open(&self, deed: Deed) -> Result<Archive, Box<dyn Error>> {
        let folder = Named::of(&self.folder.0)?.folder(deed)?;
        Ok(Archive::open(&folder, self.keys.sealer()?)?)
    }
}

impl From<OsString> for Written {
    fn from(text: OsString) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Written(…)")
    }
}

impl KeysArgument {
    fn sealer(&self) -> Result<Sealer, Box<dyn Error>> {
        let ring = match &self.key_file {
            Some(path) => SharedRing::from_source(&FileKeys::at(path)),
            None => SharedRing::from_source(&EnvironmentKeys),
        };
        Ok(Sealer::new(ring?))
    }
}

impl Common {
    const fn sessions(&self) -> Sessions {
        if self.danger_keep_sessions { Sessions::KeepAlthoughSignOutsAreForgotten } else { Sessions::End }
    }

    const fn what_became(&self) -> &'static str {
        match self.sessions() {
            Sessions::End => "everybody signs in again",
            Sessions::KeepAlthoughSignOutsAreForgotten => {
                "its sessions go on, ALSO THOSE THAT WERE ENDED SINCE; end them all if that may be so"
            }
        }
    }
}

/// Opens a store for maintenance, with the keys of a file.
pub(crate) fn open(folder: &Path, keys: &FileKeys) -> Result<Archive, Box<dyn Error>> {
    Ok(Archive::open(folder, Sealer::new(SharedRing::from_source(keys)?))?)
}

/// Seals everything in a store anew with the key that signs now.
pub(crate) fn reseal(archive: &Archive) -> Result<(), Box<dyn Error>> {
    let bar = bar("looked at", archive.about());
    let resealed = archive.reseal(&mut |done| bar.set_position(done))?;
    bar.finish_and_clear();
    println!(
        "{}: {} sealed anew, {} already were",
        archive.path().display(),
        entries(resealed.renewed),
        HumanCount(resealed.current)
    );
    match resealed.unreadable {
        0 => Ok(()),
        left => Err(format!(
            "{} left as they are, for they do not open; `counterfoil store check` names them",
            entries(left)
        )
        .into()),
    }
}

/// So many of them.
fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{} entries", HumanCount(count)) }
}

/// A bar on standard error; nothing where that is no terminal.
pub(crate) fn bar(doing: &'static str, about: u64) -> ProgressBar {
    ProgressBar::new(about).with_message(doing).with_style(style(ENTRIES))
}

/// How a bar looks. How long it will take is said once that can be told.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("left", |state: &ProgressState, out: &mut dyn fmt::Write| {
        if state.elapsed() >= SOON {
            // A bar that cannot be written is not worth an error.
            let _ = write!(out, ", {:#} left", HumanDuration(state.eta()));
        }
    })
}

/// A file that failed us.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
struct FileFailed {
    path: PathBuf,
    what: &'static str,
    source: io::Error,
}

fn at(path: &Path, what: &'static str, source: io::Error) -> FileFailed {
    FileFailed { path: path.to_owned(), what, source }
}

const ENTRIES: &str = "{bar:40} {human_pos} of about {human_len} {msg}{left}";
const BYTES: &str = "{bar:40} {binary_bytes} of {binary_total_bytes} {msg}{left}";
/// Guesses from the first moments are far off.
const SOON: Duration = Duration::from_secs(2);

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil store check /var/lib/shop/sessions --key-file /etc/shop/keys
  counterfoil store backup /var/lib/shop/sessions /backup/sessions-monday --key-file /etc/shop/keys
  counterfoil store restore /backup/sessions-monday /var/lib/shop/sessions-new --key-file /etc/shop/keys
  counterfoil store export /var/lib/shop/sessions sessions.jsonl --key-file /etc/shop/keys
  counterfoil store check rediss://cache.internal --key-file /etc/shop/keys
  counterfoil store migrate rediss://cache.internal --dry-run --key-file /etc/shop/keys
  counterfoil store migrate postgres://shop@db.internal/shop --dry-run --key-file /etc/shop/keys

Exit status: 0 if all is well, 1 if something is wrong or it cannot be done, 2 for arguments.";
