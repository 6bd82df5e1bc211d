//! Cookies by what they are worth, each with the story that made it so.

use std::collections::HashMap;

use http::HeaderMap;
use http::header::USER_AGENT;

use super::NOW;
use crate::cookie::{CookieKind, CookieNames};
use crate::data::Key;
use crate::engine::{Engine, SessionError, SignInOptions};
use crate::id::{BadSubject, Subject};
use crate::keys::{GeneratedKeys, KeyRing};
use crate::moment::FakeClock;
use crate::rules::EndReason;
use crate::testing::{Jar, Request, sign_in, sign_in_with, step_up};

type Failed = Box<dyn std::error::Error>;

/// A cookie, by what it is worth when the request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Worn {
    /// Ada's session, signed in 5 minutes ago and used since.
    Session,
    /// Of a session that was made 5 seconds ago and never presented.
    Unpresented,
    /// Of a session whose rotation is due.
    Due,
    /// A token whose successor was made, but never used: its reply was lost.
    Predecessor,
    /// The successor of [`Predecessor`](Self::Predecessor).
    Successor,
    /// A token whose successor was first used 30 seconds ago, so within grace.
    InGrace,
    /// A token whose successor was used once, minutes ago: as after a crash of the browser.
    RolledBack,
    /// A token whose successor was used again and again: it is dead, and comes back.
    Superseded,
    /// Of a session idle for 2 hours.
    Idle,
    /// Of a session older than its absolute limit, though in use.
    TooOld,
    /// Of an idle session whose user asked to be remembered.
    Remembered,
    /// Of a session never presented in its first 5 minutes.
    NeverUsed,
    /// Of a session that was signed out.
    SignedOut,
    /// Of a session ended from elsewhere, with all of its subject's.
    SubjectEnded,
    /// Of a session ended with all others.
    AllEnded,
    /// Of a session that its user stepped up; rotation is due by that.
    Raised,
    /// The step-up beside [`Raised`](Self::Raised), 2 minutes ago.
    Elevated,
    /// An earlier step-up of the same session, longer ago than it lasts.
    ElevatedLongAgo,
    /// Grace's session: beside ada's, somebody tossed a cookie in.
    OfGrace,
    /// The step-up of grace's session.
    ElevatedOfGrace,
    /// A visitor's, for whom something was stored.
    Visitor,
    /// A visitor's, idle for 2 hours.
    IdleVisitor,
    /// Ada's token in the cookie for visitors.
    SessionAsVisitor,
    /// A visitor's token in the session's cookie.
    VisitorAsSession,
    /// Ada's token in the cookie for step-ups.
    SessionAsElevated,
    /// No token at all.
    Garbage,
    /// Nothing.
    Empty,
    /// Longer than any cookie may be.
    Huge,
    /// Ada's token in quotes.
    Quoted,
    /// Ada's token with one character changed.
    Flipped,
    /// Ada's token without its last characters.
    Cut,
    /// Ada's token with characters appended.
    Extended,
    /// Ada's token with the tag of grace's.
    Spliced,
    /// A genuine token of another site, whose key has the same id.
    OfAnotherKey,
    /// Ada's token under the id of a key that is not in the ring.
    OfUnknownKey,
}

impl Worn {
    /// Which cookie it is in.
    pub const fn name(self) -> CookieKind {
        match self {
            Self::Elevated | Self::ElevatedLongAgo | Self::ElevatedOfGrace | Self::SessionAsElevated => {
                CookieKind::Elevated
            }
            Self::Visitor | Self::IdleVisitor | Self::SessionAsVisitor => CookieKind::Anonymous,
            _ => CookieKind::Session,
        }
    }
}

/// Makes each cookie once, and keeps it.
pub(super) struct Wardrobe<'a> {
    engine: &'a Engine,
    clock: &'a FakeClock,
    made: HashMap<Worn, String>,
}

impl<'a> Wardrobe<'a> {
    pub(super) fn new(engine: &'a Engine, clock: &'a FakeClock) -> Self {
        Self { engine, clock, made: HashMap::new() }
    }

    /// The text of a cookie. The clock stands at [`NOW`] afterwards.
    pub(super) async fn text(&mut self, worn: Worn) -> Result<String, Failed> {
        if !self.made.contains_key(&worn) {
            Box::pin(self.make(worn)).await?;
            self.clock.set(NOW);
        }
        Ok(self.made.get(&worn).cloned().unwrap_or_default())
    }

