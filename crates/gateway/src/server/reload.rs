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
        Ok(checked) => {
            if let Err(error) = gateway.exchange(&checked.config.apps) {
                tracing::error!(rule = "config", "not reloaded: {error}");
                false
            } else {
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
        }
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
    let place = |config: &Config| config.store.as_ref().map_or("in the data folder".to_owned(), ToString::to_string);
    let store = (running.store != new.store).then(|| format!("store ({}, now {})", place(running), place(new)));
    let announced = (running.proxy_protocol != new.proxy_protocol)
        .then(|| "listen.proxy_protocol, or whose word counts there,".to_owned());
    let limits = (running.limits != new.limits).then(|| "limits".to_owned());
    let near_cache = (running.near_cache != new.near_cache).then(|| "near_cache".to_owned());
    let geo = (running.geo != new.geo).then(|| "geo".to_owned());
    let events = (running.events != new.events).then(|| "events".to_owned());
    let detector = (running.detector != new.detector).then(|| "detector".to_owned());
    data.into_iter()
        .chain(events)
        .chain(detector)
        .chain(geo)
        .chain(store)
        .chain(near_cache)
        .chain(limits)
        .chain(moved)
        .chain(announced)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use counterfoil_serve::keep::{Keep, Sessions};

    use super::*;
    use crate::config::Environment;
    use crate::options::CheckArgs;

    const WIKI: &str = "data = \"data\"\n[apps.wiki]\norigins = [\"https://wiki.example\"]\nproxy = \"nginx\"\n\
                        rules = [{ path = \"/*\", access = \"signed-in\" }]\n";

    fn source(file: &Path) -> Source {
        Source::from(CheckArgs { config: Some(file.to_owned()) }).under(Environment::default())
    }

    #[test]
    fn a_configuration_is_exchanged_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("counterfoil.toml");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let kept = runtime.block_on(Keep::in_folder(folder.path().join("data")).open(Duration::ZERO)).unwrap();
        let Sessions::Folder(store) = kept.sessions else { panic!() };
        std::fs::write(&file, WIKI).unwrap();
        let running = source(&file).read().unwrap().config;
        let gateway = Gateway::new(&running.apps, kept.ring, Arc::new(*store)).unwrap();
        let shop = WIKI.replace("wiki", "shop").replace("data = \"data\"", "");
        let renamed = WIKI.replace("apps.wiki", "apps.book");
        #[rustfmt::skip]
        let table = [
            // name                                  file                                              apps from then on   done refused
            ("one more",                             format!("{WIKI}{shop}"),                          &["wiki", "shop"][..], 1, 0),
            ("a mistake",                            format!("{renamed}{}", shop.replace("nginx", "x")), &["wiki", "shop"],   1, 1),
            ("sessions that outlive the keys",       format!("{renamed}[policy.timeouts]\nremember_for = \"800days\"\n"), &["wiki", "shop"], 1, 2),
            ("one instead",                          renamed.clone(),                                  &["book"],             2, 2),
        ];
        for (name, text, apps, done, refused) in table {
            std::fs::write(&file, text).unwrap();
            reload(&source(&file), &running, &gateway);
            let found: Vec<_> = gateway.sites().iter().map(|site| site.app.name.to_string()).collect();
            assert_eq!(found, apps, "{name}");
            let text = gateway.meters().text().unwrap();
            assert!(text.contains(&format!("reloads_total{{result=\"done\"}} {done}\n")), "{name}: {text}");
            assert!(text.contains(&format!("reloads_total{{result=\"refused\"}} {refused}\n")), "{name}: {text}");
            assert!(text.contains(&format!("config_stale {}\n", u8::from(refused > 0 && done < 2))), "{name}: {text}");
        }
        std::fs::remove_file(&file).unwrap();
        reload(&source(&file), &running, &gateway);
        assert!(gateway.sites().called("book").is_some(), "a file that is gone");
    }

    #[test]
    fn what_needs_a_restart_is_what_is_opened_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("counterfoil.toml");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            source(&file).read().unwrap().config
        };
        let running = read(WIKI);
        #[rustfmt::skip]
        let table = [
            ("nothing",       WIKI.to_owned(),                                                          &[][..]),
            ("an app",        WIKI.replace("nginx", "caddy"),                                           &[]),
            ("a listener",    format!("{WIKI}[listen]\nhealth = \"127.0.0.1:9\"\n"),                    &["listen.health (127.0.0.1:9403, now 127.0.0.1:9)"]),
            ("the store",     format!("store = \"redis://a:secret@cache\"\n{WIKI}"),                     &["store (in the data folder, now redis://cache)"]),
            ("where places are", format!("{WIKI}[geo]\ncity = \"city.mmdb\"\n"),                       &["geo"]),
            ("the detector",  format!("{WIKI}[detector]\nurl = \"https://risk.example/\"\n"),           &["detector"]),
            ("who announces", format!("{WIKI}[listen]\nproxy_protocol = true\n"),                       &["listen.proxy_protocol, or whose word counts there,"]),
        ];
        for (name, text, expected) in table {
            assert_eq!(needs_restart(&running, &read(&text)), expected, "{name}");
        }
        let moved = needs_restart(&running, &read(&WIKI.replace("\"data\"", "\"/there\"")));
        assert!(moved[0].starts_with("data (") && moved[0].ends_with(", now /there)"), "{moved:?}");
    }
}
