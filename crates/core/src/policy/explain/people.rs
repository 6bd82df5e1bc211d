//! What is kept about people: which data, why, where, and for how long.

use std::borrow::Cow;
use std::time::Duration;

use super::span;
use crate::cookie::CookieLifetime;
use crate::limits::LimitSettings;
use crate::policy::Policy;
use crate::rules::{Decision, History, Signal};

/// Something that is kept about people.
///
/// # Examples
/// ```
/// use counterfoil_core::policy::Policy;
///
/// let kept = Policy::aal2("https://shop.example")?.collected();
/// let places = kept.iter().find(|kept| kept.id == "people.session.places").ok_or("said")?;
/// assert!(!places.data.iter().any(|data| *data == "address"), "no address is kept");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collected {
    /// A stable name.
    pub id: &'static str,
    /// Which data.
    pub data: Vec<Cow<'static, str>>,
    /// What for.
    pub purpose: Cow<'static, str>,
    /// Where it lies, and who can read it there.
    pub kept_in: Cow<'static, str>,
    /// For how long, in words.
    pub kept_for: String,
    /// The longest it is kept, where the policy or the program bounds it.
    pub at_most: Option<Duration>,
}

impl Collected {
    /// Something that is kept about people.
    pub fn new(
        id: &'static str,
        data: &[&'static str],
        purpose: impl Into<Cow<'static, str>>,
        kept_in: impl Into<Cow<'static, str>>,
        kept_for: impl Into<String>,
    ) -> Self {
        let data = data.iter().map(|data| Cow::Borrowed(*data)).collect();
        Self { id, data, purpose: purpose.into(), kept_in: kept_in.into(), kept_for: kept_for.into(), at_most: None }
    }

    /// The same, bounded.
    #[must_use]
    pub fn at_most(self, time: Duration) -> Self {
        Self { at_most: Some(time), ..self }
    }
}

impl Policy {
    /// What is kept about people where this policy is in force, by whatever store and in whatever program.
    pub fn collected(&self) -> Vec<Collected> {
        let end = self.limits.absolute.max(self.limits.remember_for.unwrap_or_default());
        let retain = self.vigilance.retain;
        let session = Collected::new(
            "people.session",
            &[
                "the application's name for the account",
                "how the person signed in and stepped up, and when",
                "when the session was last used",
                "the device's name, by browser and platform or as its user named it",
                "names that an identity provider has for the session",
            ],
            "to know who a request is from, and to show people their own sessions",
            SEALED,
            format!("until the session ends, {} after signing in at the latest", span(end)),
        );
        let places = Collected::new(
            "people.session.places",
            PLACES,
            "to notice that somebody else has the session, and to say what was seen and what was expected",
            SEALED,
            format!(
                "the last {} places and clients, each until it was not used for {}, and no longer than the session",
                History::MOST,
                span(retain)
            ),
        );
        let data = Collected::new(
            "people.session.data",
            &["whatever the application keeps in the session"],
            "the application's: say so where you describe your own data",
            SEALED,
            "as long as the session",
        );
        let ended = Collected::new(
            "people.ended",
            &["the public id of a session that is over", "why it ended"],
            "so that nothing brings it back",
            "the session store; it does not say whose it was",
            format!("until an hour after the session's last possible moment, {} at the latest", span(end + HOUR)),
        );
        let mut kept = vec![
            session.at_most(end),
            places.at_most(retain.min(end)),
            data.at_most(end),
            ended.at_most(end + HOUR),
            self.cookies_of_people(end),
        ];
        kept.extend(self.devices_of_people());
        kept.push(bursts());
        kept.push(events());
        kept
    }

    fn cookies_of_people(&self, end: Duration) -> Collected {
        let end = end.min(CookieLifetime::LONGEST);
        let kept_for = if self.until_browser_closes {
            "until the browser closes, and no longer than the session counts".to_owned()
        } else {
            format!("until the session's end, {} at the latest", span(end))
        };
        Collected::new(
            "people.cookies",
            &["a random token that says nothing about the person"],
            "to know the session again. Strangers for whom nothing is stored get no cookie",
            "the person's own browser",
            kept_for,
        )
        .at_most(end)
    }

    /// Nobody keeps what nobody looks at.
    fn devices_of_people(&self) -> Option<Collected> {
        let looked_at = self.grades.of(Signal::NewDevice).ordinary != Decision::None;
        let longest = self.vigilance.retain.saturating_mul(2);
        let devices = Collected::new(
            "people.devices",
            PLACES,
            "to tell people that somebody signed in by a device that they have not used of late",
            "the session store, sealed as sessions are, under a name that does not say whose it is",
            format!(
                "{} after the last sign-in at the latest; not at all with detection.decisions.new_device = \"none\"",
                span(longest)
            ),
        );
        looked_at.then(|| devices.at_most(longest))
    }
}

impl LimitSettings {
    /// What is kept about people to count what they try.
    pub fn collected(&self) -> Vec<Collected> {
        let known = Duration::from(self.known_for);
        let tried = Collected::new(
            "people.tries",
            &["keyed hashes of addresses, accounts and sessions", "when each may try again"],
            "to slow down guessing",
            "memory; a Redis that nodes share, where there is one. Nobody can read a name or an address out of it",
            "until the budget has recovered",
        );
        let slowest = self.rates().into_iter().map(|(.., rate)| {
            let pace = rate.pace();
            pace.every().saturating_mul(pace.at_once().get())
        });
        let places = Collected::new(
            "people.known_places",
            &["keyed hashes of an account at an address where it was signed in to"],
            "so that nobody locks an owner out by failing from elsewhere",
            "memory; a Redis that nodes share, where there is one. Nobody can read a name or an address out of it",
            format!("{} after the last sign-in there", span(known)),
        );
        vec![tried.at_most(slowest.max().unwrap_or_default()), places.at_most(known)]
    }
}

fn bursts() -> Collected {
    Collected::new(
        "people.bursts",
        &["hashes of networks, sessions and accounts at which something failed, and when"],
        "to notice many forged tokens, refused forms, failed step-ups and failed sign-ins",
        "memory of each process",
        "10m after the last time, and as long as there is room; a restart forgets it",
    )
}

fn events() -> Collected {
    Collected::new(
        "people.events",
        &[
            "what happened, and when",
            "the session's public id",
            "a keyed hash of the application's name for the account",
            "on signals: platform, browser, country and network operator, distance and time between two places",
        ],
        "to see attacks, and to prove later what happened",
        "the program's log, and wherever else it sends events. No address is in them",
        "as long as whoever keeps logs and events keeps them",
    )
}

const PLACES: &[&str] = &[
    "the network's prefix, /24 or /48",
    "a hash of the address",
    "the country",
    "a place, to some 10 km",
    "the network's operator",
    "platform and browser, and a hash of the headers that tell them",
    "first and last use",
];
const SEALED: &str =
    "the session store. On a disk or a server it is sealed: who has that and not the keys reads nothing of it";
const HOUR: Duration = Duration::from_hours(1);
