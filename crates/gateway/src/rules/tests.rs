//! Which rule a path falls under, however it is spelled.

use super::*;

const MINUTES_5: Duration = Duration::from_mins(5);

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn rules() -> Rules {
    Rules::new(vec![
        Rule::new(pattern("/"), Access::Public),
        Rule::new(pattern("/assets/*"), Access::Public),
        Rule::new(pattern("/admin/*"), Access::StepUp(MINUTES_5)),
        Rule::new(pattern("/wiki/*"), Access::SignedIn),
    ])
}

/// What becomes of a path, in a word.
fn verdict(target: &str) -> &'static str {
    match rules().demands(target) {
        Err(_) => "unreadable",
        Ok(None) => "denied",
        Ok(Some(demands)) if demands.step_up.is_some() => "step-up",
        Ok(Some(demands)) if demands.signed_in => "signed-in",
        Ok(Some(_)) => "public",
    }
}

#[test]
fn a_path_falls_under_the_first_rule_and_what_none_names_is_denied() {
    #[rustfmt::skip]
    let table = [
        ("/",                        "public"),
        ("/?next=/admin/x",          "public"),
        ("/assets/style.css",        "public"),
        ("/assets/",                 "public"),
        ("/assets",                  "public"),
        ("/assetsx",                 "denied"),
        ("/wiki/page",               "signed-in"),
        ("/wiki/page?path=/assets/", "signed-in"),
        ("/admin",                   "step-up"),
        ("/admin/users",             "step-up"),
        ("/other",                   "denied"),
        ("/x/assets/y",              "denied"),
    ];
    for (target, expected) in table {
        assert_eq!(verdict(target), expected, "{target}");
    }
}

#[test]
fn no_spelling_gets_around_a_rule() {
    #[rustfmt::skip]
    let table = [
        // what some apps read as /admin/users
        ("/%61dmin/users",           "step-up"),
        ("/ADMIN/users",             "denied"),
        ("/admin;v=1/users",         "denied"),
        ("//admin/users",            "denied"),
        ("/wiki//../admin",          "unreadable"),
        ("/assets/..;/admin/users",  "unreadable"),
        ("/assets/%2e%2e/admin",     "unreadable"),
        ("/assets/.%2E/admin",       "unreadable"),
        ("/assets/./x",              "unreadable"),
        ("/assets%2f..%2fadmin",     "unreadable"),
        ("/assets/%5c..%5cadmin",    "unreadable"),
        ("/assets/..\\admin",        "unreadable"),
        ("/assets/%252e%252e/admin", "unreadable"),
        ("/assets/%00/x",            "unreadable"),
        ("/assets/\u{7f}",           "unreadable"),
        ("/assets/x%0d%0ay",         "unreadable"),
        ("/assets/x#/admin",         "unreadable"),
        ("/assets/%",                "unreadable"),
        ("/assets/%2",               "unreadable"),
        ("/assets/%zz",              "unreadable"),
        ("/assets/%c0%af",           "unreadable"),
        ("http://x/assets/",         "unreadable"),
        ("*",                        "unreadable"),
        ("",                         "unreadable"),
        // harmless ones
        ("/assets/a%20b",            "public"),
        ("/assets/%C3%A4",           "public"),
        ("/assets/x;v=1",            "public"),
        ("/assets/a..b/...",         "public"),
        ("/assets/?x=%2f..%00#",     "public"),
    ];
    for (target, expected) in table {
        assert_eq!(verdict(target), expected, "{target}");
    }
    assert_eq!(verdict(&format!("/assets/{}", "x".repeat(MAX_PATH))), "unreadable");
}

#[test]
fn where_an_app_may_read_a_path_in_two_ways_both_must_be_allowed() {
    let rules = Rules::new(vec![
        Rule { max_idle: Some(MINUTES_5), sensitive: true, ..Rule::new(pattern("/admin/*"), Access::SignedIn) },
        Rule { quiet: true, ..Rule::new(pattern("/*"), Access::Public) },
    ]);
    for target in ["/ADMIN/x", "//admin/x", "/admin;a/x", "/%41dmin/x"] {
        let demands = rules.demands(target).unwrap().unwrap();
        assert!(demands.signed_in && demands.max_idle == Some(MINUTES_5) && !demands.quiet, "{target}");
        assert!(demands.sensitive, "{target}");
    }
    let else_where = rules.demands("/else").unwrap().unwrap();
    assert!(else_where.is_public() && !else_where.sensitive);
}

#[test]
fn a_final_slash_and_letters_that_are_one_to_some_apps_get_around_nothing() {
    let rules = Rules::new(vec![
        Rule::new(pattern("/admin"), Access::StepUp(MINUTES_5)),
        Rule::new(pattern("/secret/"), Access::StepUp(MINUTES_5)),
        Rule::new(pattern("/disk/*"), Access::StepUp(MINUTES_5)),
        Rule::new(pattern("/login/"), Access::Public),
        Rule::new(pattern("/export"), Access::Public),
        Rule::new(pattern("/"), Access::Public),
        Rule::new(pattern("/*"), Access::SignedIn),
    ]);
    #[rustfmt::skip]
    let table = [
        ("/admin",              "step-up"),
        ("/admin/",             "step-up"),
        ("/ADMIN/",             "step-up"),
        ("/admin/;v=1",         "step-up"),
        ("/admin//",            "step-up"),
        ("/admin/x",            "signed-in"),
        ("/secret",             "step-up"),
        ("/secret/",            "step-up"),
        ("/%C5%BFecret/",       "step-up"), // a long s
        ("/d%C4%B1sk/x",        "step-up"), // an i without its dot
        ("/dis%E2%84%AA/x",     "step-up"), // the sign of the kelvin
        // Where it is a page of its own it stays as open as it was written, and no more.
        ("/login/",             "public"),
        ("/login",              "signed-in"),
        ("/export",             "public"),
        ("/export/",            "signed-in"),
        ("/",                   "public"),
        ("/else/",              "signed-in"),
    ];
    for (target, expected) in table {
        let demands = rules.demands(target).unwrap().unwrap();
        let found = match demands {
            demands if demands.step_up.is_some() => "step-up",
            demands if demands.signed_in => "signed-in",
            _ => "public",
        };
        assert_eq!(found, expected, "{target}");
    }
}

