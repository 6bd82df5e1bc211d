//! Cookies: the browser's on their way to the app, and ours on their way back.

use super::allow::{question, reached};
use crate::chain::{Chain, allowed, allowed_for_nobody};
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::server::{Answer, Says};
use counterfoil_proxies::verdict::{Failure, Shown, promise};

pub(super) fn one_comes_back_beside_the_apps(chain: &Chain) -> Shown {
    chain.decide(allowed(chain.kind).with("Set-Cookie", OURS));
    let app = Answer::new(200).with("Set-Cookie", "theme=dark; Path=/").with("Cache-Control", "public, max-age=60");
    for status in [200, 404, 500] {
        chain.app.says(Says::Answer(Answer { status, ..app.clone() }));
        let seen = chain.get("/page", "");
        let cookies: Vec<_> = seen.answered("set-cookie").into_iter().map(attributes).collect();
        let both =
            cookies.len() == 2 && [OURS, "theme=dark; Path=/"].iter().all(|one| cookies.contains(&attributes(one)));
        promise("our cookie comes back beside the app's", seen.status() == status && both, || {
            format!("status {} for {status}, {cookies:?}", seen.status())
        })?;
    }
    Ok("with 200, 404 and 500".to_owned())
}

pub(super) fn no_cache_stores_one(chain: &Chain) -> Shown {
    if matches!(chain.kind, Kind::Traefik | Kind::Envoy) {
        return Err(Failure::Inexpressible(
            "no header of an answer can depend on the decision; its page says to put no cache in front",
        ));
    }
    chain.decide(allowed(chain.kind).with("Set-Cookie", OURS));
    let page = Answer::new(200).with("Cache-Control", "public, max-age=60");
    chain.app.says(Says::Answer(page));
    let seen = chain.get("/page", "");
    let says = seen.answered("cache-control").join(", ");
    promise("an answer with a new cookie is not stored", says.contains("no-store"), || says.clone())?;
    chain.decide(allowed(chain.kind));
    let seen = chain.get("/page", "");
    let without = seen.answered("cache-control").join(", ");
    promise("one without is stored as the app says", without == "public, max-age=60", || without.clone())?;
    Ok(says)
}

/// A cookie with its attributes, in no order: proxies write them anew.
fn attributes(cookie: &str) -> Vec<String> {
    let mut parts: Vec<_> = cookie.split("; ").map(str::to_lowercase).collect();
    parts.sort();
    parts
}

pub(super) fn one_comes_back_with_a_denial(chain: &Chain) -> Shown {
    for status in [401, 403] {
        chain.decide(Answer::new(status).with("Set-Cookie", OURS).with("Cache-Control", "no-store"));
        let seen = chain.get("/page", "");
        promise(
            "a denial brings its cookie",
            seen.status() == status && seen.answered("set-cookie") == [OURS],
            || format!("status {}, {:?}", seen.status(), seen.answered("set-cookie")),
        )?;
    }
    Ok("with 401 and 403".to_owned())
}

pub(super) fn none_comes_back_where_none_may(chain: &Chain) -> Shown {
    let chain = chain.without_cookies()?;
    chain.decide(allowed(chain.kind).with("Set-Cookie", OURS));
    chain.app.says(Says::Answer(Answer::new(200).with("Set-Cookie", "theme=dark; Path=/")));
    let seen = chain.get("/page", "");
    reached(&seen)?;
    promise("only the app's comes back", seen.answered("set-cookie") == ["theme=dark; Path=/"], || {
        format!("{:?}", seen.answered("set-cookie"))
    })?;
    Ok("the app's alone".to_owned())
}

pub(super) fn none_is_made_up(chain: &Chain) -> Shown {
    let seen = chain.get("/page", "");
    reached(&seen)?;
    promise("without one there is none", seen.answered("set-cookie").is_empty(), || {
        format!("{:?}", seen.answered("set-cookie"))
    })?;
    Ok("no Set-Cookie, also no empty one".to_owned())
}

pub(super) fn two_headers_are_both_heard(chain: &Chain) -> Shown {
    let seen = chain.get("/page", "Cookie: a=1; dev-id=one\r\nCookie: dev-id=two; b=2\r\n");
    let asked = match seen.asked.as_slice() {
        [] if seen.app.is_empty() => return Ok(format!("refused with {}", seen.status())),
        _ => question(&seen)?,
    };
    let heard = asked.joined("cookie");
    let all = ["a=1", "dev-id=one", "dev-id=two", "b=2"].iter().all(|part| heard.contains(part));
    promise("the decision hears both", all, || heard.clone())?;
    let app = reached(&seen)?;
    promise("the app gets what the decision says", app.all("cookie") == ["theme=dark"], || app.joined("cookie"))?;
    Ok(format!("as {:?}", asked.all("cookie")))
}

pub(super) fn the_app_sees_none_of_ours(chain: &Chain) -> Shown {
    let seen = chain.get("/page", "Cookie: theme=dark; dev-id=secret\r\ncookie: dev-el=secret\r\n");
    if seen.app.is_empty() {
        return Ok(format!("refused with {}", seen.status()));
    }
    let app = reached(&seen)?;
    promise("the app gets no cookie of ours", !app.mentions("secret"), || format!("{:?}", app.headers))?;
    Ok("theme=dark".to_owned())
}

pub(super) fn nothing_left_is_nothing_sent(chain: &Chain) -> Shown {
    chain.decide(allowed_for_nobody(chain.kind));
    let seen = chain.get("/page", "Cookie: dev-id=secret\r\n");
    let app = reached(&seen)?;
    promise("the browser's Cookie is gone", app.joined("cookie").is_empty(), || app.joined("cookie"))?;
    Ok(if app.all("cookie").is_empty() { "no Cookie" } else { "an empty Cookie" }.to_owned())
}

const OURS: &str = "dev-id=renewed; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax";
