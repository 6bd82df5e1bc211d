//! A connection: to one server, or to those of a cluster, each command to the one that has its keys.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

/// A connection that many may use at once.
#[derive(Clone)]
pub(super) enum Line {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Line {
    /// Hears what is told on this channel, from now on; over a cluster again and again, as servers come and go.
    pub(super) async fn subscribe(&mut self, channel: &str) -> RedisResult<()> {
        match self {
            Self::One(one) => one.subscribe(channel).await,
            Self::Cluster(cluster) => cluster.subscribe(channel).await,
        }
    }

    /// Asks every server that takes writes.
    pub(super) async fn everywhere(&mut self, command: &Cmd) -> RedisResult<Vec<Value>> {
        match self {
            Self::One(one) => Ok(vec![one.req_packed_command(command).await?]),
            Self::Cluster(cluster) => {
                let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                match cluster.route_command(command.clone(), all).await? {
                    Value::Map(answers) => Ok(answers.into_iter().map(|(_, answer)| answer).collect()),
                    other => Ok(vec![other]),
                }
            }
        }
    }

    /// Asks the server that has this key.
    pub(super) async fn beside(&mut self, key: &[u8], command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(one) => one.req_packed_command(command).await,
            Self::Cluster(cluster) => {
                // What has no key of its own goes with what has.
                let mut together = Pipeline::with_capacity(2);
                together.cmd("EXISTS").arg(key).add_command(command.clone());
                let answers = cluster.req_packed_commands(&together, 0, 2).await?;
                answers.into_iter().nth(1).unwrap_or(Value::Nil).extract_error()
            }
        }
    }
}

impl ConnectionLike for Line {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(one) => one.req_packed_command(command),
            Self::Cluster(cluster) => cluster.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(one) => one.req_packed_commands(pipeline, offset, count),
            Self::Cluster(cluster) => cluster.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(one) => one.get_db(),
            Self::Cluster(cluster) => cluster.get_db(),
        }
    }
}
