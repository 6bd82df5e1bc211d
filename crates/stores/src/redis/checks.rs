//! Whether a server may hold sessions: what would break the store's promises is refused, what weakens them is said.

use std::collections::HashMap;

use counterfoil_core::seal::Sealer;
use counterfoil_core::stored::Format;
use redis::{RedisResult, Value, from_redis_value};

use super::OpenError;
use super::address::Address;
use super::line::Line;

/// Looks at the servers' own account of themselves.
pub(super) async fn check(line: &mut Line, address: &Address) -> Result<(), OpenError> {
    let place = &address.place;
    let told = infos(line, "everything").await.map_err(|cause| OpenError::server(place, cause))?;
    if let Some(what) = told.iter().find_map(|info| info.refused(address.is_cluster())) {
        return Err(OpenError::Setup { place: place.clone(), what });
    }
    let mut warnings: Vec<_> = told.iter().flat_map(Info::warnings).collect();
    warnings.dedup();
    for warning in warnings {
        tracing::warn!(at = %place, "{warning}");
    }
    if address.is_exposed() {
        tracing::warn!(at = %place, "session records travel to Redis in plain text: use rediss://");
    }
    Ok(())
}

/// What part servers play at this moment.
pub(super) struct Role {
    /// Whether they take writes.
    pub(super) master: bool,
    /// Whether others would take over from them.
    pub(super) replicas: bool,
}

/// Asks them.
pub(super) async fn role(line: &mut Line) -> RedisResult<Role> {
    let told = infos(line, "replication").await?;
    Ok(Role {
        master: told.iter().all(|info| info.is("role", "master")),
        replicas: told.iter().any(Info::has_replicas),
    })
}

/// Whether the server that has this key has no replica at this moment.
pub(super) async fn is_alone(line: &mut Line, key: &[u8]) -> bool {
    let told = line.beside(key, redis::cmd("INFO").arg("replication")).await;
    told.and_then(Info::read).is_ok_and(|info| !info.has_replicas())
}

/// Whose sessions lie under a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// Ours, written in this format.
    Ours(Format),
    OtherKeys,
    OtherFormat,
}

/// Notes that the sessions under this prefix are made with this ring and written as `sealer` writes, or finds how they were
/// made before. What a server has forgotten is noted again as this node knows it: others may know no later format.
pub(super) async fn claim(line: &mut Line, prefix: &str, sealer: &Sealer) -> RedisResult<Claim> {
    let mut claim = redis::cmd("SET");
    claim.arg(meta(prefix)).arg(note(sealer, sealer.format())).arg("NX").arg("GET");
    let found: Option<String> = claim.query_async(line).await?;
    Ok(found.map_or_else(|| Claim::Ours(sealer.format()), |found| Claim::read(&found, sealer)))
}

/// How the sessions under this prefix are made; nothing where there are none.
pub(super) async fn look(line: &mut Line, prefix: &str, sealer: &Sealer) -> RedisResult<Option<Claim>> {
    let found: Option<String> = redis::cmd("GET").arg(meta(prefix)).query_async(line).await?;
    Ok(found.map(|found| Claim::read(&found, sealer)))
}

/// Notes that sessions are written in another format from now on, unless somebody noted something else meanwhile.
pub(super) async fn raise(
    line: &mut Line,
    prefix: &str,
    sealer: &Sealer,
    (from, to): (Format, Format),
) -> RedisResult<bool> {
    let script = redis::Script::new(include_str!("scripts/raise.lua"));
    let (from, to) = (note(sealer, from), note(sealer, to));
    script.key(meta(prefix)).arg(from).arg(to).invoke_async(line).await
}

/// Where it is noted.
pub(super) fn meta(prefix: &str) -> String {
    format!("{prefix}meta")
}

/// What says that sessions are made with this ring and written in this format.
fn note(sealer: &Sealer, format: Format) -> String {
    format!("{} {}", number_of(format), mark(sealer))
}

