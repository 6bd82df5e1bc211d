//! Every `Set-Cookie` the demo emits is taken by the browser as it was meant.

use std::{collections::BTreeSet, time::SystemTime};

use counterfoil_browser::{
    exchange::SetLine,
    form::fill,
    jar::Cookie,
    tab::{Person, Tab},
};

use crate::{
    verdict::{Failure, Shown, promise},
    world::Stage,
};

/// An anonymous visit, a sign-in, a step-up with the rotation it brings, and a sign-out: each cookie as declared.
pub(super) async fn all(stage: Stage) -> Shown {
    let person = stage.stranger().await?;
    let tab = person.tab().await?;
    let mut seen = Seen { stage: &stage, person: &person, kinds: BTreeSet::new() };
    let mark = tab.mark();
    tab.go(&stage.site.at("/counter")).await?;
    tab.follow(&fill("/counter", &[])).await?;
    seen.check(&tab, mark, "anonymous").await?;
    let mark = tab.mark();
    stage.sign_in(&tab).await?;
    seen.check(&tab, mark, "sign-in").await?;
    let mark = tab.mark();
    tab.go(&stage.site.at("/step-up")).await?;
    tab.follow(&fill("/step-up", &[("password", "ada-demo-1")])).await?;
    seen.check(&tab, mark, "step-up").await?;
    let mark = tab.mark();
    tab.go(&stage.site.at("/devices")).await?;
    seen.check(&tab, mark, "afterwards").await?;
    let mark = tab.mark();
    tab.follow(&fill("/logout", &[])).await?;
    seen.check(&tab, mark, "sign-out").await?;

    for kind in ["anonymous: an set", "sign-in: id set", "step-up: el set", "sign-out: id removed"] {
        let is_there = seen.kinds.contains(kind);
        promise("every kind of cookie was emitted", is_there, || format!("{kind} is not among {:?}", seen.kinds))?;
    }
    let renewed = seen.kinds.contains("step-up: id set") || seen.kinds.contains("afterwards: id set");
    promise("every kind of cookie was emitted", renewed, || format!("no rotation among {:?}", seen.kinds))?;
    let kinds = seen.kinds.into_iter().collect::<Vec<_>>().join(", ");
    person.leave().await?;
    Ok(format!("accepted as declared: {kinds}"))
}

struct Seen<'a> {
    stage: &'a Stage,
    person: &'a Person,
    kinds: BTreeSet<String>,
}

impl Seen<'_> {
    /// Holds every line since `mark` to what the browser has now.
    async fn check(&mut self, tab: &Tab, mark: usize, step: &str) -> Result<(), Failure> {
        let exchanges = tab.answered(mark).await?;
        for exchange in &exchanges {
            promise("an answer sets one cookie of ours at most", exchange.set.len() <= 1, || {
                format!("{} {} sets {}", exchange.method, exchange.url, exchange.set.len())
            })?;
        }
        let lines: Vec<_> = exchanges.into_iter().flat_map(|exchange| exchange.set).collect();
        let jar = self.person.jar().await?;
        for (position, line) in lines.iter().enumerate() {
            promise("every cookie we set is accepted", line.refused.is_empty(), || {
                format!("{}; {} was refused: {:?}", line.name, line.attributes, line.refused)
            })?;
            let is_last = lines.iter().skip(position + 1).all(|later| later.name != line.name);
            let held = jar.iter().find(|cookie| cookie.name == line.name);
            if is_last {
                self.check_one(line, held)?;
            }
            let word = if line.value.reveal().is_empty() { "removed" } else { "set" };
            let kind = ["id", "el", "an"].into_iter().find(|kind| self.stage.site.cookie(kind) == line.name);
            self.kinds.insert(format!("{step}: {} {word}", kind.unwrap_or(&line.name)));
        }
        Ok(())
    }

    fn check_one(&self, line: &SetLine, held: Option<&Cookie>) -> Result<(), Failure> {
        let declared = Declared::read(&line.attributes);
        if line.value.reveal().is_empty() {
            return promise("a removal removes", held.is_none(), || format!("{} is still there", line.name));
        }
        let Some(held) = held.filter(|held| held.value == line.value) else {
            return promise("every cookie we set is accepted", false, || format!("the jar has no such {}", line.name));
        };
        let kept = Declared {
            secure: held.secure,
            http_only: held.http_only,
            path: held.path.clone(),
            same_site: held.same_site.clone(),
            partitioned: held.partitioned,
            seconds: declared.seconds.filter(|seconds| lasts_about(held, *seconds)),
        };
        promise(
            "a cookie is kept as it was declared",
            kept == declared && held.expires.is_some() == declared.seconds.is_some(),
            || format!("{} is declared {declared:?}, kept {kept:?}", line.name),
        )?;
        promise("a cookie is for its host alone", held.domain == self.stage.site.host, || {
            format!("{} is for {}", line.name, held.domain)
        })
    }
}

/// What stands after a cookie's value, read without any of our own parsers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Declared {
    secure: bool,
    http_only: bool,
    path: String,
    same_site: String,
    partitioned: bool,
    seconds: Option<u64>,
}

impl Declared {
    fn read(attributes: &str) -> Self {
        let mut declared = Self::default();
        for attribute in attributes.split(';').map(str::trim) {
            match attribute.split_once('=').unwrap_or((attribute, "")) {
                ("Secure", _) => declared.secure = true,
                ("HttpOnly", _) => declared.http_only = true,
                ("Partitioned", _) => declared.partitioned = true,
                ("Path", path) => path.clone_into(&mut declared.path),
                ("SameSite", rule) => rule.clone_into(&mut declared.same_site),
                ("Max-Age", seconds) => declared.seconds = seconds.parse().ok(),
                _ => {}
            }
        }
        declared
    }
}

fn lasts_about(cookie: &Cookie, seconds: u64) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let end = cookie.expires.unwrap_or_default();
    // Seconds of a century are exact in a double.
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let expected = (now + seconds) as f64;
    (end - expected).abs() < 30.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_they_stand() {
        let read = Declared::read("Max-Age=60; Path=/; Secure; HttpOnly; SameSite=None; Partitioned");
        let expected = Declared {
            secure: true,
            http_only: true,
            path: "/".to_owned(),
            same_site: "None".to_owned(),
            partitioned: true,
            seconds: Some(60),
        };
        assert_eq!(read, expected);
        assert_eq!(Declared::read(""), Declared::default());
    }
}
