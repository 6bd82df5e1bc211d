//! A configuration in words: what is in force, defaults included.

use std::fmt::{self, Write as _};

use counterfoil::Span;
use counterfoil_telemetry::EventSettings;

use super::Config;
use crate::app::{AppConfig, CookieReturn};
use crate::rules::{Access, ChangesState, Rule};

impl fmt::Display for Config {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "data      {}", self.data.display())?;
        if let Some(store) = &self.store {
            writeln!(out, "store     {store}")?;
            if store.is_shared() {
                let near = self.near_cache;
                let [bound, lease] = [near.bound, near.lease].map(Span::from);
                writeln!(
                    out,
                    "memory    what ends on another gateway is refused here within {bound}; lease {lease}, at most {}",
                    size(near.bytes)
                )?;
            }
        }
        for (name, address) in self.listen.named() {
            let announced = name == "public" && self.proxy_protocol.is_some();
            let announced = if announced { ", PROXY protocol v2 expected" } else { "" };
            writeln!(out, "{name:<9} http://{address}{announced}")?;
        }
        for rates in self.limits.rates().chunk_by(|(one, ..), (other, ..)| one == other) {
            let act = rates.first().map_or("", |(act, ..)| act.as_str());
            let each = rates.iter().map(|(_, per, rate)| format!("{rate} by {}", per.as_str()));
            writeln!(out, "limits    {act}: {}", each.collect::<Vec<_>>().join("; "))?;
        }
        for (tells, file) in
            [("country and place", &self.geo.city), ("operator", &self.geo.asn), ("kind", &self.geo.networks)]
        {
            if let Some(file) = file {
                writeln!(out, "geo       {tells} by {}", file.display())?;
            }
        }
        for line in told(&self.events) {
            writeln!(out, "events    {line}")?;
        }
        if let Some(detector) = &self.detector {
            writeln!(out, "detector  {detector}")?;
        }
        for app in &self.apps {
            write!(out, "\n{}", described(app)?)?;
        }
        Ok(())
    }
}

/// Who is told, without what is secret.
fn told(events: &EventSettings) -> Vec<String> {
    let lines = events.lines.as_ref().map(|lines| format!("as JSON lines in {}", lines.file.display()));
    let trail = events
        .trail
        .as_ref()
        .map(|trail| format!("in the audit trail {}, kept for {} days", trail.folder.display(), trail.retain_days));
    let webhooks = events.webhooks.iter().map(|webhook| format!("to the webhook `{}`", webhook.name));
    let otlp = events.otlp.as_ref().map(|otlp| format!("to OpenTelemetry as `{}`", otlp.service_name));
    let signals = events.signals.iter().flat_map(|signals| {
        let pushed = signals.push.iter().map(|stream| format!("as security event tokens to `{}`", stream.id));
        let polled = signals.poll.iter().map(|stream| format!("as security event tokens for `{}` to fetch", stream.id));
        let heard = signals.listen.iter().map(|listen| format!("from {}: what it tells is done", listen.issuer));
        pushed.chain(polled).chain(heard)
    });
    trail.into_iter().chain(lines).chain(webhooks).chain(signals).chain(otlp).collect()
}

/// In the largest unit that leaves nothing out.
pub(super) fn size(bytes: usize) -> String {
    let fitting = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        .into_iter()
        .find(|(_, unit)| bytes.is_multiple_of(*unit));
    fitting.map_or_else(|| format!("{bytes} bytes"), |(name, unit)| format!("{} {name}", bytes / unit))
}

fn described(app: &AppConfig) -> Result<String, fmt::Error> {
    let mut text = String::new();
    let policy = &app.policy;
    let origins = policy.public_origins().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    writeln!(text, "app {}: {origins}", app.name)?;
    let cookies = match app.cookie_return {
        CookieReturn::One => "one",
        CookieReturn::None => "none",
    };
    let upstream = app.upstream.as_ref().map(|upstream| format!(", upstream {upstream}")).unwrap_or_default();
    writeln!(
        text,
        "  {}, cookie_return {cookies}, assertions {}{upstream}",
        app.proxy.as_str(),
        app.assertion.as_str()
    )?;
    let theirs: Vec<_> = app.app_cookies.iter().map(ToString::to_string).collect();
    if !theirs.is_empty() {
        writeln!(text, "  its own session cookies end with ours: {}", theirs.join(", "))?;
    }
    let limits = policy.limits();
    let [idle, absolute, rotate, elevated] =
        [limits.idle, limits.absolute, policy.rotate_every(), policy.elevated_for()].map(Span::from);
    let remember = limits.remember_for.map(|time| format!(", remembered for {}", Span::from(time))).unwrap_or_default();
    writeln!(
        text,
        "  sessions: idle {idle}, absolute {absolute}, tokens rotate every {rotate}, step-up {elevated}{remember}"
    )?;
    for rule in app.rules.iter() {
        writeln!(text, "  {:<24} {}", rule.path.to_string(), demanded(rule))?;
    }
    writeln!(text, "  {:<24} denied", "anything else")?;
    Ok(text)
}

pub(super) fn demanded(rule: &Rule) -> String {
    let access = match rule.access {
        Access::Public => "public".to_owned(),
        Access::SignedIn => "signed-in".to_owned(),
        Access::StepUp(age) => format!("step-up no longer ago than {}", Span::from(age)),
    };
    let limits = [("max_idle", rule.max_idle), ("max_auth_age", rule.max_auth_age)];
    let limits = limits.into_iter().filter_map(|(name, age)| Some(format!("{name} {}", Span::from(age?))));
    let changes = Some(rule.changes_state).filter(|changes| *changes != ChangesState::Never);
    let changes = changes.map(|changes| format!("changes_state {}", changes.as_str()));
    let flags = [("quiet", rule.quiet), ("sensitive", rule.sensitive)];
    let flags = flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| name.to_owned());
    [access].into_iter().chain(limits).chain(changes).chain(flags).collect::<Vec<_>>().join(", ")
}
