//! Where an address is, as far as a database tells, and whether somebody can have travelled from one place to another.

use std::time::Duration;

/// What is known of the place behind an address. Coarse on purpose: it tells cities apart, not streets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Place {
    /// The country, by its two letters (ISO 3166-1).
    pub country: Option<[u8; 2]>,
    /// Where about.
    pub spot: Option<Spot>,
    /// The operator of the network: its autonomous system's number.
    pub asn: Option<u32>,
    /// Of what kind the network is.
    pub kind: NetworkKind,
}

/// A point and how far from it the address may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spot {
    /// Tenths of a degree north.
    lat: i16,
    /// Tenths of a degree east.
    lon: i16,
    /// How far off the database may be.
    radius_km: u16,
}

/// Of what kind a network is, by the operator's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum NetworkKind {
    /// Homes, offices, carriers; or nobody knows.
    #[default]
    Ordinary,
    /// Computers that people rent.
    Hosting,
    /// A tunnel's exit, Tor's included: the place is not the person's.
    Vpn,
    /// A relay that hides addresses for privacy: the place is not the person's.
    Relay,
}

impl NetworkKind {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Hosting => "hosting",
            Self::Vpn => "vpn",
            Self::Relay => "relay",
        }
    }
}

impl Place {
    /// An address that no database knows.
    pub const UNKNOWN: Self = Self { country: None, spot: None, asn: None, kind: NetworkKind::Ordinary };

    /// Whether the place says nothing about where the person is.
    pub const fn is_hidden(&self) -> bool {
        matches!(self.kind, NetworkKind::Vpn | NetworkKind::Relay)
    }

    /// Where the person is about, if that can be told.
    pub const fn whereabouts(&self) -> Option<Spot> {
        if self.is_hidden() { None } else { self.spot }
    }

    /// The least distance in kilometres between two persons at these places; `None` where one of them is not known.
    pub fn gap_km(&self, other: &Self) -> Option<u32> {
        Some(self.whereabouts()?.gap_km(other.whereabouts()?))
    }

    /// Whether the two lie in different countries for sure: both known, and not one place at a border.
    pub fn is_abroad_of(&self, other: &Self) -> bool {
        if self.is_hidden() || other.is_hidden() {
            return false;
        }
        let differ = matches!((self.country, other.country), (Some(one), Some(two)) if one != two);
        differ && self.gap_km(other) != Some(0)
    }
}

impl Spot {
    /// From degrees, which are rounded to tenths; `None` if they are on no globe. An accuracy that is not known is taken
    /// for a country's.
    pub fn new(latitude: f64, longitude: f64, radius_km: Option<u16>) -> Option<Self> {
        let on_globe = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        let radius_km = radius_km.unwrap_or(COUNTRY_KM);
        on_globe.then(|| Self { lat: tenths(latitude), lon: tenths(longitude), radius_km })
    }

    /// As a record keeps it: tenths of degrees north and east, and the radius in kilometres.
    pub const fn parts(self) -> (i16, i16, u16) {
        (self.lat, self.lon, self.radius_km)
    }

    /// From what a record keeps; `None` if it is on no globe.
    pub const fn from_parts(lat: i16, lon: i16, radius_km: u16) -> Option<Self> {
        if lat.unsigned_abs() > 900 || lon.unsigned_abs() > 1_800 {
            return None;
        }
        Some(Self { lat, lon, radius_km })
    }

    /// The distance between the two circles; zero where they overlap. What rounding to tenths may have added is taken off.
    pub fn gap_km(self, other: Self) -> u32 {
        let radii = u32::from(self.radius_km) + u32::from(other.radius_km) + ROUNDING_KM;
        great_circle_km(self, other).saturating_sub(radii)
    }
}

/// Whether nobody travels `gap_km` in `elapsed`, at `speed_kmh`. What is near is never far: databases are wrong by that much.
pub fn is_impossible(gap_km: u32, elapsed: Duration, speed_kmh: u32) -> bool {
    let reach = u128::from(speed_kmh) * elapsed.as_millis() / 3_600_000;
    gap_km >= LEAST_GAP_KM && u128::from(gap_km) > reach
}

/// By the haversine, on a sphere of the earth's mean radius.
fn great_circle_km(one: Spot, two: Spot) -> u32 {
    let radians = |tenths: i16| (f64::from(tenths) / 10.0).to_radians();
    let half = |from: i16, to: i16| ((radians(to) - radians(from)) / 2.0).sin().powi(2);
    let across = half(one.lat, two.lat) + radians(one.lat).cos() * radians(two.lat).cos() * half(one.lon, two.lon);
    let km = 2.0 * EARTH_KM * across.sqrt().min(1.0).asin();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 20,016")]
    let whole = km as u32;
    whole
}

fn tenths(degrees: f64) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "from -1,800 to 1,800")]
    let tenths = (degrees * 10.0).round() as i16;
    tenths
}

