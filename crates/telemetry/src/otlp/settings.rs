//! Where records go, as it is configured.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::{Export, Service};
use crate::client::{Endpoint, EndpointError, PlainHttp};
use crate::only::Only;
use crate::private_file::{Unread, read_secret};
use crate::range::{OutOfRange, count, within};

/// Where records go, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtlpSettings {
    /// The collector, with its path: `https://collector.example/v1/logs`.
    pub url: String,
    /// Whether it may be another machine that is reached without TLS.
    #[serde(default)]
    pub plain_http: bool,
    /// A file that nobody but its owner may read, with the fields that the collector wants: lines such as
    /// `authorization: Bearer …`.
    pub headers_file: Option<PathBuf>,
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
#[derive(Debug, thiserror::Error)]
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
    /// The file of fields cannot be used.
    #[error("headers_file: {0}")]
    Unread(#[from] Unread),
    /// A line of it is no field. It is not repeated: it may be a secret.
    #[error("headers_file: {}: line {line} is no field: write `name: value`", file.display())]
    Field {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
}

impl OtlpSettings {
    /// Checks them. `instance` is this node's name.
    ///
    /// # Errors
    /// [`BadOtlp`]: a setting does not fit.
    pub fn check(self, instance: &str) -> Result<Export, BadOtlp> {
        let Self { url, plain_http, headers_file, service_name, events, waiting, give_up_minutes } = self;
        let headers = headers_file.map_or(Ok(HeaderMap::new()), fields)?;
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

fn fields(file: PathBuf) -> Result<HeaderMap, BadOtlp> {
    let text = read_secret(&file)?;
    let mut headers = HeaderMap::new();
    for (number, line) in text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty()) {
        let Some((name, value)) = field(line) else {
            return Err(BadOtlp::Field { file, line: number + 1 });
        };
        headers.append(name, value);
    }
    Ok(headers)
}

fn field(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let mut value = HeaderValue::from_str(value.trim()).ok()?;
    value.set_sensitive(true);
    Some((name.trim().parse().ok()?, value))
}

fn counterfoil() -> String {
    "counterfoil".to_owned()
}
