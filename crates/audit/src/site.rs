//! The site as an audit knows it: its profile, the way to it, and what was learnt about it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use url::Url;

use crate::bound;
use crate::browser::{Browser, BrowserError, Program};
use crate::exchange::Exchange;
use crate::profile::{Account, Profile, Script, Tokens};
use crate::visitor::{From, Ready, Trouble, Values, Visitor};
use crate::wire::Wire;

/// A site under audit. Proofs get visitors from it.
#[derive(Debug)]
pub struct Site {
    /// What its people say of it.
    pub profile: Profile,
    wire: Arc<Wire>,
    browser: Option<Browser>,
    ways: OnceLock<Ways>,
    marker_at: OnceLock<String>,
    seen: Mutex<Seen>,
}

/// What the audit found out about the ways of a site, before it judges.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Ways {
    /// Whether what follows the sign-in's last answer sets cookies as well.
    pub follow: bool,
    /// The cookies without which nobody is signed in.
    pub session: Vec<String>,
    /// Other cookies that sign somebody in by themselves, such as one that remembers them.
    pub also: Vec<String>,
    /// Whether a bearer token alone signs somebody in.
    pub bearer: bool,
    /// Whether sessions are bound to a key of the browser.
    pub keys: Keys,
}

/// Whether sessions are bound to a key of the browser (W3C DBSC).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keys {
    /// They are not.
    #[default]
    None,
    /// They can be; who has no key is signed in as well.
    Offered,
    /// Nobody is signed in before a key was registered.
    Needed,
}

/// Whether somebody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The marker says so.
    In,
    /// It does not, and the page is whole.
    Out,
    /// The page is neither: busy, broken, cut off, or without either of two markers.
    Unclear,
}

/// What the oracle said, and by which page.
#[derive(Debug, Clone)]
pub struct Seeing {
    /// The verdict.
    pub state: State,
    /// The page.
    pub page: Exchange,
}

/// What somebody has who just signed in.
#[derive(Debug)]
pub struct Entered {
    /// The last answer of the sign-in.
    pub last: Exchange,
    /// The request that carried the credentials.
    pub sent: Ready,
    /// The refresh token, where the profile says which field holds one.
    pub refresh: Option<String>,
}

#[derive(Debug, Default)]
struct Seen {
    exchanges: Vec<Exchange>,
    secrets: BTreeSet<String>,
}

impl Site {
    /// A site nothing is known about but what its profile says.
    pub fn new(profile: Profile, wire: Wire) -> Self {
        let (ways, marker_at) = (OnceLock::new(), OnceLock::new());
        Self { profile, wire: Arc::new(wire), browser: None, ways, marker_at, seen: Mutex::default() }
    }

