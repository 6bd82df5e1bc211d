//! Taking a key out: what ends with it, and whether that is meant.

use std::error::Error;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Args;
use counterfoil::keys::{FileKeys, KeyEntry, KeyFile, KeyId, KeyState};
use counterfoil::stores::embedded::{Archive, Resting};
use counterfoil::{Moment, Rfc3339};
use indicatif::HumanCount;

use super::{Failed, FileArgument, KeyArgument};
use crate::store;
use crate::terminal::{agreed, shown};

/// What was asked.
#[derive(Debug, Args)]
pub(crate) struct Retire {
    /// Which key, as `list` shows it
    id: KeyArgument,
    #[command(flatten)]
    file: FileArgument,
    /// Take it out though sessions rest on it: they end
    #[arg(long)]
    now: bool,
    /// Say which sessions of this embedded store end, and seal anew what it sealed with the key; stop the server first
    #[arg(long, value_name = "DIR", requires = "now")]
    store: Option<PathBuf>,
    /// Do not ask
    #[arg(long, requires = "now")]
    yes: bool,
}

impl Retire {
    /// Takes the key out. `false` if somebody who was asked said no.
    pub(super) fn run(self, now: Moment) -> Result<bool, Box<dyn Error>> {
        let (keys, id) = (FileKeys::at(self.file.file), self.id.0);
        let file = keys.read()?;
        let needed = file.entries().find(|key| key.id == id && file.state(key, now) == KeyState::Verifies);
        if let Some(key) = needed.filter(|_| self.now) {
            let store = self.store.as_deref().map(|folder| store::open(folder, &keys)).transpose()?;
            eprintln!("{}", what_ends(&file, &key));
            if let Some(archive) = &store {
                let resting = resting(archive, id, file.may_have_signed(&key), now)?;
                say_who_is_signed_out(archive.path(), &resting);
            }
            if !self.yes && !agreed("Take it out?")? {
                eprintln!("nothing was changed");
                return Ok(false);
            }
            if let Some(archive) = &store {
                store::reseal(archive)?;
            }
        }
        keys.change(|file| file.retire(id, now, self.now).map_err(Failed::from))?;
        println!("key `{id}` is taken out; sites that follow the file no longer know it");
        Ok(true)
    }
}

/// What follows when a key is taken out before its end.
fn what_ends(file: &KeyFile, key: &KeyEntry) -> String {
    let to = file.signed_until(key).map_or("now".to_owned(), |next| Rfc3339(next).to_string());
    format!(
        "Key `{}` signed from {} to {to}. Every session whose token was made with it ends: those that were signed in \
         then\nand have not been renewed since. Their users are asked to sign in again.",
        key.id,
        Rfc3339(key.signs)
    )
}

fn resting(archive: &Archive, key: KeyId, signed: Range<Moment>, now: Moment) -> Result<Resting, Box<dyn Error>> {
    let bar = store::bar("looked at", archive.about());
    let resting = archive.resting_on(key, signed, now, &mut |done| bar.set_position(done))?;
    bar.finish_and_clear();
    Ok(resting)
}

fn say_who_is_signed_out(folder: &Path, resting: &Resting) {
    let (ending, live, people) = (resting.resting, HumanCount(resting.live), HumanCount(resting.people));
    let folder = folder.display();
    if ending == 0 {
        eprintln!("{folder}: none of its {live} live sessions ends");
        return;
    }
    eprintln!("{folder}: {} of its {live} live sessions may end; people signed out: {people}", HumanCount(ending));
    for (subject, session) in &resting.first {
        let seen = Rfc3339(session.seen_at);
        eprintln!("  {:<32}{:<32}last seen {seen}", shown(subject.as_str()), shown(&session.label));
    }
    let more = ending.saturating_sub(resting.first.len() as u64);
    if more > 0 && !resting.first.is_empty() {
        eprintln!("  … and {} more", HumanCount(more));
    }
}
