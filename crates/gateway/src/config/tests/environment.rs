//! What the environment and the command line say, above a file and without one.

use super::*;

#[test]
fn the_environment_stands_above_the_file_for_every_kind_of_key() {
    let variables = [
        ("COUNTERFOIL__DATA", "/elsewhere"),
        ("COUNTERFOIL__LISTEN__PUBLIC", "127.0.0.1:1"),
        ("COUNTERFOIL__LISTEN__PROXY_PROTOCOL", "true"),
        ("COUNTERFOIL__GEO__CITY", "/var/lib/GeoIP/city.mmdb"),
        ("COUNTERFOIL__POLICY__PRESET", "aal3"),
        ("COUNTERFOIL__POLICY__TIMEOUTS__IDLE", "10m"),
        ("COUNTERFOIL__POLICY__SESSIONS__LIMIT", "5"),
        ("COUNTERFOIL__POLICY__ADDRESS__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("COUNTERFOIL__POLICY__ADDRESS__HEADER", "forwarded"),
        ("COUNTERFOIL__APPS__WIKI__PROXY", "caddy"),
        ("COUNTERFOIL__APPS__WIKI__ORIGINS", r#"["https://a.example", "https://b.example"]"#),
        ("COUNTERFOIL__APPS__WIKI__RULES__1__ACCESS", "step-up"),
        ("COUNTERFOIL__APPS__WIKI__RULES__1__MAX_STEP_UP_AGE", "90s"),
        ("COUNTERFOIL__APPS__WIKI__RULES__1__MAX_IDLE", "5m"),
        ("COUNTERFOIL__APPS__MY_SHOP__ORIGINS", "https://shop.example"),
        ("COUNTERFOIL_LOG", "not one of ours"),
    ];
    let text = format!("{FILE}{}", SHOP.replace("apps.shop", "apps.my-shop").replace("shop.example", "old.example"));
    let config = read_with(&text, &variables).unwrap_or_else(|error| panic!("{error}")).config;
    assert_eq!(config.data, Path::new("/elsewhere"));
    assert_eq!(config.listen.public.port(), 1);
    assert_eq!(config.geo.city.as_deref(), Some(Path::new("/var/lib/GeoIP/city.mmdb")));
    let peers = config.proxy_protocol.unwrap();
    assert!(peers.contain("10.9.8.7".parse().unwrap()) && !peers.contain("127.0.0.1".parse().unwrap()));
    let [wiki, shop] = &config.apps[..] else { panic!() };
    let limits = wiki.policy.limits();
    assert_eq!((limits.idle.as_secs(), limits.absolute.as_secs()), (600, 43_200));
    assert_eq!(wiki.policy.session_limit().unwrap().max.get(), 5);
    assert_eq!(wiki.policy.address().header_name(), Some("forwarded"));
    assert_eq!(wiki.proxy, Proxy::Caddy);
    assert_eq!(wiki.policy.public_origins().iter().count(), 2);
    let rule = wiki.rules.iter().nth(1).unwrap();
    assert_eq!(
        (rule.access, rule.max_idle.unwrap().as_secs()),
        (Access::StepUp(std::time::Duration::from_secs(90)), 300)
    );
    assert!(shop.policy.public_origins().iter().all(|origin| origin.host() == "shop.example"));
}

#[test]
fn a_mistake_in_the_environment_names_the_variable() {
    #[rustfmt::skip]
    let table = [
        ("COUNTERFOIL__LISTEN__PUBLICK", "127.0.0.1:1",
            "COUNTERFOIL__LISTEN__PUBLICK: listen.publick: there is no such key; did you mean `public`?"),
        ("COUNTERFOIL__LISTEN__PUBLIC", "everywhere",
            "COUNTERFOIL__LISTEN__PUBLIC: listen.public: `everywhere` is not an address and a port, such as 127.0.0.1:9400 or [::1]:9400"),
        ("COUNTERFOIL__LIMITS__SIGN_IN__PLACE", "0 per hour",
            "COUNTERFOIL__LIMITS__SIGN_IN__PLACE: limits.sign_in.place: `0 per hour` is no rate: write `10 per minute`, `12 per hour, burst 5` or `3 per 10m`"),
        ("COUNTERFOIL__LISTEN__PROXY_PROTOCOL", "yes",
            "COUNTERFOIL__LISTEN__PROXY_PROTOCOL: listen.proxy_protocol: wants true or false, and is `yes`"),
        ("COUNTERFOIL__APPS__WIKI__RULES__0__ACCESS", "open",
            "COUNTERFOIL__APPS__WIKI__RULES__0__ACCESS: apps.wiki.rules[0].access: `open` is none of public, signed-in, step-up"),
        ("COUNTERFOIL__APPS__WIKI__ORIGINS", "https://wiki.example/",
            "COUNTERFOIL__APPS__WIKI__ORIGINS: apps.wiki.origins[0]: `https://wiki.example/`: an origin has no path; remove everything after the host and port, also a final slash"),
        ("COUNTERFOIL__POLICY__TIMEOUTS__ABSOLUTE", "10m",
            "counterfoil.toml:8: policy.timeouts.idle: timeouts.idle (30m) exceeds timeouts.absolute (10m)"),
        ("COUNTERFOIL__POLICY__TIMEOUTS__IDLE", "2d",
            "COUNTERFOIL__POLICY__TIMEOUTS__IDLE: policy.timeouts.idle: timeouts.idle (2days) exceeds timeouts.absolute (1day)"),
        ("COUNTERFOIL__", "x",
            "COUNTERFOIL__: this names no key; write COUNTERFOIL__LISTEN__PUBLIC for listen.public"),
    ];
    for (name, text, expected) in table {
        assert_eq!(wrong(FILE, &[(name, text)]), expected, "{name}={text}");
    }
}

#[test]
fn unless_it_is_said_otherwise_proxies_of_this_machine_alone_say_who_the_client_is() {
    let config = read_with(FILE, &[]).unwrap().config;
    let address = config.apps[0].policy.address();
    assert_eq!(address.header_name(), Some("x-forwarded-for"));
    for (peer, client) in
        [("127.0.0.1", "192.0.2.7"), ("::1", "192.0.2.7"), ("10.0.0.1", "10.0.0.1"), ("192.0.2.9", "192.0.2.9")]
    {
        let found = address.resolve(peer.parse().unwrap(), [&b"192.0.2.7"[..]]);
        assert_eq!(found.to_string(), client, "{peer}");
    }
}

#[test]
fn without_a_file_one_app_is_assumed_below_the_environment_and_the_command_line() {
    let nothing = Environment::default();
    let checked = assume(&Asked::default(), &nothing).unwrap();
    let [app] = &checked.config.apps[..] else { panic!() };
    assert_eq!((app.name.as_str(), app.proxy), ("app", Proxy::Nginx));
    assert!(app.policy.public_origins().iter().all(|origin| origin.to_string() == ASSUMED_ORIGIN));
    assert_eq!(app.rules.iter().map(|rule| rule.access).collect::<Vec<_>>(), [Access::SignedIn]);
    let assumed: Vec<_> = checked.assumed.iter().map(|(key, _)| key.as_str()).collect();
    #[rustfmt::skip]
    assert_eq!(assumed, ["data", "apps.app.origins[0]", "apps.app.upstream", "apps.app.proxy",
        "apps.app.rules[0].path", "apps.app.rules[0].access"]);

    let asked = Asked { origins: vec!["https://wiki.example".into()], data: Some("/here".into()), ..Asked::default() };
    let above = Environment::new([("COUNTERFOIL__APPS__APP__PROXY", "traefik"), ("COUNTERFOIL__DATA", "/there")]);
    let checked = assume(&asked, &above).unwrap();
    assert_eq!(checked.config.data, Path::new("/here"), "the command line stands above the environment");
    assert_eq!(checked.config.apps[0].proxy, Proxy::Traefik);
    let wrong = Asked { proxy: Some("iis".into()), ..asked };
    let error = assume(&wrong, &nothing).unwrap_err().to_string();
    assert!(error.starts_with("--proxy: apps.app.proxy: `iis` is none of nginx, "), "{error}");
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in "[a-z\\[\\]=\".,#{}\\n /*0-9:-]{0,200}", name in "[A-Z_0-9]{0,30}", value in ".{0,40}") {
        let _ = wrong(&text, &[(&format!("COUNTERFOIL__{name}"), &value)]);
        let _ = wrong(FILE, &[(&format!("COUNTERFOIL__{name}"), &value)]);
    }
}
