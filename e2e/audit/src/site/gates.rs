//! Three sites without form tokens, which ask where a request comes from, each with its own way of asking wrongly.

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::House;
use crate::web::{Ask, Reply, Whence};

/// Whether a request may change something.
pub(super) type Gate = fn(&Ask) -> bool;

pub(super) fn answer(house: &House, ask: &Ask, wrong: Gate) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-pass", home: "/home", ..PLAIN } };
    let open = ask.from() == Whence::Here || (house.flawed && ask.path == "/notes" && wrong(ask));
    match (ask.on(), desk.me()) {
        (("POST", _), _) if !open => Reply::no(403, "Not from here."),
        (("POST", "/login"), _) => match desk.credentials() {
            Some(user) => desk.enter(&user),
            None => desk.login_form("Wrong name or password.", "").status(401),
        },
        (("POST", "/notes"), Some((_, user))) => desk.noted(&user, ask.field("text")),
        (("POST", "/logout"), Some((session, _))) => {
            house.end(&session.id);
            Reply::to("/home").cookie(desk.unset())
        }
        (("GET", "/home"), Some((_, user))) => plain_home(&desk, &user),
        (("GET", "/login"), _) => Reply::page(
            "Sign in",
            "<form method=\"post\" action=\"/login\"><input name=\"user\"><input type=\"password\" name=\"password\">\
             <button>Sign in</button></form>",
        ),
        _ => desk.usual(),
    }
}

fn plain_home(desk: &Desk<'_>, user: &str) -> Reply {
    let notes: Vec<_> = desk.house.notes(user).iter().map(|note| crate::desk::escaped(note)).collect();
    Reply::page(
        "Home",
        &format!(
            "<p>Signed in as {user}.</p><pre>{}</pre><form method=\"post\" action=\"/notes\"><input name=\"text\"></form>\
             <form method=\"post\" action=\"/logout\"><button>Sign out</button></form>",
            notes.join("\n")
        ),
    )
}

/// A page in a sandbox passes, and so does every host below the site's own.
pub(super) fn ferry(ask: &Ask) -> bool {
    let origin = ask.header("origin").unwrap_or_default();
    let own = ask.own_origin();
    let host = own.trim_start_matches("http://");
    origin == "null" || origin.ends_with(&format!(".{host}"))
}

/// Whatever begins like the site's address passes.
pub(super) fn cooper(ask: &Ask) -> bool {
    let own = ask.own_origin();
    let bare = own.rsplit_once(':').map_or(own.as_str(), |(bare, _)| bare);
    ask.header("origin").is_some_and(|origin| origin.starts_with(bare))
}

/// Whatever ends like the site's name passes.
pub(super) fn chandler(ask: &Ask) -> bool {
    let own = ask.own_origin();
    ask.header("origin").is_some_and(|origin| origin.ends_with(own.trim_start_matches("http://")))
}

/// The browser's word counts, a sibling's too, and silence passes.
pub(super) fn tannery(ask: &Ask) -> bool {
    match ask.header("sec-fetch-site") {
        Some(site) => matches!(site, "same-origin" | "same-site" | "none"),
        None => ask.header("origin").is_none(),
    }
}

/// A referrer that names the site anywhere passes, and so does none.
pub(super) fn drover(ask: &Ask) -> bool {
    let own = ask.own_origin();
    ask.header("referer").is_none_or(|referer| referer.contains(own.trim_start_matches("http://")))
}
