//! Where addresses are: databases in the MMDB format, and the operator's list of networks whose place is nobody's.
//!
//! Nothing here is needed. Without it the place of every address is unknown, and an unknown place is not a changed place:
//! what is judged by places (`country_changed`, `impossible_travel`, `many_places`) is then never found.
//!
//! ```no_run
//! use counterfoil::geo::{Databases, GeoSettings};
//! use counterfoil::{Counterfoil, GeneratedKeys, MemoryStore, Policy};
//!
//! let settings = GeoSettings {
//!     city: Some("/var/lib/GeoIP/GeoLite2-City.mmdb".into()),
//!     asn: Some("/var/lib/GeoIP/GeoLite2-ASN.mmdb".into()),
//!     networks: Some("/etc/shop/networks".into()), // lines such as `203.0.113.0/24 vpn`
//! };
//! let databases = Databases::open(&settings)?;
//! databases.follow(Databases::EVERY); // new files are taken up without a restart
//! let site = Counterfoil::builder(Policy::aal2("https://shop.example")?, &GeneratedKeys, MemoryStore::new())?
//!     .locate_by(databases)
//!     .build();
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which databases
//!
//! Any with the fields that `MaxMind`, DB-IP or `IPinfo` use. A field that is missing, or is of another type than elsewhere,
//! is unknown and never an error.
//!
//! | what | from the fields |
//! |---|---|
//! | country | `country.iso_code`, `country_code`, `country` |
//! | place | `location.latitude` and `.longitude`, `latitude` and `longitude`, `lat` and `lng`, `loc` |
//! | how far off it may be | `location.accuracy_radius`, `accuracy_radius`, `radius`; 500 km where none of them is there |
//! | operator | `autonomous_system_number`, `asn` |
//!
//! An address that is announced from many places at once (`traits.is_anycast`) has none. Private addresses, those of this
//! machine and of a carrier's own network have none either, whatever a database says.
//!
//! # Privacy
//!
//! Addresses are looked up in this process and go nowhere. No error and no line of the log holds one that was looked up.

mod database;
mod error;
mod fields;
mod follow;
mod networks;
mod settings;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use counterfoil_core::address::Places;
use counterfoil_core::rules::{NetworkKind, Place};
use parking_lot::Mutex;

use self::database::Database;
pub use self::error::{GeoError, GeoFile, GeoProblem, LineProblem};
use self::follow::Sources;
pub use self::networks::Networks;
pub use self::settings::GeoSettings;

/// Databases of addresses, in memory. Cheap to clone; clones change together.
///
/// A look-up takes some microseconds and waits for nobody, also while the databases are exchanged.
#[derive(Clone)]
pub struct Databases(Arc<Shared>);

struct Shared {
    known: ArcSwap<Known>,
    /// Where it comes from. Locked by whoever reads files, never by a look-up.
    sources: Mutex<Sources>,
    /// Dropped with the last clone, which ends the thread that follows.
    _alive: std::sync::mpsc::Sender<()>,
    ended: Mutex<Option<std::sync::mpsc::Receiver<()>>>,
}

/// What is known at one time. The parts are exchanged one by one, so that each may be kept where its new file is bad.
#[derive(Clone, Default)]
struct Known {
    city: Option<Arc<Database>>,
    asn: Option<Arc<Database>>,
    networks: Arc<Networks>,
}

impl Databases {
    /// How often it is worth looking for new files, which are published once or twice a week.
    pub const EVERY: Duration = Duration::from_mins(1);
    /// The largest database that is read, in bytes. It is in memory as a whole, and twice while it is exchanged.
    pub const LARGEST: u64 = 512 << 20;

    /// Reads all files that are named; with none, every place is unknown.
    ///
    /// # Errors
    /// [`GeoError`]: one of them is missing, damaged, too large or of another kind. It says which, and what to do.
    pub fn open(settings: &GeoSettings) -> Result<Self, GeoError> {
        let mut known = Known::default();
        let mut sources = Sources::new(settings);
        if let Some(error) = sources.look(&mut known).into_iter().find_map(Result::err) {
            return Err(error);
        }
        let (alive, ended) = std::sync::mpsc::channel();
        Ok(Self(Arc::new(Shared {
            known: ArcSwap::from_pointee(known),
            sources: Mutex::new(sources),
            _alive: alive,
            ended: Mutex::new(Some(ended)),
        })))
    }

    /// Looks at the files now, and takes up those that are others than before. Says of each of them whether it was taken
    /// up; what its file held before stays where the new one cannot be used. Blocks while it reads.
    pub fn look(&self) -> Vec<Result<GeoFile, GeoError>> {
        let mut sources = self.0.sources.lock();
        let mut known = Known::clone(&self.0.known.load());
        let looked = sources.look(&mut known);
        if looked.iter().any(Result::is_ok) {
            self.0.known.store(Arc::new(known));
        }
        looked
    }

    /// Looks every so often from now on, on a thread of its own that ends with the last clone. What was taken up is logged,
    /// and so is what could not be. The first call counts.
    pub fn follow(&self, every: Duration) {
        if let Some(ended) = self.0.ended.lock().take() {
            follow::begin(&self.0, ended, every);
        }
    }
}

impl Places for Databases {
    fn locate(&self, address: IpAddr) -> Place {
        self.0.known.load().locate(address)
    }
}

impl Known {
    fn locate(&self, address: IpAddr) -> Place {
        let address = address.to_canonical();
        if networks::is_private(address) {
            return Place::UNKNOWN;
        }
        let look_up = |database: &Option<Arc<Database>>| database.as_ref().map(|database| database.look_up(address));
        let mut place = look_up(&self.city).unwrap_or(Place::UNKNOWN);
        place.asn = look_up(&self.asn).and_then(|place| place.asn).or(place.asn);
        place.kind = self.networks.kind(address).unwrap_or(NetworkKind::Ordinary);
        place
    }
}

impl std::fmt::Debug for Databases {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = self.0.known.load();
        out.debug_struct("Databases")
            .field("city", &known.city)
            .field("asn", &known.asn)
            .field("networks", &known.networks.len())
            .finish_non_exhaustive()
    }
}
