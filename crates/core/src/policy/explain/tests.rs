//! Nothing in force is left out, standards are held to the second, and what is kept follows the policy.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::limits::LimitSettings;
use crate::policy::PolicySettings;

/// The policy of these settings at one origin, in the place of which `settings` may name others.
fn policy(settings: &Value) -> Policy {
    let mut whole = json!({ "origins": ["https://shop.example"] });
    for (key, value) in settings.as_object().unwrap() {
        whole[key] = value.clone();
    }
    let settings: PolicySettings = serde_json::from_value(whole).unwrap();
    Policy::try_from(settings).unwrap()
}

/// What is said of settings that may hold `limits` beside those of a policy.
fn explained(settings: &Value) -> Vec<Statement> {
    let mut settings = settings.clone();
    let limits = settings.as_object_mut().unwrap().remove("limits").unwrap_or(json!({}));
    let limits: LimitSettings = serde_json::from_value(limits).unwrap();
    [policy(&settings).explain(), limits.explain()].concat()
}

fn deviations(settings: &Value) -> Vec<(String, &'static str)> {
    let short = |statement: Statement| Some((statement.id.into_owned(), statement.deviation?.standard));
    policy(settings).explain().into_iter().filter_map(short).collect()
}

/// The keys below one that a settings type takes, from what serde says where a key is unknown; `None` if it is a value.
fn keys_at<T: DeserializeOwned>(path: &str) -> Option<Vec<String>> {
    let parts = path.split('.').filter(|part| !part.is_empty());
    let written = parts.rev().fold(json!({ "?": 0 }), |inner, part| json!({ part: inner }));
    let error = serde_json::from_value::<T>(written).err()?.to_string();
    let known = error.strip_prefix("unknown field `?`")?;
    Some(known.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

fn keys<T: DeserializeOwned>(path: &str) -> Vec<String> {
    let Some(below) = keys_at::<T>(path) else { return vec![path.to_owned()] };
    let below = below.into_iter().map(|key| if path.is_empty() { key } else { format!("{path}.{key}") });
    below.flat_map(|path| keys::<T>(&path)).collect()
}

/// A key, what comes of going from one setting to the other, and both.
type Row = (&'static str, Effect, Value, Value);

#[rustfmt::skip]
fn rows_of_policies() -> Vec<Row> {
    use Effect::{Stricter, Undecided, Weaker};
    let d = |key: &str, value: Value| json!({ "danger": { "beyond_preset": true, "below_floors": true, "weak_reactions": true }, key: value });
    let none = || json!({});
    vec![
        // key                            the second is  before                                     after
        ("origins",                       Undecided, none(), json!({ "origins": ["https://a.example", "https://b.example"] })),
        ("preset",                        Stricter,  none(), json!({ "preset": "aal3" })),
        ("timeouts.idle",                 Stricter,  none(), json!({ "timeouts": { "idle": "30m" } })),
        ("timeouts.absolute",             Weaker,    none(), d("timeouts", json!({ "absolute": "2days" }))),
        ("timeouts.rotate_every",         Weaker,    none(), json!({ "timeouts": { "rotate_every": "20m" } })),
        ("timeouts.grace",                Stricter,  none(), json!({ "timeouts": { "grace": "40s" } })),
        ("timeouts.elevated_for",         Weaker,    none(), json!({ "timeouts": { "elevated_for": "10m" } })),
        ("timeouts.remember_for",         Weaker,    none(), json!({ "timeouts": { "remember_for": "30days" } })),
        ("sessions.limit",                Stricter,  none(), json!({ "sessions": { "limit": 5 } })),
        ("sessions.over_limit",           Undecided, json!({ "sessions": { "limit": 5 } }), json!({ "sessions": { "limit": 5, "over_limit": "refuse" } })),
        ("sessions.on_reuse",             Weaker,    none(), json!({ "sessions": { "on_reuse": "report" } })),
        ("triggers.password_changed",     Stricter,  none(), json!({ "triggers": { "password_changed": "end_all" } })),
        ("triggers.password_reset",       Weaker,    none(), json!({ "triggers": { "password_reset": "end_others" } })),
        ("triggers.email_changed",        Undecided, none(), json!({ "triggers": { "email_changed": "rotate" } })),
        ("triggers.mfa_changed",          Weaker,    none(), d("triggers", json!({ "mfa_changed": "step_up" }))),
        ("triggers.role_changed",         Stricter,  none(), json!({ "triggers": { "role_changed": "end_others" } })),
        ("triggers.account_disabled",     Weaker,    none(), d("triggers", json!({ "account_disabled": "rotate" }))),
        ("csrf.trusted_origins",          Weaker,    none(), json!({ "csrf": { "trusted_origins": ["https://pay.example"] } })),
        ("cookies.same_site",             Weaker,    none(), json!({ "cookies": { "same_site": "none_partitioned" } })),
        ("cookies.until_browser_closes",  Stricter,  none(), json!({ "cookies": { "until_browser_closes": true } })),
        ("address.trusted_proxies",       Weaker,    json!({ "address": { "trusted_proxies": ["10.0.0.1"], "header": "forwarded" } }),
                                                     json!({ "address": { "trusted_proxies": ["10.0.0.1", "10.0.0.2"], "header": "forwarded" } })),
        ("address.header",                Undecided, json!({ "address": { "trusted_proxies": ["10.0.0.1"], "header": "forwarded" } }),
                                                     json!({ "address": { "trusted_proxies": ["10.0.0.1"], "header": "x-forwarded-for" } })),
        ("detection.network",             Stricter,  none(), json!({ "detection": { "network": "subnet" } })),
        ("detection.speed_kmh",           Weaker,    none(), json!({ "detection": { "speed_kmh": 2000 } })),
        ("detection.window",              Weaker,    none(), json!({ "detection": { "window": "5m" } })),
        ("detection.retain",              Undecided, none(), json!({ "detection": { "retain": "7days" } })),
        ("detection.shorten.idle",        Stricter,  none(), json!({ "detection": { "shorten": { "idle": "5m" } } })),
        ("detection.shorten.absolute",    Weaker,    none(), json!({ "detection": { "shorten": { "absolute": "2h" } } })),
        ("detection.decisions",           Undecided, none(), json!({ "detection": { "decisions": { "impossible_travel": { "ordinary": "none", "sensitive": "revoke" } } } })),
        ("danger.beyond_preset",          Weaker,    none(), json!({ "danger": { "beyond_preset": true } })),
        ("danger.below_floors",           Weaker,    none(), json!({ "danger": { "below_floors": true } })),
        ("danger.weak_reactions",         Weaker,    none(), json!({ "danger": { "weak_reactions": true } })),
        ("danger.csrf",                   Weaker,    none(), json!({ "danger": { "csrf": "report" } })),
    ]
}

#[rustfmt::skip]
fn rows_of_limits() -> Vec<Row> {
    use Effect::{Stricter, Undecided, Weaker};
    let none = || json!({});
    vec![
        ("limits.sign_in.address",        Weaker,    none(), json!({ "limits": { "sign_in": { "address": "20 per minute" } } })),
        ("limits.sign_in.network",        Stricter,  none(), json!({ "limits": { "sign_in": { "network": "20 per minute" } } })),
        ("limits.sign_in.subject",        Undecided, none(), json!({ "limits": { "sign_in": { "subject": "30 per hour" } } })),
        ("limits.sign_in.place",          Stricter,  none(), json!({ "limits": { "sign_in": { "place": "5 per hour" } } })),
        ("limits.code.subject",           Weaker,    none(), json!({ "limits": { "code": { "subject": "12 per hour" } } })),
        ("limits.code.place",             Stricter,  none(), json!({ "limits": { "code": { "place": "5 per hour" } } })),
        ("limits.step_up.session",        Stricter,  none(), json!({ "limits": { "step_up": { "session": "10 per hour" } } })),
        ("limits.session_creation.address", Stricter, none(), json!({ "limits": { "session_creation": { "address": "10 per hour" } } })),
        ("limits.session_creation.network", Stricter, none(), json!({ "limits": { "session_creation": { "address": "300 per minute", "network": "300 per minute" } } })),
        ("limits.refresh.session",        Weaker,    none(), json!({ "limits": { "refresh": { "session": "61 per minute" } } })),
        ("limits.csrf_failures.address",  Weaker,    none(), json!({ "limits": { "csrf_failures": { "address": "90 per minute" } } })),
        ("limits.csrf_failures.network",  Stricter,  none(), json!({ "limits": { "csrf_failures": { "address": "60 per minute", "network": "60 per minute" } } })),
        ("limits.known_for",              Undecided, none(), json!({ "limits": { "known_for": "7days" } })),
    ]
}

#[test]
fn every_setting_shows_under_its_key_and_which_value_is_stricter() {
    let rows = [rows_of_policies(), rows_of_limits()].concat();
    let limits = keys::<LimitSettings>("").into_iter().map(|key| format!("limits.{key}"));
    let all: BTreeSet<String> = keys::<PolicySettings>("").into_iter().chain(limits).collect();
    let shown: BTreeSet<String> = rows.iter().map(|(key, ..)| (*key).to_owned()).collect();
    assert_eq!(shown, all, "each key needs a row here, and a statement");
    for (key, effect, before, after) in rows {
        let (before, after) = (explained(&before), explained(&after));
        let mut changed = after.iter().filter_map(|new| {
            let old = before.iter().find(|old| old.id == new.id)?;
            let of_key = new.id == key || new.id.starts_with(&format!("{key}."));
            (of_key && old.value != new.value).then_some((old, new))
        });
        let (old, new) = changed.next().unwrap_or_else(|| panic!("{key} does not show"));
        assert_eq!(old.order.effect_of(&new.order), effect, "{key}: {} -> {}", old.value, new.value);
    }
}

#[test]
fn lifetimes_are_held_to_the_level_they_claim_to_the_second() {
    const AAL1: &str = "NIST SP 800-63B-4, 2.1.3 (AAL1)";
    const AAL2: &str = "NIST SP 800-63B-4, 2.2.3 (AAL2)";
    const AAL3: &str = "NIST SP 800-63B-4, 2.3.3 (AAL3)";
    type Row = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);
    #[rustfmt::skip]
    let rows: [Row; 13] = [
        // preset  idle       absolute       falls short of                                          keeps to
        ("aal1",  "7days",    "30days",      &[],                                                    "AAL1"),
        ("aal1",  "30days",   "30days",      &[],                                                    "AAL1"),
        ("aal1",  "7days",    "30days 1s",   &[("timeouts.absolute", AAL1)],                         "none of its levels"),
        ("aal1",  "1h",       "24h",         &[],                                                    "AAL1, AAL2"),
        ("aal1",  "15m",      "12h",         &[],                                                    "AAL1, AAL2, AAL3"),
        ("aal2",  "1h",       "24h",         &[],                                                    "AAL1, AAL2"),
        ("aal2",  "1h 1s",    "24h",         &[("timeouts.idle", AAL2)],                             "AAL1"),
        ("aal2",  "1h",       "24h 1s",      &[("timeouts.absolute", AAL2)],                         "AAL1"),
        ("aal2",  "1h 1s",    "31days",      &[("timeouts.idle", AAL2), ("timeouts.absolute", AAL2)], "none of its levels"),
        ("aal3",  "15m",      "12h",         &[],                                                    "AAL1, AAL2, AAL3"),
        ("aal3",  "15m 1s",   "12h",         &[("timeouts.idle", AAL3)],                             "AAL1, AAL2"),
        ("aal3",  "15m",      "12h 1s",      &[("timeouts.absolute", AAL3)],                         "AAL1, AAL2"),
        ("aal3",  "15m",      "12h 0s 1ms",  &[("timeouts.absolute", AAL3)],                         "AAL1, AAL2"),
    ];
    for (preset, idle, absolute, expected, kept) in rows {
        let settings = json!({
            "preset": preset,
            "timeouts": { "idle": idle, "absolute": absolute },
            "danger": { "beyond_preset": true }
        });
        let expected: Vec<_> = expected.iter().map(|(id, standard)| ((*id).to_owned(), *standard)).collect();
        assert_eq!(deviations(&settings), expected, "{preset} {idle} {absolute}");
        let said = policy(&settings).explain().into_iter().find(|statement| statement.id == "preset").unwrap();
        assert!(said.meaning.contains(&format!("keep to: {kept}.")), "{preset} {idle} {absolute}: {}", said.meaning);
    }
}

#[test]
fn what_falls_short_of_asvs_is_named_with_what_to_change() {
    let weak = |triggers: Value| json!({ "danger": { "weak_reactions": true }, "triggers": triggers });
    let told = |decisions: Value| json!({ "detection": { "decisions": decisions } });
    let contexts = [
        "two_contexts",
        "user_agent_changed",
        "network_changed",
        "country_changed",
        "impossible_travel",
        "many_places",
    ];
    let unseen: serde_json::Map<_, _> = contexts.iter().map(|signal| ((*signal).to_owned(), json!("notify"))).collect();
    let mut nearly = unseen.clone();
    nearly["many_places"] = json!({ "ordinary": "note", "sensitive": "shorten" });
    #[rustfmt::skip]
    let rows: Vec<(Value, Vec<(&str, &str)>)> = vec![
        (json!({}), vec![]),
        (weak(json!({ "account_disabled": "end_others" })), vec![("triggers.account_disabled", "ASVS 7.4.2")]),
        (weak(json!({ "password_changed": "rotate" })),     vec![("triggers.password_changed", "ASVS 7.4.3")]),
        (weak(json!({ "password_reset": "step_up" })),      vec![("triggers.password_reset", "ASVS 7.4.3")]),
        (weak(json!({ "mfa_changed": "rotate" })),          vec![("triggers.mfa_changed", "ASVS 7.4.3")]),
        (weak(json!({ "password_reset": "end_others" })),   vec![]),
        (json!({ "danger": { "csrf": "report" } }),         vec![("danger.csrf", "ASVS 3.5.1")]),
        (json!({ "danger": { "csrf": "off" } }),            vec![("danger.csrf", "ASVS 3.5.1")]),
        (json!({ "cookies": { "same_site": "strict" } }),   vec![]),
        (json!({ "cookies": { "same_site": "none" } }),     vec![("cookies.same_site", "ASVS 3.3.2")]),
        (json!({ "origins": ["http://127.0.0.1:8080"] }),   vec![("cookies.name", "ASVS 3.3.1, 3.3.3")]),
        (told(json!({ "new_device": "note" })),             vec![("detection.decisions.new_device", "ASVS 6.3.5")]),
        (told(json!({ "new_device": "notify" })),           vec![]),
        (told(json!({ "step_up_failures": "none" })),       vec![("detection.decisions.step_up_failures", "ASVS 6.3.5")]),
        (told(Value::Object(nearly)),                       vec![]),
    ];
    for (settings, expected) in rows {
        let expected: Vec<_> = expected.into_iter().map(|(id, standard)| (id.to_owned(), standard)).collect();
        assert_eq!(deviations(&settings), expected, "{settings}");
    }
    let blind = deviations(&told(Value::Object(unseen)));
    let all: BTreeSet<_> = contexts.iter().map(|signal| format!("detection.decisions.{signal}")).collect();
    assert_eq!(blind.iter().map(|(id, _)| id.clone()).collect::<BTreeSet<_>>(), all);
    assert!(blind.iter().all(|(_, standard)| *standard == "ASVS 8.2.4"), "{blind:?}");
}

#[test]
fn what_happens_at_the_limit_of_sessions_is_said() {
    #[rustfmt::skip]
    let rows = [
        (json!({}),                                     "none", "not reached", "There is no limit, so none is ever reached."),
        (json!({ "limit": 3 }),                         "3",    "end_oldest",  "One more sign-in ends the account's oldest session, which is told."),
        (json!({ "limit": 1, "over_limit": "refuse" }), "1",    "refuse",      "One more sign-in is refused until a session has ended."),
    ];
    for (sessions, limit, over, happens) in rows {
        let statements = policy(&json!({ "sessions": sessions })).explain();
        let said = |id| statements.iter().find(|statement| statement.id == id).unwrap();
        assert_eq!((said("sessions.limit").value.as_str(), said("sessions.over_limit").value.as_str()), (limit, over));
        assert_eq!(said("sessions.over_limit").meaning, happens);
    }
}

#[test]
fn a_pace_is_no_count_and_that_is_said_where_an_account_can_be_guessed_at() {
    let short = LimitSettings::default().explain().into_iter().filter(|statement| statement.deviation.is_some());
    let short: Vec<_> = short.map(|statement| statement.id.into_owned()).collect();
    assert_eq!(short, ["limits.sign_in.subject", "limits.code.subject"]);
}

#[test]
fn what_is_kept_is_kept_as_long_as_the_policy_says() {
    let hours = |settings: Value, id: &str| {
        let kept = [policy(&settings).collected(), LimitSettings::default().collected()].concat();
        kept.into_iter().find(|kept| kept.id == id).map(|kept| kept.at_most.map(|time| time.as_secs() / 3_600))
    };
    let remembering = || json!({ "timeouts": { "remember_for": "500days" } });
    #[rustfmt::skip]
    let rows = [
        (json!({}),                                       "people.session",        Some(Some(24))),
        (remembering(),                                   "people.session",        Some(Some(500 * 24))),
        (remembering(),                                   "people.session.places", Some(Some(30 * 24))),
        (json!({}),                                       "people.session.places", Some(Some(24))),
        (json!({ "detection": { "retain": "2h" } }),      "people.session.places", Some(Some(2))),
        (remembering(),                                   "people.cookies",        Some(Some(400 * 24))),
        (json!({}),                                       "people.ended",          Some(Some(25))),
        (json!({}),                                       "people.devices",        Some(Some(60 * 24))),
        (json!({ "detection": { "retain": "7days" } }),   "people.devices",        Some(Some(14 * 24))),
        (json!({ "detection": { "decisions": { "new_device": "none" } } }), "people.devices", None),
        (json!({}),                                       "people.known_places",   Some(Some(30 * 24))),
        (json!({}),                                       "people.events",         Some(None)),
    ];
    for (settings, id, expected) in rows {
        assert_eq!(hours(settings.clone(), id), expected, "{id} with {settings}");
    }
}

#[test]
fn a_name_is_said_once_and_a_source_is_one() {
    let statements = [explained(&json!({})), sizes()].concat();
    let names: BTreeSet<_> = statements.iter().map(|statement| statement.id.as_ref()).collect();
    assert_eq!(names.len(), statements.len());
    for statement in &statements {
        let known = |source: &&str| ["ASVS ", "NIST SP 800-63B-4, ", "RFC "].iter().any(|of| source.starts_with(of));
        assert!(statement.sources.iter().all(known), "{}: {:?}", statement.id, statement.sources);
        assert!(statement.meaning.ends_with('.'), "{}", statement.id);
    }
}

#[test]
fn one_value_is_stricter_only_where_nothing_about_it_is_weaker() {
    use Effect::{Stricter, Undecided, Weaker};
    let strength = |numbers: &[i64]| Order::Strength(numbers.to_vec());
    let allows = |items: &[&str]| Order::Allows(items.iter().map(|item| (*item).to_owned()).collect());
    #[rustfmt::skip]
    let rows = [
        (strength(&[1, 1]),   strength(&[1, 2]),   Stricter),
        (strength(&[1, 2]),   strength(&[1, 1]),   Weaker),
        (strength(&[1, 2]),   strength(&[2, 1]),   Undecided),
        (strength(&[1]),      strength(&[1]),      Undecided),
        (strength(&[1]),      strength(&[2, 2]),   Undecided),
        (allows(&[]),         allows(&["a"]),      Weaker),
        (allows(&["a", "b"]), allows(&["b"]),      Stricter),
        (allows(&["a"]),      allows(&["b"]),      Undecided),
        (allows(&["a"]),      strength(&[1]),      Undecided),
        (Order::None,         Order::None,         Undecided),
    ];
    for (old, new, expected) in rows {
        assert_eq!(old.effect_of(&new), expected, "{old:?} {new:?}");
    }
}
