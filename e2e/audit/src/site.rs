//! The sites, by name: one function each, from what a house keeps and what is asked to what is answered.

mod abbey;
mod apiary;
mod archive;
mod bakery;
mod belfry;
mod bridge;
mod clinic;
mod cloister;
mod embassy;
mod estate;
mod forms;
mod gallery;
mod gates;
pub(crate) mod granary;
mod harbor;
mod kiosk;
mod lantern;
mod ledger;
mod library;
mod lodge;
pub(crate) mod mint;
mod orchard;
mod postbox;
mod quarry;
mod smithy;
mod tavern;
mod telegraph;
mod turnkey;
mod vineyard;
mod weaver;
mod wharf;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use self::belfry::Raising;
use self::granary::Seal;
use self::turnkey::Lax;
use crate::desk::{Manner, PLAIN};
use crate::foreign::{self, Running};
use crate::house::House;
use crate::web::{Ask, Reply, serve};

/// What a site is.
pub(crate) type Site = fn(&House, &Ask) -> Reply;

/// A twin that listens.
pub(crate) struct Standing {
    /// Where.
    pub(crate) port: u16,
    keeps: Keeps,
}

/// What can be known of a twin without asking it.
enum Keeps {
    House { house: Arc<House>, requests: Arc<AtomicU64> },
    Process { _running: Running },
}

impl Standing {
    /// A hash of what lasts there, but for what profiles declare; nothing is known of processes.
    pub(crate) fn state(&self) -> String {
        match &self.keeps {
            Keeps::House { house, .. } => house.state(),
            Keeps::Process { .. } => String::new(),
        }
    }

    /// How many requests have come, where that is known.
    pub(crate) fn requests(&self) -> Option<u64> {
        match &self.keeps {
            Keeps::House { requests, .. } => Some(requests.load(Ordering::Relaxed)),
            Keeps::Process { .. } => None,
        }
    }
}

/// Opens a twin on a port, a free one for 0.
pub(crate) fn open(name: &str, fixed: bool, port: u16) -> io::Result<Standing> {
    if foreign::is(name) {
        let running = foreign::open(name, fixed, port)?;
        return Ok(Standing { port: running.port, keeps: Keeps::Process { _running: running } });
    }
    let site = ALL.iter().chain(crate::odd::ALL).find(|(known, _)| *known == name).map(|(_, site)| *site);
    let site = site.ok_or_else(|| io::Error::other(format!("there is no site {name}")))?;
    let house = Arc::new(House::new(!fixed));
    let requests = Arc::new(AtomicU64::new(0));
    let (keeper, counter) = (Arc::clone(&house), Arc::clone(&requests));
    let answer = move |ask: &Ask| {
        counter.fetch_add(1, Ordering::Relaxed);
        site(&keeper, ask)
    };
    let port = serve(port, Arc::new(answer))?;
    Ok(Standing { port, keeps: Keeps::House { house, requests } })
}

#[rustfmt::skip]
const ALL: &[(&str, Site)] = &[
    ("abbey",      abbey::answer),
    ("apiary",     apiary::answer),
    ("archive",    archive::answer),
    ("attic",      gallery::attic),
    ("bakery",     bakery::answer),
    ("belfry",     |house, ask| belfry::answer(house, ask, Raising::SameToken)),
    ("brewery",    |house, ask| forms::answer(house, ask, Manner { cookie: "__Host-beer", ..PLAIN }, forms::brewery)),
    ("bridge",     |house, ask| bridge::answer(house, ask, bridge::bridge)),
    ("candle",     lantern::candle),
    ("chandler",   |house, ask| gates::answer(house, ask, gates::chandler)),
    ("chapel",     forms::chapel),
    ("clinic",     clinic::answer),
    ("cloister",   cloister::answer),
    ("cooper",     |house, ask| gates::answer(house, ask, gates::cooper)),
    ("culvert",    |house, ask| bridge::answer(house, ask, bridge::culvert)),
    ("drover",     |house, ask| gates::answer(house, ask, gates::drover)),
    ("embassy",    embassy::answer),
    ("estate",     estate::answer),
    ("farm",       forms::farmed),
    ("ferry",      |house, ask| gates::answer(house, ask, gates::ferry)),
    ("foundry",    |house, ask| belfry::answer(house, ask, Raising::OldToo)),
    ("gallery",    gallery::gallery),
    ("granary",    |house, ask| granary::answer(house, ask, Seal::None)),
    ("harbor",     |house, ask| harbor::answer(house, ask, harbor::HARBOR)),
    ("hourglass",  |house, ask| harbor::answer(house, ask, harbor::HOURGLASS)),
    ("kiln",       |house, ask| harbor::answer(house, ask, harbor::KILN)),
    ("kiosk",      kiosk::answer),
    ("lantern",    lantern::answer),
    ("ledger",     ledger::answer),
    ("library",    library::answer),
    ("lodge",      lodge::answer),
    ("locksmith",  |house, ask| turnkey::answer(house, ask, Lax::Keys)),
    ("mason",      |house, ask| forms::answer(house, ask, Manner { cookie: "__Host-stone", ..PLAIN }, forms::mason)),
    ("maze",       gallery::maze),
    ("mill",       |house, ask| harbor::answer(house, ask, harbor::MILL)),
    ("mint-clock", |house, ask| mint::answer(house, ask, mint::time)),
    ("mint-count", |house, ask| mint::answer(house, ask, mint::counter)),
    ("mint-lcg",   |house, ask| mint::answer(house, ask, mint::congruential)),
    ("mint-md5",   |house, ask| mint::answer(house, ask, mint::hashed_counter)),
    ("mint-mt",    |house, ask| mint::answer(house, ask, mint::twister)),
    ("mint-same",  |house, ask| mint::answer(house, ask, mint::fixed)),
    ("mint-short", |house, ask| mint::answer(house, ask, mint::truncated)),
    ("mint-user",  |house, ask| mint::answer(house, ask, mint::user_and_time)),
    ("mint-uuid",  |house, ask| mint::answer(house, ask, mint::uuid)),
    ("orchard",    orchard::answer),
    ("pier",       |house, ask| granary::answer(house, ask, Seal::Cookie)),
    ("postbox",    postbox::answer),
    ("printer",    |house, ask| forms::answer(house, ask, Manner { cookie: "__Host-ink", ..PLAIN }, forms::printer)),
    ("quarry",     quarry::answer),
    ("sentry",     |house, ask| turnkey::answer(house, ask, Lax::Proofs)),
    ("signal",     forms::signal),
    ("sluice",     |house, ask| bridge::answer(house, ask, bridge::sluice)),
    ("smithy",     smithy::answer),
    ("tannery",    |house, ask| gates::answer(house, ask, gates::tannery)),
    ("tavern",     tavern::answer),
    ("telegraph",  telegraph::answer),
    ("turnkey",    |house, ask| turnkey::answer(house, ask, Lax::Door)),
    ("vineyard",   vineyard::answer),
    ("weaver",     weaver::answer),
    ("wharf",      wharf::answer),
    ("window",     gallery::window),
];
