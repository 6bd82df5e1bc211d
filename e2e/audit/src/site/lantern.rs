//! Light by the hour: sessions are stated to end after a few seconds, used or not.

use std::time::Duration;

use crate::desk::{Desk, Manner, PLAIN, SOUND};
use crate::house::House;
use crate::web::{Ask, Reply};

pub(super) fn answer(house: &House, ask: &Ask) -> Reply {
    let attributes = if house.flawed { "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000" } else { SOUND };
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-wick", attributes, ..PLAIN } };
    limited(&desk, if house.flawed { None } else { Some((IDLE, ABSOLUTE)) })
}

/// Only the time since the last request counts, so that a session in use never ends.
pub(super) fn candle(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-wax", ..PLAIN } };
    limited(&desk, Some((IDLE, if house.flawed { Duration::from_hours(1) } else { ABSOLUTE })))
}

fn limited(desk: &Desk<'_>, limits: Option<(Duration, Duration)>) -> Reply {
    if let (Some(session), Some((idle, absolute))) = (desk.session(), limits)
        && !session.within(idle, absolute)
    {
        desk.house.end(&session.id);
    }
    desk.usual()
}

const IDLE: Duration = Duration::from_secs(4);
const ABSOLUTE: Duration = Duration::from_secs(8);
