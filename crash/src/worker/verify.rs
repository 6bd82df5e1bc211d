//! After a start: every token of what must be over is presented, and the newest one of what may be alive.

use futures_util::future::join_all;

use super::browser::Browser;
use super::site::{Site, Trouble};
use crate::model::{Limits, Session};
use crate::note::{Answer, Cookies, Deed};
use crate::says::with_causes;
use counterfoil_core::store::Loaded;

/// Looks at every session that is known; how many. With `steal`, superseded tokens come back as well, which ends sessions.
pub(super) async fn all(site: &Site, steal: bool) -> Result<usize, Trouble> {
    let (mut looks, mut thefts, mut endings) = (Vec::new(), Vec::new(), Vec::new());
    {
        let (world, now) = (site.notes.world(), site.now());
        let known = world.sessions.iter().filter(|(_, session)| now < session.born.answered + KNOWN_FOR);
        for (number, (id, session)) in known.enumerate() {
            endings.extend(session.is_remembered(now).then(|| id.clone()));
            looks.extend(tokens(id, session, session.must_be_over(now)));
            let superseded = session.superseded(now).last();
            if let (true, Some(token)) = (steal && number % 8 == 0 && !session.must_be_over(now), superseded) {
                let (place, thief) = (session.superseded(now).len() - 1, Browser::with(id, session, token));
                thefts.push((Deed::Steal { session: id.clone(), token: place }, thief));
            }
        }
    }
    let sessions = looks.len();
    for id in endings {
        let deed = Deed::Remember { session: id.clone() };
        site.perform(deed, remembers(site, &id)).await?;
    }
    for part in [looks, thefts] {
        let looks =
            part.into_iter().map(|(deed, mut browser)| async move { site.perform(deed, browser.look(site)).await });
        let answers = join_all(looks).await;
        answers.into_iter().collect::<Result<Vec<Answer>, _>>()?;
    }
    Ok(sessions)
}

/// Whether the store knows that a session has ended, and not only that there is none.
async fn remembers(site: &Site, id: &str) -> (Answer, Cookies) {
    let Ok(id) = id.parse() else { return (Answer::Refused, Cookies::default()) };
    let answer = match site.engine.store().load(id, site.now(), None).await {
        Ok(Loaded::Ended(_)) => Answer::Done,
        Ok(_) => Answer::Refused,
        Err(error) => Answer::Failed { error: with_causes(&error) },
    };
    (answer, Cookies::default())
}

fn tokens(id: &str, session: &Session, over: bool) -> Vec<(Deed, Browser)> {
    let first = if over { 0 } else { session.tokens.len().saturating_sub(1) };
    let tokens = session.tokens.iter().enumerate().skip(first);
    tokens
        .map(|(token, text)| (Deed::Use { session: id.to_owned(), token }, Browser::with(id, session, text)))
        .collect()
}

/// Nothing is left to bring back of what began earlier: even its tombstone was forgotten long ago.
const KNOWN_FOR: std::time::Duration = Limits::ABSOLUTE.saturating_mul(3);
