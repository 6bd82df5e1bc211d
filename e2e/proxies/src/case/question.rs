//! What a decision is asked.

use super::allow::question;
use crate::chain::Chain;
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::verdict::{Shown, promise};
use counterfoil_proxies::wire::Message;

pub(super) fn the_browsers_query_is_no_parameter(chain: &Chain) -> Shown {
    let target = "/page?app=other&rd=http://evil.test/&next=/&query";
    let seen = chain.get(target, "");
    let asked = question(&seen)?;
    promise("the decision's address is the configured one", asked.target() == chain.kind.decision(target), || {
        asked.target().to_owned()
    })?;
    Ok(asked.target().to_owned())
}

pub(super) fn the_app_is_named_by_the_path_alone(chain: &Chain) -> Shown {
    for target in ["/authz-not", "/..", "/../other/x", "/..%2fother", "/x/../../other"] {
        let seen = chain.get(target, "");
        for asked in &seen.asked {
            let prefix = chain.kind.decision("");
            promise("no path leads to another app's decision", asked.target().starts_with(&prefix), || {
                format!("{target}: {}", asked.target())
            })?;
        }
    }
    Ok("five that climb".to_owned())
}

pub(super) fn each_thing_is_told_once(chain: &Chain) -> Shown {
    let lines = "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nOrigin: null\r\nReferer: http://r.test/\r\n\
                 User-Agent: suite\r\nX-CSRF-Token: t\r\nAuthorization: Bearer b\r\nCookie: a=1\r\n";
    let seen = chain.get("/page?a", lines);
    let asked = question(&seen)?;
    for (name, value) in told(chain, "GET", "/page?a", &chain.host) {
        promise("each thing is told once", asked.all(name) == [value.as_str()], || {
            format!("{name}: {:?}", asked.all(name))
        })?;
    }
    for line in lines.lines() {
        let (name, value) = line.split_once(": ").unwrap_or_default();
        promise("what the decision reads is handed on", asked.all(name.trim()) == [value], || {
            format!("{name}: {:?}", asked.all(name))
        })?;
    }
    Ok(asked.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" "))
}

pub(super) fn what_the_browser_says_of_itself_is_not_told(chain: &Chain) -> Shown {
    let names = [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Uri",
        "X-Forwarded-Method",
        "X-Forwarded-Port",
        "X-Counterfoil-Method",
        "X-Counterfoil-Target",
        "X-Counterfoil-Host",
        "X-Counterfoil-Server",
        "X-Counterfoil-Scheme",
        "X-Original-URL",
        "X-Original-Method",
        "X-Rewrite-URL",
    ];
    let lines: Vec<_> = names.iter().map(|name| format!("{name}: spoofed.test\r\n{name}: spoofed.test\r\n")).collect();
    let seen = chain.get("/page", &lines.concat());
    let asked = question(&seen)?;
    for (name, value) in told(chain, "GET", "/page", &chain.host) {
        promise("the proxy's word replaces the browser's", asked.all(name) == [value.as_str()], || {
            format!("{name}: {:?}", asked.all(name))
        })?;
    }
    let app = seen.app.first();
    let address = app.map(|app| app.joined("x-forwarded-for")).unwrap_or_default();
    promise("the app does not get the browser's word either", !address.contains("spoofed"), || address.clone())?;
    Ok(format!("the app gets x-forwarded-for {address:?}"))
}