    /// A CSRF token for the session of `worn`, as a page gave it.
    pub(super) async fn csrf_token(&mut self, worn: Worn) -> Result<String, Failed> {
        let mut jar = Jar::default();
        jar.put(CookieNames::https().name(worn.name()).as_str(), &self.text(worn).await?);
        let token = Request::new(self.engine, &mut jar).send(async |exchange| exchange.csrf_token().await).await?;
        Ok(token.unwrap_or_default())
    }

    async fn make(&mut self, worn: Worn) -> Result<(), Failed> {
        match worn {
            Worn::Session => self.signed_in(worn, "ada", 5 * MINUTE).await.map(drop),
            Worn::OfGrace | Worn::ElevatedOfGrace => self.grace().await,
            Worn::Due => self.signed_in(worn, "ada", 20 * MINUTE).await.map(drop),
            Worn::Unpresented => self.unpresented(worn, 5).await,
            Worn::NeverUsed => self.unpresented(worn, 10 * MINUTE).await,
            Worn::Predecessor | Worn::Successor | Worn::InGrace | Worn::RolledBack | Worn::Superseded => {
                self.rotated(worn).await
            }
            Worn::Idle => self.signed_in(worn, "ada", 120 * MINUTE).await.map(drop),
            Worn::TooOld => self.too_old().await,
            Worn::Remembered => self.remembered().await,
            Worn::SignedOut | Worn::SubjectEnded | Worn::AllEnded => self.ended(worn).await,
            Worn::Raised | Worn::Elevated | Worn::ElevatedLongAgo => self.raised().await,
            Worn::Visitor => self.visitor(worn, 5 * MINUTE).await,
            Worn::IdleVisitor => self.visitor(worn, 120 * MINUTE).await,
            _ => self.spoilt(worn).await,
        }
    }

    async fn signed_in(&mut self, worn: Worn, name: &str, seconds_ago: u64) -> Result<Jar, Failed> {
        let mut jar = Jar::default();
        self.at(seconds_ago);
        sign_in(self.engine, &mut jar, &Subject::new(name)?).await?;
        self.keep(worn, &jar);
        Ok(jar)
    }

    async fn unpresented(&mut self, worn: Worn, seconds_ago: u64) -> Result<(), Failed> {
        let mut jar = Jar::default();
        self.at(seconds_ago);
        sign_in_with(self.engine, &mut jar, &ada()?, SignInOptions::default()).await?;
        self.keep(worn, &jar);
        Ok(())
    }

    async fn grace(&mut self) -> Result<(), Failed> {
        let mut jar = self.signed_in(Worn::OfGrace, "grace", 5 * MINUTE).await?;
        step_up(self.engine, &mut jar).await?;
        self.keep(Worn::ElevatedOfGrace, &jar);
        Ok(())
    }

    /// One rotation, as far as the story goes.
    async fn rotated(&mut self, worn: Worn) -> Result<(), Failed> {
        let old = if worn == Worn::Successor { Worn::Predecessor } else { worn };
        let mut jar = self.signed_in(old, "ada", 40 * MINUTE).await?;
        self.at(20 * MINUTE);
        self.look(&mut jar).await?;
        self.keep(Worn::Successor, &jar);
        let uses: &[u64] = match worn {
            Worn::InGrace => &[30],
            Worn::RolledBack => &[10 * MINUTE],
            Worn::Superseded => &[10 * MINUTE, 8 * MINUTE],
            _ => &[],
        };
        for seconds_ago in uses {
            self.at(*seconds_ago);
            self.look(&mut jar).await?;
        }
        Ok(())
    }

    async fn too_old(&mut self) -> Result<(), Failed> {
        let mut jar = self.signed_in(Worn::TooOld, "ada", 24 * 60 * MINUTE).await?;
        for half_hours_ago in (1..48).rev() {
            self.at(half_hours_ago * 30 * MINUTE);
            self.look(&mut jar).await?;
        }
        self.keep(Worn::TooOld, &jar);
        Ok(())
    }

    async fn remembered(&mut self) -> Result<(), Failed> {
        let mut jar = Jar::default();
        self.at(120 * MINUTE);
        let options = SignInOptions { remember: true, ..SignInOptions::default() };
        sign_in_with(self.engine, &mut jar, &ada()?, options).await?;
        self.look(&mut jar).await?;
        self.keep(Worn::Remembered, &jar);
        Ok(())
    }

