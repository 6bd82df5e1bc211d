//! Our own paths: the pages, which need no decision, and the decisions, which are nobody's but the proxy's.

use crate::chain::Chain;
use counterfoil_proxies::server::Answer;
use counterfoil_proxies::verdict::{Shown, promise};

pub(super) fn ours_are_not_asked_about_and_not_the_apps(chain: &Chain) -> Shown {
    chain.decide(Answer::new(403));
    for (method, target) in [
        ("GET", "/.session/login?next=%2Fa"),
        ("POST", "/.session/login"),
        ("GET", "/.well-known/counterfoil/jwks.json"),
        ("HEAD", "/.session/me"),
    ] {
        let lines = "Cookie: dev-id=secret; a=1\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\nContent-Length: 0\r\n";
        let seen = chain.ask(chain.request(method, target, lines));
        let ours = seen.pages.len() == 1 && seen.app.is_empty() && seen.asked.is_empty() && seen.status() == 200;
        promise("our pages are ours alone", ours, || format!("{target}: {seen:?}"))?;
        let Some(page) = seen.pages.first() else { continue };
        promise("the target is what was sent", page.target() == target, || page.target().to_owned())?;
        promise("so is the host", page.only("host") == Some(chain.host.as_str()), || {
            format!("{:?}", page.all("host"))
        })?;
        promise("so are the cookies", page.joined("cookie") == "dev-id=secret; a=1", || page.joined("cookie"))?;
        promise("the address is the proxy's word", page.all("x-forwarded-for") == ["127.0.0.1"], || {
            format!("{:?}", page.all("x-forwarded-for"))
        })?;
        promise("so is the scheme", page.all("x-forwarded-proto") == ["http"], || {
            format!("{:?}", page.all("x-forwarded-proto"))
        })?;
    }
    Ok("pages and keys".to_owned())
}

pub(super) fn decisions_cannot_be_asked_for_from_outside(chain: &Chain) -> Shown {
    for target in [
        "/authz/auth-request/app",
        "/authz/forward-auth/app",
        "/authz/ext-authz/app/x",
        "/authz/../authz/forward-auth/app",
        "//authz/forward-auth/app",
        "/%61uthz/forward-auth/app",
        "/.session/../authz/forward-auth/app",
        "/.session/..%2fauthz/forward-auth/app",
        "/.counterfoil-decision",
    ] {
        let seen = chain.get(target, "X-Forwarded-Uri: /\r\nX-Counterfoil-Target: /\r\n");
        // Asking about such a path is what it may come to; being answered is not.
        let from_outside =
            seen.asked.iter().any(|asked| asked.target() != chain.kind.decision(target) || asked.mentions("/\r\n"));
        let told = seen.answered("counterfoil-subject").is_empty() && seen.answered("counterfoil-assertion").is_empty();
        promise("no decision is told to a browser", told && !from_outside, || format!("{target}: {seen:?}"))?;
    }
    Ok("nine spellings".to_owned())
}
