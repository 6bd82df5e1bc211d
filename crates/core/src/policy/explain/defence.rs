//! How a stolen session is noticed, who may post here, what cookies are like, and what was weakened, in words.

use super::{Deviation, Statement, millis, span, yes};
use crate::address::AddressSource;
use crate::cookie::{CookieKind, SameSite};
use crate::csrf::CsrfMode;
use crate::policy::Policy;
use crate::rules::{Decision, NetworkRule, Sensitivity, Signal};

pub(super) fn detection(policy: &Policy) -> Vec<Statement> {
    let (seen, (idle, absolute)) = (policy.vigilance(), policy.shortened);
    let (network, meaning, strength) = match seen.network {
        NetworkRule::Strict => ("strict", "Another address counts as another network.", 3),
        NetworkRule::Subnet => ("subnet", "Another /24, or /48 of IPv6, counts as another network.", 2),
        NetworkRule::Asn => ("asn", "Another operator counts as another network, where both are known.", 1),
        NetworkRule::Off => ("off", "No network counts as another one, and neither does a country.", 0),
    };
    vec![
        Statement::new("detection.network", network, meaning).about(CONTEXT).of_strength([strength]),
        Statement::new(
            "detection.speed_kmh",
            seen.speed_kmh.to_string(),
            "Faster than this, in kilometres per hour, nobody travels from one place to another.",
        )
        .about(CONTEXT)
        .of_strength([-i64::from(seen.speed_kmh)]),
        Statement::new(
            "detection.window",
            span(seen.window),
            "Two places or clients that are used within this time take turns.",
        )
        .about(CONTEXT)
        .of_strength([millis(seen.window)]),
        Statement::new(
            "detection.retain",
            span(seen.retain),
            "A place and client that a session is not used from any more is remembered for this long.",
        )
        .about(&["ASVS 8.2.4", "ASVS 14.2.7"]),
        Statement::new(
            "detection.shorten.idle",
            span(idle),
            "The decision `shorten` leaves a session this long without activity.",
        )
        .of_strength([-millis(idle)]),
        Statement::new(
            "detection.shorten.absolute",
            span(absolute),
            "The decision `shorten` leaves a session this long altogether, and nobody is remembered.",
        )
        .of_strength([-millis(absolute)]),
    ]
}

pub(super) fn decisions(policy: &Policy) -> Vec<Statement> {
    let adapts = CONTEXTS.into_iter().any(|signal| policy.grades.of(signal).sensitive >= Decision::Shorten);
    Signal::ALL.into_iter().map(|signal| decision(policy, signal, adapts)).collect()
}

fn decision(policy: &Policy, signal: Signal, adapts: bool) -> Statement {
    let grade = policy.grades.of(signal);
    let [ordinary, sensitive] = [Sensitivity::Ordinary, Sensitivity::Sensitive].map(|route| grade.on(route));
    let value = if ordinary == sensitive {
        ordinary.as_str().to_owned()
    } else {
        format!("{}; on sensitive routes {}", ordinary.as_str(), sensitive.as_str())
    };
    let then = if ordinary == sensitive {
        done(ordinary).to_owned()
    } else {
        format!("{}; on sensitive routes {}", done(ordinary), done(sensitive))
    };
    let deviation = match signal {
        Signal::NewDevice | Signal::StepUpFailures if ordinary < Decision::Notify => Some(Deviation::from(
            "ASVS 6.3.5",
            "people are told of suspicious attempts to sign in",
            format!("set detection.decisions.{} to \"notify\" or more", signal.as_str()),
        )),
        _ if CONTEXTS.contains(&signal) && !adapts => Some(Deviation::from(
            "ASVS 8.2.4",
            "controls adapt to where and by what a session is used, also while it lasts",
            format!("set detection.decisions.{} to \"step_up\" on sensitive routes, or remove it", signal.as_str()),
        )),
        _ => None,
    };
    Statement::new(format!("detection.decisions.{}", signal.as_str()), value, format!("{}: {then}.", noticed(signal)))
        .about(CONTEXT)
        .of_strength([ordinary as i64, sensitive as i64])
        .short_of(deviation)
}

