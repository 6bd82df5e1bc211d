//! Sites that look like the demo and are broken in one way each: what the suite must find, or it would find nothing.

use std::collections::HashMap;

use tokio::sync::Mutex;

use crate::stranger::{Served, Visit};

/// What is wrong with a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Defect {
    /// Nothing that this imitation could have wrong.
    None,
}

#[derive(Debug, Default)]
pub(crate) struct Imitations(());

#[derive(Debug)]
pub(crate) struct Imitation(Mutex<HashMap<String, u8>>);

impl Imitations {
    pub(crate) fn at(&self, _host: &str) -> Option<&Imitation> {
        None
    }
}
impl Imitation {
    pub(crate) async fn answer(&self, _visit: &Visit) -> Served {
        let _ = (&self.0, Defect::None);
        Served::page("")
    }
}
