//! Asking servers up to which notice they know each tag.

use std::time::Duration;

use futures_util::future::join_all;
use redis::{ErrorKind, RedisError, RedisResult, Value};
use tokio::time::timeout;

use super::counts::TAGS;
use super::line::Line;
use super::scripts::key_of_tag;

/// What they said; an error where one did not answer.
pub(super) struct Beat {
    pub(super) counts: Vec<(u8, RedisResult<u64>)>,
}

impl Beat {
    /// One command, or one for each tag where they lie apart.
    pub(super) async fn take(prefix: &str, line: &Line, apart: bool) -> Self {
        let tags: Vec<u8> = TAGS.collect();
        let groups = if apart { tags.chunks(1) } else { tags.chunks(tags.len()) };
        let asked = groups.map(|tags| async move {
            let answer = match timeout(PATIENCE, ask(prefix, line.clone(), tags)).await {
                Ok(answer) => answer,
                Err(_) => Err((ErrorKind::Io, "it does not say what it knows").into()),
            };
            match answer {
                Ok(numbers) => tags.iter().copied().zip(numbers.into_iter().map(Ok)).collect::<Vec<_>>(),
                Err(error) => tags.iter().map(|tag| (*tag, Err(error.clone()))).collect(),
            }
        });
        Self { counts: join_all(asked).await.into_iter().flatten().collect() }
    }
}

async fn ask(prefix: &str, mut line: Line, tags: &[u8]) -> RedisResult<Vec<u64>> {
    let mut command = redis::cmd("MGET");
    for tag in tags {
        command.arg(key_of_tag(prefix, 'n', *tag));
    }
    let odd = || RedisError::from((ErrorKind::UnexpectedReturnType, "numbers of notices are not what they should be"));
    let Value::Array(values) = command.query_async(&mut line).await? else { return Err(odd()) };
    let numbers: Option<Vec<_>> = values.iter().map(number).collect();
    numbers.filter(|numbers| numbers.len() == tags.len()).ok_or_else(odd)
}

/// Nothing was told where there is none.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Nil => Some(0),
        Value::BulkString(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

/// A server that takes longer is as good as gone: nothing is decided from memory for longer than a few of these.
const PATIENCE: Duration = Duration::from_millis(500);