const fn noticed(signal: Signal) -> &'static str {
    match signal {
        Signal::TokenReused => "A superseded token came back (sessions.on_reuse says what happens to the session)",
        Signal::TokenRolledBack => "An older token came back from the same place, as after a crash of the browser",
        Signal::TokenForgotten => "A token is newer than what the store knows, as after a failover",
        Signal::DeadToken => "A token of a session that is over is tried",
        Signal::ForgedBurst => "Many tokens that were never issued come from one network",
        Signal::TwoContexts => "One token is used by two clients in two networks",
        Signal::UserAgentChanged => "Another platform or another browser shows the session's token",
        Signal::NetworkChanged => "The session is used from another network",
        Signal::CountryChanged => "The session is used from another country",
        Signal::ImpossibleTravel => "The session is used farther away than anybody travels in that time",
        Signal::ManyPlaces => "Two places take turns with one session",
        Signal::NewDevice => "Somebody signs in by a device that the account has not used of late",
        Signal::DeviceKeyMissing => "A session that is bound to a device comes without the device's key",
        Signal::CsrfFailures => "Many requests of one session are refused as cross-site",
        Signal::StepUpFailures => "Many step-ups of one session fail",
        Signal::CreationSpike => "Far more sessions begin than usual",
        Signal::AddressSpray => "Sign-ins fail at many accounts from one network",
        Signal::Detector => "Your own detector, where there is one, asks for a step-up",
        Signal::DetectorSilent => "Your own detector does not answer, and it is set to fail closed",
    }
}

const fn done(decision: Decision) -> &'static str {
    match decision {
        Decision::None => "nothing is done",
        Decision::Note => "an event says so",
        Decision::Notify => "an event says so, and the session's user is to be told",
        Decision::Shorten => "the session's limits get tighter",
        Decision::StepUp => "the request waits for a step-up",
        Decision::Revoke => "the session ends",
    }
}

pub(super) fn browsers(policy: &Policy) -> Vec<Statement> {
    let trusted: Vec<_> = policy.trusted.iter().map(ToString::to_string).collect();
    let name = policy.cookies.names().name(CookieKind::Session);
    let plain = (!name.is_secure()).then(|| {
        let to_meet = "name https origins, once this is more than a try on your own machine";
        Deviation::from("ASVS 3.3.1, 3.3.3", "cookies are Secure, and named __Host-", to_meet)
    });
    let origins: Vec<_> = policy.public.iter().map(ToString::to_string).collect();
    vec![
        Statement::new("origins", origins.join(", "), "Where browsers see the site. Whoever posts from here is the site itself.")
            .about(&["ASVS 3.5.1"]),
        Statement::new(
            "csrf.trusted_origins",
            listed(&trusted),
            "Other sites whose pages may send requests that change something.",
        )
        .about(&["ASVS 3.5.1", "ASVS 3.5.2"])
        .allowing(trusted),
        Statement::new(
            "cookies.name",
            format!("{}{}", name.as_str(), name.attributes()),
            "The cookie with the session's token, and what browsers are told about it. No setting changes that; plain http on \
             loopback does.",
        )
        .about(&["ASVS 3.3.1", "ASVS 3.3.3", "ASVS 3.3.4"])
        .of_strength([i64::from(name.is_secure())])
        .short_of(plain),
        same_site(policy.cookies.same_site()),
        Statement::new(
            "cookies.until_browser_closes",
            yes(policy.until_browser_closes),
            "Whether browsers drop the cookies when they close, or keep them until the session's end. Many bring them back \
             with the tabs.",
        )
        .of_strength([i64::from(policy.until_browser_closes)]),
    ]
}

