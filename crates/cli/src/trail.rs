//! `counterfoil trail`: whether the audit trail is as it was written, what it says, and what it shall forget.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use counterfoil::keys::{FileKeys, SharedRing};
use counterfoil::{Clock as _, Moment, Rfc3339, SessionId, Subject, SubjectRef, SystemClock};
use counterfoil_telemetry::Only;
use counterfoil_telemetry::trail::{self, Content, Filter, Head};

use crate::folder::Data;
use crate::terminal::agreed;

#[derive(Debug, Subcommand)]
pub(crate) enum TrailCommand {
    /// Say whether the trail is as it was written, and print its head: note that elsewhere
    Verify {
        /// The head that was noted before: everything up to it must still be there, as it was
        #[arg(long, value_name = "HEAD")]
        noted: Option<Head>,
        #[command(flatten)]
        place: Where,
    },
    /// Print what it says, one line of JSON for each event, the oldest first
    Show {
        #[command(flatten)]
        whose: Whose,
        /// Only about this session
        #[arg(long, value_name = "ID")]
        session: Option<SessionId>,
        /// Only these: names such as session.ended, or beginnings such as `risk.*` (repeatable)
        #[arg(long, value_name = "EVENT", value_delimiter = ',')]
        only: Vec<String>,
        /// From then on, such as 2026-11-18T11:00:00Z
        #[arg(long, value_name = "TIME", value_parser = moment)]
        from: Option<Moment>,
        /// Before then
        #[arg(long, value_name = "TIME", value_parser = moment)]
        until: Option<Moment>,
        #[command(flatten)]
        place: Where,
    },
    /// Erase all events about a person; the chain still verifies, and says that something was erased
    Erase {
        #[command(flatten)]
        whose: Whose,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        place: Where,
    },
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Whose {
    /// About this subject: the application's own id of its user. Needs the keys of the data folder
    #[arg(long)]
    subject: Option<String>,
    /// About whoever events know by this `user.hash`
    #[arg(long, value_name = "HASH")]
    user_hash: Option<SubjectRef>,
}

#[derive(Debug, Args)]
pub(crate) struct Where {
    /// The folder of the trail [default: as configured, or `trail` in the data folder]
    #[arg(long, value_name = "DIR")]
    trail: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

/// Does what was asked. Says whether there was something to show or to erase.
pub(crate) fn run(command: TrailCommand) -> Result<bool, Box<dyn Error>> {
    match command {
        TrailCommand::Verify { noted, place } => verify(noted, &place),
        TrailCommand::Show { whose, session, only, from, until, place } => {
            let events = Vec::from(if only.is_empty() { Only::default() } else { Only::new(only)? });
            show(&place, Filter { subject: whose.reference(&place.data)?, session, events, from, until })
        }
        TrailCommand::Erase { whose, yes, place } => erase(&whose, yes, &place),
    }
}

fn verify(noted: Option<Head>, place: &Where) -> Result<bool, Box<dyn Error>> {
    let folder = place.folder()?;
    let verified = trail::verify(&folder, noted)?;
    let time = |at: Option<Moment>| at.map_or("never".to_owned(), |at| Rfc3339(at).to_string());
    println!(
        "{}: {} entries in {} files, from {} to {}, all as they were written",
        folder.display(),
        verified.entries,
        verified.segments,
        time(verified.from),
        time(verified.until)
    );
    for (count, words) in [
        (verified.erased, "entries were erased"),
        (verified.lost, "events were lost, because the disk did not take them"),
        (verified.unfinished, "entries are still to be erased: somebody was stopped while erasing. Erase again"),
    ] {
        if count > 0 {
            println!("{count} {words}");
        }
    }
    if let Some(head) = verified.head {
        println!("head {head}");
    }
    if noted.is_none() {
        println!("entries cut off at the end do not show without a head that was noted before: --noted");
    }
    Ok(verified.entries > 0)
}

fn show(place: &Where, filter: Filter) -> Result<bool, Box<dyn Error>> {
    let mut found = false;
    for entry in trail::read(&place.folder()?, filter)? {
        let line = match entry?.content {
            Content::Event(json) => json,
            Content::Erased { .. } => continue,
        };
        found = true;
        // Whoever reads this has gone, as `head` does.
        if writeln!(stdout(), "{line}").is_err() {
            break;
        }
    }
    Ok(found)
}

fn erase(whose: &Whose, yes: bool, place: &Where) -> Result<bool, Box<dyn Error>> {
    let folder = place.folder()?;
    let subject = whose.reference(&place.data)?.ok_or("whose events? Say --subject or --user-hash")?;
    // So that nobody erases into a trail that is broken already, and hides it.
    trail::verify(&folder, None)?;
    if !yes && !agreed(&format!("{}: erase all events of user.hash {subject}, for ever?", folder.display()))? {
        eprintln!("nothing was done");
        return Ok(false);
    }
    let erased = trail::erase(&folder, subject, SystemClock.now())?;
    println!("{} entries erased", erased.entries);
    println!("backups, files of JSON lines and whoever got webhooks are yours to care for");
    Ok(erased.entries > 0)
}

impl Where {
    fn folder(&self) -> Result<PathBuf, Box<dyn Error>> {
        let folder = match &self.trail {
            Some(folder) => folder.clone(),
            None => self.data.trail()?,
        };
        if !folder.is_dir() {
            return Err(format!(
                "{}: there is no audit trail; [events.trail] of the configuration keeps one",
                folder.display()
            )
            .into());
        }
        Ok(folder)
    }
}

impl Whose {
    fn reference(&self, data: &Data) -> Result<Option<SubjectRef>, Box<dyn Error>> {
        let Some(subject) = &self.subject else { return Ok(self.user_hash) };
        let keys = FileKeys::at(data.path()?.join("keys"));
        let ring = SharedRing::from_source(&keys)?;
        Ok(Some(ring.load().reference(&Subject::new(subject)?)))
    }
}

fn moment(text: &str) -> Result<Moment, &'static str> {
    Rfc3339::read(text).ok_or("not a time: write it as 2026-11-18T11:00:00Z")
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil trail verify                           where `serve` keeps its data; prints the head
  counterfoil trail verify --noted 1042:5f1c…        the same, and nothing was cut off since that was noted
  counterfoil trail show --subject ada --only 'risk.*,session.ended'
  counterfoil trail show --from 2026-11-18T00:00:00Z --data ./demo-data
  counterfoil trail erase --subject ada              a person wishes to be forgotten

The server may run meanwhile.

Exit status: 0; 1 if there is nothing, or the trail is not as it was written; 2 for arguments that must be changed.";
