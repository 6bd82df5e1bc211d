//! The cases: what each shows, and where.

mod accepted;
mod cookies;
mod crash;
mod cross_site;
mod endings;
mod keyboard;
mod malformed;
mod markup;
mod pages;
mod reports;
mod restart;
mod restored;
mod stolen;
mod tabs;

use std::pin::Pin;

use crate::{demo::House, verdict::Shown, world::Stage};

/// One case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// The demo it visits, unless it is told to visit something else.
    pub(crate) house: House,
    pub(crate) run: fn(Stage) -> Showing,
}

/// A case under way.
pub(crate) type Showing = Pin<Box<dyn Future<Output = Shown> + Send>>;

/// All of them; the longest come first.
#[rustfmt::skip]
pub(crate) const ALL: [Case; 25] = [
    case("killed-later",          House::Crash,       |stage| Box::pin(crash::killed_later(stage))),
    case("markup",                House::Plain,       |stage| Box::pin(markup::everywhere(stage))),
    case("idle",                  House::Idle,        |stage| Box::pin(endings::idle(stage))),
    case("killed-at-once",        House::Crash,       |stage| Box::pin(crash::killed_at_once(stage))),
    case("restored-tabs",         House::Remembering, |stage| Box::pin(restored::ten_tabs(stage))),
    case("tabs-in-rotation",      House::Rotating,    |stage| Box::pin(tabs::in_rotation(stage))),
    case("expiry",                House::Short,       |stage| Box::pin(endings::expiry(stage))),
    case("stolen-session",        House::Watched,     |stage| Box::pin(stolen::and_noticed(stage))),
    case("demo-restarts",         House::Lasting,     |stage| Box::pin(restart::and_stays(stage))),
    case("sign-out",              House::Plain,       |stage| Box::pin(endings::sign_out(stage))),
    case("script-cannot-read",    House::Plain,       |stage| Box::pin(cookies::script_cannot_read(stage))),
    case("not-over-http",         House::Plain,       |stage| Box::pin(cookies::not_over_http(stage))),
    case("cross-site-form",       House::Plain,       |stage| Box::pin(cross_site::form(stage))),
    case("cross-site-fetch",      House::Plain,       |stage| Box::pin(cross_site::fetch(stage))),
    case("framing",               House::Plain,       |stage| Box::pin(cross_site::framing(stage))),
    case("accepted",              House::Plain,       |stage| Box::pin(accepted::all(stage))),
    case("accepted-strict",       House::Strict,      |stage| Box::pin(accepted::all(stage))),
    case("accepted-embedded",     House::Embedded,    |stage| Box::pin(accepted::all(stage))),
    case("accepted-partitioned",  House::Partitioned, |stage| Box::pin(accepted::all(stage))),
    case("accepted-until-closed", House::UntilClosed, |stage| Box::pin(accepted::all(stage))),
    case("accepted-http",         House::Loopback,    |stage| Box::pin(accepted::all(stage))),
    case("malformed",             House::Plain,       |stage| Box::pin(malformed::all(stage))),
    case("keyboard",              House::Plain,       |stage| Box::pin(keyboard::without_scripts(stage))),
    case("csp-reports",           House::Plain,       |stage| Box::pin(reports::arrive(stage))),
    case("pages",                 House::Plain,       |stage| Box::pin(pages::all(stage))),
];

const fn case(name: &'static str, house: House, run: fn(Stage) -> Showing) -> Case {
    Case { name, house, run }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own() {
        assert_eq!(ALL.iter().map(|case| case.name).collect::<BTreeSet<_>>().len(), ALL.len());
    }
}
