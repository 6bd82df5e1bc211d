//! The running gateway: one store and one key ring, and beside them the sites of its apps, which can be exchanged.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use counterfoil::{Counterfoil, Event, KeyError, log_event};
use counterfoil_core::keys::SharedRing;
use counterfoil_core::origin::Origin;
use counterfoil_core::store::DynStore;

use crate::app::{AppConfig, AppName};
use crate::ops::{CountedStore, Meters, SiteMeters};

/// What all listeners share. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Parts>);

struct Parts {
    ring: SharedRing,
    store: Arc<dyn DynStore>,
    sites: ArcSwap<Sites>,
    meters: Meters,
}

/// The sites of one configuration.
#[derive(Debug, Default)]
pub struct Sites {
    by_name: HashMap<AppName, Arc<Site>>,
    in_order: Vec<Arc<Site>>,
}

/// One app's sessions, as they run.
#[derive(Debug)]
pub struct Site {
    /// How it was configured.
    pub app: AppConfig,
    /// Its sessions: keys and store are every site's, policy and public origins its own.
    pub sessions: Counterfoil,
    /// What its decisions are counted by.
    pub meters: SiteMeters,
}

impl Gateway {
    /// A gateway for `apps`, with these keys and this store.
    ///
    /// # Errors
    /// [`KeyError::KeptTooShort`] if sessions of an app's policy may outlive the keys.
    pub fn new(apps: &[AppConfig], ring: SharedRing, store: Arc<dyn DynStore>) -> Result<Self, KeyError> {
        let meters = Meters::new();
        let store: Arc<dyn DynStore> = Arc::new(CountedStore::new(store, meters.clone()));
        let sites = Sites::new(apps, &ring, &store, &meters)?;
        Ok(Self(Arc::new(Parts { ring, store, sites: ArcSwap::from_pointee(sites), meters })))
    }

    /// Protects `apps` from now on. Requests under way end as they began; sessions live on.
    ///
    /// # Errors
    /// As [`new`](Self::new); the apps before stay.
    pub fn exchange(&self, apps: &[AppConfig]) -> Result<(), KeyError> {
        let sites = Sites::new(apps, &self.0.ring, &self.0.store, &self.0.meters)?;
        self.0.sites.store(Arc::new(sites));
        Ok(())
    }

    /// The sites of now.
    pub fn sites(&self) -> Guard<Arc<Sites>> {
        self.0.sites.load()
    }

    /// The keys of all sites.
    pub fn ring(&self) -> &SharedRing {
        &self.0.ring
    }

    /// The store of all sites.
    pub fn store(&self) -> &Arc<dyn DynStore> {
        &self.0.store
    }

    /// What is counted.
    pub fn meters(&self) -> &Meters {
        &self.0.meters
    }
}

impl Sites {
    fn new(
        apps: &[AppConfig],
        ring: &SharedRing,
        store: &Arc<dyn DynStore>,
        meters: &Meters,
    ) -> Result<Self, KeyError> {
        let site = |app: &AppConfig| {
            let (name, counted) = (app.name.clone(), meters.clone());
            let sessions = Counterfoil::sharing(app.policy.clone(), ring.clone(), Arc::clone(store))?
                .events(move |event: &Event| {
                    log_event(event);
                    counted.happened(&name, event.kind.name());
                })
                // One store and one ring: whoever runs the gateway keeps house for all sites at once.
                .housekept_elsewhere()
                .build();
            Ok(Arc::new(Site { app: app.clone(), sessions, meters: meters.site(&app.name) }))
        };
        let in_order = apps.iter().map(site).collect::<Result<Vec<_>, KeyError>>()?;
        let by_name = in_order.iter().map(|site| (site.app.name.clone(), Arc::clone(site))).collect();
        Ok(Self { by_name, in_order })
    }

    /// The site of the app of this name.
    pub fn named(&self, name: &AppName) -> Option<&Arc<Site>> {
        self.by_name.get(name)
    }

    /// As [`named`](Self::named), for a name as somebody wrote it.
    pub fn called(&self, name: &str) -> Option<&Arc<Site>> {
        self.by_name.get(name)
    }

    /// The site at `authority`, a `Host` as a client may send it.
    pub fn at(&self, authority: &str) -> Option<&Arc<Site>> {
        self.in_order.iter().find(|site| site.is_at(authority))
    }

    /// All of them, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.in_order.iter()
    }
}

impl Site {
    /// The origin of this site that `authority` names.
    pub fn origin_at(&self, authority: &str) -> Option<&Origin> {
        self.app.policy.public_origins().iter().find(|origin| origin.is_at(authority))
    }

    fn is_at(&self, authority: &str) -> bool {
        self.origin_at(authority).is_some()
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Gateway").field("sites", &*self.sites()).finish_non_exhaustive()
    }
}
