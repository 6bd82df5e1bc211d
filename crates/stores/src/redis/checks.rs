//! Whether a server may hold sessions: what would break the store's promises is refused, what weakens them is said.

use std::collections::HashMap;

use counterfoil_core::seal::Sealer;
use redis::RedisResult;
use redis::aio::ConnectionManager;

use super::OpenError;
use super::address::Address;

/// Looks at the server's own account of itself.
pub(super) async fn check(connection: &mut ConnectionManager, address: &Address) -> Result<(), OpenError> {
    let place = &address.place;
    let info = Info(told(connection).await.map_err(|cause| OpenError::server(place, cause))?);
    if let Some(what) = info.refused() {
        return Err(OpenError::Setup { place: place.clone(), what });
    }
    for warning in info.warnings() {
        tracing::warn!(at = %place, "{warning}");
    }
    if address.is_exposed() {
        tracing::warn!(at = %place, "session records travel to Redis in plain text: use rediss://");
    }
    Ok(())
}

/// Notes that the sessions under this prefix are made with this ring, or that they were made so before.
pub(super) async fn claim(
    connection: &mut ConnectionManager,
    prefix: &str,
    sealer: &Sealer,
    place: &str,
) -> Result<(), OpenError> {
    let mark = sealer.reference_mark().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let ours = format!("{FORMAT} {mark}");
    let mut claim = redis::cmd("SET");
    claim.arg(format!("{prefix}meta")).arg(&ours).arg("NX").arg("GET");
    let found: Option<String> = claim.query_async(connection).await.map_err(|cause| OpenError::server(place, cause))?;
    match found {
        None => Ok(()),
        Some(found) if found == ours => Ok(()),
        Some(found) if found.starts_with(&format!("{FORMAT} ")) => {
            Err(OpenError::OtherKeys { place: place.into(), prefix: prefix.into() })
        }
        Some(_) => Err(OpenError::Format { place: place.into(), prefix: prefix.into() }),
    }
}

async fn told(connection: &mut ConnectionManager) -> RedisResult<HashMap<String, String>> {
    let text: String = redis::cmd("INFO").arg("everything").query_async(connection).await?;
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    Ok(lines.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect())
}

/// What `INFO` says.
struct Info(HashMap<String, String>);

impl Info {
    fn is(&self, name: &str, value: &str) -> bool {
        self.0.get(name).is_some_and(|found| found == value)
    }

    fn refused(&self) -> Option<Box<str>> {
        let version = self.0.get("redis_version").map(String::as_str).unwrap_or_default();
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_none_or(|major| major < OLDEST) {
            return Some(format!("it is version {version}; the store needs {OLDEST}.0 or newer").into());
        }
        if !self.is("maxmemory_policy", "noeviction") {
            let policy = self.0.get("maxmemory_policy").map(String::as_str).unwrap_or_default();
            let what = format!(
                "its maxmemory-policy is `{policy}`, so that it may forget who was signed out; set `noeviction`"
            );
            return Some(what.into());
        }
        if self.is("role", "slave") {
            return Some("it is a replica; name its master".into());
        }
        self.is("cluster_enabled", "1").then(|| "it is part of a cluster; name a server that is not".into())
    }

    fn warnings(&self) -> Vec<&'static str> {
        let replicas = self.0.get("connected_slaves").is_some_and(|count| count != "0");
        let without_good = replicas && !self.0.contains_key("min_slaves_good_slaves");
        [
            (self.is("aof_enabled", "0"), "Redis keeps no append-only file: a restart brings back what an old snapshot has, sessions that were signed out since included, or nothing; set `appendonly yes`"),
            (without_good, "Redis has replicas and takes writes that none of them has: a failover brings back sessions that were signed out; set `min-replicas-to-write 1`"),
        ]
        .into_iter()
        .filter_map(|(is, warning)| is.then_some(warning))
        .collect()
    }
}

/// The first with functions, stream ids made in part, and scripts that say what they may do.
const OLDEST: u32 = 7;
/// Of keys and scripts together.
const FORMAT: &str = "1";

#[cfg(test)]
mod tests {
    use super::*;

    type Lines = [(&'static str, &'static str)];

    fn info(lines: &Lines) -> Info {
        let usual =
            [("redis_version", "7.2.4"), ("maxmemory_policy", "noeviction"), ("role", "master"), ("aof_enabled", "1")];
        Info(usual.iter().chain(lines).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn what_would_bring_sessions_back_is_refused_or_said() {
        #[rustfmt::skip]
        let rows: [(&Lines, Option<&str>, usize); 9] = [
            (&[],                                                        None,               0),
            (&[("redis_version", "6.2.14")],                             Some("6.2.14"),     0),
            (&[("redis_version", "8.0.1")],                              None,               0),
            (&[("redis_version", "")],                                   Some("7.0"),        0),
            (&[("maxmemory_policy", "allkeys-lru")],                     Some("noeviction"), 0),
            (&[("role", "slave")],                                       Some("master"),     0),
            (&[("cluster_enabled", "1")],                                Some("cluster"),    0),
            (&[("aof_enabled", "0"), ("connected_slaves", "1")],         None,               2),
            (&[("connected_slaves", "1"), ("min_slaves_good_slaves", "1")], None,            0),
        ];
        for (lines, refused, warnings) in rows {
            let info = info(lines);
            let found = info.refused();
            assert_eq!(found.is_some(), refused.is_some(), "{lines:?} {found:?}");
            assert!(refused.is_none_or(|word| found.unwrap().contains(word)), "{lines:?}");
            assert_eq!(info.warnings().len(), warnings, "{lines:?}");
        }
    }
}
