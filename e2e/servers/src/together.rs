//! Several Redis servers that belong together: a master, its replica and sentinels; or a cluster.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::{Guard, Redis, RedisPart, RedisSettings, START, ServerError, free_port};

/// A master, a replica, and three sentinels that put the replica in its place when it is gone.
#[derive(Debug)]
pub struct RedisSentinels {
    /// The first is the master at first.
    pub nodes: Vec<Redis>,
    sentinels: Vec<Redis>,
    guard: Option<Guard>,
}

/// Three masters, each with a third of the slots, and a replica of each.
#[derive(Debug)]
pub struct RedisCluster {
    /// The masters at first; then the replica of the first, of the second, of the third.
    pub nodes: Vec<Redis>,
    guard: Option<Guard>,
}

impl RedisSentinels {
    /// Starts all of them, and waits until they know each other.
    ///
    /// # Errors
    /// [`ServerError`] says what is missing, or what a server said.
    pub async fn start() -> Result<Self, ServerError> {
        Self::start_behind(None).await
    }

    /// Starts them behind a guard; sentinels have a password of their own.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_guarded() -> Result<Self, ServerError> {
        Self::start_behind(Some(Guard::new("of-the-data")?)).await
    }

    async fn start_behind(guard: Option<Guard>) -> Result<Self, ServerError> {
        let master = data(among_others(guard.as_ref()), guard.clone()).await?;
        let mut lines = among_others(guard.as_ref());
        lines.push(format!("replicaof 127.0.0.1 {}", master.door()));
        let replica = data(lines, guard.clone()).await?;
        let mut watch = vec![
            format!("sentinel monitor {SERVICE} 127.0.0.1 {} 2", master.door()),
            format!("sentinel down-after-milliseconds {SERVICE} 500"),
            format!("sentinel failover-timeout {SERVICE} 4000"),
        ];
        if let Some(guard) = &guard {
            watch.push(format!("sentinel auth-pass {SERVICE} {}", guard.password()));
            watch.push(format!("sentinel sentinel-pass {SENTINEL_PASSWORD}"));
        }
        let guard_of_sentinels = guard.as_ref().map(|guard| guard.with_password(SENTINEL_PASSWORD));
        let mut sentinels = Vec::new();
        for _ in 0..3 {
            let (lines, guard) = (watch.clone(), guard_of_sentinels.clone());
            let settings = RedisSettings { lines, part: RedisPart::Sentinel, guard, ..RedisSettings::default() };
            sentinels.push(Redis::start_with(settings).await?);
        }
        let started = Self { nodes: vec![master, replica], sentinels, guard };
        for sentinel in &started.sentinels {
            until("redis-sentinel", || async {
                let known = sentinel.tell(&format!("SENTINEL MASTER {SERVICE}")).await.unwrap_or_default();
                ["num-slaves\n1\n", "num-other-sentinels\n2\n"].iter().all(|all| known.contains(all))
            })
            .await?;
        }
        Ok(started)
    }

    /// Where clients find the master, whichever it is.
    pub fn url(&self) -> String {
        let hosts = hosts(&self.sentinels);
        match &self.guard {
            None => format!("redis+sentinel://{hosts}/{SERVICE}"),
            Some(guard) => format!(
                "rediss+sentinel://:{}@{hosts}/{SERVICE}?sentinel_password={SENTINEL_PASSWORD}&{}",
                guard.password(),
                guard.roots()
            ),
        }
    }
}

impl RedisCluster {
    /// Starts all of them, and waits until they have formed a cluster.
    ///
    /// # Errors
    /// [`ServerError`] says what is missing, or what a server said.
    pub async fn start() -> Result<Self, ServerError> {
        Self::start_behind(None).await
    }

