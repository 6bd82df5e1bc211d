//! What the documents say, how they are read again, and what counts as a change.

use std::path::Path;

use counterfoil::PolicySettings;
use serde_json::{Value, json};

use super::super::Environment;
use super::super::read::read_text;
use super::*;

/// A gateway with two apps; lines are replaced by tests.
const FILE: &str = r#"data = "/var/lib/counterfoil"
store = "redis://ada:hunter2@cache:6380/1"
[near_cache]
bound = "2s"
[events.trail]
folder = "trail"
retain_days = 90
[[events.webhooks]]
name = "siem"
url = "https://eve:hunter2@siem.example/hunter2?key=hunter2"
secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
events = ["risk.*"]
[events.signals]
issuer = "https://wiki.example"
[[events.signals.push]]
id = "mail"
audience = "https://mail.example"
url = "https://eve:hunter2@mail.example/hunter2?key=hunter2"
bearer_file = "mail.bearer"
events = ["session.*"]
[[events.signals.poll]]
id = "soc"
audience = "https://soc.example"
bearer_file = "soc.bearer"
[[events.signals.listen]]
issuer = "https://idp.example"
audience = "https://wiki.example"
knows_by = ["sub", "email"]
jwks_url = "https://idp.example/jwks.json"
[apps.wiki]
origins = ["https://wiki.example"]
proxy = "nginx"
[apps.wiki.policy.timeouts]
idle = "30m"
[[apps.wiki.rules]]
path = "/assets/*"
access = "public"
[[apps.wiki.rules]]
path = "/*"
access = "signed-in"
sensitive = true
[apps.shop]
origins = ["https://shop.example"]
proxy = "caddy"
[apps.shop.policy]
preset = "aal3"
[[apps.shop.rules]]
path = "/pay/*"
access = "step-up"
max_step_up_age = "2m"
"#;

fn gateway(text: &str) -> Explained {
    let checked = read_text(Path::new("counterfoil.toml"), text, &Environment::default()).unwrap();
    Explained::of_gateway(&checked.config)
}

/// `FILE` with one text in the place of another.
fn with(old: &str, new: &str) -> Explained {
    assert!(FILE.contains(old), "{old}");
    gateway(&FILE.replacen(old, new, 1))
}

fn defaults() -> Explained {
    let policy = Policy::aal2("https://app.example").unwrap();
    // Of whichever version this is: what follows is compared with what was kept.
    Explained {
        made_by: "counterfoil".into(),
        ..Explained::of_policy(&policy, &LimitSettings::default(), &EventSettings::default(), None)
    }
}

fn of_policy(settings: Value) -> Explained {
    let settings: PolicySettings = serde_json::from_value(settings).unwrap();
    Explained::of_policy(
        &Policy::try_from(settings).unwrap(),
        &LimitSettings::default(),
        &EventSettings::default(),
        None,
    )
}

/// The document as JSON, changed.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut document = serde_json::to_value(defaults()).unwrap();
    change(&mut document);
    serde_json::to_vec(&document).unwrap()
}

fn drift(old: &Explained, new: &Explained) -> String {
    let read = Explained::read(old.json().unwrap().as_bytes()).unwrap();
    Drift::between(&read, new).unwrap().to_string()
}

#[test]
fn the_defaults_in_words_and_as_json() {
    insta::assert_snapshot!("defaults in words", defaults().to_string());
    insta::assert_snapshot!("defaults as json", defaults().json().unwrap());
}

