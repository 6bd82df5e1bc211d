//! Gateways for tests of this crate.

use std::sync::Arc;

use counterfoil::{GeneratedKeys, MemoryStore, Policy};
use counterfoil_core::keys::SharedRing;
use counterfoil_core::store::DynStore;
use counterfoil_core::testing::FaultyStore;

use crate::app::{Algorithm, AppConfig, CookieReturn, Proxy};
use crate::gateway::Gateway;
use crate::rules::{Access, Rule, Rules};

/// An app called `name` at `https://NAME.example`, for whoever is signed in.
pub(crate) fn app(name: &str) -> AppConfig {
    AppConfig {
        name: name.parse().unwrap(),
        proxy: Proxy::Nginx,
        policy: Policy::aal2(&format!("https://{name}.example")).unwrap(),
        rules: Rules::new(vec![Rule::new("/*".parse().unwrap(), Access::SignedIn)]),
        cookie_return: CookieReturn::One,
        assertion: Algorithm::Es256,
        app_cookies: crate::app_cookies::AppCookies::default(),
        upstream: None,
    }
}

/// One with the app `wiki`.
pub(crate) fn gateway() -> Gateway {
    gateway_on_a_faulty_store().0
}

/// The same, and its store, which fails when told to.
pub(crate) fn gateway_on_a_faulty_store() -> (Gateway, Arc<FaultyStore<MemoryStore>>) {
    let store = Arc::new(FaultyStore::around(MemoryStore::new()));
    let ring = SharedRing::from_source(&GeneratedKeys).unwrap();
    let gateway = Gateway::new(&[app("wiki")], ring, Arc::clone(&store) as Arc<dyn DynStore>).unwrap();
    (gateway, store)
}