    /// Starts them behind a guard.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_guarded() -> Result<Self, ServerError> {
        Self::start_behind(Some(Guard::new("of-the-data")?)).await
    }

    async fn start_behind(guard: Option<Guard>) -> Result<Self, ServerError> {
        let (mut nodes, mut doors) = (Vec::new(), Vec::new());
        for _ in 0..6 {
            let door = free_port()?;
            let lines = [
                "cluster-enabled yes",
                "cluster-node-timeout 1000",
                // However stale it is: what it lacks is what tests look for.
                "cluster-replica-validity-factor 0",
                "repl-ping-replica-period 1",
            ];
            let lines = lines.into_iter().map(str::to_owned).chain([format!("cluster-port {door}")]);
            let encrypted = guard.iter().map(|_| "tls-cluster yes".to_owned());
            let lines = lines.chain(encrypted).chain(among_others(guard.as_ref())).collect();
            nodes.push(data(lines, guard.clone()).await?);
            doors.push(door);
        }
        let cluster = Self { nodes, guard };
        cluster.join(&doors).await?;
        Ok(cluster)
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        let hosts = hosts(&self.nodes);
        match &self.guard {
            None => format!("redis+cluster://{hosts}"),
            Some(guard) => format!("rediss+cluster://:{}@{hosts}?{}", guard.password(), guard.roots()),
        }
    }

    /// The name of a node.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn id(&self, node: usize) -> std::io::Result<String> {
        self.nodes.get(node).ok_or_else(|| std::io::Error::other("there is no such node"))?.tell("CLUSTER MYID").await
    }

    async fn join(&self, doors: &[u16]) -> Result<(), ServerError> {
        let Some((first, others)) = self.nodes.split_first() else { return Ok(()) };
        for (node, door) in others.iter().zip(doors.iter().skip(1)) {
            first.tell(&format!("CLUSTER MEET 127.0.0.1 {} {door}", node.door())).await?;
        }
        let shares = ["0 5460", "5461 10922", "10923 16383"];
        for (node, share) in self.nodes.iter().zip(shares) {
            node.tell(&format!("CLUSTER ADDSLOTSRANGE {share}")).await?;
        }
        for (at, node) in self.nodes.iter().enumerate().skip(shares.len()) {
            let master = self.id(at - shares.len()).await?;
            let replicate = format!("CLUSTER REPLICATE {master}");
            until("redis-server", || async { node.tell(&replicate).await.is_ok() }).await?;
        }
        for node in &self.nodes {
            until("redis-server", || async {
                let info = node.tell("CLUSTER INFO").await.unwrap_or_default();
                let nodes = node.tell("CLUSTER NODES").await.unwrap_or_default();
                info.contains("cluster_state:ok")
                    && nodes.matches(" slave ").count() + nodes.matches(",slave ").count() == 3
            })
            .await?;
        }
        for node in self.nodes.iter().skip(shares.len()) {
            until("redis-server", || async {
                node.tell("INFO replication").await.unwrap_or_default().contains("master_link_status:up")
            })
            .await?;
        }
        Ok(())
    }
}

async fn data(lines: Vec<String>, guard: Option<Guard>) -> Result<Redis, ServerError> {
    Redis::start_with(RedisSettings { lines, guard, ..RedisSettings::default() }).await
}

/// What servers need that may become each other's replicas.
fn among_others(guard: Option<&Guard>) -> Vec<String> {
    guard.map(|guard| format!("masterauth {}", guard.password())).into_iter().collect()
}

fn hosts(servers: &[Redis]) -> String {
    servers.iter().map(|server| format!("127.0.0.1:{}", server.door())).collect::<Vec<_>>().join(",")
}

/// Waits until it is so.
async fn until<F: Future<Output = bool>>(program: &'static str, is: impl Fn() -> F) -> Result<(), ServerError> {
    let waiting = async {
        while !is().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let said = || "they do not find each other".to_owned();
    timeout(START, waiting).await.map_err(|_| ServerError::Silent { program, within: START, said: said() })
}

/// What sentinels call the master.
const SERVICE: &str = "main";
const SENTINEL_PASSWORD: &str = "of-the-sentinels";
