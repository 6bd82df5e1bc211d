//! `counterfoil sessions`: what an operator sees of sessions while a server runs, and ends.

use std::error::Error;

use clap::{Args, Subcommand};
use counterfoil::{Page, SessionId};
use counterfoil_serve::control::{Answer, Context, Entry, Found, Kept, Reached};

use crate::folder::Data;
use crate::terminal::{agreed, shown};

#[derive(Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    /// List the sessions of a subject, newest first
    List {
        /// Whose: the application's own id of its user
        subject: String,
        /// Leave out so many at the front
        #[arg(long, value_name = "N", default_value_t = 0)]
        skip: usize,
        #[command(flatten)]
        how: How,
    },
    /// Show a session: whose it is, what was verified, until when it lasts, where it was used and what speaks against that
    Show {
        /// Its public id, as in logs and events: `ses_` and 24 characters
        id: SessionId,
        #[command(flatten)]
        how: How,
    },
    /// End a session, at once and on every node
    End {
        /// Its public id
        id: SessionId,
        #[command(flatten)]
        how: How,
    },
    /// End all sessions of a subject, and overtake their sign-ins under way
    EndSubject {
        /// Whose
        subject: String,
        #[command(flatten)]
        how: How,
    },
    /// End every session there is: everybody signs in again
    EndAll {
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, Args)]
pub(crate) struct How {
    #[command(flatten)]
    data: Data,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Does what was asked. Says whether there was something to show or to end.
pub(crate) fn run(command: SessionsCommand) -> Result<bool, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(answer(command))
}

async fn answer(command: SessionsCommand) -> Result<bool, Box<dyn Error>> {
    match command {
        SessionsCommand::List { subject, skip, how } => {
            let found = how.data.caller()?.list(&subject, Page { skip, ..Page::FIRST }).await?;
            how.print(&found, || list(&subject, &found, skip));
            Ok(!found.is_empty())
        }
        SessionsCommand::Show { id, how } => {
            let found = how.data.caller()?.show(id).await?;
            how.print(&found, || show(id, &found));
            Ok(matches!(found, Found::Live(_)))
        }
        SessionsCommand::End { id, how } => {
            let ended = how.data.caller()?.end(id).await?;
            let words = if ended.ended { "has ended" } else { "was over before, or never was" };
            how.print(&ended, || println!("{id} {words}"));
            Ok(ended.ended)
        }
        SessionsCommand::EndSubject { subject, how } => {
            let reached = how.data.caller()?.end_subject(&subject).await?;
            how.print(&reached, || said(&reached));
            Ok(true)
        }
        SessionsCommand::EndAll { yes, how } => {
            let caller = how.data.caller()?;
            if !yes && !agreed("Everybody is signed out, on every node. End every session?")? {
                eprintln!("nothing was done");
                return Ok(false);
            }
            let reached = caller.end_all().await?;
            how.print(&reached, || said(&reached));
            Ok(true)
        }
    }
}

impl How {
    fn print(&self, answer: &impl Answer, in_words: impl FnOnce()) {
        if self.json {
            println!("{}", answer.json());
        } else {
            in_words();
        }
    }
}

fn said(reached: &Reached) {
    match reached {
        Reached::Subject(reference) => println!("all their sessions have ended (user.hash {reference})"),
        Reached::Everybody => println!("every session has ended"),
    }
}

fn list(subject: &str, found: &[Entry], skipped: usize) {
    let subject = shown(subject);
    if found.is_empty() {
        println!("{subject} has no session{}", if skipped == 0 { "" } else { " beyond those" });
        return;
    }
    println!("{:<30}{:<22}{:<22}device", "session", "began", "last used");
    for Entry { id, label, created_at, seen_at } in found {
        println!("{id:<30}{created_at:<22}{seen_at:<22}{}", shown(label));
    }
    if found.len() == Page::FIRST.take {
        println!("there may be more: --skip {}", skipped + found.len());
    }
}

fn show(id: SessionId, found: &Found) {
    match found {
        Found::Live(found) => live(found),
        Found::Over { reason } => println!("{id} is over: {reason}"),
        Found::Absent => println!("{id} is not known: it never was, or was forgotten after its end"),
    }
}

fn live(found: &Kept) {
    let nobody = "nobody has signed in";
    let mut lines =
        vec![("session", found.id.clone()), ("subject", found.subject.as_deref().map_or(nobody.to_owned(), shown))];
    lines.extend(found.reference.clone().map(|reference| ("user.hash", reference)));
    lines.extend(Some(shown(&found.label)).filter(|label| !label.is_empty()).map(|label| ("device", label)));
    lines.push(("state", state(found)));
    lines.push(("began", found.created_at.clone()));
    lines.push(("last used", found.seen_at.clone()));
    lines.push(("ends", format!("{} if nobody uses it, {} at the latest", found.expires_at, found.ends_at)));
    lines.extend(found.factors.iter().map(|(method, at)| ("verified", format!("{method} at {at}"))));
    lines.extend(found.elevated_until.clone().map(|until| ("step-up", format!("until {until}"))));
    lines.push(("rotations", found.rotations.to_string()));
    lines.extend(found.contexts.iter().map(|context| ("used by", described(context))));
    for (name, value) in lines {
        println!("{name:<11}{value}");
    }
}

fn state(found: &Kept) -> String {
    match (&found.signing_in_until, found.remembered, found.presented) {
        (Some(until), ..) => format!("a sign-in is under way, until {until}"),
        (None, true, _) => "remembered: it greets, and signs nobody in".to_owned(),
        (None, false, false) => "signed in, and its token was never used".to_owned(),
        (None, false, true) if found.subject.is_some() => "signed in".to_owned(),
        (None, false, true) => "anonymous".to_owned(),
    }
}

fn described(context: &Context) -> String {
    let Context { client, country, asn, network, first, last, doubts } = context;
    let place =
        [country.clone(), asn.map(|asn| format!("AS{asn}")), Some(network.clone()).filter(|kind| kind != "ordinary")];
    let place = place.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let place = if place.is_empty() { String::new() } else { format!(", {place}") };
    let doubts = if doubts.is_empty() { String::new() } else { format!("; in doubt: {}", doubts.join(", ")) };
    format!("{client}{place}: from {first} to {last}{doubts}")
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil sessions list ada                        the sessions of ada, where `serve` keeps its data
  counterfoil sessions list ada --data ./demo-data     of a demo or gateway with another data folder
  counterfoil sessions show ses_AAECAwQFBgcICQoLDA0ODxAR
                                                       whose it is, where it was used, what speaks against it
  counterfoil sessions end ses_AAECAwQFBgcICQoLDA0ODxAR
  counterfoil sessions end-subject ada                 ada signs in again, everywhere
  counterfoil sessions end-all --yes --json            for scripts

Asks the server that runs on the data folder, over a socket that is its user's alone: run it as that user, or as root.

Exit status: 0; 1 if there was nothing to show or to end, or nobody answers; 2 for arguments that must be changed.";