    async fn ended(&mut self, worn: Worn) -> Result<(), Failed> {
        let mut jar = self.signed_in(worn, "ada", 5 * MINUTE).await?;
        self.at(MINUTE);
        match worn {
            Worn::SubjectEnded => self.engine.end_subject(&ada()?, EndReason::CredentialChanged).await?,
            Worn::AllEnded => self.engine.end_all(EndReason::Admin).await?,
            _ => Request::new(self.engine, &mut jar).send(async |exchange| exchange.sign_out().await).await?,
        }
        Ok(())
    }

    async fn raised(&mut self) -> Result<(), Failed> {
        let mut jar = self.signed_in(Worn::Raised, "ada", 12 * MINUTE).await?;
        for (worn, seconds_ago) in [(Worn::ElevatedLongAgo, 10 * MINUTE), (Worn::Elevated, 2 * MINUTE)] {
            self.at(seconds_ago);
            step_up(self.engine, &mut jar).await?;
            self.keep(worn, &jar);
        }
        Ok(())
    }

    async fn visitor(&mut self, worn: Worn, seconds_ago: u64) -> Result<(), Failed> {
        let mut jar = Jar::default();
        self.at(seconds_ago);
        Request::new(self.engine, &mut jar).send(async |exchange| exchange.set(NOTE, &"kept".to_owned())).await?;
        self.keep(worn, &jar);
        Ok(())
    }

    /// What is no token, or not one of ours, or in the wrong cookie.
    async fn spoilt(&mut self, worn: Worn) -> Result<(), Failed> {
        let ada = self.text(Worn::Session).await?;
        let tag_at = ada.len().saturating_sub(20);
        let text = match worn {
            Worn::SessionAsVisitor | Worn::SessionAsElevated => ada,
            Worn::VisitorAsSession => self.text(Worn::Visitor).await?,
            Worn::Garbage => "cfoil1_gen_AAAAAAAA".into(),
            Worn::Huge => "A".repeat(5_000),
            Worn::Quoted => format!("\"{ada}\""),
            Worn::Flipped => flipped(&ada),
            Worn::Cut => ada.get(..tag_at).unwrap_or_default().into(),
            Worn::Extended => format!("{ada}AAAA"),
            Worn::Spliced => {
                let grace = self.text(Worn::OfGrace).await?;
                format!("{}{}", ada.get(..tag_at).unwrap_or_default(), grace.get(tag_at..).unwrap_or_default())
            }
            Worn::OfAnotherKey => self.of_another_key().await?,
            Worn::OfUnknownKey => ada.replacen("_gen_", "_other_", 1),
            _ => String::new(),
        };
        self.made.insert(worn, text);
        Ok(())
    }

    /// The same policy, store and clock, but other keys.
    async fn of_another_key(&self) -> Result<String, Failed> {
        let (policy, store) = (self.engine.policy().clone(), std::sync::Arc::clone(self.engine.store()));
        let keys = KeyRing::from_source(&GeneratedKeys)?;
        let engine = Engine::new(policy, keys, store, self.clock.clone(), ());
        let mut jar = Jar::default();
        sign_in(&engine, &mut jar, &ada()?).await?;
        Ok(jar.value(CookieNames::https().name(CookieKind::Session).as_str()).unwrap_or_default().into())
    }

    async fn look(&self, jar: &mut Jar) -> Result<(), SessionError> {
        let agent = http::HeaderValue::from_static(AGENT);
        let headers = HeaderMap::from_iter([(USER_AGENT, agent)]);
        Ok(Request::new(self.engine, jar).headers(headers).send(async |exchange| exchange.open().await).await?)
    }

    fn at(&self, seconds_ago: u64) {
        self.clock.set(crate::Moment::from_unix_seconds(NOW.unix_seconds().saturating_sub(seconds_ago)));
    }

    fn keep(&mut self, worn: Worn, jar: &Jar) {
        let text = jar.value(CookieNames::https().name(worn.name()).as_str()).unwrap_or_default();
        self.made.insert(worn, text.to_owned());
    }
}

fn ada() -> Result<Subject, BadSubject> {
    Subject::new("ada")
}

/// One character in the middle changed to another of the same alphabet.
fn flipped(token: &str) -> String {
    let middle = token.len() / 2;
    let other = |c| if c == 'A' { 'B' } else { 'A' };
    token.char_indices().map(|(at, c)| if at == middle { other(c) } else { c }).collect()
}

/// What the browser of every story says of itself.
pub(super) const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const NOTE: Key<String> = Key::new("table.note");
/// In seconds.
const MINUTE: u64 = 60;
