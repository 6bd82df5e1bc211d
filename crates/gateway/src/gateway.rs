//! The running gateway: one store and one key ring, and beside them the sites of its apps, which can be exchanged.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arc_swap::{ArcSwap, Guard};
use counterfoil::{Counterfoil, Event, EventSink, KeyError, UserAgents, log_event};
use counterfoil_core::agent::DeviceLabels;
use counterfoil_core::keys::SharedRing;
use counterfoil_core::origin::Origin;
use counterfoil_core::store::DynStore;

use crate::app::{AppConfig, AppName};
use crate::pages;

/// What all listeners share. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Parts>);

struct Parts {
    ring: SharedRing,
    store: Arc<dyn DynStore>,
    events: Arc<dyn EventSink>,
    sites: ArcSwap<Sites>,
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
}

impl Gateway {
    /// A gateway for `apps`, with these keys and this store.
    ///
    /// # Errors
    /// [`KeyError::KeptTooShort`] if sessions of an app's policy may outlive the keys.
    pub fn new(apps: &[AppConfig], ring: SharedRing, store: Arc<dyn DynStore>) -> Result<Self, KeyError> {
        Self::telling(apps, ring, store, Arc::new(()))
    }

    /// As [`new`](Self::new); what happens to sessions is told to `events` too, not only to the log.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn telling(
        apps: &[AppConfig],
        ring: SharedRing,
        store: Arc<dyn DynStore>,
        events: Arc<dyn EventSink>,
    ) -> Result<Self, KeyError> {
        let sites = ArcSwap::from_pointee(Sites::new(apps, &ring, &store, &events)?);
        Ok(Self(Arc::new(Parts { ring, store, events, sites })))
    }

    /// Protects `apps` from now on. Requests under way end as they began; sessions live on.
    ///
    /// # Errors
    /// As [`new`](Self::new); the apps before stay.
    pub fn exchange(&self, apps: &[AppConfig]) -> Result<(), KeyError> {
        let sites = Sites::new(apps, &self.0.ring, &self.0.store, &self.0.events)?;
        self.0.sites.store(Arc::new(sites));
        Ok(())
    }

    /// The sites of now.
    pub fn sites(&self) -> Guard<Arc<Sites>> {
        self.0.sites.load()
    }
}

impl Sites {
    fn new(
        apps: &[AppConfig],
        ring: &SharedRing,
        store: &Arc<dyn DynStore>,
        events: &Arc<dyn EventSink>,
    ) -> Result<Self, KeyError> {
        let site = |app: &AppConfig| {
            let told = Arc::clone(events);
            let sessions = Counterfoil::sharing(app.policy.clone(), ring.clone(), Arc::clone(store))?
                .sign_in_page(pages::SIGN_IN)
                .step_up_page(pages::STEP_UP)
                .denied_page(pages::DENIED)
                .security_headers(pages::security_headers())
                .device_labels(Labels)
                .events(move |event: &Event| {
                    log_event(event);
                    told.emit(event);
                })
                .build();
            Ok(Arc::new(Site { app: app.clone(), sessions }))
        };
        let in_order = apps.iter().map(site).collect::<Result<Vec<_>, KeyError>>()?;
        let by_name = in_order.iter().map(|site| (site.app.name.clone(), Arc::clone(site))).collect();
        Ok(Self { by_name, in_order })
    }

    /// The site of the app of this name.
    pub fn named(&self, name: &AppName) -> Option<&Arc<Site>> {
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

/// One reading of the data on user agents for all sites.
struct Labels;

impl DeviceLabels for Labels {
    fn label(&self, user_agent: &[u8], platform_hint: Option<&[u8]>) -> Option<String> {
        // Without the data devices are still labelled, only with fewer names.
        USER_AGENTS.as_ref()?.label(user_agent, platform_hint)
    }
}

static USER_AGENTS: LazyLock<Option<UserAgents>> = LazyLock::new(|| {
    let told = |error| {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "devices are labelled without the data on user agents");
    };
    UserAgents::new().map_err(told).ok()
});

impl std::fmt::Debug for Gateway {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Gateway").field("sites", &*self.sites()).finish_non_exhaustive()
    }
}
