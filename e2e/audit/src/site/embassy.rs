//! Visas, over TLS: what it answers without, and whether browsers are told to stay.

use crate::desk::{Desk, Manner, PLAIN, SOUND};
use crate::house::House;
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let attributes = if house.flawed { "; Path=/; HttpOnly; SameSite=Lax" } else { SOUND };
    let desk = Desk { house, ask, manner: Manner { cookie: "visa", attributes, ..PLAIN } };
    if house.flawed {
        return queue(&desk);
    }
    if !ask.tls {
        let host = ask.header("host").unwrap_or_default();
        return Reply::to(&format!("https://{host}{}", ask.path)).status(308);
    }
    queue(&desk).header("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
}

/// Whoever comes gets a number.
fn queue(desk: &Desk<'_>) -> Reply {
    match (desk.ask.on(), desk.session()) {
        (("GET", "/"), None) => desk.stranger().cookie(desk.set(&desk.house.open(None).id)),
        _ => desk.usual(),
    }
}
