//! One database in memory, checked when it is read.

use std::net::{IpAddr, Ipv4Addr};

use counterfoil_core::rules::Place;
use maxminddb::{MaxMindDbError, Reader, WithinOptions};

use super::error::{GeoFile, GeoProblem};
use super::fields::Value;

/// A database that was found to tell what it is there for.
pub(super) struct Database(Reader<Vec<u8>>);

impl Database {
    /// Checks what a file held.
    pub(super) fn new(file: GeoFile, bytes: Vec<u8>) -> Result<Self, GeoProblem> {
        let database = Self(Reader::from_source(bytes).map_err(GeoProblem::Damaged)?);
        database.is_whole().map_err(GeoProblem::Damaged)?;
        if database.tells(file).map_err(GeoProblem::Damaged)? {
            return Ok(database);
        }
        let found =
            database.0.metadata().database_type.chars().take(LONGEST_NAME).filter(|c| !c.is_control()).collect();
        Err(GeoProblem::OtherType { found, wanted: file.tells(), example: file.example() })
    }

    /// What it says of an address; nothing where it is damaged in a place that was not looked at before.
    pub(super) fn look_up(&self, address: IpAddr) -> Place {
        self.read(address).ok().flatten().unwrap_or(Place::UNKNOWN)
    }

    fn read(&self, address: IpAddr) -> Result<Option<Place>, MaxMindDbError> {
        if address.is_ipv6() && self.0.metadata().ip_version == 4 {
            return Ok(None);
        }
        Ok(self.0.lookup(address)?.decode::<Value<'_>>()?.map(Value::place))
    }

    /// Whether addresses all over can be looked up. All of them would take seconds.
    fn is_whole(&self) -> Result<(), MaxMindDbError> {
        (0..PROBES).try_for_each(|probe| {
            let address = Ipv4Addr::from_bits(probe.wrapping_mul(u32::MAX / PROBES));
            self.read(address.into()).map(drop)
        })
    }

    /// Whether one of the first records, or of those all over, tells what is wanted. What a database says of its own type
    /// is its maker's word for it.
    fn tells(&self, file: GeoFile) -> Result<bool, MaxMindDbError> {
        let useful = |place: Place| match file {
            GeoFile::City => place.spot.is_some() || place.country.is_some(),
            GeoFile::Asn | GeoFile::Networks => place.asn.is_some(),
        };
        for network in self.0.networks(WithinOptions::default())?.take(FIRST_RECORDS) {
            if network?.decode::<Value<'_>>()?.map(Value::place).is_some_and(useful) {
                return Ok(true);
            }
        }
        let all_over = (0..PROBES).map(|probe| Ipv4Addr::from_bits(probe.wrapping_mul(u32::MAX / PROBES)));
        Ok(all_over.into_iter().any(|address| useful(self.look_up(address.into()))))
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let metadata = self.0.metadata();
        write!(out, "{} of {}", metadata.database_type, metadata.build_epoch)
    }
}

/// Some milliseconds' worth.
const PROBES: u32 = 4_096;
const FIRST_RECORDS: usize = 1_000;
/// Of what is shown of a name that somebody else chose.
const LONGEST_NAME: usize = 64;