fn mark(sealer: &Sealer) -> String {
    sealer.reference_mark().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The number of keys, scripts and records together.
pub(super) const fn number_of(format: Format) -> u32 {
    match format {
        Format::One => 2,
        Format::Two => 3,
    }
}

impl Claim {
    /// The format, if it is ours to use.
    pub(super) fn ours(self, place: &str, prefix: &str) -> Result<Format, OpenError> {
        let (place, prefix) = (place.into(), prefix.into());
        match self {
            Self::Ours(format) => Ok(format),
            Self::OtherKeys => Err(OpenError::OtherKeys { place, prefix }),
            Self::OtherFormat => Err(OpenError::Format { place, prefix }),
        }
    }

    fn read(found: &str, sealer: &Sealer) -> Self {
        let (number, mark) = found.split_once(' ').unwrap_or_default();
        let known = [Format::One, Format::Two].into_iter().find(|format| number_of(*format).to_string() == number);
        match known {
            Some(format) if mark == self::mark(sealer) => Self::Ours(format),
            Some(_) => Self::OtherKeys,
            None => Self::OtherFormat,
        }
    }
}

async fn infos(line: &mut Line, section: &str) -> RedisResult<Vec<Info>> {
    let told = line.everywhere(redis::cmd("INFO").arg(section)).await?;
    told.into_iter().map(Info::read).collect()
}

/// What `INFO` says.
struct Info(HashMap<String, String>);

impl Info {
    fn read(value: Value) -> RedisResult<Self> {
        let text: String = from_redis_value(value)?;
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        Ok(Self(lines.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()))
    }

    fn has_replicas(&self) -> bool {
        self.0.get("connected_slaves").is_some_and(|count| count != "0")
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.0.get(name).is_some_and(|found| found == value)
    }

    fn refused(&self, cluster: bool) -> Option<Box<str>> {
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
            return Some("it is a replica; name its master, or sentinels that know it: redis+sentinel://".into());
        }
        match (self.is("cluster_enabled", "1"), cluster) {
            (true, false) => Some("it is part of a cluster: write redis+cluster://".into()),
            (false, true) => Some("it is no part of a cluster: write redis://".into()),
            _ => None,
        }
    }

    fn warnings(&self) -> Vec<&'static str> {
        let without_good = self.has_replicas() && !self.0.contains_key("min_slaves_good_slaves");
        [
            (self.is("aof_enabled", "0"), "Redis keeps no append-only file: a restart brings back what an old snapshot has, sessions that were signed out since included, or nothing; set `appendonly yes`"),
            (without_good, "Redis has replicas and takes writes that none of them has: a failover brings back sessions that were signed out; set `min-replicas-to-write 1`"),
        ]
        .into_iter()
        .filter_map(|(is, warning)| is.then_some(warning))
        .collect()
    }
}

/// The first with scripts that say what they may do.
const OLDEST: u32 = 7;

#[cfg(test)]
mod tests {
    use counterfoil_core::keys::{GeneratedKeys, SharedRing};

    use super::*;

    type Lines = [(&'static str, &'static str)];

    #[test]
    fn what_lies_there_is_ours_in_a_format_we_know_or_it_is_not_touched() {
        let sealer = Sealer::new(SharedRing::from_source(&GeneratedKeys).unwrap());
        let mark = mark(&sealer);
        #[rustfmt::skip]
        let rows = [
            (format!("2 {mark}"),      Claim::Ours(Format::One)),
            (format!("3 {mark}"),      Claim::Ours(Format::Two)),
            (format!("4 {mark}"),      Claim::OtherFormat),
            (format!("1 {mark}"),      Claim::OtherFormat),
            (format!("2 {mark}0"),     Claim::OtherKeys),
            ("3 00".to_owned(),        Claim::OtherKeys),
            (format!("02 {mark}"),     Claim::OtherFormat),
            (mark.clone(),             Claim::OtherFormat),
            (String::new(),            Claim::OtherFormat),
        ];
        for (found, expected) in rows {
            assert_eq!(Claim::read(&found, &sealer), expected, "{found}");
        }
        for format in [Format::One, Format::Two] {
            assert_eq!(Claim::read(&note(&sealer, format), &sealer), Claim::Ours(format));
        }
    }

    fn info(lines: &Lines) -> Info {
        let usual =
            [("redis_version", "7.2.4"), ("maxmemory_policy", "noeviction"), ("role", "master"), ("aof_enabled", "1")];
        Info(usual.iter().chain(lines).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn what_would_bring_sessions_back_is_refused_or_said() {
        #[rustfmt::skip]
        let rows: [(&Lines, bool, Option<&str>, usize); 11] = [
            (&[],                                                        false, None,                   0),
            (&[("redis_version", "6.2.14")],                             false, Some("6.2.14"),         0),
            (&[("redis_version", "8.0.1")],                              false, None,                   0),
            (&[("redis_version", "")],                                   false, Some("7.0"),            0),
            (&[("maxmemory_policy", "allkeys-lru")],                     false, Some("noeviction"),     0),
            (&[("role", "slave")],                                       false, Some("master"),         0),
            (&[("cluster_enabled", "1")],                                false, Some("redis+cluster:"), 0),
            (&[("cluster_enabled", "1")],                                true,  None,                   0),
            (&[("cluster_enabled", "0")],                                true,  Some("redis://"),       0),
            (&[("aof_enabled", "0"), ("connected_slaves", "1")],         false, None,                   2),
            (&[("connected_slaves", "1"), ("min_slaves_good_slaves", "1")], false, None,                0),
        ];
        for (lines, cluster, refused, warnings) in rows {
            let info = info(lines);
            let found = info.refused(cluster);
            assert_eq!(found.is_some(), refused.is_some(), "{lines:?} {found:?}");
            assert!(refused.is_none_or(|word| found.unwrap().contains(word)), "{lines:?}");
            assert_eq!(info.warnings().len(), warnings, "{lines:?}");
        }
    }
}
