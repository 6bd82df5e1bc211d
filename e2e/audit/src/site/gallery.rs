//! Pictures: four sites that are sound in everything but what their answers say.

use crate::desk::{Desk, Manner, PLAIN, SOUND};
use crate::house::House;
use crate::web::{Ask, Reply};

/// Cookies for every site, twice; pages that may be kept.
pub(super) fn gallery(house: &House, ask: &Ask) -> Reply {
    let attributes = if house.flawed { "; Path=/; Secure; HttpOnly; SameSite=None" } else { SOUND };
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-art", attributes, ..PLAIN } };
    let reply = desk.usual();
    if !house.flawed {
        return reply;
    }
    let reply = reply.header("Cache-Control", "public, max-age=600");
    let sets = reply.headers.iter().any(|(name, line)| name == "Set-Cookie" && !line.contains("Max-Age=0"));
    if ask.on() == ("POST", "/login") && sets {
        let stale = ("Set-Cookie".to_owned(), desk.set("0"));
        return Reply { headers: [vec![stale], reply.headers].concat(), ..reply };
    }
    reply
}

/// Cookies beside the session that browsers drop or read differently, and a session over plain http.
pub(super) fn attic(house: &House, ask: &Ask) -> Reply {
    let attributes = if house.flawed { "; Path=/; HttpOnly; SameSite=Lax" } else { SOUND };
    let cookie = if house.flawed { "box" } else { "__Host-box" };
    let desk = Desk { house, ask, manner: Manner { cookie, attributes, ..PLAIN } };
    let reply = desk.usual();
    if !house.flawed || ask.on() != ("POST", "/login") {
        return reply;
    }
    reply
        .cookie("__Host-shelf=7; Path=/attic; Secure; HttpOnly; SameSite=Lax")
        .cookie(format!("layout={}; Path=/; Secure; HttpOnly; SameSite=Lax", "x".repeat(5000)))
        .cookie("label=old, \"dusty\\ things; Path=/; Secure; HttpOnly; SameSite=Lax")
        .cookie("ads=1; Path=/; Domain=other.example; Secure; HttpOnly; SameSite=Lax")
}

/// No header that a browser could keep to.
pub(super) fn window(house: &House, ask: &Ask) -> Reply {
    let reply = Desk { house, ask, manner: Manner { cookie: "__Host-pane", ..PLAIN } }.usual();
    if !house.flawed {
        return reply;
    }
    let gone = [
        "Content-Security-Policy",
        "X-Frame-Options",
        "X-Content-Type-Options",
        "Cross-Origin-Opener-Policy",
        "Cross-Origin-Resource-Policy",
    ];
    gone.iter().fold(reply, |reply, name| reply.without(name)).header("Referrer-Policy", "unsafe-url")
}

/// A policy that lets everything in, and pages without a way out.
pub(super) fn maze(house: &House, ask: &Ask) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-maze", ..PLAIN } };
    match (ask.on(), desk.me()) {
        (("GET", "/"), Some((session, user))) if house.flawed => Reply::page(
            "Maze",
            &format!(
                "<p>Signed in as {user}.</p><pre>{}</pre><form method=\"post\" action=\"/notes\">\
                 <input type=\"hidden\" name=\"csrf\" value=\"{}\"><input name=\"text\"></form>",
                house.notes(&user).join("\n"),
                session.csrf
            ),
        )
        .header(
            "Content-Security-Policy",
            "default-src *; script-src * 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'",
        ),
        (("GET", "/account"), Some((session, user))) => desk.home_of(&user, &session.csrf),
        _ => desk.usual(),
    }
}
