//! Files that change while they are used.

use super::*;

#[test]
fn a_new_file_is_taken_up_as_a_whole() {
    let folder = Folder::new().city(cities()).asn(operators()).networks("198.51.100.0/24 vpn");
    let databases = folder.open().unwrap();
    let clone = databases.clone();
    assert!(databases.look().is_empty(), "nothing changed");
    let moved = Data::Map(vec![("country_code", Data::Text("FR"))]);
    folder.put("city.mmdb", database("Other", &[("203.0.113.0/24", moved)]));
    folder.put("networks", "203.0.113.0/25 relay");
    let looked = databases.look();
    assert!(matches!(looked[..], [Ok(GeoFile::City), Ok(GeoFile::Networks)]), "{looked:?}");
    let place = at(&clone, "203.0.113.1");
    assert_eq!((place.country, place.asn, place.kind), (Some(*b"FR"), Some(64_501), NetworkKind::Relay));
    assert_eq!(at(&clone, "198.51.100.1").kind, NetworkKind::Ordinary);
}

#[test]
fn a_bad_file_leaves_what_was_known_and_is_told_once() {
    let folder = Folder::new().city(cities()).asn(operators());
    let databases = folder.open().unwrap();
    let before = at(&databases, "203.0.113.1");
    #[rustfmt::skip]
    let table: [(&str, Vec<u8>); 4] = [
        ("garbage",          b"garbage".to_vec()),
        ("empty",            Vec::new()),
        ("cut off",          cities()[..300].to_vec()),
        ("another database", operators()),
    ];
    for (name, bytes) in table {
        folder.put("city.mmdb", bytes);
        let looked = databases.look();
        assert!(matches!(looked[..], [Err(GeoError { file: GeoFile::City, .. })]), "{name}: {looked:?}");
        assert!(databases.look().is_empty(), "{name}: not read again until it changes");
        assert_eq!(at(&databases, "203.0.113.1"), before, "{name}");
    }
    std::fs::remove_file(folder.settings.city.as_ref().unwrap()).unwrap();
    let looked = databases.look();
    assert!(matches!(looked[..], [Err(GeoError { problem: GeoProblem::Missing, .. })]), "{looked:?}");
    assert_eq!(at(&databases, "203.0.113.1"), before);
    // What was wrong is over once a good file is there, the same as before included.
    folder.put("city.mmdb", cities());
    assert!(matches!(databases.look()[..], [Ok(GeoFile::City)]));
}

#[test]
fn one_bad_file_does_not_keep_a_good_one_out() {
    let folder = Folder::new().city(cities()).networks("203.0.113.0/24 vpn");
    let databases = folder.open().unwrap();
    folder.put("city.mmdb", "garbage");
    folder.put("networks", "203.0.113.0/24 hosting");
    let looked = databases.look();
    assert!(matches!(looked[..], [Err(_), Ok(GeoFile::Networks)]), "{looked:?}");
    assert_eq!(at(&databases, "203.0.113.1").kind, NetworkKind::Hosting);
}

#[test]
fn whoever_follows_sees_the_new_file_and_ends_with_the_databases() {
    let folder = Folder::new().networks("203.0.113.0/24 vpn");
    let databases = folder.open().unwrap();
    databases.follow(Duration::from_millis(5));
    databases.follow(Duration::from_millis(5));
    folder.put("networks", "203.0.113.0/24 hosting # another");
    while at(&databases, "203.0.113.1").kind != NetworkKind::Hosting {
        std::thread::yield_now();
    }
    let shared = Arc::downgrade(&databases.0);
    drop(databases);
    while shared.strong_count() > 0 {
        std::thread::yield_now();
    }
}
