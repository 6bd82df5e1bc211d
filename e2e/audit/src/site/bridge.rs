//! Tolls, for scripts of friends: three sites that look at an origin, each too briefly.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply};

/// Whether an origin is a friend's.
pub(super) type Friend = fn(&Ask, &str) -> bool;

pub(super) fn answer(house: &House, ask: &Ask, friend: Friend) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-toll", home: "/tolls", ..PLAIN } };
    let reply = desk.usual().header("Vary", "Origin");
    let origin = ask.header("origin").unwrap_or_default();
    let trusted = origin == "https://friend.example" || (house.flawed && friend(ask, origin));
    if origin.is_empty() || !trusted {
        return reply;
    }
    reply.header("Access-Control-Allow-Origin", origin).header("Access-Control-Allow-Credentials", "true")
}

/// Everybody is.
pub(super) fn bridge(_ask: &Ask, _origin: &str) -> bool {
    true
}

/// Whoever begins like the site itself is, at whatever port.
pub(super) fn culvert(ask: &Ask, origin: &str) -> bool {
    let own = ask.own_origin();
    let bare = own.rsplit_once(':').map_or(own.as_str(), |(bare, _)| bare);
    origin != own && origin.starts_with(bare)
}

/// Files and sandboxes are.
pub(super) fn sluice(_ask: &Ask, origin: &str) -> bool {
    origin == "null"
}
