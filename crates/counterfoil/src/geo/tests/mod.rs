//! Databases that the tests write themselves, good and bad, and a real one.

mod bad;
mod networks;
mod places;
mod real;
mod replaced;
mod writer;

use std::path::PathBuf;

use tempfile::TempDir;

use self::writer::{Data, database};
use super::*;

/// A folder of files, and the settings that name them.
struct Folder {
    folder: TempDir,
    settings: GeoSettings,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), settings: GeoSettings::default() }
    }

    fn city(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.settings.city = Some(self.put("city.mmdb", bytes));
        self
    }

    fn asn(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.settings.asn = Some(self.put("asn.mmdb", bytes));
        self
    }

    fn networks(mut self, text: impl AsRef<[u8]>) -> Self {
        self.settings.networks = Some(self.put("networks", text));
        self
    }

    /// As somebody does who reads the documentation: written beside it, then renamed.
    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let (path, beside) = (self.folder.path().join(name), self.folder.path().join("beside"));
        std::fs::write(&beside, bytes).unwrap();
        std::fs::rename(&beside, &path).unwrap();
        path
    }

    fn open(&self) -> Result<Databases, GeoError> {
        Databases::open(&self.settings)
    }

    /// What is told of the first file that is wrong, without the folder.
    fn refusal(&self) -> String {
        let text = self.open().unwrap_err().to_string();
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

/// Two towns, in the shape of `GeoLite2`.
fn cities() -> Vec<u8> {
    let town = |country, latitude, longitude| {
        Data::Map(vec![
            ("city", Data::Map(vec![("names", Data::Map(vec![("en", Data::Text("Somewhere"))]))])),
            ("country", Data::Map(vec![("geoname_id", Data::Long(7)), ("iso_code", Data::Text(country))])),
            (
                "location",
                Data::Map(vec![
                    ("accuracy_radius", Data::Short(20)),
                    ("latitude", Data::Double(latitude)),
                    ("longitude", Data::Double(longitude)),
                    ("time_zone", Data::Text("Etc/UTC")),
                ]),
            ),
            ("subdivisions", Data::List(vec![Data::Map(vec![("iso_code", Data::Text("ENG"))])])),
        ])
    };
    let (london, tokyo) = (town("GB", 51.51, -0.13), town("JP", 35.68, 139.69));
    let records = [
        ("198.51.100.0/24", london.clone()),
        ("203.0.113.0/24", tokyo.clone()),
        ("2001:db8::/33", london),
        ("2001:db8:8000::/33", tokyo),
    ];
    database("GeoLite2-City", &records)
}

/// Their operators.
fn operators() -> Vec<u8> {
    let operator = |number| {
        Data::Map(vec![
            ("autonomous_system_number", Data::Long(number)),
            ("autonomous_system_organization", Data::Text("Somebody")),
        ])
    };
    database("GeoLite2-ASN", &[("198.51.100.0/24", operator(64_500)), ("203.0.113.0/24", operator(64_501))])
}

fn at(databases: &Databases, address: &str) -> Place {
    databases.locate(address.parse().unwrap())
}
