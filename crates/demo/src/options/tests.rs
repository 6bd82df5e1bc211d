//! The command line, as people type it.

use clap::{Args as _, Command, FromArgMatches as _};

use super::*;

fn arguments(line: &str) -> Result<DemoArgs, clap::Error> {
    let command = DemoArgs::augment_args(Command::new("demo").no_binary_name(true));
    DemoArgs::from_arg_matches(&command.try_get_matches_from(line.split_whitespace())?)
}

fn plan(line: &str) -> Result<Plan, PlanRefused> {
    Plan::try_from(arguments(line).unwrap())
}

fn origins(plan: &Plan) -> Vec<String> {
    plan.origins(plan.listen).unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn without_arguments_the_demo_is_plain_http_on_loopback_with_its_protections_on() {
    let plan = plan("").unwrap();
    assert_eq!(plan.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!((plan.transport, plan.mode), (Transport::Plain, Mode::Normal));
    assert_eq!(origins(&plan), ["http://127.0.0.1:8080", "http://localhost:8080"]);
    assert!(plan.trusted_proxies.is_empty() && plan.policy.is_none());
    assert_eq!(plan.limits, LimitArgs::default());
}

#[test]
fn combinations_that_make_sense_become_a_plan() {
    for (line, first_origin) in [
        ("--listen [::1]:9000", "http://[::1]:9000"),
        ("--https", "https://127.0.0.1:8080"),
        ("--https --listen 0.0.0.0:443", "https://127.0.0.1"),
        ("--listen 0.0.0.0:8080 --origin https://demo.example.org", "https://demo.example.org"),
        ("--origin http://app.localhost:8080", "http://app.localhost:8080"),
        ("--https --origin https://a.example,https://b.example", "https://a.example"),
        ("--test-mode --listen 127.0.0.9:0 --origin https://demo.example.org", "https://demo.example.org"),
    ] {
        assert_eq!(origins(&plan(line).unwrap())[0], first_origin, "{line}");
    }
}

#[test]
fn sessions_are_kept_where_it_was_said() {
    use std::path::Path;
    #[rustfmt::skip]
    let table = [
        ("--memory",                                    None,            "memory"),
        ("--test-mode",                                 None,            "memory"),
        ("--data /d",                                   Some("/d"),      "embedded:/d/sessions"),
        ("--test-mode --data /d",                       Some("/d"),      "embedded:/d/sessions"),
        ("--data /d --store redis://ada:hunter2@cache", Some("/d"),      "redis://cache"),
        ("--data /d --store embedded:/e",               Some("/d"),      "embedded:/e"),
        ("--data /d --store memory",                    Some("/d"),      "memory"),
    ];
    for (line, keys, store) in table {
        let keep = plan(line).unwrap().keep;
        assert_eq!((keep.folder(), keep.store().to_string().as_str()), (keys.map(Path::new), store), "{line}");
    }
    for line in ["--memory --store memory", "--memory --data /d", "--store mysql://db"] {
        arguments(line).unwrap_err();
    }
}

#[test]
fn contradictions_are_refused_naming_option_and_value() {
    #[rustfmt::skip]
    let table = [
        ("--listen 0.0.0.0:8080",                           ["--listen 0.0.0.0:8080", "--https"]),
        ("--listen [::]:8080",                              ["--listen [::]:8080", "--https"]),
        ("--listen 192.0.2.7:80 --origin http://localhost", ["--listen 192.0.2.7:80", "--https"]),
        ("--test-mode --listen 0.0.0.0:8080 --https",       ["--test-mode", "0.0.0.0:8080"]),
        ("--metrics 0.0.0.0:9090",                          ["--metrics", "0.0.0.0:9090"]),
        ("--test-mode --listen [2001:db8::1]:1 --https",    ["--test-mode", "[2001:db8::1]:1"]),
        ("--https --origin http://localhost:8080",          ["--https", "http://localhost:8080"]),
        ("--origin http://demo.example.org",                ["--origin http://demo.example.org", "https"]),
        ("--origin http://localhost --origin https://demo.example.org", ["http://localhost", "https://demo.example.org"]),
    ];
    for (line, named) in table {
        let text = plan(line).unwrap_err().to_string();
        assert!(named.iter().all(|name| text.contains(name)), "{line}: {text}");
    }
}

#[test]
fn values_that_cannot_be_read_are_refused() {
    for line in [
        "--listen 8080",
        "--listen example.org:80",
        "--origin demo.example.org",
        "--origin https://a.example/app",
        "--trusted-proxy 10.0.0.0/33",
        "--trusted-proxy proxy",
        "--idle 5",
        "--idle -1s",
        "--limit 0",
        "--limit -1",
        "--grace soon",
        "--test-mode=yes",
    ] {
        assert!(arguments(line).is_err(), "{line}");
    }
}

#[test]
fn limits_and_proxies_are_read() {
    let plan = plan(
        "--test-mode --rotate-every 2s --grace 500ms --idle 1m --absolute 2h --elevated-for 3s --remember-for 30d --limit 5 \
         --trusted-proxy 10.0.0.0/8 --trusted-proxy ::1",
    )
    .unwrap();
    assert_eq!(
        plan.limits,
        LimitArgs {
            rotate_every: Some(Duration::from_secs(2)),
            grace: Some(Duration::from_millis(500)),
            idle: Some(Duration::from_mins(1)),
            absolute: Some(Duration::from_hours(2)),
            elevated_for: Some(Duration::from_secs(3)),
            remember_for: Some(Duration::from_hours(30 * 24)),
            limit: NonZeroU32::new(5),
        }
    );
    assert_eq!(plan.trusted_proxies, ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
}

#[test]
fn a_listener_is_reached_by_its_address_and_on_loopback_by_name() {
    for (line, expected) in [
        ("--listen 127.0.0.1:8080", &["http://127.0.0.1:8080", "http://localhost:8080"][..]),
        ("--listen [::1]:80", &["http://[::1]", "http://localhost"]),
        ("--listen [::ffff:127.0.0.1]:8080", &["http://127.0.0.1:8080", "http://localhost:8080"]),
        ("--https --listen 0.0.0.0:8080", &["https://127.0.0.1:8080", "https://localhost:8080"]),
        ("--https --listen [::]:8080", &["https://[::1]:8080", "https://localhost:8080"]),
        ("--https --listen 192.0.2.7:8080", &["https://192.0.2.7:8080"]),
        ("--https --listen [fe80::1%3]:8080", &["https://[fe80::1]:8080"]),
    ] {
        assert_eq!(origins(&plan(line).unwrap()), expected, "{line}");
    }
}
