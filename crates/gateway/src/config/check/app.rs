//! One app: its name, its origins, its policy and its rules.

use counterfoil::{Policy, PolicyError, PolicySettings, Span};
use counterfoil_core::cookie::CookieKind;
use counterfoil_core::origin::Origin;

use super::Checking;
use crate::app::{AppConfig, AppName};
use crate::app_cookies::{AppCookies, CookiePattern};
use crate::config::settings::{AccessSetting, AppSettings, RuleSettings};
use crate::config::tree::{Node, Place, Value};
use crate::rules::{Access, Pattern, Rule, Rules};

/// An app, and which proxies its policy trusts.
pub(super) struct Read {
    pub(super) config: AppConfig,
    pub(super) trusted_proxies: Vec<String>,
}

impl Checking<'_> {
    pub(super) fn app(&self, name: &str, node: &Node) -> Option<Read> {
        let path = format!("apps.{name}");
        let app_name: Option<AppName> =
            name.parse().map_or_else(|error: crate::app::BadAppName| self.wrong(&path, error.to_string()), Some);
        let (settings, policy_settings) = (self.read(node, &path), self.policy_settings(&path, node));
        let (settings, policy_settings): (AppSettings, _) = (settings?, policy_settings?);
        if !settings.proxy.is_spoken() {
            let text = "this build of counterfoil speaks no gRPC, and would deny everything: write proxy = \"envoy\", which asks \
                        over HTTP, or build it with `--features grpc`";
            self.wrong::<()>(&format!("{path}.proxy"), text);
        }
        let origins = self.origins(&path, &settings.origins);
        let trusted_proxies = policy_settings.address.trusted_proxies.clone();
        let policy = origins.and_then(|()| self.policy(&path, node, &settings.origins, policy_settings));
        let rules = self.rules(&path, &settings.rules, policy.as_ref());
        let app_cookies = self.app_cookies(&path, &settings.app_cookies, policy.as_ref());
        let upstream = settings.upstream.as_deref().map(|text| self.upstream(&path, text));
        let upstream = match upstream {
            None => None,
            Some(checked) => Some(checked?),
        };
        let config = AppConfig {
            name: app_name?,
            proxy: settings.proxy,
            policy: policy?,
            rules: rules?,
            cookie_return: settings.cookie_return,
            assertion: settings.assertion,
            app_cookies: app_cookies?,
            upstream,
        };
        Some(Read { config, trusted_proxies })
    }

    fn origins(&self, path: &str, texts: &[String]) -> Option<()> {
        let mut fit = Some(());
        for (index, text) in texts.iter().enumerate() {
            if let Err(error) = text.parse::<Origin>() {
                fit = self.wrong(&format!("{path}.origins.{index}"), format!("`{text}`: {error}"));
            }
        }
        fit
    }

    /// What the file says of sessions: for all, the app's own above it, and whom to believe where nobody says.
    fn policy_settings(&self, path: &str, app: &Node) -> Option<PolicySettings> {
        let common = self.tree.get("policy").cloned().unwrap_or(Node::empty(Place::Assumed));
        let (mut node, key) = match app.get("policy") {
            None => (common, "policy".to_owned()),
            Some(own) => (common.under(own), format!("{path}.policy")),
        };
        if let Some(origins) = node.get("origins") {
            let text = format!("each app has origins of its own: move them to {path}.origins");
            let mistake = crate::config::error::Mistake::new(origins.place.clone(), format!("{key}.origins"), text);
            self.mistakes.borrow_mut().push(mistake);
            return None;
        }
        if node.get("address").is_none() {
            let loopback =
                ["127.0.0.0/8", "::1"].map(|range| Node { place: Place::Assumed, value: Value::Text(range.into()) });
            node.set(&["address", "trusted_proxies"], &Place::Assumed, Value::List(loopback.into()));
            node.set(&["address", "header"], &Place::Assumed, Value::Text("x-forwarded-for".into()));
        }
        self.read(&node, &key)
    }

    fn policy(&self, path: &str, app: &Node, origins: &[String], settings: PolicySettings) -> Option<Policy> {
        let settings = PolicySettings { origins: origins.to_vec(), ..settings };
        Policy::try_from(settings).map_or_else(
            |error| {
                // Where it was written: in the app's own policy, or in that of all; by the key itself, or by its bound.
                let own = app.get("policy").map(|policy| (policy, format!("{path}.policy")));
                let tables = own.into_iter().chain(self.tree.get("policy").map(|policy| (policy, "policy".to_owned())));
                let keys = keys_of(&error);
                let place = tables.clone().flat_map(|(table, name)| {
                    keys.iter().filter(move |key| written(table, key)).map(move |key| format!("{name}.{key}"))
                });
                let unwritten = if keys.is_empty() { format!("{path}.origins") } else { path.to_owned() };
                let key = place.min_by_key(|key| keys.first().is_some_and(|first| !key.ends_with(first)));
                self.wrong(&key.unwrap_or(unwritten), error.to_string())
            },
            Some,
        )
    }

    fn app_cookies(&self, path: &str, texts: &[String], policy: Option<&Policy>) -> Option<AppCookies> {
        let ours = policy.map(|policy| CookieKind::ALL.map(|kind| policy.cookies().names().name(kind).as_str()));
        let read = |(index, text): (usize, &String)| {
            let key = format!("{path}.app_cookies.{index}");
            let pattern: CookiePattern =
                text.parse().map_or_else(|error| self.wrong(&key, format!("`{text}`: {error}")), Some)?;
            match ours.iter().flatten().find(|name| pattern.matches(name)) {
                Some(name) => self.wrong(&key, format!("`{text}` means {name}, which is ours: name the app's alone")),
                None => Some(pattern),
            }
        };
        // All of them, so that every mistake is named.
        let patterns: Vec<_> = texts.iter().enumerate().map(read).collect();
        patterns.into_iter().collect::<Option<_>>().map(AppCookies::new)
    }

    fn upstream(&self, path: &str, text: &str) -> Option<http::Uri> {
        let uri = text.parse::<http::Uri>().ok().filter(|uri| {
            let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
            scheme
                && uri.authority().is_some_and(|at| !at.as_str().contains('@'))
                && matches!(uri.path(), "" | "/")
                && uri.query().is_none()
        });
        let wrong = || {
            let text = format!(
                "`{text}` is not where an app can be: write http://127.0.0.1:8080, with scheme, host and port alone"
            );
            self.wrong(&format!("{path}.upstream"), text)
        };
        uri.or_else(wrong)
    }

    fn rules(&self, path: &str, settings: &[RuleSettings], policy: Option<&Policy>) -> Option<Rules> {
        if settings.is_empty() {
            let text = "the app has no rules, so everything is denied: add [[…rules]] with path = \"/*\" and access = \"signed-in\"";
            return self.wrong(&format!("{path}.rules"), text.replace('…', &format!("{path}.")));
        }
        let rule = |(index, rule)| self.rule(&format!("{path}.rules.{index}"), rule, policy);
        let rules: Vec<_> = settings.iter().enumerate().map(rule).collect();
        self.shadowed(path, &rules);
        Some(Rules::new(rules.into_iter().collect::<Option<_>>()?))
    }

    fn rule(&self, path: &str, settings: &RuleSettings, policy: Option<&Policy>) -> Option<Rule> {
        let pattern = settings.path.parse::<Pattern>();
        let pattern = pattern
            .map_or_else(|error| self.wrong(&format!("{path}.path"), format!("`{}`: {error}", settings.path)), Some);
        let ages = [("max_idle", settings.max_idle), ("max_auth_age", settings.max_auth_age)];
        let set = |(name, age): (&'static str, Option<Span>)| age.map(|age| (name, age));
        if settings.access == AccessSetting::Public
            && let Some((name, age)) = ages.into_iter().find_map(set)
        {
            let text = format!("is {age}, and access is public: nobody is asked to sign in there; remove one of them");
            return self.wrong(&format!("{path}.{name}"), text);
        }
        if settings.access == AccessSetting::Public && settings.sensitive {
            let text = "is true, and access is public: nobody is asked to sign in there; remove one of them";
            return self.wrong(&format!("{path}.sensitive"), text);
        }
        if settings.access == AccessSetting::Public && pattern.as_ref().is_some_and(Pattern::is_about_endings) {
            let text = format!(
                "`{}` would open every path that ends so, whoever chooses how it begins: name the paths, or ask for signed-in",
                settings.path
            );
            return self.wrong(&format!("{path}.path"), text);
        }
        if let (Some(age), false) = (settings.max_step_up_age, settings.access == AccessSetting::StepUp) {
            let text = format!("is {age}, and access is not step-up: write access = \"step-up\", or remove it");
            return self.wrong(&format!("{path}.max_step_up_age"), text);
        }
        if settings.access == AccessSetting::Public && settings.path == "/*" {
            let text = "everybody may go everywhere that no rule before this one names";
            self.doubtful(&format!("{path}.path"), text);
        }
        let policy = policy?;
        self.has_effect(path, settings, policy);
        Some(Rule {
            path: pattern?,
            access: match settings.access {
                AccessSetting::Public => Access::Public,
                AccessSetting::SignedIn => Access::SignedIn,
                AccessSetting::StepUp => {
                    Access::StepUp(settings.max_step_up_age.map_or(policy.elevated_for(), Into::into))
                }
            },
            max_idle: settings.max_idle.map(Into::into),
            max_auth_age: settings.max_auth_age.map(Into::into),
            changes_state: settings.changes_state,
            quiet: settings.quiet,
            sensitive: settings.sensitive,
        })
    }

    /// A limit that the policy's reaches first does nothing.
    fn has_effect(&self, path: &str, settings: &RuleSettings, policy: &Policy) {
        let limits = policy.limits();
        for (name, age, policy_key, limit) in [
            ("max_idle", settings.max_idle, "timeouts.idle", limits.idle),
            ("max_auth_age", settings.max_auth_age, "timeouts.absolute", limits.absolute),
            ("max_step_up_age", settings.max_step_up_age, "timeouts.elevated_for", policy.elevated_for()),
        ] {
            if let Some(age) = age.filter(|age| *age > Span::from(limit)) {
                let text =
                    format!("{age} exceeds the policy's {policy_key} ({}), which comes first", Span::from(limit));
                self.doubtful(&format!("{path}.{name}"), text);
            }
        }
    }

    /// A rule after one that matches all of its paths is never looked at.
    fn shadowed(&self, path: &str, rules: &[Option<Rule>]) {
        for (index, rule) in rules.iter().enumerate() {
            let Some(rule) = rule else { continue };
            let before = rules.iter().enumerate().take(index);
            let covers = |(_, before): &(usize, &Option<Rule>)| {
                before.as_ref().is_some_and(|before| before.path.covers(&rule.path))
            };
            if let Some((first, Some(other))) = before.clone().find(covers) {
                let place = self.tree.place_of(&format!("{path}.rules.{first}"));
                let text = format!(
                    "`{}` is never looked at, as `{}` before it ({place}) matches all of it: put the narrower rule first",
                    rule.path, other.path
                );
                self.wrong::<()>(&format!("{path}.rules.{index}.path"), text);
            }
        }
    }
}

/// Which keys of a policy an error is about, the worst first; none for its origins.
fn keys_of(error: &PolicyError) -> Vec<&'static str> {
    match error {
        PolicyError::Exceeds { key, bound_key, .. } => vec![key, bound_key],
        PolicyError::BeyondPreset { key, .. }
        | PolicyError::BelowFloor { key, .. }
        | PolicyError::WeakReaction { key, .. }
        | PolicyError::Zero { key } => vec![key],
        PolicyError::SameSite(_) => vec!["cookies.same_site"],
        PolicyError::AddressHalfSet => vec!["address"],
        PolicyError::TrustsEveryone(_) | PolicyError::NotARange { .. } => vec!["address.trusted_proxies"],
        _ => Vec::new(),
    }
}

/// Whether a table says something at a dotted path.
fn written(node: &Node, path: &str) -> bool {
    path.split('.').try_fold(node, |node, key| node.get(key)).is_some()
}
