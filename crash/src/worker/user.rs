//! One user with a few browsers, doing what users do, one thing after the other.

use std::time::Duration;

use super::browser::{Browser, by_operator, name_of};
use super::site::{Site, Trouble};
use crate::note::{Answer, Cookies, Deed};
use counterfoil_core::rules::EndReason;

/// Lives until the site stops.
pub(super) async fn live(site: &Site, number: u32, seed: u64) -> Result<(), Trouble> {
    let mut user = User::known(site, number, seed);
    while site.goes_on() {
        user.act(site).await?;
    }
    Ok(())
}

struct User {
    number: u32,
    browsers: Vec<Browser>,
    dice: fastrand::Rng,
}

impl User {
    /// The user with the browsers it had when the process before ended.
    fn known(site: &Site, number: u32, seed: u64) -> Self {
        let (world, now) = (site.notes.world(), site.now());
        let alive = world.sessions.iter().filter(|(_, it)| it.user == number && !it.must_be_over(now));
        let browsers = alive.filter_map(|(id, session)| Some(Browser::with(id, session, session.tokens.last()?)));
        let browsers = browsers.take(MOST_BROWSERS).collect();
        Self { number, browsers, dice: fastrand::Rng::with_seed(seed ^ u64::from(number) << 32) }
    }

    async fn act(&mut self, site: &Site) -> Result<(), Trouble> {
        let busy = Duration::from_millis(self.dice.u64(..8_000));
        let idle = if self.dice.u32(..800) == 0 { Duration::from_mins(self.dice.u64(5..60)) } else { Duration::ZERO };
        site.pass(busy + idle);
        if self.browsers.is_empty() || (self.browsers.len() < MOST_BROWSERS && self.dice.u8(..8) == 0) {
            return self.sign_in(site, Browser::default()).await;
        }
        let place = self.dice.usize(..self.browsers.len());
        let mut browser = self.browsers.swap_remove(place);
        let session = browser.session.clone();
        let (deed, answer) = match self.dice.u16(..1_000) {
            0..40 => return self.sign_in(site, browser).await,
            40..400 => (Deed::Count { session: session.clone() }, None),
            400..440 => (Deed::StepUp { session: session.clone() }, None),
            440..480 => (Deed::SignOut { session: session.clone() }, None),
            480..510 => match self.browsers.first() {
                Some(other) => (Deed::EndDevice { session: session.clone(), other: other.session.clone() }, None),
                None => (look(site, &session), None),
            },
            510..530 => (Deed::EndOthers { session: session.clone() }, None),
            530..550 => {
                let done = async { by_operator(revoke(site, self.number).await) };
                let deed = Deed::EndUser { user: self.number };
                (deed.clone(), Some(site.perform(deed, done).await?))
            }
            550 => {
                let done = async { by_operator(site.engine.end_all(EndReason::Admin).await) };
                (Deed::EndAll, Some(site.perform(Deed::EndAll, done).await?))
            }
            551..570 => {
                let done = async { by_operator(site.engine.sweep(200).await.map(drop)) };
                (Deed::Sweep, Some(site.perform(Deed::Sweep, done).await?))
            }
            570..590 => match theft(site, &session) {
                Some((deed, mut thief)) => {
                    let answer = site.perform(deed.clone(), thief.look(site)).await?;
                    (deed, Some(answer))
                }
                None => (look(site, &session), None),
            },
            _ => (look(site, &session), None),
        };
        let answer = match answer {
            Some(answer) => answer,
            None => site.perform(deed.clone(), ask(&mut browser, site, &deed)).await?,
        };
        self.keep(browser, &deed, &answer);
        Ok(())
    }

    /// Signs in and presents the new session, as a browser does at once.
    async fn sign_in(&mut self, site: &Site, mut browser: Browser) -> Result<(), Trouble> {
        let replaces = Some(browser.session.clone()).filter(|id| !id.is_empty());
        let deed = Deed::SignIn { user: self.number, replaces };
        let answer = site.perform(deed, browser.sign_in(site, self.number)).await?;
        if matches!(answer, Answer::SignedIn { .. }) {
            let deed = Deed::Use { session: browser.session.clone(), token: 0 };
            let answer = site.perform(deed.clone(), browser.look(site)).await?;
            self.keep(browser, &deed, &answer);
        }
        Ok(())
    }

    /// A browser whose session is over goes; the others stay, and find out by themselves.
    fn keep(&mut self, browser: Browser, deed: &Deed, answer: &Answer) {
        let over = matches!(answer, Answer::Refused) || matches!(deed, Deed::SignOut { .. });
        if !over {
            self.browsers.push(browser);
        }
    }
}

fn look(site: &Site, session: &str) -> Deed {
    let world = site.notes.world();
    let tokens = world.sessions.get(session).map_or(0, |session| session.tokens.len());
    Deed::Use { session: session.to_owned(), token: tokens.saturating_sub(1) }
}

fn theft(site: &Site, id: &str) -> Option<(Deed, Browser)> {
    let world = site.notes.world();
    let session = world.sessions.get(id)?;
    let (place, token) = session.superseded(site.now()).iter().enumerate().next_back()?;
    Some((Deed::Steal { session: id.to_owned(), token: place }, Browser::with(id, session, token)))
}

async fn ask(browser: &mut Browser, site: &Site, deed: &Deed) -> (Answer, Cookies) {
    match deed {
        Deed::Count { .. } => browser.count(site).await,
        Deed::StepUp { .. } => browser.step_up(site).await,
        Deed::SignOut { .. } => browser.sign_out(site).await,
        Deed::EndDevice { other, .. } => browser.end_device(site, other).await,
        Deed::EndOthers { .. } => browser.end_others(site).await,
        _ => browser.look(site).await,
    }
}

async fn revoke(site: &Site, user: u32) -> Result<(), counterfoil_core::store::StoreError> {
    match name_of(user) {
        Ok(subject) => site.engine.end_subject(&subject, EndReason::Admin).await,
        Err(_) => Ok(()),
    }
}

const MOST_BROWSERS: usize = 3;
