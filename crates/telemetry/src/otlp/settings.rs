//! Where records go, as it is configured.

use std::time::Duration;

use http::HeaderMap;
use serde::Deserialize;

use super::{Export, Service};
use crate::client::{Endpoint, EndpointError, PlainHttp};
use crate::only::Only;
use crate::range::{OutOfRange, count, within};

/// Where records go, as it is configured. Secrets of the collector are read apart from this.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtlpSettings {
    /// The collector, with its path: `https://collector.example/v1/logs`.
    pub url: String,
    /// Whether it may be another machine that is reached without TLS.
    #[serde(default)]
    pub plain_http: bool,
    /// `service.name` [default: `counterfoil`].
    #[serde(default = "counterfoil")]
    pub service_name: String,
    /// Which events [default: all].
    #[serde(default)]
    pub events: Only,
    /// How many events wait [default: 16384].
    pub waiting: Option<u64>,
    /// For how long events are tried while the collector is not there [default: 10].
    pub give_up_minutes: Option<u64>,
}

/// Why records cannot go where it is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadOtlp {
    /// Nothing may be sent there.
    #[error("url: {0}")]
    Url(#[from] EndpointError),
    /// A number does not fit.
    #[error(transparent)]
    Number(#[from] OutOfRange),
    /// A text does not fit.
    #[error("service_name = {0:?} must be 1 to 255 characters")]
    Name(String),
}

impl OtlpSettings {
    /// Checks them. `headers` are what the collector wants beside the content type, `instance` is this node's name.
    ///
    /// # Errors
    /// [`BadOtlp`]: a setting does not fit.
    pub fn check(self, headers: HeaderMap, instance: &str) -> Result<Export, BadOtlp> {
        let Self { url, plain_http, service_name, events, waiting, give_up_minutes } = self;
        if !(1..=255).contains(&service_name.len()) || service_name.chars().any(char::is_control) {
            return Err(BadOtlp::Name(service_name));
        }
        let to = Endpoint::checked(&url, if plain_http { PlainHttp::Anywhere } else { PlainHttp::Loopback })?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let defaults = Export::to(to, Service { name: service_name, version, instance: instance.to_owned() });
        let waiting = count("waiting", waiting, defaults.waiting, (1, 1_000_000))?;
        let minutes = within("give_up_minutes", give_up_minutes, 10, (1, 1_440))?;
        Ok(Export { headers, events, waiting, give_up_after: Duration::from_mins(minutes), ..defaults })
    }
}

fn counterfoil() -> String {
    "counterfoil".to_owned()
}
