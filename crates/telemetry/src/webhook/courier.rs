//! Brings a receiver its events: several at once while it takes them, one at a time while it does not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use counterfoil_core::Clock;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::schedule::{Chance, LONGEST_ASKED, of_a_receiver, of_an_event};
use super::{Letter, Receiver, Webhook};
use crate::client::{Answer, Client, PostError};
use crate::figures::Counts;
use crate::losses::Losses;
use crate::patience::asked_for;

/// The work of one receiver.
pub(super) struct Courier {
    webhook: Webhook,
    letters: mpsc::Receiver<Letter>,
    /// Whether more may come.
    is_open: bool,
    clock: Arc<dyn Clock>,
    client: Client,
    chance: Chance,
    /// What is tried again, by when, and then in its order.
    later: BTreeMap<(Instant, u64), Letter>,
    number: u64,
    under_way: JoinSet<(Letter, Result<Answer, PostError>)>,
    /// In a row.
    failures: u32,
    /// Nobody is sent before.
    pause: Option<Instant>,
    given_up: Losses,
}

#[derive(Debug, PartialEq, Eq)]
enum Then {
    GoOn,
    Stop,
}

impl Courier {
    pub(super) fn new(
        webhook: Webhook,
        letters: mpsc::Receiver<Letter>,
        clock: Arc<dyn Clock>,
        client: Client,
        chance: Chance,
    ) -> Self {
        Self {
            webhook,
            letters,
            is_open: true,
            clock,
            client,
            chance,
            later: BTreeMap::new(),
            number: 0,
            under_way: JoinSet::new(),
            failures: 0,
            pause: None,
            given_up: Losses::default(),
        }
    }

    /// The work's whole life. Dropped anywhere, it drops all letters, which are counted as lost.
    pub(super) async fn carry(mut self) {
        while self.is_open || !self.later.is_empty() || !self.under_way.is_empty() {
            let now = Instant::now();
            // What waited longest goes first.
            while self.has_room(now)
                && let Some(due) = self.later.first_entry().filter(|first| first.key().0 <= now)
            {
                let letter = due.remove();
                self.send(letter);
            }
            let wakes = self.wakes(now);
            tokio::select! {
                Some(done) = self.under_way.join_next() => {
                    if let Ok((letter, result)) = done
                        && self.after(letter, result) == Then::Stop
                    {
                        return;
                    }
                }
                letter = self.letters.recv(), if self.is_open && self.has_room(now) => match letter {
                    Some(letter) => self.send(letter),
                    None => self.is_open = false,
                },
                () = tokio::time::sleep_until(wakes.unwrap_or(now)), if wakes.is_some() => {}
            }
        }
    }

    fn receiver(&self) -> &Receiver {
        &self.webhook.0.receiver
    }

    fn has_room(&self, now: Instant) -> bool {
        let most = if self.failures == 0 { self.receiver().at_once } else { 1 };
        self.under_way.len() < most && self.pause.is_none_or(|until| until <= now)
    }

    /// When there is something to do that nobody else wakes it for.
    fn wakes(&self, now: Instant) -> Option<Instant> {
        if let Some(until) = self.pause.filter(|until| *until > now) {
            return Some(until);
        }
        let first = self.later.first_key_value()?.0.0;
        self.has_room(now).then_some(first)
    }

    fn send(&mut self, mut letter: Letter) {
        let is_old = letter.since.elapsed() >= self.receiver().give_up_after;
        if is_old && (letter.tries > 0 || self.failures > 0) {
            self.give_up(letter);
            return;
        }
        letter.tries += 1;
        let headers = self.signed(&letter.id, &letter.body);
        let (client, to, body) = (self.client.clone(), self.receiver().to.clone(), letter.body.clone());
        self.under_way.spawn(async move {
            let result = client.post(&to, headers, body).await;
            (letter, result)
        });
    }

