//! SIGHUP: the configuration is read again, and exchanged as a whole or not at all.

use std::io;

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::tell_service_manager;
use crate::config::{Config, ConfigError};
use crate::gateway::Gateway;
use crate::options::Source;

/// The signals that ask for it.
pub(super) fn signals() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// Reads `source` again at each signal.
pub(super) async fn at_each(mut signals: Signal, source: Source, running: Config, gateway: Gateway) {
    while signals.recv().await.is_some() {
        let now = NotifyState::monotonic_usec_now();
        tell_service_manager(&now.map_or(vec![NotifyState::Reloading], |now| vec![NotifyState::Reloading, now]));
        let (source, running, gateway) = (source.clone(), running.clone(), gateway.clone());
        // Reading blocks, and what a policy weakens is logged as its site is made.
        let _ = tokio::task::spawn_blocking(move || reload(&source, &running, &gateway)).await;
        tell_service_manager(&[NotifyState::Ready]);
    }
}

/// Reads, checks and exchanges. Says in the log what came of it.
pub(super) fn reload(source: &Source, running: &Config, gateway: &Gateway) {
    let exchanged = match source.read() {
        Err(ConfigError::Mistakes(mistakes)) => {
            for mistake in &mistakes {
                tracing::error!(rule = "config", "not reloaded: {mistake}");
            }
            false
        }
        Err(error) => {
            tracing::error!(rule = "config", error = &error as &dyn std::error::Error, "not reloaded");
            false
        }
        Ok(checked) => match gateway.exchange(&checked.config.apps) {
            Err(error) => {
                tracing::error!(rule = "config", "not reloaded: {error}");
                false
            }
            Ok(()) => {
                for warning in &checked.warnings {
                    tracing::warn!(rule = "config", "{warning}");
                }
                for key in needs_restart(running, &checked.config) {
                    tracing::warn!(rule = "config", "{key} is as before until the gateway is restarted");
                }
                tracing::info!(
                    rule = "config",
                    apps = checked.config.apps.len(),
                    "reloaded: requests from now on are decided anew"
                );
                true
            }
        },
    };
    if !exchanged {
        tracing::error!(rule = "config", "the configuration before stays in force");
    }
    gateway.meters().reloaded(exchanged);
}

/// What changed, and cannot change while the gateway runs.
fn needs_restart(running: &Config, new: &Config) -> Vec<String> {
    let named = running.listen.named().into_iter().zip(new.listen.named());
    let moved = named.filter(|(before, after)| before != after);
    let moved = moved.map(|((name, before), (_, after))| format!("listen.{name} ({before}, now {after})"));
    let data =
        (running.data != new.data).then(|| format!("data ({}, now {})", running.data.display(), new.data.display()));
    let announced = (running.proxy_protocol != new.proxy_protocol)
        .then(|| "listen.proxy_protocol, or whose word counts there,".to_owned());
    data.into_iter().chain(moved).chain(announced).collect()
}