const EARTH_KM: f64 = 6_371.0;
/// Two points rounded to tenths of a degree are off by 8 km each at most.
const ROUNDING_KM: u32 = 16;
/// Databases that give no accuracy are wrong by a country now and then.
const COUNTRY_KM: u16 = 500;
/// Carriers hand their customers out in the next city.
pub(super) const LEAST_GAP_KM: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64, radius: u16) -> Place {
        Place { spot: Spot::new(latitude, longitude, Some(radius)), ..Place::UNKNOWN }
    }

    #[test]
    fn cities_are_as_far_apart_as_an_atlas_says() {
        let (london, tokyo) = (at(51.51, -0.13, 0), at(35.68, 139.69, 0));
        #[rustfmt::skip]
        let rows = [
            ("to itself",                  london,               london,              0..=0),
            ("London to Tokyo",            london,               tokyo,               9_530..=9_570),
            ("London to Paris",            london,               at(48.86, 2.35, 0),  320..=345),
            ("New York to Los Angeles",    at(40.71, -74.0, 0),  at(34.05, -118.24, 0), 3_900..=3_945),
            ("over the date line",         at(-17.7, 178.0, 0),  at(-13.8, -171.8, 0), 1_130..=1_180),
            ("pole to pole",               at(90.0, 0.0, 0),     at(-90.0, 0.0, 0),   19_980..=20_016),
            ("to the other side",          at(0.0, -90.0, 0),    at(0.0, 90.0, 0),    19_980..=20_016),
            ("with radii",                 at(51.51, -0.13, 100), at(48.86, 2.35, 200), 20..=45),
            ("circles that overlap",       at(51.51, -0.13, 200), at(48.86, 2.35, 200), 0..=0),
        ];
        for (name, one, two, range) in rows {
            let (there, back) = (one.gap_km(&two).unwrap(), two.gap_km(&one).unwrap());
            assert!(range.contains(&there), "{name}: {there}");
            assert_eq!(there, back, "{name}");
        }
    }

    #[test]
    fn nobody_outruns_the_limit_and_what_is_near_is_never_far() {
        let minutes = Duration::from_mins;
        #[rustfmt::skip]
        let rows = [
            ("London to Tokyo by plane",   9_550, minutes(14 * 60),  false),
            ("London to Tokyo by phone",   9_550, minutes(20),       true),
            ("just within the limit",      1_000, minutes(60),       false),
            ("just beyond",                1_001, minutes(60),       true),
            ("the next city at once",      99,    Duration::ZERO,    false),
            ("a hundred kilometres at once", 100, Duration::ZERO,    true),
            ("the same place",             0,     Duration::ZERO,    false),
        ];
        for (name, km, elapsed, impossible) in rows {
            assert_eq!(is_impossible(km, elapsed, 1_000), impossible, "{name}");
        }
    }

    #[test]
    fn what_is_not_known_is_neither_far_nor_abroad() {
        let de = Place { country: Some(*b"DE"), asn: Some(1), ..at(52.5, 13.4, 20) };
        let us = Place { country: Some(*b"US"), asn: Some(2), ..at(40.7, -74.0, 20) };
        let basel = Place { country: Some(*b"CH"), ..at(47.56, 7.59, 30) };
        let lorrach = Place { country: Some(*b"DE"), ..at(47.61, 7.66, 30) };
        let country_only = Place { spot: None, ..us };
        #[rustfmt::skip]
        let rows = [
            ("two countries",              de, us,                                               true),
            ("one country",                de, lorrach,                                          false),
            ("across a border, one place", basel, lorrach,                                       false),
            ("no place, but a country",    de, country_only,                                     true),
            ("nobody knows",               de, Place::UNKNOWN,                                   false),
            ("a tunnel's exit",            de, Place { kind: NetworkKind::Vpn, ..us },           false),
            ("a relay",                    de, Place { kind: NetworkKind::Relay, ..us },         false),
            ("a rented computer",          de, Place { kind: NetworkKind::Hosting, ..us },       true),
        ];
        for (name, one, two, abroad) in rows {
            assert_eq!((one.is_abroad_of(&two), two.is_abroad_of(&one)), (abroad, abroad), "{name}");
        }
        assert_eq!(de.gap_km(&Place { kind: NetworkKind::Vpn, ..us }), None);
        assert_eq!(de.gap_km(&Place::UNKNOWN), None);
    }

    #[test]
    fn a_spot_is_on_the_globe_and_a_record_keeps_it_whole() {
        for (latitude, longitude, there) in [
            (90.0, 180.0, true),
            (-90.0, -180.0, true),
            (90.1, 0.0, false),
            (0.0, 180.1, false),
            (f64::NAN, 0.0, false),
        ] {
            let spot = Spot::new(latitude, longitude, None);
            assert_eq!(spot.is_some(), there, "{latitude} {longitude}");
            if let Some(spot) = spot {
                let (lat, lon, radius) = spot.parts();
                assert_eq!((Spot::from_parts(lat, lon, radius), radius), (Some(spot), 500));
            }
        }
        for (lat, lon) in [(901, 0), (-901, 0), (0, 1_801), (i16::MIN, 0), (0, i16::MIN)] {
            assert_eq!(Spot::from_parts(lat, lon, 1), None, "{lat} {lon}");
        }
    }
}
