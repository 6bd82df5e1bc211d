//! Whose word on the client's address counts: from what an operator writes.

use serde::Deserialize;

use super::PolicyError;
use crate::address::{AddressPolicy, AddressSource};

/// Whose word on the client's address counts. Nobody's unless set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddressSettings {
    /// Addresses or ranges of the proxies in front.
    pub trusted_proxies: Vec<String>,
    /// The one header they set.
    pub header: Option<AddressSource>,
}

pub(super) fn address_policy(settings: &AddressSettings) -> Result<AddressPolicy, PolicyError> {
    match settings.header {
        None if settings.trusted_proxies.is_empty() => Ok(AddressPolicy::peer_only()),
        Some(header) if !settings.trusted_proxies.is_empty() => {
            let ranges = settings.trusted_proxies.iter().map(|text| range(text)).collect::<Result<Vec<_>, _>>()?;
            Ok(AddressPolicy::new(ranges, header)?)
        }
        _ => Err(PolicyError::AddressHalfSet),
    }
}

fn range(text: &str) -> Result<ipnet::IpNet, PolicyError> {
    let single = |text: &str| text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
    text.parse().or_else(|_| single(text)).map_err(|_| PolicyError::NotARange { text: text.into() })
}
