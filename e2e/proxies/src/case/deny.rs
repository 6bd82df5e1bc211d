//! Denials, and everything that is not a decision: the app is not reached.

use crate::chain::Chain;
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::server::{Answer, Says};
use counterfoil_proxies::verdict::{Failure, Shown, promise};

pub(super) fn what_is_denied_does_not_reach_the_app(chain: &Chain) -> Shown {
    for status in [401, 403, 429, 503] {
        // The contract of nginx has no other status; they come in words.
        let carried = if chain.kind == Kind::Nginx { status.min(403) } else { status };
        let denial = Answer::new(carried).with("Retry-After", "7").with("Cache-Control", "no-store").saying("because");
        chain.decide(denial.with("Counterfoil-Status", &status.to_string()));
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            let seen = chain.ask(chain.request(method, "/page", "Content-Length: 0\r\n"));
            not_reached(chain, &status.to_string(), method, &seen.app)?;
            promise("the browser gets the decision's status", seen.status() == status, || {
                format!("{method}: {} for {status}", seen.status())
            })?;
        }
    }
    Ok("401, 403, 429, 503".to_owned())
}

pub(super) fn a_navigation_is_sent_to_sign_in(chain: &Chain) -> Shown {
    let status = if chain.kind == Kind::Nginx { 401 } else { 303 };
    let to = "/.session/login?next=%2Fpage%3Fa%3D1%26b";
    chain.decide(Answer::new(status).with("Location", to).with("Cache-Control", "no-store"));
    let seen = chain.get("/page?a=1&b", "Sec-Fetch-Mode: navigate\r\n");
    let location = seen.answered("location");
    let absolute = format!("http://{}{to}", chain.host);
    let right = location == [to] || location == [absolute.as_str()];
    promise("the browser is sent to sign in", seen.status() == 303 && right && seen.app.is_empty(), || {
        format!("status {}, {location:?}", seen.status())
    })?;
    promise("nobody stores the way there", seen.answered("cache-control").join(", ").contains("no-store"), || {
        format!("{:?}", seen.answered("cache-control"))
    })?;
    Ok(location.concat())
}

pub(super) fn strange_answers_deny(chain: &Chain) -> Shown {
    let answers = [
        ("500", Says::Answer(Answer::new(500))),
        ("404", Says::Answer(Answer::new(404))),
        ("302 without Location", Says::Answer(Answer::new(302))),
        ("no HTTP", Says::Raw("hello\r\n\r\n")),
        ("half a head", Says::Raw("HTTP/1.1 204 No Content\r\nCounterfoil-Subject: a")),
        ("no answer", Says::HangUp),
        ("silence", Says::Nothing),
    ];
    let mut heard = Vec::new();
    for (what, says) in answers {
        chain.decision.says(says);
        let seen = chain.get("/page", "");
        not_reached(chain, what, "GET", &seen.app)?;
        promise("the browser gets an error", seen.status() == 0 || seen.status() >= 300, || {
            format!("{what}: {}", seen.status())
        })?;
        heard.push(format!("{what} → {}", seen.status()));
    }
    Ok(heard.join(", "))
}

pub(super) fn without_a_gateway_nothing_passes(chain: &Chain) -> Shown {
    chain.decision.close();
    let seen = chain.get("/page", "");
    chain.decision.reopen()?;
    not_reached(chain, "no gateway", "GET", &seen.app)?;
    promise("the browser gets an error", seen.status() >= 500, || format!("{:?}", seen.answer))?;
    let again = chain.get("/page", "");
    promise("and the app again once the gateway is back", again.status() == 200, || format!("{:?}", again.answer))?;
    Ok(format!("{}, then 200", seen.status()))
}

pub(super) fn every_path_is_asked_about(chain: &Chain) -> Shown {
    chain.decide(Answer::new(403));
    let paths = [
        "/",
        "/favicon.ico",
        "/robots.txt",
        "/.well-known/acme",
        "/.session",
        "/.sessions/x",
        "/authz",
        "/assets/a.css",
        "/x?y=/.session/",
    ];
    for path in paths {
        let seen = chain.get(path, "");
        let outside = seen.app.is_empty() && seen.pages.is_empty();
        // A proxy may send a folder's name to the folder.
        promise("no path goes round the decision", outside && seen.status() >= 300, || {
            format!("{path}: status {}, app {:?}", seen.status(), seen.app)
        })?;
    }
    Ok(format!("{} paths", paths.len()))
}

fn not_reached(
    chain: &Chain,
    what: &str,
    method: &str,
    app: &[counterfoil_proxies::wire::Message],
) -> Result<(), Failure> {
    promise("the app is not reached", app.is_empty(), || format!("{}: {method} after {}", chain.kind, what))
}
