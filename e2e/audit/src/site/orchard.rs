//! Apples: a report takes long, and saves at its end the session it loaded at its beginning.

use std::thread;
use std::time::Duration;

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-apple", hello: "Signed in:", ..PLAIN } };
    match (ask.on(), desk.me()) {
        (("GET", "/report"), Some((session, user))) => {
            thread::sleep(Duration::from_millis(1500));
            if house.flawed || house.find(&session.id).is_some() {
                house.save(&session);
            }
            Reply::page("Report", &format!("<p>{user} has {} apples.</p>", house.notes(&user).len()))
        }
        _ => desk.usual(),
    }
}