pub(super) fn odd_hosts_are_told_as_they_are_or_refused(chain: &Chain) -> Shown {
    let port = chain.host.split_once(':').map_or("", |(_, port)| port);
    let mut heard = Vec::new();
    for host in [
        format!("APP.LocalHost:{port}"),
        format!("app.localhost.:{port}"),
        "app.localhost".to_owned(),
        format!("user@app.localhost:{port}"),
        "other.test".to_owned(),
        format!("app.localhost:{port}, other.test"),
        "äpp.localhost".to_owned(),
    ] {
        let seen = chain.ask(format!("GET /page HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        for asked in &seen.asked {
            let told = said_host(chain, asked);
            let same = told.as_deref().is_some_and(|told| told.eq_ignore_ascii_case(&host));
            promise("the host is told as the browser sent it", same, || format!("{host}: {told:?}"))?;
        }
        promise("no app without a decision", seen.app.is_empty() || !seen.asked.is_empty(), || {
            format!("{host}: {seen:?}")
        })?;
        let went = if seen.asked.is_empty() { "refused" } else { "asked" };
        heard.push(format!("{host} {went} {}", seen.status()));
    }
    Ok(heard.join(", "))
}

pub(super) fn no_host_or_two_reach_no_app(chain: &Chain) -> Shown {
    let host = &chain.host;
    let mut heard = Vec::new();
    for request in [
        "GET /page HTTP/1.1\r\n\r\n".to_owned(),
        "GET /page HTTP/1.0\r\n\r\n".to_owned(),
        "GET /page HTTP/1.1\r\nHost:\r\n\r\n".to_owned(),
        format!("GET /page HTTP/1.1\r\nHost: {host}\r\nHost: other.test\r\n\r\n"),
        format!("GET /page HTTP/1.1\r\nHost: other.test\r\nHost: {host}\r\n\r\n"),
    ] {
        let seen = chain.ask(&request);
        // Asked without one, the decision endpoint denies; this one would not.
        let named = seen.asked.iter().all(|asked| said_host(chain, asked).is_none_or(|told| told.is_empty()));
        promise("without one clear host the app is not reached", seen.app.is_empty() || named, || {
            format!("{request:?}: {seen:?}")
        })?;
        heard.push(format!("{}{}", seen.status(), if seen.asked.is_empty() { "" } else { " (asked without one)" }));
    }
    Ok(heard.join(", "))
}

pub(super) fn another_host_in_the_request_line_reaches_no_app(chain: &Chain) -> Shown {
    let host = &chain.host;
    let mut heard = Vec::new();
    for (target, named) in [
        (format!("http://{host}/page"), host.as_str()),
        ("http://other.test/page".to_owned(), host.as_str()),
        (format!("http://{host}/page"), "other.test"),
        (format!("https://{host}/page"), host.as_str()),
    ] {
        let seen = chain.ask(format!("GET {target} HTTP/1.1\r\nHost: {named}\r\n\r\n"));
        let differs = !target.contains(host.as_str()) || named != host;
        if let (Some(asked), true) = (seen.asked.first(), differs) {
            // Either the two are told apart, or there is only one from then on.
            let told = said_host(chain, asked).unwrap_or_default();
            let told_apart = chain.kind == Kind::Nginx
                && asked.joined("x-counterfoil-server") != told.split(':').next().unwrap_or_default();
            let one = seen.app.first().is_none_or(|app| app.joined("host") == told);
            promise("two hosts are told apart, or become one", told_apart || one, || {
                format!("{target} at {named}: {seen:?}")
            })?;
        }
        let went = if seen.asked.is_empty() { "refused" } else { "asked" };
        heard.push(format!("{went} {}", seen.status()));
    }
    Ok(heard.join(", "))
}

/// What the decision must be told, by name.
fn told(chain: &Chain, method: &str, target: &str, host: &str) -> Vec<(&'static str, String)> {
    let names: &[_] = match chain.kind {
        Kind::Nginx => &[
            "X-Counterfoil-Method",
            "X-Counterfoil-Target",
            "X-Counterfoil-Host",
            "X-Counterfoil-Scheme",
            "X-Forwarded-For",
        ],
        Kind::Envoy | Kind::EnvoyGrpc => &["", "", "Host", "X-Forwarded-Proto", "X-Forwarded-For"],
        Kind::Traefik | Kind::Caddy | Kind::Haproxy => {
            &["X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For"]
        }
    };
    let values = [method, target, host, "http", "127.0.0.1"].map(str::to_owned);
    names.iter().copied().zip(values).filter(|(name, _)| !name.is_empty()).collect()
}

fn said_host(chain: &Chain, asked: &Message) -> Option<String> {
    let name = match chain.kind {
        Kind::Nginx => "x-counterfoil-host",
        Kind::Envoy | Kind::EnvoyGrpc => "host",
        Kind::Traefik | Kind::Caddy | Kind::Haproxy => "x-forwarded-host",
    };
    asked.only(name).map(str::to_owned)
}
