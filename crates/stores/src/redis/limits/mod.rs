//! What nodes count together of what is tried: one script, by the server's time.
//!
//! # Security
//! The server sees hashes under a key that it does not have, and numbers. All keys of a decision lie on one server of a cluster,
//! the same for all of them (`{limits}`), because a decision is one step over several of them. Each is gone as soon as what it
//! counts has recovered, at the latest after the time a place stays known. A server that has no memory left refuses, and a
//! server that forgot lets everybody begin anew, once.

use std::time::Duration;

use counterfoil_core::limits::{Answer, Ask, Budget, Granted, KeyId, Refused, SharedLimits};
use counterfoil_core::store::{BoxFuture, StoreError};
use redis::aio::ConnectionLike as _;
use redis::{Cmd, ErrorKind, Script, ServerErrorKind, Value};

use super::link::SharedLink;
use super::reply::odd;
use super::{RedisStore, error};

/// The limits in a Redis, by [`RedisStore::limits`].
pub struct RedisLimits {
    link: SharedLink,
    prefix: Box<str>,
    hash: String,
    timeout: Duration,
}

/// What is asked of the script.
#[derive(Debug, Clone, Copy)]
enum What {
    Ask,
    Back,
    Learn,
}

impl RedisStore {
    /// The count of what is tried that nodes share here, over this store's connection.
    pub fn limits(&self) -> RedisLimits {
        RedisLimits {
            link: SharedLink::clone(&self.link),
            prefix: self.settings.prefix.clone(),
            hash: Script::new(CODE).get_hash().to_owned(),
            timeout: self.settings.timeout,
        }
    }
}

impl SharedLimits for RedisLimits {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move { read(ask, self.run(What::Ask, ask, ask.familiar).await?) })
    }

    fn give_back<'a>(&'a self, ask: &'a Ask, familiar: bool, learn: bool) -> BoxFuture<'a, Result<(), StoreError>> {
        let what = if learn && ask.place.is_some() { What::Learn } else { What::Back };
        Box::pin(async move { self.run(what, ask, familiar).await.map(drop) })
    }
}

impl RedisLimits {
    async fn run(&self, what: What, ask: &Ask, familiar: bool) -> Result<Value, StoreError> {
        let running = async {
            let mut line = self.link.line().await?;
            let by_hash = self.command("EVALSHA", &self.hash, what, ask, familiar);
            let answer = match line.req_packed_command(&by_hash).await.and_then(Value::extract_error) {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    let whole = self.command("EVAL", CODE, what, ask, familiar);
                    line.req_packed_command(&whole).await.and_then(Value::extract_error)
                }
                other => other,
            };
            answer.map_err(|error| error::of_verb(error, VERB, self.timeout))
        };
        let limit = self.timeout;
        tokio::time::timeout(limit, running).await.unwrap_or(Err(StoreError::Timeout { verb: VERB, limit }))
    }

    fn command(&self, name: &str, script: &str, what: What, ask: &Ask, familiar: bool) -> Cmd {
        let budgets = || ask.charged(false);
        let mut command = redis::cmd(name);
        command.arg(script).arg(budgets().count() + 1);
        // Nothing is ever known at a place of zeros.
        command.arg(self.key('k', ask.place.unwrap_or(KeyId([0; 16]))));
        for budget in budgets() {
            command.arg(self.key('q', budget.key));
        }
        command.arg(what.as_str()).arg(ask.known_for_millis()).arg(u8::from(familiar)).arg(u8::from(ask.own.is_some()));
        for Budget { pace, .. } in budgets() {
            command.arg(u64::try_from(pace.every().as_millis()).unwrap_or(u64::MAX)).arg(pace.at_once().get());
        }
        command
    }

    fn key(&self, kind: char, KeyId(bytes): KeyId) -> Vec<u8> {
        [self.prefix.as_bytes(), format!("{kind}:{{limits}}:").as_bytes(), &bytes].concat()
    }
}

impl What {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Back => "back",
            Self::Learn => "learn",
        }
    }
}

fn read(ask: &Ask, answer: Value) -> Result<Answer, StoreError> {
    let Value::Array(parts) = answer else { return Err(odd()) };
    let mut parts = parts.into_iter();
    match parts.next() {
        Some(Value::BulkString(word)) if word == b"granted" => {
            let familiar = number(parts.next())? == 1;
            let now = number(parts.next())?;
            let mut left = Vec::new();
            for (budget, until) in ask.charged(familiar).zip(parts) {
                left.push((budget.per, budget.pace, budget.pace.left(number(Some(until))?, now)));
            }
            let own = left.into_iter().filter(|(per, ..)| per.is_the_askers_own());
            Ok(Answer::Granted(Granted { familiar, left: own.min_by_key(|(.., left)| *left) }))
        }
        Some(Value::BulkString(word)) if word == b"refused" => {
            let which = usize::try_from(number(parts.next())?).unwrap_or(0);
            let wait = Duration::from_millis(number(parts.next())?);
            let budget = which.checked_sub(1).and_then(|which| ask.charged(false).nth(which)).ok_or_else(odd)?;
            Ok(Answer::Refused(Refused { act: ask.act, per: budget.per, pace: budget.pace, wait, key: budget.key }))
        }
        _ => Err(odd()),
    }
}

fn number(value: Option<Value>) -> Result<u64, StoreError> {
    match value {
        Some(Value::Int(number)) => u64::try_from(number).map_err(|_| odd()),
        Some(Value::BulkString(text)) => {
            std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).ok_or_else(odd)
        }
        _ => Err(odd()),
    }
}

impl std::fmt::Debug for RedisLimits {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RedisLimits").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Its keys may be lost at any time; a server whose memory is full refuses, and nodes count alone.
const CODE: &str = concat!("#!lua\n", include_str!("count.lua"));
const VERB: &str = "limits";

#[cfg(test)]
mod tests;
