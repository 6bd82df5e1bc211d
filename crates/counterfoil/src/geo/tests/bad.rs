//! Files that are of no use.

use proptest::prelude::*;

use super::*;

#[test]
fn a_file_that_cannot_be_used_is_told_with_its_key_its_path_and_what_to_do() {
    let random: Vec<u8> = (0..50_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let whole = cities();
    let damaged = "is no MMDB database, or a damaged one (";
    #[rustfmt::skip]
    let table: [(&str, Folder, &str); 9] = [
        ("empty",                       Folder::new().city(""),                              damaged),
        ("random bytes",                Folder::new().city(&random),                         damaged),
        ("cut off",                     Folder::new().city(&whole[..whole.len() - 40]),      damaged),
        ("cut off in the middle",       Folder::new().city(&whole[..whole.len() / 2]),       damaged),
        ("its tree cut out",            Folder::new().city(&whole[2_000..]),                 damaged),
        ("still packed",                Folder::new().asn(b"\x1f\x8b\x08\x00..."),           damaged),
        ("operators for places",        Folder::new().city(operators()),                     "is a database of type `GeoLite2-ASN`, which tells no places: name one that does, such as GeoLite2-City.mmdb"),
        ("places for operators",        Folder::new().asn(cities()),                         "is a database of type `GeoLite2-City`, which tells no operators: name one that does, such as GeoLite2-ASN.mmdb"),
        ("no text",                     Folder::new().networks(b"\xff\xfe2\0"),              "is not text in UTF-8: it wants lines such as `203.0.113.0/24 vpn`"),
    ];
    for (name, folder, expected) in table {
        let refusal = folder.refusal();
        let named = ["geo.city: city.mmdb is ", "geo.asn: asn.mmdb is ", "geo.networks: networks is "];
        assert!(
            named.iter().any(|named| refusal.starts_with(named)) && refusal.contains(expected),
            "{name}: {refusal}"
        );
    }
    assert_eq!(
        Folder::new().networks("\nx").refusal(),
        "geo.networks: networks line 2: `x` is no network: write one such as \
        203.0.113.0/24 or 2001:db8::/32, or an address"
    );
}

#[test]
fn a_path_that_leads_nowhere_is_told_as_such() {
    let mut folder = Folder::new();
    folder.settings.asn = Some(folder.folder.path().join("absent.mmdb"));
    assert_eq!(folder.refusal(), "geo.asn: absent.mmdb is not there: put the file there, or remove the key");
    std::fs::create_dir(folder.folder.path().join("absent.mmdb")).unwrap();
    assert_eq!(folder.refusal(), "geo.asn: absent.mmdb is no file: name the file itself");
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let mut folder = Folder::new();
    let path = folder.folder.path().join("large.mmdb");
    // Takes no room: nothing was written to it.
    std::fs::File::create(&path).unwrap().set_len(Databases::LARGEST + 1).unwrap();
    folder.settings.city = Some(path);
    let expected =
        "geo.city: large.mmdb is too large: 536870913 bytes, and 536870912 are read at most; use a smaller edition";
    assert_eq!(folder.refusal(), expected);
}

#[test]
fn a_database_without_records_tells_nothing_and_is_refused() {
    let refusal = Folder::new().city(database("Empty", &[])).refusal();
    assert!(refusal.contains("`Empty`, which tells no places"), "{refusal}");
}

proptest! {
    #[test]
    fn a_damaged_database_is_refused_or_tells_places_and_nothing_worse(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        addresses in prop::collection::vec(any::<(u128, u32)>(), 20),
    ) {
        let mut bytes = cities();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(database) = Database::new(GeoFile::City, bytes) {
            for (six, four) in addresses {
                database.look_up(std::net::Ipv6Addr::from_bits(six).into());
                database.look_up(std::net::Ipv4Addr::from_bits(four).into());
            }
            for address in ["198.51.100.1", "203.0.113.1", "2001:db8::1"] {
                database.look_up(address.parse().unwrap());
            }
        }
    }
}
