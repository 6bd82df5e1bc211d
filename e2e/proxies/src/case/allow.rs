//! What of a decision that allows reaches the app.

use crate::chain::{Chain, OWNED, Seen, allowed, allowed_for_nobody};
use counterfoil_proxies::server::Answer;
use counterfoil_proxies::verdict::{Failure, Shown, promise};
use counterfoil_proxies::wire::Message;

pub(super) fn what_is_told_reaches_the_app(chain: &Chain) -> Shown {
    let seen = chain.get("/page", "Cookie: theme=dark; dev-id=secret\r\n");
    let app = reached(&seen)?;
    for (name, value) in allowed(chain.kind).headers.iter().filter(|(name, _)| name != "Cache-Control") {
        promise("each header is set from the decision", app.all(name) == [value.as_str()], || {
            format!("{name}: {:?}", app.all(name))
        })?;
    }
    Ok("all five, and Cookie".to_owned())
}

pub(super) fn empty_headers_leave_nothing_of_the_browsers(chain: &Chain) -> Shown {
    chain.decide(allowed_for_nobody(chain.kind));
    nothing_of_the_browsers(chain)
}

/// Which our endpoint never sends; another version of it might.
pub(super) fn absent_headers_leave_nothing_of_the_browsers(chain: &Chain) -> Shown {
    chain.decide(Answer::new(chain.kind.allowed()).with("Cookie", ""));
    nothing_of_the_browsers(chain)
}

pub(super) fn nearly_four_kilobytes_of_decision_pass(chain: &Chain) -> Shown {
    let long = "a".repeat(3_300);
    chain.decide(
        allowed(chain.kind)
            .without("Counterfoil-Assertion")
            .with("Counterfoil-Assertion", &long)
            .with("Set-Cookie", &format!("dev-id={}; Path=/; HttpOnly", "b".repeat(100))),
    );
    let seen = chain.get("/page", "");
    let app = reached(&seen)?;
    promise("a long assertion arrives whole", app.only("counterfoil-assertion") == Some(long.as_str()), || {
        format!("{} bytes", app.joined("counterfoil-assertion").len())
    })?;
    Ok("3,300 bytes of assertion".to_owned())
}

fn nothing_of_the_browsers(chain: &Chain) -> Shown {
    let spoofed: Vec<_> = OWNED.iter().map(|name| format!("{name}: spoofed\r\n")).collect();
    let seen = chain.get("/page", &spoofed.concat());
    let Some(app) = seen.app.first() else { return Ok(format!("refused with {}", seen.status())) };
    promise("nothing of the browser's is left", !app.mentions("spoofed"), || format!("{:?}", app.headers))?;
    Ok("the app gets none".to_owned())
}

/// What the app got, where it was to be reached.
pub(super) fn reached(seen: &Seen) -> Result<&Message, Failure> {
    promise("a request that is allowed reaches the app once", seen.app.len() == 1 && seen.status() == 200, || {
        format!("{} times, status {}, {:?}", seen.app.len(), seen.status(), seen.answer)
    })?;
    seen.app.first().ok_or_else(|| Failure::Broken { promise: "the app is reached", seen: "it is not".to_owned() })
}

/// What the decision endpoint was asked, once.
pub(super) fn question(seen: &Seen) -> Result<&Message, Failure> {
    promise("a decision is asked for once", seen.asked.len() == 1, || {
        format!("{} times, {:?}", seen.asked.len(), seen.answer)
    })?;
    seen.asked.first().ok_or_else(|| Failure::Broken { promise: "a decision is asked for", seen: "none is".to_owned() })
}
