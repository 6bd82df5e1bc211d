//! What comes the app's way.

use super::verdict;
use crate::doctor::ECHO;
use crate::doctor::door::Recorded;
use crate::doctor::http::values;
use crate::doctor::probe::{Probe, Visit};
use crate::doctor::report::Verdict;
use crate::doctor::ticket::Wish;
use crate::proxy_config::TOLD;

pub(super) fn passes(probe: &Probe, _: &Recorded) -> Verdict {
    let visit = probe.visit(Wish::Told, "");
    if visit.echoed.is_some() && visit.asked.len() == 1 {
        return Verdict::Kept(String::new());
    }
    let asked = match visit.asked.as_slice() {
        [] => "no decision was asked about it, or not in a way the gateway understands",
        [asked] if asked.status >= 300 => "the decision denied it; the gateway's log says why",
        [_] => "the decision allowed it",
        _ => "several decisions were asked about it",
    };
    let came = if visit.echoed.is_some() { "it came the app's way" } else { "it did not come to the echo" };
    Verdict::Broken(format!("{ECHO}: status {}; {asked}; {came}", visit.status()))
}

pub(super) fn all_is_told(probe: &Probe, _: &Recorded) -> Verdict {
    let visit = probe.visit(Wish::Told, "");
    let Some(echoed) = &visit.echoed else { return lost(&visit) };
    let wrong: Vec<_> =
        TOLD.into_iter().filter(|name| values(&echoed.headers, name) != [visit.ticket.value(name)]).collect();
    verdict(wrong.is_empty(), || format!("not as the decision says: {}", wrong.join(", ")))
}

pub(super) fn cookies_are_replaced(probe: &Probe, _: &Recorded) -> Verdict {
    for (wish, left) in [(Wish::Told, true), (Wish::Empty, false)] {
        let visit = probe.visit(wish, "Cookie: of=browser; __Host-Http-id=of-browser\r\n");
        let Some(echoed) = &visit.echoed else { return lost(&visit) };
        let came = values(&echoed.headers, "cookie").join("; ");
        let expected = if left { visit.ticket.value("cookie") } else { String::new() };
        if came != expected {
            let whose = if came.contains("of=browser") { "the browser's" } else { "something else" };
            return Verdict::Broken(format!("the app gets {whose} where the decision says {expected:?}"));
        }
    }
    Verdict::Kept(String::new())
}

pub(super) fn empty_is_nothing(probe: &Probe, _: &Recorded) -> Verdict {
    let visit = probe.visit(Wish::Empty, &super::asked::all_of(&TOLD, "spoofed"));
    match &visit.echoed {
        None => refused_or_lost(&visit),
        Some(echoed) => {
            let left: Vec<_> =
                TOLD.into_iter().filter(|name| !values(&echoed.headers, name).concat().is_empty()).collect();
            verdict(left.is_empty(), || format!("left: {}", left.join(", ")))
        }
    }
}

pub(super) fn no_spelling_passes(probe: &Probe, site: &Recorded) -> Verdict {
    for name in [
        "counterfoil_subject",
        "Counterfoil.Subject",
        "COUNTERFOIL_AUTH-TIME",
        "counterfoil_anything",
        "Counterfoil-Subject",
    ] {
        let visit = probe.visit(Wish::Empty, &format!("{name}: spoofed\r\n"));
        if visit.echoed.is_none() && visit.answer.is_err() {
            return lost(&visit);
        }
        let spoofed = |headers: &[(String, String)]| {
            headers.iter().find(|(_, value)| value == "spoofed").map(|(name, _)| name.clone())
        };
        if let Some(came) = visit.echoed.as_ref().and_then(|echoed| spoofed(&echoed.headers)) {
            return Verdict::Broken(format!("the app gets the browser's `{came}`"));
        }
        let handed_over = visit.asked.iter().find_map(|asked| spoofed(&asked.headers));
        if let Some(came) = handed_over.filter(|came| takes_out(site, came)) {
            return Verdict::Broken(format!(
                "the proxy hands the browser's `{came}` on; that the decision refuses it is all that helps"
            ));
        }
    }
    Verdict::Kept(String::new())
}

/// Whether this proxy can, and so should, take such a name out of the request before anybody is asked.
fn takes_out(site: &Recorded, name: &str) -> bool {
    match site.proxy.as_str() {
        "traefik" => false,
        "nginx" => name.contains(['_', '.']),
        _ => true,
    }
}

pub(super) fn connection_takes_nothing(probe: &Probe, _: &Recorded) -> Verdict {
    for named in ["counterfoil-assertion", "cookie"] {
        let visit = probe.visit(Wish::Told, &format!("Connection: close, {named}\r\n"));
        let Some(echoed) = &visit.echoed else {
            if visit.answer.is_ok() {
                continue;
            }
            return lost(&visit);
        };
        if values(&echoed.headers, named) != [visit.ticket.value(named)] {
            return Verdict::Broken(format!("the app does not get `{named}` where Connection names it"));
        }
    }
    Verdict::Kept(String::new())
}

pub(super) fn the_path_is_the_judged_one(probe: &Probe, site: &Recorded) -> Verdict {
    let visit = probe.visit_with(Wish::Told, |echo| probe.get(&format!("{echo}&a=%2F..%2f&b=//c"), ""));
    let Some(echoed) = &visit.echoed else { return lost(&visit) };
    let judged: Vec<_> = visit.asked.iter().map(|asked| super::asked::target(site, asked)).collect();
    verdict(judged == [Some(echoed.target.clone())], || "path or query are changed on the way to the app".to_owned())
}

/// A refusal is as good as nothing left, if there was an answer at all.
fn refused_or_lost(visit: &Visit) -> Verdict {
    if visit.status() >= 400 { Verdict::Kept(format!("refused with {}", visit.status())) } else { lost(visit) }
}

/// The echo was reached before, and now it is not.
pub(super) fn lost(visit: &Visit) -> Verdict {
    Verdict::Unknown(match &visit.answer {
        Ok(answer) => format!("the echo was not reached: status {}", answer.status),
        Err(error) => format!("the echo was not reached: {error}"),
    })
}
