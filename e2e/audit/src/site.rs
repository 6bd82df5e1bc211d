//! The sites, by name: one function each, from what a house keeps and what is asked to what is answered.

mod bakery;
mod harbor;
mod ledger;
mod library;
mod postbox;
mod smithy;
mod tavern;

use std::io;
use std::sync::Arc;

use crate::house::House;
use crate::web::{Ask, Reply, serve};

/// What a site is.
type Site = fn(&House, &Ask) -> Reply;

/// A twin that listens.
pub(crate) struct Standing {
    /// Where.
    pub(crate) port: u16,
    /// What it keeps; for looking at, out of band.
    pub(crate) house: Arc<House>,
}

/// Opens a twin on a port, a free one for 0.
pub(crate) fn open(name: &str, fixed: bool, port: u16) -> io::Result<Standing> {
    let site = ALL.iter().find(|(known, _)| *known == name).map(|(_, site)| *site);
    let site = site.ok_or_else(|| io::Error::other(format!("there is no site {name}")))?;
    let house = Arc::new(House::new(!fixed));
    let keeper = Arc::clone(&house);
    let port = serve(port, Arc::new(move |ask| site(&keeper, ask)))?;
    Ok(Standing { port, house })
}

const ALL: &[(&str, Site)] = &[
    ("bakery", bakery::answer),
    ("harbor", harbor::answer),
    ("ledger", ledger::answer),
    ("library", library::answer),
    ("postbox", postbox::answer),
    ("smithy", smithy::answer),
    ("tavern", tavern::answer),
];