fn same_site(same_site: SameSite) -> Statement {
    let (value, meaning, strength) = match same_site {
        SameSite::Strict => ("strict", "Browsers never send the cookies along with what another site caused.", 3),
        SameSite::Lax => {
            ("lax", "Browsers send the cookies along with a link from another site, and nothing else of it.", 2)
        }
        SameSite::NonePartitioned => (
            "none_partitioned",
            "Browsers send the cookies from other sites' frames, with a jar for each such site.",
            1,
        ),
        SameSite::None => ("none", "Browsers send the cookies along with whatever another site causes.", 0),
    };
    let deviation = (strength < 2).then(|| {
        Deviation::from(
            "ASVS 3.3.2",
            "SameSite is as narrow as the cookie's purpose allows",
            "remove cookies.same_site, unless the app lives in other sites' frames: then write that down",
        )
    });
    Statement::new("cookies.same_site", value, meaning)
        .about(&["ASVS 3.3.2"])
        .of_strength([strength])
        .short_of(deviation)
}

pub(super) fn address(policy: &Policy) -> Vec<Statement> {
    let proxies: Vec<_> = policy.address.trusted().iter().map(ToString::to_string).collect();
    let (header, meaning) = match policy.address.source() {
        AddressSource::Peer => ("none", "The client is whoever connects."),
        AddressSource::XForwardedFor => (
            "x-forwarded-for",
            "A trusted proxy says in this header who the client is; what strangers write there is not read.",
        ),
        AddressSource::Forwarded => (
            "forwarded",
            "A trusted proxy says in this header who the client is; what strangers write there is not read.",
        ),
    };
    vec![
        Statement::new("address.header", header, meaning).about(&["ASVS 4.1.3"]),
        Statement::new(
            "address.trusted_proxies",
            listed(&proxies),
            "Whose word on the client's address counts. Whoever connects from here can say that it is anybody.",
        )
        .about(&["ASVS 4.1.3"])
        .allowing(proxies),
    ]
}

pub(super) fn danger(policy: &Policy) -> Vec<Statement> {
    let (csrf, meaning, strength) = match policy.csrf {
        CsrfMode::Enforce => ("enforce", "A request from another site that would change something is refused.", 2),
        CsrfMode::Report => {
            ("report", "A request from another site that would change something is told, and not refused.", 1)
        }
        CsrfMode::Off => ("off", "Nobody looks where a request comes from.", 0),
    };
    let deviation = (policy.csrf != CsrfMode::Enforce).then(|| {
        let says = "requests that change something are checked to come from the site itself";
        Deviation::from("ASVS 3.5.1", says, "remove danger.csrf")
    });
    let flag = |id, is: bool, meaning| Statement::new(id, yes(is), meaning).of_strength([i64::from(!is)]);
    vec![
        Statement::new("danger.csrf", csrf, meaning)
            .about(&["ASVS 3.5.1", "ASVS 3.5.3"])
            .of_strength([strength])
            .short_of(deviation),
        flag("danger.beyond_preset", policy.danger.beyond_preset, "Whether lifetimes may be longer than the preset's."),
        flag(
            "danger.below_floors",
            policy.danger.below_floors,
            "Whether times may be so short that honest users are signed out. For tests only.",
        ),
        flag(
            "danger.weak_reactions",
            policy.danger.weak_reactions,
            "Whether sessions may outlive a change of password or a disabled account.",
        ),
    ]
}

fn listed(items: &[String]) -> String {
    if items.is_empty() { "none".into() } else { items.join(", ") }
}

/// What tells where and by what a session is used.
const CONTEXTS: [Signal; 6] = [
    Signal::TwoContexts,
    Signal::UserAgentChanged,
    Signal::NetworkChanged,
    Signal::CountryChanged,
    Signal::ImpossibleTravel,
    Signal::ManyPlaces,
];
const CONTEXT: &[&str] = &["ASVS 8.2.4"];
