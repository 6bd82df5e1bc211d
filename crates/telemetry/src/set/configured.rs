//! Shared Signals as they are configured: the table `[events.signals]`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::pen::Bearer;
use super::poll::PollLimits;
use super::push::Delivery;
use super::receive::{Keys, KnownBy, Transmitter, TransmitterSettings};
use super::settings::{PollSettings, PushSettings, Stream, StreamSettings};
use super::signals::SignalsFailed;
use crate::client::{Client, Endpoint, PlainHttp};
use crate::only::Only;
use crate::private_file::{read_public, read_secret};

/// The table `[events.signals]` of a configuration: who is told by Security Event Tokens, and who tells us.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalSettings {
    /// Who we are: an https URL, the `iss` of every token. Receivers find our keys by it.
    pub issuer: String,
    /// Streams that we bring to their receivers (RFC 8935).
    #[serde(default)]
    pub push: Vec<Pushed>,
    /// Streams that their receivers come for (RFC 8936).
    #[serde(default)]
    pub poll: Vec<Polled>,
    /// Whom we listen to.
    #[serde(default)]
    pub listen: Vec<Listen>,
}

/// A stream that we bring to its receiver, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pushed {
    /// The stream's name: for verification events, logs and metrics.
    pub id: String,
    /// The `aud` of every token, as the receiver asked for.
    pub audience: String,
    /// Which events are told, where they say something to others [default: all].
    #[serde(default)]
    pub events: Only,
    /// The receiver. Its path and query may be secret: only its origin is ever shown.
    pub url: String,
    /// Whether it may be another machine that is reached without TLS.
    #[serde(default)]
    pub plain_http: bool,
    /// A file with what the receiver knows us by, beside the signature; nobody but its owner may read it.
    pub bearer_file: Option<PathBuf>,
    /// How many tokens wait [default: 10000].
    pub waiting: Option<u64>,
    /// For how long a token is tried while the receiver is not there [default: 60].
    pub give_up_minutes: Option<u64>,
}

/// A stream that its receiver comes for, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polled {
    /// The stream's name: for its address, verification events, logs and metrics.
    pub id: String,
    /// The `aud` of every token, as the receiver asked for.
    pub audience: String,
    /// Which events are told, where they say something to others [default: all].
    #[serde(default)]
    pub events: Only,
    /// A file with what the receiver has to show; nobody but its owner may read it.
    pub bearer_file: PathBuf,
    /// How many tokens are kept [default: 10000].
    pub kept: Option<u64>,
    /// How many are given at once, also where more are asked for [default: 100].
    pub at_once: Option<u64>,
    /// How long a poll waits where there is nothing [default: 30].
    pub wait_seconds: Option<u64>,
    /// How many polls wait; the next is answered at once [default: 8].
    pub waiting_polls: Option<u64>,
}

/// Somebody whose tokens are taken, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of tokens for us, as we agreed with it.
    pub audience: String,
    /// By which names it may speak of sessions and users. There is no default: it decides who can sign out whom.
    pub knows_by: Vec<KnownBy>,
    /// Where it publishes its keys. This, or `jwks_file`.
    pub jwks_url: Option<String>,
    /// A file with its key set (RFC 7517). This, or `jwks_url`.
    pub jwks_file: Option<PathBuf>,
    /// What it may tell us [default: `session_revoked`, `credential_changed`, `credential_unsafe`, `account_disabled`].
    pub accepts: Option<Vec<String>>,
    /// How old its tokens may be [default: 24].
    pub oldest_hours: Option<u64>,
    /// A file with what it has to show beside the signature; nobody but its owner may read it.
    pub bearer_file: Option<PathBuf>,
}

impl SignalSettings {
    /// Has relative paths begin in `folder`.
    pub(crate) fn begin_in(&mut self, folder: &Path) {
        let pushed = self.push.iter_mut().filter_map(|stream| stream.bearer_file.as_mut());
        let polled = self.poll.iter_mut().map(|stream| &mut stream.bearer_file);
        let heard =
            self.listen.iter_mut().flat_map(|listen| [&mut listen.jwks_file, &mut listen.bearer_file]).flatten();
        pushed.chain(polled).chain(heard).for_each(|path| *path = folder.join(&*path));
    }

