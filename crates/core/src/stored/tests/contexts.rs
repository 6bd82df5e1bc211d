//! Contexts of a history, as the published vectors write them.

use serde::Deserialize;

use super::vectors::{array, moment};
use crate::agent::{Agent, Browser, Platform};
use crate::rules::{Known, Network, NetworkKind, Place, Sight, Signals, Spot};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContextRow {
    prefix: String,
    address: u32,
    kind: u8,
    country: String,
    asn: u32,
    lat: i16,
    lon: i16,
    radius: u16,
    platform: u8,
    browser: u8,
    print: u32,
    first: u64,
    last: u64,
    doubts: u32,
}

impl ContextRow {
    pub(super) fn known(&self) -> Known {
        let prefix: [u8; 7] = array(&self.prefix);
        let network = (prefix != [0; 7]).then_some(Network { prefix, address: self.address });
        let kinds = [NetworkKind::Ordinary, NetworkKind::Hosting, NetworkKind::Vpn, NetworkKind::Relay];
        let place = Place {
            country: self.country.as_bytes().try_into().ok(),
            spot: Spot::from_parts(self.lat, self.lon, self.radius),
            asn: Some(self.asn).filter(|asn| *asn > 0),
            kind: kinds[usize::from(self.kind)],
        };
        let (platform, browser) = (Platform::of_code(self.platform).unwrap(), Browser::of_code(self.browser).unwrap());
        let agent = Agent { platform, browser };
        let sight = Sight { at: moment(self.last), network, place, agent, print: self.print };
        Known { sight, first: moment(self.first), doubts: Signals::from_bits(self.doubts) }
    }
}
