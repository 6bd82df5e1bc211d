//! What the decision is asked.

use std::collections::BTreeSet;

use super::told::lost;
use super::verdict;
use crate::doctor::door::{Asked, Recorded};
use crate::doctor::http::values;
use crate::doctor::probe::Probe;
use crate::doctor::report::Verdict;
use crate::doctor::ticket::Wish;

/// What a proxy tells of a request, each under its contract's name.
struct Told {
    method: Vec<String>,
    host: Vec<String>,
    scheme: Vec<String>,
}

pub(super) fn as_they_are(probe: &Probe, site: &Recorded) -> Verdict {
    let visit = probe.visit_with(Wish::Told, |echo| probe.get(echo, "").replacen("GET", "PROPFIND", 1));
    let Some(asked) = visit.asked.first() else { return lost(&visit) };
    let told = told(site, asked);
    let scheme = probe.origin.scheme().as_str();
    let one = |values: &[String], wanted: &str| values.iter().map(String::as_str).eq([wanted]);
    let wrong = [
        ("method", one(&told.method, "PROPFIND")),
        ("host", one(&told.host, probe.host())),
        ("scheme", one(&told.scheme, scheme)),
    ];
    let wrong: Vec<_> = wrong.iter().filter(|(_, right)| !right).map(|(name, _)| *name).collect();
    verdict(wrong.is_empty(), || format!("missing, repeated or not as sent: {}", wrong.join(", ")))
}

pub(super) fn not_the_browsers_word(probe: &Probe, site: &Recorded) -> Verdict {
    let visit = probe.visit(Wish::Told, &all_of(&METADATA, SPOOFED));
    let Some(asked) = visit.asked.first() else {
        // Nothing that names the ticket came: the browser's word replaced the target.
        return Verdict::Broken("the decision was asked about something else".to_owned());
    };
    let mine = |name: &str| match site.proxy.as_str() {
        "nginx" => name.starts_with("x-counterfoil-") || name == "x-forwarded-for",
        _ => name.starts_with("x-forwarded-"),
    };
    let came: Vec<_> = asked.headers.iter().filter(|(name, value)| mine(name) && value.contains(SPOOFED)).collect();
    verdict(came.is_empty(), || {
        format!("the browser's word: {}", came.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "))
    })
}

pub(super) fn no_parameter(probe: &Probe, site: &Recorded) -> Verdict {
    let visit = probe.visit_with(Wish::Told, |echo| probe.get(&format!("{echo}&app=other&rd=//{SPOOFED}"), ""));
    let Some(asked) = visit.asked.first() else { return lost(&visit) };
    // Envoy's contract is the request's own target behind our prefix.
    let own = site.proxy == "envoy";
    verdict(own || !asked.uri.contains('?'), || "the browser's query stands in the decision's address".to_owned())
}

pub(super) fn no_body(probe: &Probe, _: &Recorded) -> Verdict {
    let visit = probe.visit_with(Wish::Told, |echo| {
        probe.get(echo, "Content-Type: text/plain\r\nContent-Length: 11\r\n").replacen("GET", "POST", 1) + "hello world"
    });
    let Some(asked) = visit.asked.first() else { return lost(&visit) };
    let lengths = values(&asked.headers, "content-length").into_iter().filter(|length| *length != "0").count();
    if lengths + values(&asked.headers, "transfer-encoding").len() > 0 {
        return Verdict::Broken("the decision is told of a body".to_owned());
    }
    let Some(echoed) = &visit.echoed else { return lost(&visit) };
    verdict(echoed.body == 11, || format!("the app gets {} of 11 bytes", echoed.body))
}

pub(super) fn no_other_host(probe: &Probe, site: &Recorded) -> Verdict {
    let visit = probe.visit_with(Wish::Told, |echo| {
        format!("GET http://{SPOOFED}{echo} HTTP/1.1\r\nHost: {}\r\n\r\n", probe.host())
    });
    let Some(echoed) = &visit.echoed else { return Verdict::Kept(format!("status {}", visit.status())) };
    let judged = visit.asked.first().map(|asked| told(site, asked).host).unwrap_or_default();
    let came = values(&echoed.headers, "host").join(", ");
    verdict(judged == [came.clone()], || format!("judged as {}, passed on as {came}", judged.join(", ")))
}

pub(super) fn a_websocket_is_known(probe: &Probe, _: &Recorded) -> Verdict {
    let visit = probe.visit(Wish::Refuse, HANDSHAKE);
    let Some(asked) = visit.asked.first() else { return lost(&visit) };
    let known = ["upgrade", "sec-websocket-key", "sec-websocket-version"];
    let known = known.iter().any(|name| !values(&asked.headers, name).is_empty());
    verdict(known && visit.status() != 101, || {
        format!("handshake headers {}, status {}", if known { "arrive" } else { "are missing" }, visit.status())
    })
}

pub(super) fn connections_are_shared(probe: &Probe, _: &Recorded) -> Verdict {
    let visits = (0..VISITS).map(|_| probe.visit(Wish::Told, ""));
    let peers: Vec<_> = visits.flat_map(|visit| visit.asked).filter_map(|asked| asked.peer).collect();
    if peers.len() < VISITS {
        return Verdict::Unknown(format!("{} of {VISITS} decisions tell who asked", peers.len()));
    }
    let made = peers.iter().collect::<BTreeSet<_>>().len();
    // Some proxies keep one for each of their workers.
    verdict(made <= VISITS / 2, || format!("{made} connections for {VISITS} decisions"))
}

/// The target that was judged.
pub(super) fn target(site: &Recorded, asked: &Asked) -> Option<String> {
    let only = |name: &str| match values(&asked.headers, name).as_slice() {
        [value] => Some((*value).to_owned()),
        _ => None,
    };
    match site.proxy.as_str() {
        "nginx" => only("x-counterfoil-target"),
        "envoy" => asked.uri.strip_prefix(&format!("/authz/ext-authz/{}", site.app)).map(str::to_owned),
        _ => only("x-forwarded-uri"),
    }
}

fn told(site: &Recorded, asked: &Asked) -> Told {
    let all = |name: &str| values(&asked.headers, name).into_iter().map(str::to_owned).collect::<Vec<_>>();
    match site.proxy.as_str() {
        "nginx" => {
            let host = all("x-counterfoil-host");
            Told { method: all("x-counterfoil-method"), host, scheme: all("x-counterfoil-scheme") }
        }
        // The method is the request's own, and not in the record's headers; a wrong one would not have got this far.
        "envoy" => Told { method: vec!["PROPFIND".to_owned()], host: all("host"), scheme: all("x-forwarded-proto") },
        _ => {
            Told { method: all("x-forwarded-method"), host: all("x-forwarded-host"), scheme: all("x-forwarded-proto") }
        }
    }
}

/// Header lines with one value.
pub(super) fn all_of(names: &[&str], value: &str) -> String {
    names.iter().flat_map(|name| [*name, ": ", value, "\r\n"]).collect()
}

const METADATA: [&str; 8] = [
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Counterfoil-Host",
    "X-Counterfoil-Target",
    "X-Counterfoil-Method",
];
const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const SPOOFED: &str = "spoofed.invalid";
const VISITS: usize = 20;
