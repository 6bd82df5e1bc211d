//! Where the gateway listens, and who can get there.

use std::net::SocketAddr;

use counterfoil_serve::Peers;

use super::Checking;
use crate::config::Listen;
use crate::config::settings::{DangerSettings, Inner, ListenSettings};

impl Checking<'_> {
    /// The listeners, and whose word on the PROXY protocol counts.
    pub(super) fn listen<'a>(
        &self,
        settings: &ListenSettings,
        danger: &DangerSettings,
        proxies: impl Iterator<Item = &'a str>,
    ) -> Option<(Listen, Option<Peers>)> {
        let assumed = Listen::default();
        let public = self.address("listen.public", settings.public.as_deref(), assumed.public);
        let decision = self.address("listen.decision", settings.decision.as_deref(), assumed.decision);
        let health = self.address("listen.health", settings.health.as_deref(), assumed.health);
        let listen = Listen { public: public?, decision: decision?, health: health? };
        self.doubled(&listen);
        self.reachable(&listen, danger);
        let proxy_protocol = settings.proxy_protocol.then(|| Peers::new(proxies));
        match proxy_protocol.transpose() {
            Ok(peers) => Some((listen, peers)),
            Err(error) => self.wrong("policy.address.trusted_proxies", error.to_string()),
        }
    }

    fn address(&self, key: &str, text: Option<&str>, assumed: SocketAddr) -> Option<SocketAddr> {
        let Some(text) = text else { return Some(assumed) };
        let wrong =
            || self.wrong(key, format!("`{text}` is not an address and a port, such as {assumed} or [::1]:9400"));
        text.parse().ok().or_else(wrong)
    }

    fn doubled(&self, listen: &Listen) {
        let named = listen.named();
        for (index, (name, address)) in named.iter().enumerate() {
            let same = |(_, other): &&(&str, SocketAddr)| other == address && address.port() != 0;
            if let Some((other, _)) = named.iter().take(index).find(same) {
                let text = format!(
                    "{address} is also listen.{other}: each has callers of one kind, and an address of its own"
                );
                self.wrong::<()>(&format!("listen.{name}"), text);
            }
        }
    }

    fn reachable(&self, listen: &Listen, danger: &DangerSettings) {
        for (listener, address) in [(Inner::Decision, listen.decision), (Inner::Health, listen.health)] {
            let (name, loopback) = (listener.as_str(), address.ip().to_canonical().is_loopback());
            if !loopback && !danger.beyond_loopback.contains(&listener) {
                let text = format!(
                    "{address} is not a loopback address, and whoever reaches it {}: use 127.0.0.1 or [::1], or, where \
                     a network of your own keeps others out, set danger.beyond_loopback = [\"{name}\"]",
                    match listener {
                        Inner::Decision => "may ask for any app's decisions",
                        Inner::Health => "sees what the gateway does",
                    }
                );
                self.wrong::<()>(&format!("listen.{name}"), text);
            }
        }
        if !listen.public.ip().to_canonical().is_loopback() {
            let text = format!(
                "{} is not a loopback address, and speaks plain http: let your proxy alone reach it",
                listen.public
            );
            self.doubtful("listen.public", text);
        }
        for listener in &danger.beyond_loopback {
            let text = format!("the {} listener may be reached from other machines", listener.as_str());
            self.doubtful("danger.beyond_loopback", text);
        }
    }
}