#[test]
fn a_gateway_in_words() {
    let text = gateway(FILE).to_string();
    assert!(["hunter2", "ada:", "eve:", "eve@", "whsec"].iter().all(|secret| !text.contains(secret)), "{text}");
    let ours = |line: &&str| {
        [
            "store",
            "near_cache",
            "listen",
            "geo",
            "events",
            "detector",
            "rules",
            "proxy",
            "cookie_return",
            "people.",
            "IN FORCE",
            "KEPT",
        ]
        .iter()
        .any(|beginning| line.trim_start().starts_with(beginning))
    };
    insta::assert_snapshot!("gateway in words", text.lines().filter(ours).collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_was_written_is_read_again_and_nothing_has_changed() {
    for explained in [defaults(), gateway(FILE)] {
        assert_eq!(Explained::read(explained.json().unwrap().as_bytes()).unwrap(), explained);
        assert_eq!(drift(&explained, &explained), "nothing has changed\n");
    }
}

#[test]
fn what_changed_is_said_and_whether_it_weakens() {
    #[rustfmt::skip]
    let rows = [
        ("idle = \"30m\"",         "idle = \"1h\"",            "apps.wiki timeouts.idle: 30m -> 1h, which is weaker"),
        ("idle = \"30m\"",         "idle = \"10m\"",           "apps.wiki timeouts.idle: 30m -> 10m, which is stricter"),
        ("bound = \"2s\"",         "bound = \"3s\"",           "everywhere near_cache.bound: 2s -> 3s, which is weaker"),
        ("\"signed-in\"\nsensitive = true", "\"public\"",        "apps.wiki rules./*: signed-in, sensitive -> public, which is weaker"),
        ("sensitive = true",       "",                         "apps.wiki rules./*: signed-in, sensitive -> signed-in, which is weaker"),
        ("\"2m\"",                 "\"1m\"",                   "apps.shop rules./pay/*: step-up no longer ago than 2m -> step-up no longer ago than 1m, which is stricter"),
        ("proxy = \"nginx\"",      "proxy = \"haproxy\"",      "apps.wiki proxy: nginx -> haproxy"),
        ("proxy = \"nginx\"",      "proxy = \"nginx\"\ncookie_return = \"none\"", "apps.wiki cookie_return: one -> none, which is weaker"),
        ("[near_cache]",           "[listen]\ndecision = \"10.0.0.1:9401\"\n[danger]\nbeyond_loopback = [\"decision\"]\n[near_cache]",
                                                               "everywhere listen.decision: 127.0.0.1:9401 -> 10.0.0.1:9401, which is weaker"),
        ("path = \"/assets/*\"",   "path = \"/static/*\"",     "apps.wiki rules: /assets/*, then /* -> /static/*, then /*"),
        ("path = \"/assets/*\"",   "path = \"/static/*\"",     "apps.wiki rules./static/*: added: public"),
        ("path = \"/assets/*\"",   "path = \"/static/*\"",     "apps.wiki rules./assets/*: removed: public"),
        ("retain_days = 90",       "retain_days = 30",         "everywhere events.trail.retain_days: 90 -> 30"),
        ("events = [\"risk.*\"]",  "",                         "everywhere events.webhooks: siem at https://siem.example (risk.*) -> siem at https://siem.example"),
        ("[events.trail]\nfolder = \"trail\"\nretain_days = 90", "", "everywhere events.trail: /var/lib/counterfoil/trail -> none, which is weaker"),
        ("[apps.wiki.policy.timeouts]", "[apps.wiki.policy.detection]\nretain = \"7days\"\n[apps.wiki.policy.timeouts]\nremember_for = \"30days\"",
                                                               "apps.wiki people.session.places: the last 8 places and clients, each until it was not used for 30days, and no longer than the session -> the last 8 places and clients, each until it was not used for 7days, and no longer than the session, which is weaker"),
    ];
    let before = gateway(FILE);
    for (old, new, expected) in rows {
        let text = drift(&before, &with(old, new));
        assert!(text.lines().any(|line| line == expected), "{expected}\n{text}");
    }
    let renamed = gateway(&FILE.replace("apps.shop", "apps.till"));
    let expected =
        "apps.till: added: https://shop.example\napps.shop: removed: https://shop.example\n\n2 changes, 0 weaker\n";
    assert_eq!(drift(&before, &renamed), expected);
}

#[test]
fn a_bar_that_rises_is_a_change_though_the_value_stays() {
    let beyond = |preset: &str| {
        of_policy(json!({
            "origins": ["https://app.example"], "preset": preset, "danger": { "beyond_preset": true },
            "timeouts": { "idle": "1h", "absolute": "12h", "rotate_every": "15m", "grace": "65s" },
        }))
    };
    let text = drift(&beyond("aal2"), &beyond("aal3"));
    assert!(text.contains("preset: aal2 -> aal3, which is stricter\n"), "{text}");
    let expected = "everywhere timeouts.idle: 1h as before; falls short of NIST SP 800-63B-4, 2.3.3 (AAL3)\n";
    assert!(text.contains(expected), "{text}");
    assert!(text.ends_with("\n2 changes, 0 weaker\n"), "{text}");
}

#[test]
fn more_data_or_the_same_for_longer_is_weaker() {
    use counterfoil_core::policy::explain::Effect::{Stricter, Undecided, Weaker};
    let (before, now) = (defaults(), defaults());
    let kept = |change: fn(&mut Personal)| {
        let mut old = before.clone();
        change(old.everywhere.collected.first_mut().unwrap());
        Drift::between(&old, &now).unwrap().changes().iter().map(|change| change.effect).collect::<Vec<_>>()
    };
    assert_eq!(kept(|_| {}), []);
    assert_eq!(kept(|old| old.purpose = "the same in other words".into()), []);
    assert_eq!(kept(|old| old.at_most_seconds = Some(60)), [Weaker]);
    assert_eq!(kept(|old| old.at_most_seconds = None), [Stricter]);
    assert_eq!(kept(|old| old.kept_for = "a while".into()), [Undecided]);
    assert_eq!(kept(|old| old.data.truncate(1)), [Weaker]);
    assert_eq!(kept(|old| old.data.push("the address".into())), [Stricter]);
    assert_eq!(
        kept(|old| {
            old.data.push("the address".into());
            old.at_most_seconds = Some(60);
        }),
        [Undecided]
    );
    let mut less = before.clone();
    let gone = less.everywhere.collected.pop().unwrap();
    let added = Drift::between(&less, &before).unwrap();
    let [change] = added.changes() else { panic!("{added:?}") };
    assert_eq!((change.id.as_str(), change.change, change.effect), (gone.id.as_str(), Kind::Added, Weaker));
}

#[test]
fn what_is_no_document_of_ours_is_refused_with_what_to_do_and_not_repeated() {
    let ours = defaults().json().unwrap();
    let secret = "hunter2\u{1b}[2J";
    let long = vec![b' '; usize::try_from(Explained::MOST_BYTES).unwrap() + 1];
    let twice = changed(|document| {
        let statements = document["everywhere"]["statements"].as_array_mut().unwrap();
        statements.push(statements[0].clone());
    });
    #[rustfmt::skip]
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing",         vec![],                                              "is not what `counterfoil explain --json` writes"),
        ("no JSON",         secret.into(),                                       "is not what `counterfoil explain --json` writes"),
        ("other JSON",      format!("{{\"format\":\"{}\"}}", "hunter2").into(),  "is not what `counterfoil explain --json` writes"),
        ("a list",          b"[]".to_vec(),                                      "is not what `counterfoil explain --json` writes"),
        ("another format",  changed(|d| d["format"] = json!("hunter2")),         "is not what `counterfoil explain --json` writes"),
        ("a later version", changed(|d| d["version"] = json!(2)),                "is of version 2, and this program compares version 1"),
        ("cut off",         ours.as_bytes()[..ours.len() / 2].to_vec(),          "is damaged at line"),
        ("another shape",   changed(|d| d["everywhere"]["statements"] = json!(secret)), "is damaged at line"),
        ("a number too far", changed(|d| d["everywhere"]["statements"][0]["strength"] = json!([1e300])), "is damaged at line"),
        ("an id twice",     twice,                                               "says something twice"),
        ("not UTF-8",       b"{\"format\":\"\xff\"}".to_vec(),                   "is damaged at line 1"),
        ("deep",            "[".repeat(100_000).into(),                          "is not what `counterfoil explain --json` writes"),
        ("long",            long,                                                "is longer than 16 MiB"),
    ];
    for (name, bytes, expected) in rows {
        let refused = Explained::read(&*bytes).unwrap_err().to_string();
        assert!(refused.starts_with(expected), "{name}: {refused}");
        assert!(!refused.contains("hunter2") && !refused.contains('\u{1b}'), "{name}: {refused}");
    }
    let more = changed(|document| document["new_in_some_release"] = json!(true));
    assert_eq!(Explained::read(&*more).unwrap(), defaults(), "members may be added within a version");
    let refused = Drift::between(&defaults(), &gateway(FILE)).unwrap_err().to_string();
    assert!(refused.starts_with("is about one policy, and this is about a gateway's configuration"), "{refused}");
}

#[test]
fn nothing_in_an_earlier_document_moves_the_cursor() {
    let hostile = changed(|document| {
        let first = &mut document["everywhere"]["statements"][0];
        first["id"] = json!("preset\u{1b}[2J\r\n\u{202e}");
        first["value"] = json!("x".repeat(5_000));
    });
    let text = Drift::between(&Explained::read(&*hostile).unwrap(), &defaults()).unwrap().to_string();
    assert!(text.contains("preset\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}: removed: xxx"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    assert!(text.lines().all(|line| line.chars().count() < 1_200), "{text}");
}

#[test]
fn what_changed_as_json() {
    let drift = Drift::between(&gateway(FILE), &with("idle = \"30m\"", "idle = \"1h\"")).unwrap();
    let json: Value = serde_json::from_str(&drift.json().unwrap()).unwrap();
    let change = json!({
        "where": "apps.wiki", "id": "timeouts.idle", "change": "changed", "old": "30m", "new": "1h", "effect": "weaker",
    });
    assert_eq!((&json["format"], &json["version"]), (&json!("counterfoil-drift"), &json!(1)));
    assert!(json["changes"].as_array().unwrap().contains(&change), "{json:#}");
}
