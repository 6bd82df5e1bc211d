//! A declared change under attack: who is attacked, how the change is made, and whether it was.

use crate::exchange::Exchange;
use crate::profile::Change;
use crate::site::{Site, State};
use crate::visitor::{From, Ready, Trouble, Values, Visitor, random};

/// Somebody who is signed in, and a change that can be made in their name.
pub(in crate::proof) struct Target<'a> {
    pub(in crate::proof) site: &'a Site,
    pub(in crate::proof) change: &'a Change,
    pub(in crate::proof) victim: Visitor<'a>,
    /// From their sign-in: a token that was made before it.
    pub(in crate::proof) old_token: Option<String>,
    /// Whether earlier changes still show, so that many can be looked for at once.
    pub(in crate::proof) lists: bool,
}

/// A change that was tried.
pub(in crate::proof) struct Shot {
    /// The word that shows if it was made.
    pub(in crate::proof) word: String,
    pub(in crate::proof) exchange: Exchange,
}

impl<'a> Target<'a> {
    /// Attacked, where the site's own page can make the change and a stranger cannot.
    pub(in crate::proof) async fn new(site: &'a Site, change: &'a Change) -> Result<Self, Trouble> {
        let member = site.member().await?;
        let old_token = member.entered.sent.token_value();
        let mut target = Self { site, change, victim: member.visitor, old_token, lists: false };
        let first = target.own().await?;
        if !target.shows(&first.word).await? {
            let answer = &first.exchange.answer;
            let why = format!("the change itself does not show on {} (it was answered {})", change.read, answer.status);
            return Err(Trouble::Control(why));
        }
        let second = target.own().await?;
        let page = target.page().await?;
        target.lists = page.contains(&first.word) && page.contains(&second.word);
        target.needs_a_session().await?;
        Ok(target)
    }

    /// As in reports.
    pub(in crate::proof) fn place(&self) -> String {
        match &self.change.step.request {
            Some((method, path)) => format!("{method} {path}"),
            None => format!("the form of {}", self.change.step.page.as_deref().unwrap_or_default()),
        }
    }

    /// Filled in for the victim, with a word of its own.
    pub(in crate::proof) async fn ready(&mut self) -> Result<Ready, Trouble> {
        let values = Values::of(&self.site.profile.account).with("random", WORD);
        self.victim.prepare(&self.change.step, &values).await
    }

    /// Sends it in the victim's name.
    pub(in crate::proof) async fn fire(&mut self, ready: &Ready, from: From) -> Result<Shot, Trouble> {
        let word = random();
        let exchange = self.victim.send(&worded(ready, &word), from).await?;
        Ok(Shot { word, exchange })
    }

    /// The change as the site's own page makes it.
    pub(in crate::proof) async fn own(&mut self) -> Result<Shot, Trouble> {
        let ready = self.ready().await?;
        self.fire(&ready, From::Own).await
    }

    /// Which of the words show; none where the victim does not see the page.
    pub(in crate::proof) async fn shows(&self, word: &str) -> Result<bool, Trouble> {
        Ok(self.page().await?.contains(word))
    }

    pub(in crate::proof) async fn page(&self) -> Result<String, Trouble> {
        Ok(self.victim.clone().get(&self.change.read, From::Address).await?.answer.text())
    }

    /// Somebody else who is signed in, for tokens that are not the victim's.
    pub(in crate::proof) async fn attacker(&self) -> Result<Visitor<'a>, Trouble> {
        let account = self.site.profile.second_account.as_ref().unwrap_or(&self.site.profile.account);
        Ok(self.site.member_as(account).await?.visitor)
    }

    /// The same for somebody whose session did not suffer from earlier attempts.
    pub(in crate::proof) async fn renewed(&mut self) -> Result<(), Trouble> {
        if self.site.who(&self.victim).await?.state != State::In {
            self.victim = self.site.member().await?.visitor;
        }
        Ok(())
    }

    async fn needs_a_session(&mut self) -> Result<(), Trouble> {
        let ready = self.ready().await?;
        let word = random();
        self.site.visitor().send(&worded(&ready, &word), From::Own).await?;
        if self.shows(&word).await? {
            return Err(Trouble::Control("strangers can make the change: it needs nobody's session".to_owned()));
        }
        Ok(())
    }
}

/// With another word, in the body and in the address.
pub(in crate::proof) fn worded(ready: &Ready, word: &str) -> Ready {
    let mut ready = ready.clone().with_word(WORD, word);
    if let Ok(url) = ready.url.as_str().replace(WORD, word).parse() {
        ready.url = url;
    }
    ready
}

/// Stands for the word of a shot until it is sent.
const WORD: &str = "cf-word-of-the-audit";