    fn signed(&self, id: &str, body: &Bytes) -> HeaderMap {
        let seconds = self.clock.now().unix_seconds();
        let signatures: Vec<_> = self.receiver().secrets.iter().map(|secret| secret.sign(id, seconds, body)).collect();
        let value = |text: &str| HeaderValue::from_str(text).ok();
        let fields = [
            (CONTENT_TYPE, Some(HeaderValue::from_static("application/json"))),
            (USER_AGENT, Some(HeaderValue::from_static(concat!("counterfoil/", env!("CARGO_PKG_VERSION"))))),
            (HeaderName::from_static("webhook-id"), value(id)),
            (HeaderName::from_static("webhook-timestamp"), Some(seconds.into())),
            (HeaderName::from_static("webhook-signature"), value(&signatures.join(" "))),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    fn after(&mut self, letter: Letter, result: Result<Answer, PostError>) -> Then {
        match result {
            Ok(answer) if answer.status.is_success() => self.delivered(letter),
            Ok(answer) if answer.status == StatusCode::GONE => {
                self.gone(letter);
                return Then::Stop;
            }
            Ok(answer) => {
                let asked = asked_for(&answer.headers).map(|asked| asked.min(LONGEST_ASKED));
                self.failed(letter, Some(answer.status), asked, &format!("it answered {}", answer.status.as_u16()));
            }
            Err(error) => self.failed(letter, None, None, &error.to_string()),
        }
        Then::GoOn
    }

    fn delivered(&mut self, letter: Letter) {
        letter.place.settle_as(|counts| &counts.delivered);
        if self.failures >= TOLD_AFTER {
            tracing::info!(rule = "webhook", receiver = self.webhook.name(), "a receiver takes webhooks again");
        }
        (self.failures, self.pause) = (0, None);
    }

    fn failed(&mut self, letter: Letter, status: Option<StatusCode>, asked: Option<std::time::Duration>, why: &str) {
        let now = Instant::now();
        Counts::add(&self.webhook.0.outbox.counts().failed_attempts, 1);
        self.failures = self.failures.saturating_add(1);
        if self.failures == TOLD_AFTER {
            let (receiver, to) = (self.webhook.name(), &self.receiver().to);
            tracing::warn!(rule = "webhook", receiver, %to, why, "a receiver does not take webhooks: one is tried at a time");
        }
        let is_loaded = status.is_some_and(|status| LOADED.contains(&status));
        let pause = of_a_receiver(self.failures, is_loaded, (self.chance)()).max(asked);
        self.pause = self.pause.max(pause.map(|pause| now + pause));
        let due = now + of_an_event(letter.tries, (self.chance)()).max(asked.unwrap_or_default());
        if due.duration_since(letter.since) >= self.receiver().give_up_after {
            self.give_up(letter);
        } else {
            self.number += 1;
            self.later.insert((due, self.number), letter);
        }
    }

    fn give_up(&mut self, letter: Letter) {
        letter.place.settle_as(|counts| &counts.given_up);
        if let Some(events) = self.given_up.lose(1, std::time::Instant::now()) {
            tracing::error!(
                rule = "webhook",
                receiver = self.webhook.name(),
                events,
                "events were not delivered for too long: given up"
            );
        }
    }

    fn gone(&mut self, letter: Letter) {
        self.webhook.0.is_gone.store(true, Ordering::Relaxed);
        Counts::add(&self.webhook.0.outbox.counts().failed_attempts, 1);
        let receiver = self.webhook.name();
        tracing::error!(
            rule = "webhook",
            receiver,
            "a receiver answered 410 Gone: it gets nothing until the next start"
        );
        self.letters.close();
        letter.place.settle_as(|counts| &counts.given_up);
        while let Ok(letter) = self.letters.try_recv() {
            letter.place.settle_as(|counts| &counts.given_up);
        }
        for letter in std::mem::take(&mut self.later).into_values() {
            letter.place.settle_as(|counts| &counts.given_up);
        }
    }
}

/// What says that there is too much to do.
const LOADED: [StatusCode; 4] = [
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];
/// One failure is no news.
const TOLD_AFTER: u32 = 3;
