//! The same chain over https, and in HTTP/2.

use super::allow::{question, reached};
use crate::chain::Chain;
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::verdict::{Shown, promise};

pub(super) fn the_scheme_is_told(chain: &Chain) -> Shown {
    let chain = chain.over_https()?;
    let seen = chain.get("/page", "X-Forwarded-Proto: http\r\nCookie: a=1\r\n");
    let (asked, app) = (question(&seen)?, reached(&seen)?);
    let name = if chain.kind == Kind::Nginx { "x-counterfoil-scheme" } else { "x-forwarded-proto" };
    promise("the decision is told https", asked.all(name) == ["https"], || format!("{:?}", asked.all(name)))?;
    let told = app.all("x-forwarded-proto");
    promise("so is the app", told == ["https"], || format!("{told:?}"))?;
    Ok("https".to_owned())
}

/// Browsers send each cookie as a field of its own there.
pub(super) fn http2_is_told_like_any_other(chain: &Chain) -> Shown {
    let chain = chain.over_https()?;
    let authority = chain.host.clone();
    let fields = |path| [(":method", "GET"), (":scheme", "https"), (":authority", authority.as_str()), (":path", path)];
    let more =
        [("cookie", "a=1"), ("cookie", "__Host-Http-id=one"), ("cookie", "b=2"), ("counterfoil_subject", "spoofed")];
    let seen = chain.ask_in_http2(&[fields("/page?x").as_slice(), &more].concat());
    if let Err(error) = &seen.answer {
        promise("what is not answered reaches no app", seen.app.is_empty(), || format!("{error}"))?;
    }
    let asked = question(&seen)?;
    promise("cookies are told as one", asked.all("cookie") == ["a=1; __Host-Http-id=one; b=2"], || {
        format!("{:?}", asked.all("cookie"))
    })?;
    let (host, target) = match chain.kind {
        Kind::Nginx => (asked.joined("x-counterfoil-host"), asked.joined("x-counterfoil-target")),
        Kind::Envoy | Kind::EnvoyGrpc => (asked.joined("host"), asked.target().replace("/authz/ext-authz/app", "")),
        Kind::Traefik | Kind::Caddy | Kind::Haproxy => {
            (asked.joined("x-forwarded-host"), asked.joined("x-forwarded-uri"))
        }
    };
    promise("host and target are told", host == chain.host && target == "/page?x", || format!("{host} {target}"))?;
    let app = seen.app.first();
    promise("the app gets what the decision says", app.is_some_and(|app| app.all("cookie") == ["theme=dark"]), || {
        format!("{app:?}")
    })?;
    promise("and nothing of the browser's", app.is_some_and(|app| !app.mentions("spoofed")), || format!("{app:?}"))?;
    // Two names for one host: told apart or refused.
    let two = [fields("/page").as_slice(), &[("host", "other.test")]].concat();
    let seen = chain.ask_in_http2(&two);
    let consistent = seen.app.first().is_none_or(|app| app.all("host") == [chain.host.as_str()]);
    let denied_by_us = seen.asked.iter().any(|asked| asked.mentions("other.test"));
    promise("another host beside it is not followed", consistent || denied_by_us, || format!("{seen:?}"))?;
    Ok(if seen.app.is_empty() { "two hosts: refused" } else { "two hosts: the first" }.to_owned())
}
