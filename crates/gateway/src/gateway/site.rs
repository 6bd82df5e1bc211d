//! One app behind the gateway, as it runs: its sessions, and the hosts it is at.

use counterfoil::Counterfoil;
use counterfoil_core::origin::{Origin, Scheme};

use crate::app::AppConfig;
use crate::ops::SiteMeters;

/// One app's sessions, as they run.
#[derive(Debug)]
pub struct Site {
    /// How it was configured.
    pub app: AppConfig,
    /// Its sessions: keys and store are every site's, policy and public origins its own.
    pub sessions: Counterfoil,
    /// What its decisions are counted by.
    pub meters: SiteMeters,
}

impl Site {
    /// The origin of this site that `authority` names: in any case, and also with the default port written out. Nothing else:
    /// a host with a dot at its end is another site to every browser.
    pub fn origin_at(&self, authority: &str) -> Option<&Origin> {
        self.origins_at(authority).next()
    }

    /// All of them, where one host speaks both http and https.
    pub(crate) fn origins_at(&self, authority: &str) -> impl Iterator<Item = &Origin> {
        self.app.policy.public_origins().iter().filter(move |origin| {
            let default = match origin.scheme() {
                Scheme::Https => ":443",
                Scheme::Http => ":80",
            };
            origin.is_at(authority) || authority.strip_suffix(default).is_some_and(|name| origin.is_at(name))
        })
    }

    pub(super) fn is_at(&self, authority: &str) -> bool {
        self.origin_at(authority).is_some()
    }
}

/// An origin's host as browsers send it: lower case, without the default port.
pub(crate) fn authority_of(origin: &Origin) -> &str {
    origin.as_str().split_once("://").map_or("", |(_, authority)| authority)
}
