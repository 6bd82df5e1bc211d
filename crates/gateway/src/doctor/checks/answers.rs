//! What comes back to the browser.

use counterfoil_core::cookie::{CookieKind, CookieNames};
use counterfoil_core::origin::Scheme;

use super::told::lost;
use super::verdict;
use crate::doctor::ECHO;
use crate::doctor::door::{Recorded, SIGN_IN};
use crate::doctor::probe::Probe;
use crate::doctor::report::Verdict;
use crate::doctor::ticket::Wish;

pub(super) fn refused(probe: &Probe, _: &Recorded) -> Verdict {
    let visit = probe.visit(Wish::Refuse, "");
    verdict(visit.status() == 403 && visit.echoed.is_none(), || {
        format!("status {} where the decision says 403", visit.status())
    })
}

pub(super) fn sign_in(probe: &Probe, _: &Recorded) -> Verdict {
    let visit = probe.visit(Wish::SignIn, "Sec-Fetch-Mode: navigate\r\nAccept: text/html\r\n");
    let Ok(answer) = &visit.answer else { return lost(&visit) };
    let location = answer.all("location");
    let absolute = format!("{}{SIGN_IN}", probe.origin);
    let right = location == [SIGN_IN] || location == [absolute.as_str()];
    verdict(answer.status == 303 && right, || format!("status {}, to {location:?}", answer.status))
}

pub(super) fn cookies_come_back(probe: &Probe, site: &Recorded) -> Verdict {
    let visit = probe.visit(Wish::Cookie, "");
    let (Ok(answer), Some(_)) = (&visit.answer, &visit.echoed) else { return lost(&visit) };
    let names = match probe.origin.scheme() {
        Scheme::Https => CookieNames::https(),
        Scheme::Http => CookieNames::plain_http_loopback(),
    };
    let ours = format!("{}={}", names.name(CookieKind::Anonymous), visit.ticket.value("set-cookie"));
    let came = answer.all("set-cookie").iter().filter(|cookie| cookie.split(';').next() == Some(ours.as_str())).count();
    match (site.returns_cookies, came) {
        (true, 1) | (false, 0) => Verdict::Kept(String::new()),
        (true, 0) => {
            Verdict::Broken("the decision's Set-Cookie does not come back; people are signed out early".to_owned())
        }
        (true, _) => Verdict::Broken("the decision's Set-Cookie comes back more than once".to_owned()),
        (false, _) => Verdict::Broken(
            "a Set-Cookie comes back, but the app is configured with cookie_return = \"none\"".to_owned(),
        ),
    }
}

pub(super) fn no_cookie_is_made_up(probe: &Probe, _: &Recorded) -> Verdict {
    let visit = probe.visit(Wish::Told, "");
    let Ok(answer) = &visit.answer else { return lost(&visit) };
    let came = answer.all("set-cookie").len();
    verdict(came == 0, || format!("{came} Set-Cookie with an answer that has none"))
}

/// Whoever reaches the decision listener past the proxy can claim anything: here, that a ticket's request was made.
pub(super) fn no_decisions_outside(probe: &Probe, site: &Recorded) -> Verdict {
    for (endpoint, names_target) in [("auth-request", false), ("forward-auth", false), ("ext-authz", true)] {
        let path = format!("/authz/{endpoint}/{}", site.app);
        let visit = probe.visit_with(Wish::Told, |echo| {
            let (scheme, host) = (probe.origin.scheme().as_str(), probe.host());
            let lines = format!(
                "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: {echo}\r\nX-Forwarded-Proto: {scheme}\r\nX-Forwarded-Host: {host}\r\n\
                 X-Counterfoil-Method: GET\r\nX-Counterfoil-Target: {echo}\r\nX-Counterfoil-Scheme: {scheme}\r\n\
                 X-Counterfoil-Host: {host}\r\n"
            );
            probe.get(&if names_target { format!("{path}{echo}") } else { path.clone() }, &lines)
        });
        // Asked by the proxy about this very path is another thing: then ours stands in front once more.
        if visit.asked.iter().any(|asked| asked.uri.starts_with(&path) && asked.uri.matches("/authz/").count() == 1) {
            return Verdict::Broken(format!("{path} is answered by the decision listener"));
        }
    }
    Verdict::Kept(String::new())
}

pub(super) fn no_echo_without_ticket(probe: &Probe, _: &Recorded) -> Verdict {
    let answer = probe.send(probe.get(ECHO, "").as_bytes());
    let open = answer.as_ref().is_ok_and(|answer| answer.status == 200);
    verdict(!open, || format!("{ECHO} is answered with 200"))
}
