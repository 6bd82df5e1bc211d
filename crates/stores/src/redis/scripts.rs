//! The scripts, and how they are called. They are sent by their hash, and whole where the server does not have them.

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisResult, Script, ServerErrorKind, Value};

use counterfoil_core::Moment;

use super::counts::tag_of;

/// One script for each verb; and those that only a cluster takes, where a verb's keys lie apart.
pub(super) struct Scripts {
    pub(super) load: Verb,
    pub(super) insert: Verb,
    pub(super) replace: Verb,
    pub(super) commit: Verb,
    pub(super) first_use: Verb,
    pub(super) end: Verb,
    pub(super) end_subject: Verb,
    pub(super) end_all: Verb,
    pub(super) epochs: Verb,
    pub(super) resolve: Verb,
    pub(super) list: Verb,
    pub(super) name: Verb,
    pub(super) names: Verb,
    pub(super) undo: Verb,
    pub(super) replay: Verb,
}

/// A script, and the verb it does.
pub(super) struct Verb {
    name: &'static str,
    /// Whether keys may lie on several servers.
    apart: bool,
    code: String,
    hash: String,
}

/// A script with its arguments.
pub(super) struct Call<'a> {
    verb: &'a Verb,
    keys: Vec<Vec<u8>>,
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
    pub(super) fn new(apart: bool) -> Self {
        let verb = |name, code| Verb::new(name, code, apart);
        Self {
            load: verb("load", script!(reads "load")),
            insert: verb("insert", script!(writes "common", "limit", "add", "insert")),
            replace: verb("replace", script!(writes "common", "limit", "add", "replace")),
            commit: verb("commit", script!(writes "commit")),
            first_use: verb("commit", script!(writes "common", "limit", "first_use")),
            end: verb("end", script!(ends "common", "end")),
            end_subject: verb("end_subject", script!(ends "common", "end_subject")),
            end_all: verb("end_all", script!(ends "common", "end_all")),
            epochs: verb("epochs", script!(reads "common", "epochs")),
            resolve: verb("resolve", script!(reads "common", "resolve")),
            list: verb("list", script!(reads "common", "limit", "list")),
            name: verb("insert", script!(writes "common", "limit", "add", "name")),
            names: verb("resolve", script!(reads "common", "names")),
            undo: verb("replace", script!(ends "common", "undo")),
            replay: verb("replay", script!(ends "common", "replay")),
        }
    }
}

impl Verb {
    fn new(name: &'static str, code: &str, apart: bool) -> Self {
        Self { name, apart, code: code.to_owned(), hash: Script::new(code).get_hash().to_owned() }
    }

    /// With what every script is told: where its keys lie, the prefix of keys, and the time. `id` is whatever begins with
    /// the byte of the tag: a session's id, a subject, a name's hash.
    pub(super) fn with(&self, prefix: &str, id: &[u8], now: Moment) -> Call<'_> {
        let key = |kind| key_of_tag(prefix, kind, tag_of(id)).into_bytes();
        // There never is a `z`: while a slot moves from server to server, both refuse whatever names a key that is missing,
        // and no script ever finds one of its keys there and another one not.
        let keys = if self.apart { vec![key('n'), key('z')] } else { vec![key('n')] };
        let call = Call { verb: self, keys, arguments: Vec::with_capacity(8) };
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

    /// A key that lies where this is sent.
    pub(super) fn key(&self) -> &[u8] {
        self.keys.first().map_or(&[], Vec::as_slice)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(self.keys.len());
        for argument in self.keys.iter().chain(&self.arguments) {
            command.arg(argument);
        }
        command
    }

    pub(super) async fn run(&self, connection: &mut impl ConnectionLike) -> RedisResult<Value> {
        match connection
            .req_packed_command(&self.command("EVALSHA", &self.verb.hash))
            .await
            .and_then(Value::extract_error)
        {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                // Runs it, and has the server know it from now on.
                let whole = self.command("EVAL", &self.verb.code);
                connection.req_packed_command(&whole).await.and_then(Value::extract_error)
            }
            other => other,
        }
    }
}

/// The key of what begins with the byte of its tag: a session, a subject.
pub(super) fn key_of(prefix: &str, kind: char, id: &[u8]) -> Vec<u8> {
    let tag = key_of_tag(prefix, kind, tag_of(id));
    [tag.as_bytes(), b":", id.get(1..).unwrap_or_default()].concat()
}

/// A key that there is once for each tag.
pub(super) fn key_of_tag(prefix: &str, kind: char, tag: u8) -> String {
    format!("{prefix}{kind}:{{{tag:02x}}}")
}
