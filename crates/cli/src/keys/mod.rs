//! `counterfoil keys`: its arguments, and what it says.

mod retire;

use std::{error::Error, path::PathBuf};

use clap::{Args, Subcommand};
use counterfoil::keys::{FileKeys, KeyError, KeyFile, KeyId, KeyState, RetireError, RotateError};
use counterfoil::{Clock as _, Moment, Rfc3339, Span, SystemClock, SystemEntropy};

use self::retire::Retire;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a new key file
    ///
    /// It holds one key that signs, and the reference key, which is never rotated. Keep a copy in a safe place: without
    /// these keys, everybody is signed out and what is stored cannot be opened.
    New {
        #[command(flatten)]
        file: FileArgument,
        /// The longest a session may last: absolute or remember-me, whichever is longer
        ///
        /// Old keys are kept this long. The default is the longest of the presets; a site with a longer policy does not
        /// start with the file.
        #[arg(long, value_name = "SPAN", default_value = "30days")]
        sessions_last: Span,
    },
    /// Show which keys there are, which one signs, and until when the others verify
    List {
        #[command(flatten)]
        file: FileArgument,
    },
    /// Add a key: it verifies at once, and signs from now on or from a stated moment
    ///
    /// The key that signed until then goes on verifying until the last session made with it has ended; nobody is signed
    /// out. Sites that follow the file need no restart.
    Rotate {
        #[command(flatten)]
        file: FileArgument,
        /// When the new key signs: longer than it takes to bring the file to every node
        ///
        /// What one node signs, all must verify. One process that follows its file needs no delay.
        #[arg(long, value_name = "SPAN", default_value = "0s")]
        signs_in: Span,
    },
    /// Take a key out, once nothing needs it any more
    ///
    /// Refused while sessions may rest on the key. For a leaked key: `rotate` first, then `retire ID --now`. With the
    /// server stopped, `--store` counts the sessions that end and names the first of them before it asks.
    Retire(Retire),
    /// Seal everything in a store anew that is sealed with a key that signs no more
    ///
    /// Ends nothing. Afterwards the store needs the old key no more; tokens made with it still may. Stop the server
    /// first. May be cut short and begun again.
    Reseal {
        /// The folder of the store
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        #[command(flatten)]
        file: FileArgument,
    },
}

#[derive(Debug, Args)]
pub(crate) struct FileArgument {
    /// The key file; only its owner may read it
    #[arg(long, visible_alias = "key-file", value_name = "PATH", env = "COUNTERFOIL_KEY_FILE")]
    file: PathBuf,
}

/// A key's id, checked.
#[derive(Debug, Clone)]
pub(crate) struct KeyArgument(KeyId);

impl std::str::FromStr for KeyArgument {
    type Err = counterfoil::keys::BadKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        KeyId::new(text).map(Self)
    }
}

/// Does what was asked. `false` if somebody who was asked said no.
pub(crate) fn run(command: KeysCommand) -> Result<bool, Box<dyn Error>> {
    let now = SystemClock.now();
    match command {
        KeysCommand::New { file, sessions_last } => new(&FileKeys::at(file.file), sessions_last, now)?,
        KeysCommand::List { file } => list(&FileKeys::at(file.file), now)?,
        KeysCommand::Rotate { file, signs_in } => rotate(&FileKeys::at(file.file), signs_in, now)?,
        KeysCommand::Reseal { folder, file } => {
            let archive = crate::store::open(&folder, &FileKeys::at(file.file))?;
            crate::store::reseal(&archive)?;
        }
        KeysCommand::Retire(asked) => return asked.run(now),
    }
    Ok(true)
}

fn new(keys: &FileKeys, sessions_last: Span, now: Moment) -> Result<(), Box<dyn Error>> {
    let file = KeyFile::generate(now, sessions_last.into(), &SystemEntropy)?;
    keys.create(&file)?;
    if let Some(key) = file.entries().next() {
        println!("{}: made, with key `{}`, for sessions of {sessions_last} at most", keys.path().display(), key.id);
    }
    println!("Keep a copy in a safe place: without it everybody is signed out, and what is stored cannot be opened.");
    Ok(())
}

fn list(keys: &FileKeys, now: Moment) -> Result<(), KeyError> {
    let file = keys.read()?;
    println!("{:<10}{:<11}{:<22}{:<22}until", "key", "state", "created", "signs from");
    for key in file.entries() {
        let until =
            key.until.map_or("the next one is added, and then some".to_owned(), |until| Rfc3339(until).to_string());
        let state = file.state(&key, now);
        println!("{:<10}{state:<11}{:<22}{:<22}{until}", key.id.as_str(), Rfc3339(key.created), Rfc3339(key.signs));
    }
    println!(
        "\nSessions last {} at most; a key is kept that long, and an hour, after it signed last.",
        Span::from(file.sessions_last())
    );
    Ok(())
}

fn rotate(keys: &FileKeys, signs_in: Span, now: Moment) -> Result<(), Box<dyn Error>> {
    let (new, old) = keys.change(|file| {
        let old: Vec<_> = file.entries().filter(|key| file.state(key, now) == KeyState::Signs).collect();
        Ok::<_, Failed>((file.rotate(now, signs_in.into(), &SystemEntropy)?, old))
    })?;
    if new.signs <= now {
        println!("key `{}` verifies and signs from now on", new.id);
    } else {
        let from = Rfc3339(new.signs);
        println!(
            "key `{}` verifies from now on, and signs from {from} on: bring the file to every node before",
            new.id
        );
    }
    for key in old {
        let until = keys.read()?.entries().find(|entry| entry.id == key.id).and_then(|entry| entry.until);
        if let Some(until) = until {
            println!(
                "key `{}` verifies until {}: the last session made with it has ended by then",
                key.id,
                Rfc3339(until)
            );
        }
    }
    Ok(())
}

/// A change that was not made.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum Failed {
    Keys(#[from] KeyError),
    Rotate(#[from] RotateError),
    Retire(#[from] RetireError),
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil keys new --file keys                 one key that signs, and the reference key
  counterfoil keys rotate --file keys              a new key signs from now on
  counterfoil keys rotate --file keys --signs-in 10m
                                                   time to bring the file to every node
  counterfoil keys list --file keys                which key is good for what, and until when
  counterfoil keys retire m4x7qa --file keys       once it has ended
  counterfoil keys retire m4x7qa --file keys --now a leaked key, after `rotate`
  counterfoil keys retire m4x7qa --file keys --now --store /var/lib/shop/sessions
                                                   the same, and says first which sessions end

Exit status: 0 if it was done, 1 if not, 2 for arguments that must be changed.";
