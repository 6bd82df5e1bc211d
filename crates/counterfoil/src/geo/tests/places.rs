//! Which place is told, from which fields.

use counterfoil_core::rules::Spot;

use super::*;

#[test]
fn an_address_has_the_country_the_place_and_the_operator_of_its_network() {
    let databases = Folder::new().city(cities()).asn(operators()).open().unwrap();
    let (london, tokyo) = (Spot::new(51.51, -0.13, Some(20)), Spot::new(35.68, 139.69, Some(20)));
    #[rustfmt::skip]
    let table = [
        // address                   country        spot    operator
        ("198.51.100.1",             Some(*b"GB"),  london, Some(64_500)),
        ("203.0.113.255",            Some(*b"JP"),  tokyo,  Some(64_501)),
        ("::ffff:203.0.113.9",       Some(*b"JP"),  tokyo,  Some(64_501)),
        ("2001:db8::1",              Some(*b"GB"),  london, None),
        ("2001:db8:8000::1",         Some(*b"JP"),  tokyo,  None),
        ("192.0.2.1",                None,          None,   None),
        ("2001:db9::1",              None,          None,   None),
        ("255.255.255.255",          None,          None,   None),
    ];
    for (address, country, spot, asn) in table {
        let expected = Place { country, spot, asn, kind: NetworkKind::Ordinary };
        assert_eq!(at(&databases, address), expected, "{address}");
    }
}

#[test]
fn each_file_can_be_missing_and_what_it_tells_is_unknown_then() {
    let address = "203.0.113.1";
    let nothing = Folder::new().open().unwrap();
    assert_eq!(at(&nothing, address), Place::UNKNOWN);
    let place = at(&Folder::new().asn(operators()).open().unwrap(), address);
    assert_eq!(place, Place { asn: Some(64_501), ..Place::UNKNOWN });
    let place = at(&Folder::new().city(cities()).open().unwrap(), address);
    assert_eq!((place.country, place.asn), (Some(*b"JP"), None));
    let place = at(&Folder::new().networks("203.0.113.0/24 vpn").open().unwrap(), address);
    assert_eq!(place, Place { kind: NetworkKind::Vpn, ..Place::UNKNOWN });
}

