//! Paths: what the decision judges, the app gets.

use crate::chain::Chain;
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::verdict::{Shown, promise};

pub(super) fn what_is_judged_is_what_the_app_gets(chain: &Chain) -> Shown {
    let targets = [
        "/",
        "/a/b?c=d",
        "/a//b",
        "//a",
        "/a/./b",
        "/a/../b",
        "/a/%2e%2e/b",
        "/a/..;/b",
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/a\\b",
        "/%61",
        "/a%20b",
        "/a;x=1/b",
        "/%C3%A4",
        "/%c3%a4",
        "/a?b=%00",
        "/a?b?c",
        "/?",
        "/a?b=../..",
        "/a%25",
        "/a%252fb",
        "/a+b",
        "/a'b",
        "/a(b)",
        "/a|b",
        "/%zz",
        "/.session/../a",
        "/x/../.session/a",
        "/.session%2fa",
        "/.SESSION/a",
    ];
    let (mut changed, mut refused) = (Vec::new(), Vec::new());
    for target in targets {
        let seen = chain.get(target, "");
        let Some(app) = seen.app.first() else {
            if seen.pages.is_empty() {
                refused.push(target);
            }
            continue;
        };
        let judged = seen.asked.first().and_then(|asked| match chain.kind {
            Kind::Nginx => asked.only("x-counterfoil-target").map(str::to_owned),
            Kind::Envoy | Kind::EnvoyGrpc => asked.target().strip_prefix("/authz/ext-authz/app").map(str::to_owned),
            Kind::Traefik | Kind::Caddy | Kind::Haproxy => asked.only("x-forwarded-uri").map(str::to_owned),
        });
        promise("the app gets what was judged", judged.as_deref() == Some(app.target()), || {
            format!("{target}: judged {judged:?}, passed on {:?}", app.target())
        })?;
        if app.target() != target {
            changed.push(format!("{target} → {}", app.target()));
        }
    }
    Ok(format!("as sent, but for {changed:?}; refused {refused:?}"))
}

pub(super) fn what_is_no_request_reaches_no_app(chain: &Chain) -> Shown {
    let mut heard = Vec::new();
    for target in ["/a\0b", "/a\tb", "/a\x01b", "/a\x7fb", "a", "*", "/%00", "/a#b", ""] {
        let seen = chain.get(target, "");
        // What passes must at least have been judged as it is.
        let judged =
            seen.asked.iter().any(|asked| asked.mentions(target) || target.contains('#') || target.contains("%00"));
        promise("what is no request reaches no app unjudged", seen.app.is_empty() || judged, || {
            format!("{target:?}: {seen:?}")
        })?;
        heard.push(format!("{target:?} {}", seen.status()));
    }
    Ok(heard.join(", "))
}
