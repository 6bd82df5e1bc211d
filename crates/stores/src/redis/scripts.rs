//! The scripts, and how they are called. They are sent by their hash, and whole where the server does not have them.

use redis::{RedisResult, Script, Value};

use counterfoil_core::Moment;

/// One script for each verb.
pub(super) struct Scripts {
    pub(super) load: Verb,
    pub(super) insert: Verb,
    pub(super) replace: Verb,
    pub(super) commit: Verb,
    pub(super) end: Verb,
    pub(super) end_subject: Verb,
    pub(super) end_all: Verb,
    pub(super) epochs: Verb,
    pub(super) resolve: Verb,
    pub(super) list: Verb,
}

/// A script, and the verb it does.
pub(super) struct Verb {
    name: &'static str,
    script: Script,
}

/// A script with its arguments.
pub(super) struct Call<'a> {
    verb: &'a Verb,
    arguments: Vec<Vec<u8>>,
}

/// What a script may do: not more, so that the server can refuse it where it must.
macro_rules! script {
    (reads $($part:literal),+) => { concat!("#!lua flags=no-writes\n", $(include_str!(concat!("scripts/", $part, ".lua"))),+) };
    (writes $($part:literal),+) => { concat!("#!lua\n", $(include_str!(concat!("scripts/", $part, ".lua"))),+) };
    // A server whose memory is full must still be able to end sessions.
    (ends $($part:literal),+) => { concat!("#!lua flags=allow-oom\n", $(include_str!(concat!("scripts/", $part, ".lua"))),+) };
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            load: Verb::new("load", script!(reads "common", "load")),
            insert: Verb::new("insert", script!(writes "common", "limit", "add", "insert")),
            replace: Verb::new("replace", script!(writes "common", "limit", "add", "replace")),
            commit: Verb::new("commit", script!(writes "common", "limit", "commit")),
            end: Verb::new("end", script!(ends "common", "end")),
            end_subject: Verb::new("end_subject", script!(ends "common", "end_subject")),
            end_all: Verb::new("end_all", script!(ends "common", "end_all")),
            epochs: Verb::new("epochs", script!(reads "common", "epochs")),
            resolve: Verb::new("resolve", script!(reads "common", "resolve")),
            list: Verb::new("list", script!(reads "common", "limit", "list")),
        }
    }
}

impl Verb {
    fn new(name: &'static str, code: &str) -> Self {
        Self { name, script: Script::new(code) }
    }

    /// With what every script is told: the prefix of keys, and the time.
    pub(super) fn with(&self, prefix: &str, now: Moment) -> Call<'_> {
        let call = Call { verb: self, arguments: Vec::with_capacity(8) };
        call.bytes(prefix.as_bytes()).number(now.unix_millis())
    }
}

impl Call<'_> {
    pub(super) const fn verb(&self) -> &'static str {
        self.verb.name
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.arguments.push(bytes.to_vec());
        self
    }

    pub(super) fn number(self, number: u64) -> Self {
        self.bytes(number.to_string().as_bytes())
    }

    pub(super) async fn run(&self, connection: &mut impl redis::aio::ConnectionLike) -> RedisResult<Value> {
        let mut invocation = self.verb.script.prepare_invoke();
        for argument in &self.arguments {
            invocation.arg(argument);
        }
        invocation.invoke_async(connection).await
    }
}