    /// The same, with a browser whose every request goes the site's own way.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub async fn with_browser(self, program: &Program) -> Result<Self, BrowserError> {
        let browser = Browser::start(program, Arc::clone(&self.wire)).await?;
        Ok(Self { browser: Some(browser), ..self })
    }

    /// Once, before anything is judged.
    pub(crate) fn learn(&self, ways: Ways) {
        // A second time changes nothing: proofs may rely on what they saw.
        let _ = self.ways.set(ways);
    }

    /// Where the marker is, after the redirects that lead there.
    pub(crate) fn learn_marker(&self, at: String) {
        let _ = self.marker_at.set(at);
    }

    /// Path and query of the page that tells who is signed in.
    pub fn marker_at(&self) -> &str {
        self.marker_at.get().unwrap_or(&self.profile.signed_in.url)
    }

    /// What was found out about it.
    pub fn ways(&self) -> &Ways {
        self.ways.get().unwrap_or(&UNKNOWN)
    }

    /// The way to it.
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The browser, where there is one.
    pub fn browser(&self) -> Option<&Browser> {
        self.browser.as_ref()
    }

    /// Somebody the site has never seen.
    pub fn visitor(&self) -> Visitor<'_> {
        Visitor::new(self)
    }

    /// An address below the site.
    pub fn url(&self, path: &str) -> Url {
        self.profile.site.join(path).unwrap_or_else(|_| self.profile.site.clone())
    }

    /// Whether `visitor` is signed in, as the profile's account. Leaves the visitor as they are.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn who(&self, visitor: &Visitor<'_>) -> Result<Seeing, Trouble> {
        self.whether(visitor, &self.profile.account).await
    }

    /// Whether `visitor` is signed in as `account`.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn whether(&self, visitor: &Visitor<'_>, account: &Account) -> Result<Seeing, Trouble> {
        let page = visitor.clone().get(self.marker_at(), From::Address).await?;
        Ok(Seeing { state: self.read(&page, account), page })
    }

    /// What a page says of whoever got it.
    pub fn read(&self, page: &Exchange, account: &Account) -> State {
        let (status, text) = (page.answer.status, page.answer.text());
        let marker = self.profile.signed_in.marker.replace("{user}", &account.user);
        if status < 300 && text.contains(&marker) {
            return State::In;
        }
        if status >= 500 || status == 429 || page.answer.cut {
            return State::Unclear;
        }
        match &self.profile.anonymous {
            Some(words) if status < 300 && !text.contains(words.as_str()) => State::Unclear,
            _ => State::Out,
        }
    }

    /// Signs `account` in.
    ///
    /// # Errors
    ///
    /// A request has no answer, or cannot be made as the profile says.
    pub async fn sign_in(&self, visitor: &mut Visitor<'_>, account: &Account) -> Result<Entered, Trouble> {
        self.sign_in_from(visitor, account, From::Own).await
    }

    /// The same, from elsewhere.
    ///
    /// # Errors
    ///
    /// As of [`Site::sign_in`].
    pub async fn sign_in_from(
        &self,
        visitor: &mut Visitor<'_>,
        account: &Account,
        from: From,
    ) -> Result<Entered, Trouble> {
        let entered = self.walk_in(visitor, account, from).await?;
        if self.ways().keys == Keys::Needed {
            self.bind(visitor).await?;
        }
        Ok(entered)
    }

    /// Registers a key, as the browser of somebody who was offered to does; where nothing was offered, nothing is done.
    pub(crate) async fn bind(&self, visitor: &mut Visitor<'_>) -> Result<(), Trouble> {
        if let Some(offer) = visitor.offer.take() {
            bound::register(visitor, &offer, offer.challenge.as_deref()).await?;
        }
        Ok(())
    }

    /// The steps of the sign-in, and no more.
    pub(crate) async fn walk_in(
        &self,
        visitor: &mut Visitor<'_>,
        account: &Account,
        from: From,
    ) -> Result<Entered, Trouble> {
        if let Some(script) = &self.profile.sign_in.script {
            return self.sign_in_by_script(visitor, account, script, self.url(&script.page)).await;
        }
        let mut values = Values::of(account);
        let mut done = None;
        for step in &self.profile.sign_in.steps {
            let ready = visitor.prepare(step, &values).await?;
            values.next_secret();
            let last = visitor.send(&ready, from).await?;
            done = Some((ready, last));
        }
        let (sent, mut last) = done.ok_or(Trouble::NoSteps("sign_in"))?;
        let refresh = self.profile.tokens.as_ref().and_then(|tokens| visitor.take_tokens(&last, tokens));
        if self.ways.get().is_none_or(|ways| ways.follow) {
            last = visitor.follow(last).await?;
        }
        Ok(Entered { last, sent, refresh })
    }

    /// The same in a browser, from a page.
    pub(crate) async fn sign_in_by_script(
        &self,
        visitor: &mut Visitor<'_>,
        account: &Account,
        script: &Script,
        page: Url,
    ) -> Result<Entered, Trouble> {
        let browser = self.browser().ok_or(Trouble::Browser(BrowserError::Needed))?;
        let (sent, answer, last) = browser.sign_in(visitor, script, page, &Values::of(account)).await?;
        let refresh = self.profile.tokens.as_ref().and_then(|tokens| visitor.take_tokens(&answer, tokens));
        Ok(Entered { last, sent, refresh })
    }

    /// A visitor who is signed in as the profile's account, seen to be so.
    ///
    /// # Errors
    ///
    /// The sign-in has no answer, or does not sign anybody in.
    pub async fn member(&self) -> Result<Member<'_>, Trouble> {
        self.member_as(&self.profile.account).await
    }

    /// The same for another account.
    ///
    /// # Errors
    ///
    /// As of [`Site::member`].
    pub async fn member_as(&self, account: &Account) -> Result<Member<'_>, Trouble> {
        let mut visitor = self.visitor();
        let entered = self.sign_in(&mut visitor, account).await?;
        let seeing = self.whether(&visitor, account).await?;
        match seeing.state {
            State::In => Ok(Member { visitor, entered, page: seeing.page }),
            State::Out | State::Unclear => Err(Trouble::NotIn { page: Box::new(seeing.page) }),
        }
    }

    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        self.profile.tokens.as_ref()
    }

    /// Notes what came by, for what is judged without a request of its own, and what must not be printed.
    pub(crate) fn note(&self, exchange: &Exchange) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.exchanges.len() < KEPT {
            seen.exchanges.push(exchange.clone());
        }
    }

    pub(crate) fn keep_secret(&self, secret: &str) {
        if secret.len() >= SHORTEST_SECRET {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.secrets.insert(secret.to_owned());
        }
    }

    /// The first requests of the audit, in their order.
    pub fn seen(&self) -> Vec<Exchange> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).exchanges.clone()
    }

    pub(crate) fn secrets(&self) -> Vec<String> {
        let accounts = [Some(&self.profile.account), self.profile.second_account.as_ref()];
        let passwords = accounts.into_iter().flatten().map(|account| account.password.clone());
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.secrets.iter().cloned().chain(passwords.filter(|one| !one.is_empty())).collect()
    }
}

/// Somebody who is signed in, and how it came about.
#[derive(Debug)]
pub struct Member<'a> {
    /// Who.
    pub visitor: Visitor<'a>,
    /// How.
    pub entered: Entered,
    /// The page that shows it.
    pub page: Exchange,
}

/// Before anything was learnt.
static UNKNOWN: Ways = Ways { follow: true, session: Vec::new(), also: Vec::new(), bearer: false, keys: Keys::None };

/// Shorter ones are words: masking them would mask the page.
const SHORTEST_SECRET: usize = 6;

/// What is judged passively: the first pages say all there is to say about headers.
const KEPT: usize = 80;