#[test]
fn of_two_limits_the_shorter_holds() {
    let rule = |path: &str, seconds| Rule {
        max_auth_age: Some(Duration::from_secs(seconds)),
        ..Rule::new(pattern(path), Access::StepUp(Duration::from_secs(seconds)))
    };
    let rules = Rules::new(vec![rule("/a/*", 60), rule("/*", 30)]);
    let demands = rules.demands("/A/x").unwrap().unwrap();
    assert_eq!((demands.step_up, demands.max_auth_age), (Some(Duration::from_secs(30)), Some(Duration::from_secs(30))));
    assert_eq!(rules.demands("/a/x").unwrap().unwrap().step_up, Some(Duration::from_mins(1)));
}

#[test]
fn a_get_changes_something_where_the_rule_says_so_however_its_query_is_spelled() {
    use ChangesState::{Always, Never, WithQuery};
    #[rustfmt::skip]
    let table = [
        // target                never  with-query  always
        ("/page",               [false, false,      true]),
        ("/page?do=logout",     [false, true,       true]),
        ("/page?",              [false, true,       true]),
        ("/page%3Fdo=logout",   [false, true,       true]),
        ("/page%3fdo=logout",   [false, true,       true]),
        ("//PAGE?do=logout",    [false, true,       true]),
    ];
    for (target, expected) in table {
        let changes = [Never, WithQuery, Always].map(|changes_state| {
            let rule = Rule { changes_state, ..Rule::new(pattern("/*"), Access::SignedIn) };
            Rules::new(vec![rule]).demands(target).unwrap().unwrap().changes_state
        });
        assert_eq!(changes, expected, "{target}");
    }
}

#[test]
fn a_star_in_between_is_one_segment_or_more_in_every_spelling() {
    let rules = Rules::new(vec![
        Rule { changes_state: ChangesState::Always, ..Rule::new(pattern("/wiki/*/draft"), Access::SignedIn) },
        Rule::new(pattern("/*"), Access::SignedIn),
    ]);
    #[rustfmt::skip]
    let table = [
        ("/wiki/home/draft",    true),
        ("/wiki/a/b/draft",     true),
        ("/wiki/home/draft?x",  true),
        ("/wiki/home/%64raft",  true),
        ("/WIKI/home/Draft",    true),
        ("/wiki//home/draft",   true),
        ("/wiki/home/draft;x",  true),
        ("/wiki/home/draft/",   true),
        ("/wiki/draft",         false),
        ("/wiki//draft",        false),
        ("/wiki/home/drafts",   false),
        ("/wiki/home/draft/x",  false),
        ("/wiki/homedraft",     false),
        ("/x/wiki/home/draft",  false),
    ];
    for (target, expected) in table {
        assert_eq!(rules.demands(target).unwrap().unwrap().changes_state, expected, "{target}");
    }
    let slashed = Rules::new(vec![
        Rule { changes_state: ChangesState::Always, ..Rule::new(pattern("/wiki/*/draft/"), Access::SignedIn) },
        Rule::new(pattern("/*"), Access::Public),
    ]);
    for (target, changes) in [("/wiki/home/draft/", true), ("/wiki/home/draft", true), ("/wiki/home/drafts", false)] {
        assert_eq!(slashed.demands(target).unwrap().unwrap().changes_state, changes, "{target}");
    }
    assert!(pattern("/wiki/*").covers(&pattern("/wiki/*/draft")) && pattern("/*/a").covers(&pattern("/*/a")));
    assert!(!pattern("/wiki/*/draft").covers(&pattern("/wiki/*")) && !pattern("/*/a").covers(&pattern("/x/a")));
}

#[test]
fn a_pattern_is_a_plain_path_and_says_what_is_wrong_otherwise() {
    for good in ["/", "/*", "/a", "/a/", "/a/b/*", "/ä/*", "/a..b", "/*/a", "/a/*/b/c", "/*/"] {
        assert_eq!(pattern(good).to_string(), good);
    }
    for (bad, part) in [
        ("", "begins with a slash"),
        ("a/*", "begins with a slash"),
        ("/a*", "may be a segment"),
        ("/*a/b", "may be a segment"),
        ("/*/a/*", "may be a segment"),
        ("/*/*/a", "may be a segment"),
        ("/*/../a", "dot segment"),
        ("/a?b", "without query"),
        ("/a//b", "empty"),
        ("/a/../b", "dot segment"),
        ("/a%20b", "decoded"),
        ("/a;b", "parameters"),
        ("/a\u{0}", "control"),
        ("/a\\b", "backslash"),
        ("/a#b", "fragment"),
    ] {
        let said = bad.parse::<Pattern>().unwrap_err().to_string();
        assert!(said.contains(part), "{bad}: {said}");
    }
}
