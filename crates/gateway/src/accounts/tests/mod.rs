//! The accounts file and its spool: what is written reads back, what is damaged lets nobody in, and a crash loses nothing.

mod files;
mod running;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use counterfoil::accounts::{Cost, Hasher, Password, PasswordHash};
use counterfoil::keys::SharedRing;
use counterfoil::{Event, EventKind, GeneratedKeys, MemoryStore, Moment, Policy, Trigger};
use counterfoil_core::seal::Sealer;
use parking_lot::Mutex;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::app::AppConfig;
use crate::gateway::Gateway;
use crate::private;
use crate::rules::Rules;

fn name(text: &str) -> AccountName {
    text.parse().unwrap()
}

fn hash(password: &str) -> PasswordHash {
    Hasher::new(Cost::Test).unwrap().hash_now(&Password::new(password)).unwrap()
}

fn at(seconds: u64) -> Moment {
    Moment::from_unix_seconds(seconds)
}

const OLD: &str = "the first long password";
const NEW: &str = "the other long password";

/// A folder with the account `ada`, and what runs on it.
struct Place {
    folder: TempDir,
    ring: SharedRing,
    events: Arc<Mutex<Vec<EventKind>>>,
}

impl Place {
    fn new() -> Self {
        let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
        let place = Self { folder: tempfile::tempdir().unwrap(), ring, events: Arc::default() };
        place.folder().change(None, |book| book.add(name("ada"), hash(OLD), at(1))).unwrap();
        place
    }

    fn folder(&self) -> Folder {
        Folder::at(self.folder.path())
    }

    fn accounts(&self) -> Accounts {
        Accounts::open(self.folder(), Sealer::new(self.ring.clone()), Cost::Test).unwrap()
    }

    fn gateway(&self) -> Gateway {
        let app = AppConfig {
            name: "wiki".parse().unwrap(),
            proxy: crate::app::Proxy::Nginx,
            policy: Policy::aal2("https://wiki.example").unwrap(),
            rules: Rules::default(),
            cookie_return: crate::app::CookieReturn::One,
            assertion: crate::app::Algorithm::Es256,
            app_cookies: crate::app_cookies::AppCookies::default(),
            upstream: None,
        };
        let told = Arc::clone(&self.events);
        let gateway = Gateway::builder(self.ring.clone(), Arc::new(MemoryStore::new()));
        gateway.events(move |event: &Event| told.lock().push(event.kind)).build(&[app]).unwrap()
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.folder.path().join(file)
    }

    fn notes(&self) -> usize {
        fs::read_dir(self.path("changes")).map_or(0, Iterator::count)
    }

    fn triggers(&self) -> Vec<Trigger> {
        let triggers = self.events.lock().clone().into_iter().filter_map(|kind| match kind {
            EventKind::AccountChanged { trigger, .. } => Some(trigger),
            _ => None,
        });
        triggers.collect()
    }
}

async fn knows(accounts: &Accounts, password: &str) -> bool {
    accounts.verify(Some(&name("ada")), Password::new(password)).await.unwrap() != Verified::No
}
