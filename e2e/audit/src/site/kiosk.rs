//! Papers and tobacco: the id may come in a field of the sign-in form, or in the query.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::{House, Session};
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-kiosk", hello: "Customer:", ..PLAIN } };
    let given = ask.field("__Host-kiosk").or_else(|| ask.param("__Host-kiosk"));
    match (ask.on(), given, desk.credentials()) {
        (("POST", "/login"), Some(id), Some(user)) if house.flawed => {
            if !desk.session().is_some_and(|session| desk.has_token(&session)) {
                return Reply::no(403, "The form is too old.");
            }
            house.save(&Session::new(id.clone(), Some(&user)));
            Reply::to("/").cookie(desk.set(&id))
        }
        _ => desk.usual(),
    }
}
