//! What a gateway adds to the policies of its apps: where sessions are, who can reach what, which paths demand what.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use counterfoil::Span;
use counterfoil::geo::GeoSettings;
use counterfoil::stores::near_cache;
use counterfoil_core::policy::explain::{Collected, Statement, sizes};
use counterfoil_serve::detector::DetectorSettings;
use counterfoil_serve::place::Place;

use super::super::Listen;
use super::super::shown::{demanded, size};
use super::{Config, Part, events};
use crate::accounts::AccountName;
use crate::app::{AppConfig, CookieReturn};
use crate::pages::{KEPT_LINES, MOST_SUBJECTS};
use crate::request::MAX_HEADERS;
use crate::rules::{Access, ChangesState, MAX_PATH, Rule, Rules};

/// Each member is named, so that a new one is not forgotten.
pub(super) fn everywhere(config: &Config) -> Part {
    let Config { data: _, store, near_cache, limits, geo, events: told, detector, listen, proxy_protocol, apps: _ } =
        config;
    let detector = detector.as_ref();
    let statements = [
        stores(store.as_ref(), *near_cache),
        listeners(*listen, proxy_protocol.is_some()),
        limits.explain(),
        places(geo),
        events::statements(told),
        DetectorSettings::explain(detector),
        sizes(),
        our_sizes(),
    ];
    let collected = [limits.collected(), people(), events::collected(told), DetectorSettings::collected(detector)];
    Part::new(statements.concat(), collected.concat())
}

pub(super) fn app(app: &AppConfig) -> Part {
    Part::new([app.policy.explain(), contract(app), rules(&app.rules)].concat(), app.policy.collected())
}

fn stores(store: Option<&Place>, near: near_cache::Settings) -> Vec<Statement> {
    let place = store.map_or_else(|| "the data folder".to_owned(), ToString::to_string);
    let place = Statement::new("store", place, "Where sessions are.");
    if !store.is_some_and(Place::is_shared) {
        let at_once = "A session that ends is refused with the next request.";
        return vec![place, Statement::new("near_cache.bound", "at once", at_once).about(ENDING).of_strength([0])];
    }
    vec![
        place,
        Statement::new(
            "near_cache.bound",
            Span::from(near.bound).to_string(),
            "A session that ends on another gateway is refused here within this time. Sensitive routes, and whatever demands \
             a step-up, ask the store and know at once.",
        )
        .about(ENDING)
        .of_strength([-millis(near.bound)]),
        Statement::new(
            "near_cache.lease",
            Span::from(near.lease).to_string(),
            "The longest that one reading of the store may count, whatever else goes wrong.",
        )
        .about(ENDING)
        .of_strength([-millis(near.lease)]),
        Statement::new("near_cache.memory", size(near.bytes), "What sessions may take in this gateway's memory."),
    ]
}

fn listeners(listen: Listen, announced: bool) -> Vec<Statement> {
    let inner = |id, address: SocketAddr, meaning| {
        Statement::new(id, address.to_string(), meaning).of_strength([i64::from(address.ip().is_loopback())])
    };
    let announced = if announced { "yes" } else { "no" };
    vec![
        Statement::new("listen.public", listen.public.to_string(), "Browsers come here, by way of the proxy."),
        inner("listen.decision", listen.decision, "The proxy asks here. Whoever reaches it asks in the proxy's name."),
        inner("listen.health", listen.health, "Whoever watches looks here, without signing in."),
        Statement::new(
            "listen.proxy_protocol",
            announced,
            "Whether connections for browsers begin with a header that says whose they are.",
        )
        .about(&["ASVS 4.1.3"]),
    ]
}

fn places(geo: &GeoSettings) -> Vec<Statement> {
    let file = |id, path: &Option<std::path::PathBuf>, meaning| {
        let value = path.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string());
        Statement::new(id, value, meaning).about(&["ASVS 8.2.4"])
    };
    vec![
        file("geo.city", &geo.city, "What tells countries and places of addresses. Without it every place is unknown."),
        file("geo.asn", &geo.asn, "What tells network operators. Without it every operator is unknown."),
        file("geo.networks", &geo.networks, "What tells networks whose place is nobody's, such as a VPN's."),
    ]
}

fn our_sizes() -> Vec<Statement> {
    vec![
        Statement::new("sizes.headers", size(MAX_HEADERS), "Headers of a request, together. One with more is denied."),
        Statement::new("sizes.path", size(MAX_PATH), "A request's path. A longer one is denied."),
        Statement::new(
            "sizes.gateway_account",
            format!("{} bytes", AccountName::MAX_BYTES),
            "The name of an account here.",
        ),
    ]
}