#[test]
fn a_private_address_has_no_place_whatever_a_database_says() {
    let everywhere = Data::Map(vec![("country_code", Data::Text("GB")), ("asn", Data::Text("AS64500"))]);
    let everywhere = database("All", &[("::/1", everywhere.clone()), ("8000::/1", everywhere)]);
    let networks = "10.0.0.0/8 vpn\nfc00::/7 hosting";
    let databases = Folder::new().city(&everywhere).asn(&everywhere).networks(networks).open().unwrap();
    for private in [
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "127.0.0.1",
        "169.254.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "0.0.0.0",
        "0.1.2.3",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "::ffff:10.1.2.3",
        "::ffff:127.0.0.1",
    ] {
        assert_eq!(at(&databases, private), Place::UNKNOWN, "{private}");
    }
    for public in
        ["9.255.255.255", "11.0.0.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "2001:db8::1"]
    {
        assert_eq!(at(&databases, public).country, Some(*b"GB"), "{public}");
    }
}

#[test]
fn records_are_read_in_every_shape_they_come_in() {
    use Data::{Double, Flag, List, Long, Map, Short, Text};
    let place = |country: Option<&[u8; 2]>, spot, asn| Place {
        country: country.copied(),
        spot,
        asn,
        kind: NetworkKind::Ordinary,
    };
    let berlin = |radius| Spot::new(52.5, 13.4, radius);
    let location = |fields: &[(&'static str, Data)]| Map(vec![("location", Map(fields.to_vec()))]);
    let point = [("latitude", Double(52.5)), ("longitude", Double(13.4))];
    #[rustfmt::skip]
    let table = [
        ("flat, without an accuracy", Map([("country_code", Text("DE"))].into_iter().chain(point.clone()).collect()),     place(Some(b"DE"), berlin(None), None)),
        ("deep, without an accuracy", location(&point),                                                                  place(None, berlin(None), None)),
        ("as text",                   Map(vec![("country", Text("DE")), ("lat", Text("52.5")), ("lng", Text("13.4")), ("radius", Text("50"))]), place(Some(b"DE"), berlin(Some(50)), None)),
        ("as one text",               Map(vec![("loc", Text("52.5,13.4")), ("country", Text("DE"))]),                   place(Some(b"DE"), berlin(None), None)),
        ("names and codes",           Map(vec![("country", Text("Germany")), ("country_code", Text("DE")), ("asn", Text("AS64500"))]), place(Some(b"DE"), None, Some(64_500))),
        ("codes before names",        Map(vec![("country_code", Text("de")), ("country", Text("Germany"))]),             place(Some(b"DE"), None, None)),
        ("a name alone",              Map(vec![("country", Text("Germany"))]),                                           Place::UNKNOWN),
        ("registered elsewhere",      Map(vec![("registered_country", Map(vec![("iso_code", Text("US"))]))]),            Place::UNKNOWN),
        ("operators in traits",       Map(vec![("traits", Map(vec![("autonomous_system_number", Long(64_500))]))]),      place(None, None, Some(64_500))),
        ("anycast",                   Map([("traits", Map(vec![("is_anycast", Flag(true))])), ("country_code", Text("US"))].into_iter().chain(point.clone()).collect()), Place::UNKNOWN),
        ("half a point",              location(&[("latitude", Double(52.5))]),                                           Place::UNKNOWN),
        ("nowhere",                   location(&[("latitude", Double(0.0)), ("longitude", Double(0.0))]),                Place::UNKNOWN),
        ("beyond the globe",          location(&[("latitude", Double(91.0)), ("longitude", Double(13.4))]),              Place::UNKNOWN),
        ("no numbers",                location(&[("latitude", Double(f64::NAN)), ("longitude", Double(f64::INFINITY))]), Place::UNKNOWN),
        ("an endless accuracy",       location(&[point[0].clone(), point[1].clone(), ("accuracy_radius", Double(f64::INFINITY))]), place(None, berlin(Some(u16::MAX)), None)),
        ("an accuracy of nothing",    location(&[point[0].clone(), point[1].clone(), ("accuracy_radius", Short(0))]),    place(None, berlin(None), None)),
        ("operators that are nobody", Map(vec![("asn", Long(0))]),                                                       Place::UNKNOWN),
        ("fields of other types",     Map(vec![("country", List(vec![Text("DE")])), ("location", Text("Berlin")), ("asn", Flag(true)), ("latitude", Map(vec![]))]), Place::UNKNOWN),
        ("countries of other types",  Map(vec![("country", Map(vec![("iso_code", Long(49))])), ("country_code", Text("DEU"))]), Place::UNKNOWN),
        ("no fields",                 Map(vec![]),                                                                       Place::UNKNOWN),
        ("no record but a text",      Text("Berlin"),                                                                    Place::UNKNOWN),
    ];
    let known = Map(vec![("country_code", Text("GB")), ("asn", Long(1))]);
    for (name, record, expected) in table {
        let bytes = database("Any", &[("203.0.113.0/24", record), ("198.51.100.0/24", known.clone())]);
        assert_eq!(at(&Folder::new().city(bytes).open().unwrap(), "203.0.113.1"), expected, "{name}");
    }
}

#[test]
fn two_towns_are_as_far_apart_as_they_are_less_what_may_be_wrong() {
    let databases = Folder::new().city(cities()).open().unwrap();
    let (london, tokyo) = (at(&databases, "198.51.100.1"), at(&databases, "203.0.113.1"));
    let gap = london.gap_km(&tokyo).unwrap();
    assert!((9_400..9_600).contains(&gap), "{gap} km");
    // An unknown place is no other place.
    assert_eq!(london.gap_km(&at(&databases, "192.0.2.1")), None);
}
