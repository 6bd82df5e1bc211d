//! Deeds, below a name that others have hosts of: the cookie goes to all of them.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let wide = "; Domain=app.localhost; Path=/; Secure; HttpOnly; SameSite=Lax";
    let attributes = if house.flawed { wide } else { PLAIN.attributes };
    Desk { house, ask, manner: Manner { cookie: "__Secure-deed", attributes, ..PLAIN } }.usual()
}