fn contract(app: &AppConfig) -> Vec<Statement> {
    let AppConfig { name: _, proxy, policy: _, rules: _, cookie_return, assertion, app_cookies, upstream } = app;
    let (returned, meaning, strength) = match cookie_return {
        CookieReturn::One => {
            ("one", "The proxy hands our cookie back with any answer: tokens rotate on any request.", 1)
        }
        CookieReturn::None => ("none", "The proxy hands no cookie back: tokens rotate on our own pages.", 0),
    };
    let theirs: Vec<_> = app_cookies.iter().map(ToString::to_string).collect();
    let theirs = if theirs.is_empty() { "none".to_owned() } else { theirs.join(", ") };
    let upstream = upstream.as_ref().map_or_else(|| "not said".to_owned(), ToString::to_string);
    vec![
        Statement::new("proxy", proxy.as_str(), "Which proxy asks for the app."),
        Statement::new(
            "upstream",
            upstream,
            "Where the app itself is, in the proxy configurations that are written for it.",
        ),
        Statement::new("cookie_return", returned, meaning).about(&["ASVS 7.2.4"]).of_strength([strength]),
        Statement::new("assertion", assertion.as_str(), "How the app is told who is there: signed so."),
        Statement::new("app_cookies", theirs, "The app's own session cookies, which end with ours.")
            .about(&["ASVS 7.4.1"]),
    ]
}

/// Of two rules for the same paths only the first counts.
fn rules(rules: &Rules) -> Vec<Statement> {
    let mut seen = HashSet::new();
    let rules: Vec<_> = rules.iter().filter(|rule| seen.insert(rule.path.to_string())).collect();
    let order = rules.iter().map(|rule| rule.path.to_string()).collect::<Vec<_>>().join(", then ");
    let first = Statement::new(
        "rules",
        if order.is_empty() { "none".to_owned() } else { order },
        "Which rule is looked at first, and then. What none names is denied.",
    );
    let rule = |rule: &Rule| {
        let sensitive = if rule.sensitive { " A signal is graded as on sensitive routes." } else { "" };
        let meaning = format!("What is demanded on these paths.{sensitive}");
        Statement::new(format!("rules.{}", rule.path), demanded(rule), meaning).of_strength(strength(rule))
    };
    [first].into_iter().chain(rules.into_iter().map(rule)).collect()
}

fn strength(rule: &Rule) -> Vec<i64> {
    let Rule { path: _, access, max_idle, max_auth_age, changes_state, quiet, sensitive } = rule;
    let within = |age: Option<Duration>| age.map_or(i64::MIN, |age| -millis(age));
    let (access, step_up) = match access {
        Access::Public => (0, None),
        Access::SignedIn => (1, None),
        Access::StepUp(age) => (2, Some(*age)),
    };
    let changes = match changes_state {
        ChangesState::Never => 0,
        ChangesState::WithQuery => 1,
        ChangesState::Always => 2,
    };
    let [quiet, sensitive] = [*quiet, *sensitive].map(i64::from);
    vec![access, within(step_up), within(*max_idle), within(*max_auth_age), changes, quiet, sensitive]
}

fn people() -> Vec<Collected> {
    vec![
        Collected::new(
            "people.accounts",
            &[
                "the account's name",
                "a hash of the password, by argon2id",
                "the second factor, sealed",
                "when each was set",
            ],
            "to let people sign in at the gateway's own pages",
            "accounts.toml in the data folder, for its owner alone",
            "until an operator takes the account out of the file",
        ),
        Collected::new(
            "people.lately",
            &["what happened to the account's sessions of late, and when"],
            "to show people what happened in their name",
            "memory of this gateway",
            format!("the last {KEPT_LINES} lines of each of {MOST_SUBJECTS} people; a restart forgets them"),
        ),
        Collected::new(
            "people.log",
            &[
                "what happened and by which rule, and when",
                "the session's public id, and a keyed hash of the account's name",
                "the path of a request that was denied, without its query",
            ],
            "to see what the gateway does, and why",
            "standard error. No address is in it",
            "as long as whoever keeps the log keeps it",
        ),
    ]
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

const ENDING: &[&str] = &["ASVS 7.4.1", "ASVS 7.4.5"];
