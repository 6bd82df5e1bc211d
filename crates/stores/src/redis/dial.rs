//! Connecting: to the server that takes writes at this moment, whoever that is.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, PushInfo, RedisResult};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Settings;
use super::address::{Address, Servers};
use super::line::Line;

/// Connections that were made together.
pub(super) struct Dialled {
    /// For verbs, and for what is told.
    pub(super) plain: Line,
    /// For what a replica has to have before it counts: waiting for that holds up the whole connection.
    pub(super) sure: Line,
    /// What was told.
    pub(super) pushes: UnboundedReceiver<PushInfo>,
}

impl Address {
    /// Connects. Sentinels are asked each time.
    pub(super) async fn dial(&self, settings: &Settings) -> RedisResult<Dialled> {
        let (sender, pushes) = unbounded_channel();
        let (plain, sure) = match &self.servers {
            Servers::One(info) => both(&self.client(info.clone())?, settings, sender).await?,
            Servers::Sentinels(sentinels) => {
                let master = self.sentinel(sentinels)?.async_get_client().await?;
                both(&master, settings, sender).await?
            }
            Servers::Cluster(seeds) => {
                let builder = || {
                    let builder =
                        self.cluster(seeds).retries(RETRIES).min_retry_wait(WAIT).max_retry_wait(LONGEST_WAIT);
                    builder.connection_timeout(settings.connect_timeout).response_timeout(LOST)
                };
                let plain = builder().push_sender(sender).build()?.get_async_connection().await?;
                let sure = builder().build()?.get_async_connection().await?;
                (Line::Cluster(plain), Line::Cluster(sure))
            }
        };
        Ok(Dialled { plain, sure, pushes })
    }
}

async fn both(client: &Client, settings: &Settings, sender: UnboundedSender<PushInfo>) -> RedisResult<(Line, Line)> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(settings.connect_timeout))
        .set_response_timeout(Some(LOST));
    let plain = one(client, &config.clone().set_push_sender(sender)).await?;
    let sure = one(client, &config).await?;
    Ok((Line::One(plain), Line::One(sure)))
}

async fn one(client: &Client, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
    client.get_multiplexed_async_connection_with_config(config).await
}

/// When a connection that does not answer is given up. A verb has its own time, which is shorter: it does not break the
/// connection for others.
const LOST: Duration = Duration::from_secs(2);
/// How often a cluster's client follows keys that moved, or connects anew, for one command.
const RETRIES: u32 = 3;
/// Between those, in milliseconds.
const WAIT: u64 = 10;
const LONGEST_WAIT: u64 = 100;
