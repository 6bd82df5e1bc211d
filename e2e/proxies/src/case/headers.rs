//! Headers that are ours, sent by a browser.

use crate::chain::{Chain, OWNED, allowed};
use counterfoil_proxies::verdict::{Shown, promise};

pub(super) fn ours_do_not_come_from_the_browser_in_any_spelling(chain: &Chain) -> Shown {
    let mut refused = 0;
    for name in OWNED {
        for spelling in spellings(name) {
            let seen = chain.get("/page", &format!("{spelling}: spoofed\r\n{spelling}: spoofed too\r\n"));
            let Some(app) = seen.app.first() else {
                refused += 1;
                continue;
            };
            promise("no spelling reaches the app", !app.mentions("spoofed"), || {
                format!("{spelling}: {:?}", app.headers)
            })?;
            let others = app
                .headers
                .iter()
                .filter(|(other, _)| folded(other) == folded(name) && !other.eq_ignore_ascii_case(name));
            promise("nor does the name alone", others.count() == 0, || format!("{spelling}: {:?}", app.headers))?;
        }
    }
    Ok(if refused == 0 { "taken out".to_owned() } else { format!("{refused} refused, the others taken out") })
}

pub(super) fn connection_takes_nothing_away(chain: &Chain) -> Shown {
    let mut refused = Vec::new();
    for named in
        ["counterfoil-assertion", "Counterfoil-Subject", "cookie", "x-forwarded-for", "X-Counterfoil-Host", "host"]
    {
        for lines in [
            format!("Connection: {named}\r\n"),
            format!("Connection: close, {named}\r\n"),
            format!("Connection: close\r\nConnection: {named}\r\n"),
            format!("Connection: Upgrade,{named}\r\nUpgrade: websocket\r\n"),
        ] {
            let seen = chain.get("/page", &lines);
            let Some(app) = seen.app.first() else {
                refused.push(named);
                continue;
            };
            for (name, value) in allowed(chain.kind).headers.iter().filter(|(name, _)| name != "Cache-Control") {
                promise("what is named in Connection is still told", app.all(name) == [value.as_str()], || {
                    format!("{lines:?}: {name} is {:?}", app.all(name))
                })?;
            }
            let address = seen.asked.first().map(|asked| asked.joined("x-forwarded-for")).unwrap_or_default();
            promise("and the decision knows the address", address == "127.0.0.1", || {
                format!("{lines:?}: {address:?}")
            })?;
        }
    }
    refused.dedup();
    Ok(if refused.is_empty() { "without effect".to_owned() } else { format!("refused: {}", refused.join(", ")) })
}

pub(super) fn a_megabyte_of_headers_reaches_no_app(chain: &Chain) -> Shown {
    let one = format!("X-Long: {}\r\n", "a".repeat(1024 * 1024));
    let many: Vec<_> = (0..16_384).map(|number| format!("X-Many-{number}: {}\r\n", "a".repeat(48))).collect();
    let mut heard = Vec::new();
    for lines in [one, many.concat()] {
        let seen = chain.get("/page", &lines);
        promise("a megabyte of headers reaches no app", seen.app.is_empty(), || format!("status {}", seen.status()))?;
        heard.push(seen.answer.map_or_else(|error| error.kind().to_string(), |answer| answer.status().to_string()));
    }
    let seen = chain.get("/page", "");
    promise("and others are served afterwards", seen.status() == 200, || format!("{:?}", seen.answer))?;
    Ok(heard.join(", "))
}

/// A name in capitals, and with each `-` as `_` or `.`.
fn spellings(name: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for character in name.chars() {
        let ways: &[char] = if character == '-' { &['-', '_', '.'] } else { &[character] };
        all = ways.iter().flat_map(|way| all.iter().map(move |start| format!("{start}{way}"))).collect();
    }
    let capitals: Vec<_> = all.iter().flat_map(|name| [name.to_uppercase(), name.to_lowercase()]).collect();
    all.extend(capitals);
    all
}

/// As an app may read it.
fn folded(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}
