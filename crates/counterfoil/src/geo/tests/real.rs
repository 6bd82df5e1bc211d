//! What a real database says of universities, which stay where they are. It is the last `GeoLite2` that was published under a
//! free licence (Creative Commons BY-SA), of July 2018: this product includes `GeoLite2` data created by `MaxMind`, available from
//! <https://www.maxmind.com>. `cargo xtask stores` fetches it.

use std::path::PathBuf;

use super::*;

/// A university, and where an atlas has its town.
struct Town {
    name: &'static str,
    address: &'static str,
    country: [u8; 2],
}

const fn town(name: &'static str, address: &'static str, country: [u8; 2]) -> Town {
    Town { name, address, country }
}

const CAMBRIDGE: Town = town("Cambridge", "128.232.0.20", *b"GB");
const BOSTON: Town = town("Boston", "18.9.22.69", *b"US");
const ZURICH: Town = town("Zurich", "129.132.1.1", *b"CH");
const ZURICH_BY_V6: Town = town("Zurich by IPv6", "2001:620:0:ff::5c", *b"CH");
const BERN: Town = town("Bern", "130.92.6.10", *b"CH");
const BERLIN: Town = town("Berlin", "130.149.7.201", *b"DE");
const PARIS: Town = town("Paris", "134.157.0.129", *b"FR");
const OSLO: Town = town("Oslo", "129.240.2.6", *b"NO");
const TOKYO: Town = town("Tokyo", "130.69.37.1", *b"JP");
const STANFORD: Town = town("Stanford", "171.64.7.115", *b"US");
const SAO_PAULO: Town = town("Sao Paulo", "143.107.1.1", *b"BR");
const CAPE_TOWN: Town = town("Cape Town", "137.158.1.1", *b"ZA");

#[test]
#[ignore = "takes a database from a package: run in the stage that installs it"]
fn journeys_between_known_towns_are_impossible_as_far_as_they_are() {
    let databases = real();
    #[rustfmt::skip]
    let table = [
        // from         to            by an atlas   nobody makes it in an hour, at 1,000 km/h
        (&CAMBRIDGE,    &BOSTON,       5_258,        true),
        (&CAMBRIDGE,    &TOKYO,        9_484,        true),
        (&BOSTON,       &STANFORD,     4_325,        true),
        (&OSLO,         &CAPE_TOWN,   10_458,        true),
        (&ZURICH,       &SAO_PAULO,    9_622,        true),
        (&ZURICH_BY_V6, &BOSTON,       6_020,        true),
        (&OSLO,         &ZURICH,       1_401,        true),
        (&CAMBRIDGE,    &ZURICH,         808,        false),
        (&ZURICH,       &BERN,            95,        false),
        (&PARIS,        &BERLIN,         877,        false),
        (&ZURICH,       &ZURICH_BY_V6,     0,        false),
    ];
    for (from, to, atlas, impossible) in table {
        let name = format!("{} to {}", from.name, to.name);
        let [here, there] = [from, to].map(|town| at(&databases, town.address));
        assert_eq!((here.country, there.country), (Some(from.country), Some(to.country)), "{name}");
        let gap = here.gap_km(&there).unwrap();
        let may_be_wrong = [here, there].map(|place| u32::from(place.spot.unwrap().parts().2)).iter().sum::<u32>();
        assert!(gap <= atlas + 20, "{name}: {gap} km at least, and {atlas} in an atlas");
        assert!(gap + may_be_wrong + 60 >= atlas, "{name}: {gap} km, wrong by {may_be_wrong}, and {atlas} in an atlas");
        assert_eq!(gap > 1_000, impossible, "{name}: {gap} km");
        assert_eq!(here.is_abroad_of(&there), gap > 0 && from.country != to.country, "{name}");
    }
}

#[test]
#[ignore = "takes a database from a package: run in the stage that installs it"]
fn a_place_that_it_does_not_know_is_no_other_place() {
    let databases = real();
    let here = at(&databases, ZURICH.address);
    for unknown in ["192.0.2.1", "10.0.0.1", "240.0.0.1", "2001:db8::1", "::1"] {
        let place = at(&databases, unknown);
        assert_eq!((place, here.gap_km(&place), here.is_abroad_of(&place)), (Place::UNKNOWN, None, false), "{unknown}");
    }
    assert_eq!(at(&databases, "8.8.8.8").country, Some(*b"US"));
    assert_eq!(at(&databases, "::ffff:8.8.8.8").country, Some(*b"US"));
}

fn real() -> Databases {
    let named = std::env::var_os("COUNTERFOIL_GEO_CITY").map(PathBuf::from);
    let fetched = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/places/GeoLite2-City.mmdb");
    let settings = GeoSettings { city: Some(named.unwrap_or(fetched)), ..GeoSettings::default() };
    Databases::open(&settings).unwrap()
}
