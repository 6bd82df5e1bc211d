//! Settings that contradict each other do not build, and the error names keys and values.

use super::*;

fn refused(change: impl FnOnce(&mut PolicySettings)) -> String {
    let mut settings = PolicySettings::aal2("https://shop.example");
    change(&mut settings);
    Policy::try_from(settings).map(|_| ()).unwrap_err().to_string()
}

#[expect(clippy::unnecessary_wraps, reason = "settings are optional, and the rows below read better so")]
fn span(text: &str) -> Option<Span> {
    Some(text.parse().unwrap())
}

#[test]
fn a_contradiction_does_not_build() {
    type Case = (&'static str, fn(&mut PolicySettings));
    #[rustfmt::skip]
    let rows: [Case; 16] = [
        ("timeouts.idle (30m) exceeds timeouts.absolute (20m)", |s| { s.timeouts.idle = span("30m"); s.timeouts.absolute = span("20m"); }),
        ("timeouts.elevated_for (2h) exceeds timeouts.absolute (1h)", |s| { s.timeouts.elevated_for = span("2h"); s.timeouts.absolute = span("1h"); }),
        ("timeouts.absolute (1day) exceeds timeouts.remember_for (2h)", |s| s.timeouts.remember_for = span("2h")),
        ("timeouts.idle (2h) exceeds what preset aal2 allows (1h)", |s| s.timeouts.idle = span("2h")),
        ("timeouts.absolute (2days) exceeds what preset aal2 allows (1day)", |s| s.timeouts.absolute = span("2days")),
        ("timeouts.grace (34s) is below 35s", |s| s.timeouts.grace = span("34s")),
        ("timeouts.rotate_every (4m 59s) is below 5m", |s| s.timeouts.rotate_every = span("4m 59s")),
        ("timeouts.idle (59s) is below 1m", |s| s.timeouts.idle = span("59s")),
        ("timeouts.elevated_for (29s) is below 30s", |s| s.timeouts.elevated_for = span("29s")),
        ("timeouts.idle must be more than 0", |s| { s.danger.below_floors = true; s.timeouts.idle = span("0s"); }),
        ("sessions.limit must be more than 0", |s| s.sessions.limit = Some(0)),
        ("origins: name at least one", |s| s.origins.clear()),
        ("origins: http://localhost is http and https://shop.example is https", |s| s.origins.push("http://localhost".into())),
        ("origins: http://shop.example is plain http beyond this machine", |s| s.origins = vec!["http://shop.example".into()]),
        ("address: trusted_proxies and header go together", |s| s.address.trusted_proxies.push("10.0.0.0/8".into())),
        ("csrf.trusted_origins", |s| s.csrf.trusted_origins.push("https://*.example".into())),
    ];
    for (expected, change) in rows {
        let error = refused(change);
        let key = expected.split(' ').next().unwrap_or_default();
        assert!(
            error.starts_with(expected) || (key == "csrf.trusted_origins" && error.contains("origin")),
            "expected {expected}\n     got {error}"
        );
    }
}

#[test]
fn what_weakens_goes_through_danger_and_is_listed() {
    let mut settings = PolicySettings::aal2("https://shop.example");
    assert!(Policy::try_from(settings.clone()).unwrap().weakenings().is_empty());
    settings.danger = DangerSettings {
        beyond_preset: true,
        below_floors: true,
        weak_reactions: true,
        csrf: Some(CsrfWeakening::Off),
    };
    settings.timeouts.idle = span("2s");
    settings.timeouts.grace = span("500ms");
    let policy = Policy::try_from(settings).unwrap();
    assert_eq!((policy.weakenings().len(), policy.csrf()), (4, CsrfMode::Off));
    assert_eq!(Policy::aal2("http://127.0.0.1:8080").unwrap().weakenings().len(), 1);
}

#[test]
fn presets_follow_nist() {
    let seconds = |policy: Policy| {
        let limits = policy.limits();
        [limits.idle, limits.absolute, policy.rotate_every(), policy.grace()].map(|time| time.as_secs())
    };
    let origin = "https://shop.example";
    assert_eq!(seconds(Policy::aal1(origin).unwrap()), [604_800, 2_592_000, 900, 65]);
    assert_eq!(seconds(Policy::aal2(origin).unwrap()), [3_600, 86_400, 900, 65]);
    assert_eq!(seconds(Policy::aal3(origin).unwrap()), [900, 43_200, 300, 60]);
}