    /// Looks at all that can be wrong before anything is begun.
    pub(crate) fn check(&self, client: &Client) -> Result<(), SignalsFailed> {
        if self.push.is_empty() && self.poll.is_empty() && self.listen.is_empty() {
            return Err(SignalsFailed::Nothing);
        }
        let mut ids = HashSet::new();
        let named = self.push.iter().map(|stream| &stream.id).chain(self.poll.iter().map(|stream| &stream.id));
        if let Some(twice) = named.into_iter().find(|id| !ids.insert(id.as_str())) {
            return Err(SignalsFailed::SameStream(twice.clone()));
        }
        let mut issuers = HashSet::new();
        if let Some(twice) = self.listen.iter().find(|listen| !issuers.insert(listen.issuer.as_str())) {
            return Err(SignalsFailed::SameIssuer(twice.issuer.clone()));
        }
        // Not only where there are streams: it is published with our keys.
        let probe = StreamSettings {
            id: "a".into(),
            issuer: self.issuer.clone(),
            audience: "a".into(),
            events: Only::default(),
        };
        Stream::try_from(probe).map_err(SignalsFailed::Issuer)?;
        self.push.iter().try_for_each(|stream| stream.open(&self.issuer).map(drop))?;
        self.poll.iter().try_for_each(|stream| stream.open(&self.issuer).map(drop))?;
        self.listen.iter().try_for_each(|listen| listen.open(client).map(drop))
    }
}

impl Pushed {
    /// The stream, and where it is brought.
    pub(super) fn open(&self, issuer: &str) -> Result<(Stream, Delivery), SignalsFailed> {
        let Self { id, audience, events, url, plain_http, bearer_file, waiting, give_up_minutes } = self.clone();
        let bearer = bearer_file.as_deref().map(|file| bearer("push", &id, file)).transpose()?;
        let of_stream = |error| SignalsFailed::Stream { table: "push", id: id.clone(), error };
        let stream = StreamSettings { id: id.clone(), issuer: issuer.to_owned(), audience, events };
        let delivery = PushSettings { url, plain_http, waiting, give_up_minutes }.check(bearer).map_err(of_stream)?;
        Ok((stream.try_into().map_err(of_stream)?, delivery))
    }
}

impl Polled {
    /// The stream, how much of it is kept, and what opens it.
    pub(super) fn open(&self, issuer: &str) -> Result<(Stream, Bearer, PollLimits), SignalsFailed> {
        let Self { id, audience, events, bearer_file, kept, at_once, wait_seconds, waiting_polls } = self.clone();
        let of_stream = |error| SignalsFailed::Stream { table: "poll", id: id.clone(), error };
        let stream = StreamSettings { id: id.clone(), issuer: issuer.to_owned(), audience, events };
        let limits = PollSettings { kept, at_once, wait_seconds, waiting_polls }.try_into().map_err(of_stream)?;
        Ok((stream.try_into().map_err(of_stream)?, bearer("poll", &id, &bearer_file)?, limits))
    }
}

impl Listen {
    /// Whom it is, and how its tokens are verified. Keys that are published are fetched when they are needed.
    pub(super) fn open(&self, client: &Client) -> Result<Transmitter, SignalsFailed> {
        let Self { issuer, audience, knows_by, accepts, oldest_hours, .. } = self.clone();
        let keys = self.keys(client)?;
        let bearer = self.bearer_file.as_deref().map(|file| bearer("listen", &issuer, file)).transpose()?;
        let usual = TransmitterSettings::usual(issuer, audience, knows_by);
        let accepts = accepts.unwrap_or_else(|| usual.accepts.clone());
        let oldest_hours = oldest_hours.unwrap_or(usual.oldest_hours);
        let settings = TransmitterSettings { accepts, oldest_hours, ..usual };
        settings.check(keys, bearer).map_err(|error| SignalsFailed::Transmitter { issuer: self.issuer.clone(), error })
    }

    fn keys(&self, client: &Client) -> Result<Keys, SignalsFailed> {
        let issuer = || self.issuer.clone();
        match (&self.jwks_url, &self.jwks_file) {
            (Some(url), None) => {
                let from = Endpoint::checked(url, PlainHttp::Loopback);
                let from = from.map_err(|error| SignalsFailed::KeysUrl { issuer: issuer(), error })?;
                Ok(Keys::fetched(client.clone(), from))
            }
            (None, Some(file)) => {
                let set = read_public(file, MOST_KEYS as u64);
                let set = set.map_err(|error| SignalsFailed::Unread { table: "listen", name: issuer(), error })?;
                Keys::fixed(&set).map_err(|error| SignalsFailed::Keys { issuer: issuer(), file: file.clone(), error })
            }
            _ => Err(SignalsFailed::WhichKeys(issuer())),
        }
    }
}

fn bearer(table: &'static str, name: &str, file: &Path) -> Result<Bearer, SignalsFailed> {
    let unread = |error| SignalsFailed::Unread { table, name: name.to_owned(), error };
    let secret = read_secret(file).map_err(unread)?;
    let bad = |error| SignalsFailed::Bearer { table, name: name.to_owned(), file: file.to_owned(), error };
    Bearer::new(secret.trim_ascii()).map_err(bad)
}

/// As much as is fetched.
pub(crate) const MOST_KEYS: usize = 64 * 1024;

#[cfg(test)]
mod tests;
