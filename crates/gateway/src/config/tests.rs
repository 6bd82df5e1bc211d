//! Each kind of mistake in a configuration, and what is said about it.

mod environment;

use std::path::Path;

use proptest::prelude::*;

use super::read::read_text;
use super::*;
use crate::app::{Algorithm, CookieReturn, Proxy};
use crate::rules::Access;

/// A file without mistakes; lines are counted from 1.
const FILE: &str = r#"data = "/var/lib/counterfoil"
[listen]
public = "127.0.0.1:9400"
decision = "127.0.0.1:9401"
[policy]
preset = "aal2"
[policy.timeouts]
idle = "30m"
[apps.wiki]
origins = ["https://wiki.example"]
proxy = "nginx"
upstream = "http://127.0.0.1:8080"
[[apps.wiki.rules]]
path = "/assets/*"
access = "public"
[[apps.wiki.rules]]
path = "/*"
access = "signed-in"
max_idle = "20m"
"#;

/// A second app.
const SHOP: &str = r#"[apps.shop]
origins = ["https://shop.example"]
proxy = "caddy"
rules = [{ path = "/*", access = "signed-in" }]
"#;

fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Checked, ConfigError> {
    read_text(Path::new("counterfoil.toml"), text, &Environment::new(variables.iter().copied()))
}

/// What is wrong, a line to each mistake.
fn wrong(text: &str, variables: &[(&str, &str)]) -> String {
    match read_with(text, variables) {
        Ok(checked) => format!("nothing: {checked:?}"),
        Err(error) => error.to_string(),
    }
}

/// `FILE` with one text in the place of another.
fn with(old: &str, new: &str) -> String {
    assert!(FILE.contains(old), "{old}");
    FILE.replacen(old, new, 1)
}

#[test]
fn a_file_says_what_is_in_force_and_what_it_leaves_out_is_the_default() {
    let Checked { config, warnings, assumed } = read_with(FILE, &[]).unwrap();
    assert!(warnings.is_empty() && assumed.is_empty(), "{warnings:?} {assumed:?}");
    assert_eq!(config.data, Path::new("/var/lib/counterfoil"));
    assert_eq!(config.listen, Listen::default());
    assert_eq!(config.proxy_protocol, None);
    let [app] = &config.apps[..] else { panic!("{config:?}") };
    assert_eq!((app.name.as_str(), app.proxy), ("wiki", Proxy::Nginx));
    assert_eq!((app.cookie_return, app.assertion), (CookieReturn::One, Algorithm::Es256));
    assert_eq!(app.policy.limits().idle.as_secs(), 1_800);
    assert_eq!(app.policy.address().header_name(), Some("x-forwarded-for"), "a proxy of this machine is believed");
    assert!(app.policy.address().trusts("127.0.0.9".parse().unwrap()));
    let rules: Vec<_> = app.rules.iter().map(|rule| (rule.path.to_string(), rule.access)).collect();
    assert_eq!(rules, [("/assets/*".to_owned(), Access::Public), ("/*".to_owned(), Access::SignedIn)]);
    insta::assert_snapshot!("in force", config.to_string());
}

#[test]
fn sessions_are_in_the_data_folder_or_where_it_was_said_and_no_password_is_shown() {
    let variable = [("COUNTERFOIL__STORE", "redis://ada:hunter2@cache:6380/1")];
    #[rustfmt::skip]
    let table = [
        (FILE.to_owned(),                             &[][..],      "embedded:/var/lib/counterfoil/sessions"),
        (format!("store = \"memory\"\n{FILE}"),       &[],          "memory"),
        (format!("store = \"embedded:/e\"\n{FILE}"),  &[],          "embedded:/e"),
        (format!("store = \"memory\"\n{FILE}"),       &variable,    "redis://cache:6380/1"),
    ];
    for (file, variables, expected) in table {
        let config = read_with(&file, variables).unwrap().config;
        assert_eq!(config.keep().store().to_string(), expected);
        assert_eq!(config.keep().folder(), Some(Path::new("/var/lib/counterfoil")));
        assert!(!format!("{config} {config:?}").contains("hunter2"));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, read as a whole")]
fn each_mistake_is_named_with_its_place_its_key_and_its_values() {
    #[rustfmt::skip]
    let table: &[(&str, String, &str)] = &[
        ("not TOML", with("[listen]", "[listen"),
            "counterfoil.toml:2: this is not TOML: unclosed table, expected `]`"),
        ("a key twice", with("preset", "preset = \"aal1\"\npreset"),
            "counterfoil.toml:7: this is not TOML: duplicate key"),
        ("a key nobody knows, near one", with("decision =", "desicion ="),
            "counterfoil.toml:4: listen.desicion: there is no such key; did you mean `decision`?"),
        ("a key nobody knows, near none", with("decision =", "port ="),
            "counterfoil.toml:4: listen.port: there is no such key"),
        ("a table nobody knows", with("[apps.wiki]", "[app.wiki]").replace("[[apps", "[[app"),
            "counterfoil.toml:9: app: there is no such key; did you mean `apps`?\n\
             counterfoil.toml: apps: nothing is protected: add a table such as [apps.wiki] with origins, proxy and rules"),
        ("a key of a policy nobody knows", with("idle =", "idel ="),
            "counterfoil.toml:8: policy.timeouts.idel: there is no such key; did you mean `idle`?"),
        ("a key of a rule nobody knows", with("max_idle", "max-idle"),
            "counterfoil.toml:19: apps.wiki.rules[1].max-idle: there is no such key; did you mean `max_idle`?"),
        ("a word that is none of the known ones", with("\"nginx\"", "\"ngnix\""),
            "counterfoil.toml:11: apps.wiki.proxy: `ngnix` is none of nginx, traefik, caddy, haproxy, envoy, envoy-grpc; did you mean `nginx`?"),
        ("a word with an underscore", with("\"signed-in\"", "\"signed_in\""),
            "counterfoil.toml:18: apps.wiki.rules[1].access: `signed_in` is none of public, signed-in, step-up; did you mean `signed-in`?"),
        ("a flag for a word", with("max_idle = \"20m\"", "changes_state = \"query\""),
            "counterfoil.toml:19: apps.wiki.rules[1].changes_state: `query` is none of never, with-query, always"),
        ("a preset nobody knows", with("aal2", "aal4"),
            "counterfoil.toml:6: policy.preset: `aal4` is none of aal1, aal2, aal3; did you mean `aal1`?"),
        ("a number for a text", with("\"127.0.0.1:9400\"", "9400"),
            "counterfoil.toml:3: listen.public: wants a text in quotes, and is the number 9400"),
        ("a text for a list", with("[\"https://wiki.example\"]", "\"https://wiki.example\""),
            "counterfoil.toml:10: apps.wiki.origins: wants a list in brackets, and is `https://wiki.example`"),
        ("a text for a table", with("[listen]\npublic = \"127.0.0.1:9400\"\ndecision = \"127.0.0.1:9401\"", "listen = \"127.0.0.1:9400\""),
            "counterfoil.toml:2: listen: wants a table, and is `127.0.0.1:9400`"),
        ("a text for yes or no", with("decision =", "proxy_protocol = \"on\"\ndecision ="),
            "counterfoil.toml:4: listen.proxy_protocol: wants true or false, and is `on`"),
        ("no data folder", with("data = \"/var/lib/counterfoil\"", ""),
            "counterfoil.toml: `data` is missing"),
        ("a data folder without a name", with("/var/lib/counterfoil", ""),
            "counterfoil.toml:1: data: is empty; name the folder of sessions, keys and accounts"),
        ("a store nobody knows", with("data = \"/var/lib/counterfoil\"", "data = \"/var/lib/counterfoil\"\nstore = \"mysql://ada:hunter2@db\""),
            "counterfoil.toml:2: store: names no session store: write memory, embedded:FOLDER, redis://HOST, redis+sentinel://HOST,HOST/SERVICE, redis+cluster://HOST,HOST or postgres://USER@HOST/DATABASE"),
        ("an address without a port", with("127.0.0.1:9400", "127.0.0.1"),
            "counterfoil.toml:3: listen.public: `127.0.0.1` is not an address and a port, such as 127.0.0.1:9400 or [::1]:9400"),
        ("one address twice", with("127.0.0.1:9401", "127.0.0.1:9400"),
            "counterfoil.toml:4: listen.decision: 127.0.0.1:9400 is also listen.public: each has callers of one kind, and an address of its own"),
        ("decisions for everybody", with("127.0.0.1:9401", "0.0.0.0:9401"),
            "counterfoil.toml:4: listen.decision: 0.0.0.0:9401 is not a loopback address, and whoever reaches it may ask for any app's decisions: \
             use 127.0.0.1 or [::1], or, where a network of your own keeps others out, set danger.beyond_loopback = [\"decision\"]"),
        ("a time without a unit", with("\"30m\"", "\"30\""),
            "counterfoil.toml:8: policy.timeouts.idle: `30` is not a length of time: write a number and a unit, such as `15m`, `2s` or `500ms`"),
        ("times that contradict each other", with("idle =", "absolute = \"10m\"\nidle ="),
            "counterfoil.toml:9: policy.timeouts.idle: timeouts.idle (30m) exceeds timeouts.absolute (10m)"),
        ("a time beyond the preset", with("\"30m\"", "\"3h\""),
            "counterfoil.toml:8: policy.timeouts.idle: timeouts.idle (3h) exceeds what preset aal2 allows (1h): choose a lower preset, or set danger.beyond_preset"),
        ("an app's own policy", with("[[apps", "[apps.wiki.policy]\npreset = \"aal3\"\n[[apps"),
            "counterfoil.toml:8: policy.timeouts.idle: timeouts.idle (30m) exceeds what preset aal3 allows (15m): choose a lower preset, or set danger.beyond_preset"),
        ("origins in the policy", with("preset", "origins = [\"https://wiki.example\"]\npreset"),
            "counterfoil.toml:6: policy.origins: each app has origins of its own: move them to apps.wiki.origins"),
        ("half an address policy", with("[policy.timeouts]", "[policy.address]\ntrusted_proxies = [\"10.0.0.0/8\"]\n[policy.timeouts]"),
            "counterfoil.toml:7: policy.address: address: trusted_proxies and header go together: name both, or neither"),
        ("a proxy that is no address", with("[policy.timeouts]", "[policy.address]\nheader = \"x-forwarded-for\"\ntrusted_proxies = [\"nginx\"]\n[policy.timeouts]"),
            "counterfoil.toml:9: policy.address.trusted_proxies: address.trusted_proxies: `nginx` is not an address or a range such as 10.0.0.0/8"),
        ("no app", FILE.split_once("[apps").unwrap().0.to_owned(),
            "counterfoil.toml: apps: nothing is protected: add a table such as [apps.wiki] with origins, proxy and rules"),
        ("a name that is none", FILE.replace("apps.wiki", "apps.Wiki"),
            "counterfoil.toml:9: apps.Wiki: `Wiki` is not a name for an app: use 1 to 32 of the letters a to z, digits and hyphens, not a hyphen first"),
        ("an app without origins", with("origins = [\"https://wiki.example\"]\n", ""),
            "counterfoil.toml:9: apps.wiki: `origins` is missing"),
        ("an app with none", with("\"https://wiki.example\"", ""),
            "counterfoil.toml:10: apps.wiki.origins: origins: name at least one, such as `https://shop.example`; it is what browsers show in the address bar"),
        ("an app without rules", with("[[apps.wiki.rules]]\npath = \"/assets/*\"\naccess = \"public\"\n[[apps.wiki.rules]]\npath = \"/*\"\naccess = \"signed-in\"\nmax_idle = \"20m\"\n", ""),
            "counterfoil.toml:9: apps.wiki.rules: the app has no rules, so everything is denied: add [[apps.wiki.rules]] with path = \"/*\" and access = \"signed-in\""),
        ("an origin with a path", with("https://wiki.example", "https://wiki.example/wiki"),
            "counterfoil.toml:10: apps.wiki.origins[0]: `https://wiki.example/wiki`: an origin has no path; remove everything after the host and port, also a final slash"),
        ("an origin over plain http", with("https://wiki.example", "http://wiki.example"),
            "counterfoil.toml:10: apps.wiki.origins: origins: http://wiki.example is plain http beyond this machine; a session needs https (only loopback may go without)"),
        ("an app in two places", with("upstream = \"http://127.0.0.1:8080\"", "upstream = \"127.0.0.1:8080\""),
            "counterfoil.toml:12: apps.wiki.upstream: `127.0.0.1:8080` is not where an app can be: write http://127.0.0.1:8080, with scheme, host and port alone"),
        ("a cookie that is no name", with("proxy = \"nginx\"", "proxy = \"nginx\"\napp_cookies = [\"*\"]"),
            "counterfoil.toml:12: apps.wiki.app_cookies[0]: `*`: write a cookie's name as the app sets it; a star may follow for names that begin so: DokuWiki, DW*"),
        ("a cookie of ours", with("proxy = \"nginx\"", "proxy = \"nginx\"\napp_cookies = [\"DW*\", \"__Host-*\"]"),
            "counterfoil.toml:12: apps.wiki.app_cookies[1]: `__Host-*` means __Host-Http-id, which is ours: name the app's alone"),
        ("a path of the app", with("http://127.0.0.1:8080", "http://127.0.0.1:8080/wiki"),
            "counterfoil.toml:12: apps.wiki.upstream: `http://127.0.0.1:8080/wiki` is not where an app can be: write http://127.0.0.1:8080, with scheme, host and port alone"),
        ("one origin in two apps", format!("{FILE}{}", SHOP.replace("shop.example", "wiki.example")),
            "counterfoil.toml:21: apps.shop.origins: https://wiki.example is also an origin of apps.wiki (counterfoil.toml:10); a request must tell whose it is"),
        ("a rule that is no path", with("\"/assets/*\"", "\"assets/*\""),
            "counterfoil.toml:14: apps.wiki.rules[0].path: `assets/*`: a path begins with a slash"),
        ("a star that is no segment", with("\"/assets/*\"", "\"/assets*\""),
            "counterfoil.toml:14: apps.wiki.rules[0].path: `/assets*`: one star may be a segment: the last, as in /files/*, or one before the end, as in /*/edit"),
        ("what is public by its end", with("\"/assets/*\"", "\"/*/assets\""),
            "counterfoil.toml:14: apps.wiki.rules[0].path: `/*/assets` would open every path that ends so, whoever chooses how it begins: name the paths, or ask for signed-in"),
        ("a rule without access", with("access = \"public\"\n", ""),
            "counterfoil.toml:13: apps.wiki.rules[0]: `access` is missing"),
        ("a rule after one that matches all of it", with("/assets/*", "/*"),
            "counterfoil.toml:17: apps.wiki.rules[1].path: `/*` is never looked at, as `/*` before it (counterfoil.toml:13) matches all of it: put the narrower rule first"),
        ("a limit where nobody signs in", with("access = \"public\"", "access = \"public\"\nmax_idle = \"5m\""),
            "counterfoil.toml:16: apps.wiki.rules[0].max_idle: is 5m, and access is public: nobody is asked to sign in there; remove one of them"),
        ("a public path that is sensitive", with("access = \"public\"", "access = \"public\"\nsensitive = true"),
            "counterfoil.toml:16: apps.wiki.rules[0].sensitive: is true, and access is public: nobody is asked to sign in there; remove one of them"),
        ("a bound beyond the lease", format!("{FILE}[near_cache]\nbound = \"10s\"\nlease = \"5s\""),
            "counterfoil.toml:21: near_cache.bound: 10s exceeds near_cache.lease (5s), which comes first"),
        ("a lease that is too long", format!("{FILE}[near_cache]\nlease = \"5m\""),
            "counterfoil.toml:21: near_cache.lease: 5m exceeds 1m, the longest there is"),
        ("no bound", format!("{FILE}[near_cache]\nbound = \"0s\""),
            "counterfoil.toml:21: near_cache.bound: is zero: nothing would ever be answered from memory; a rule with sensitive = true asks the store"),
        ("memory without a unit", format!("{FILE}[near_cache]\nmemory = \"256\""),
            "counterfoil.toml:21: near_cache.memory: `256` is no size: write a number with its unit, KiB, MiB or GiB, such as \"256 MiB\""),
        ("a setting of the memory nobody knows", format!("{FILE}[near_cache]\nleases = \"5s\""),
            "counterfoil.toml:21: near_cache.leases: there is no such key; did you mean `lease`?"),
        ("a database nobody named", format!("{FILE}[geo]\ncity = \"\""),
            "counterfoil.toml:21: geo.city: is empty; name the file, or remove the key"),
        ("a database nobody knows", format!("{FILE}[geo]\ncitty = \"city.mmdb\""),
            "counterfoil.toml:21: geo.citty: there is no such key; did you mean `city`?"),
        ("a limit that is no rate", format!("{FILE}[limits.sign_in]\naddress = \"often\""),
            "counterfoil.toml:21: limits.sign_in.address: `often` is no rate: write `10 per minute`, `12 per hour, burst 5` or `3 per 10m`"),
        ("a limit nobody knows", format!("{FILE}[limits.signin]\naddress = \"1 per second\""),
            "counterfoil.toml:20: limits.signin: there is no such key; did you mean `sign_in`?"),
        ("a limit by what it is not counted by", format!("{FILE}[limits.refresh]\naddress = \"1 per second\""),
            "counterfoil.toml:21: limits.refresh.address: there is no such key\ncounterfoil.toml:20: limits.refresh: `session` is missing"),
        ("the age of a step-up that is not asked for", with("max_idle", "max_step_up_age"),
            "counterfoil.toml:19: apps.wiki.rules[1].max_step_up_age: is 20m, and access is not step-up: write access = \"step-up\", or remove it"),
        ("two at once", with("\"nginx\"", "\"apache\"").replace("decision =", "decisoin ="),
            "counterfoil.toml:4: listen.decisoin: there is no such key; did you mean `decision`?\n\
             counterfoil.toml:11: apps.wiki.proxy: `apache` is none of nginx, traefik, caddy, haproxy, envoy, envoy-grpc"),
    ];
    for (name, text, expected) in table {
        assert_eq!(wrong(text, &[]), *expected, "{name}");
    }
}

#[test]
fn a_contract_that_this_build_does_not_speak_is_a_mistake() {
    let text = FILE.replace("\"nginx\"", "\"envoy-grpc\"");
    if cfg!(feature = "grpc") {
        assert_eq!(read_with(&text, &[]).unwrap().config.apps[0].proxy, Proxy::EnvoyGrpc);
        return;
    }
    let expected = "counterfoil.toml:11: apps.wiki.proxy: this build of counterfoil speaks no gRPC, and would deny everything: \
                    write proxy = \"envoy\", which asks over HTTP, or build it with `--features grpc`";
    assert_eq!(wrong(&text, &[]), expected);
}

#[test]
fn the_memory_before_a_shared_store_is_shown_with_its_bound_in_words() {
    let words = |table: &str| {
        let checked = read_with(&format!("store = \"redis://cache\"\n{FILE}{table}"), &[]).unwrap();
        let shown = checked.config.to_string();
        let line = shown.lines().find(|line| line.starts_with("memory")).map(str::to_owned);
        (line.unwrap(), checked.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let said = "memory    what ends on another gateway is refused here within";
    #[rustfmt::skip]
    let table = [
        ("",                                                         "3s; lease 1m, at most 256 MiB",   ""),
        ("[near_cache]",                                             "3s; lease 1m, at most 256 MiB",   ""),
        ("[near_cache]\nbound = \"10s\"\nmemory = \"64 MiB\"",       "10s; lease 1m, at most 64 MiB",   ""),
        ("[near_cache]\nlease = \"2s\"",                            "2s; lease 2s, at most 256 MiB",   ""),
        ("[near_cache]\nbound = \"1500ms\"",                        "1s 500ms; lease 1m, at most 256 MiB",
            "counterfoil.toml:22: near_cache.bound: 1s 500ms is shorter than 2s: stores say every second that everything was told, and while one of these is late, all is asked of the store"),
    ];
    for (table, expected, warned) in table {
        assert_eq!(words(table), (format!("{said} {expected}"), warned.to_owned()), "{table}");
    }
    assert!(!read_with(FILE, &[]).unwrap().config.to_string().contains("memory"), "nobody shares this store");
}

#[test]
fn databases_of_places_are_beside_the_file_and_shown() {
    let text = format!("{FILE}[geo]\ncity = \"geo/city.mmdb\"\nnetworks = \"/etc/networks\"\n");
    let config =
        read_text(Path::new("/etc/counterfoil/counterfoil.toml"), &text, &Environment::default()).unwrap().config;
    let shown = config.to_string();
    let lines: Vec<_> = shown.lines().filter(|line| line.starts_with("geo ")).collect();
    let city = "geo       country and place by /etc/counterfoil/geo/city.mmdb";
    assert_eq!(lines, [city, "geo       kind by /etc/networks"]);
    let refused = config.places().unwrap_err().to_string();
    assert!(refused.starts_with("geo.city: /etc/counterfoil/geo/city.mmdb is not there"), "{refused}");
    assert!(read_with(FILE, &[]).unwrap().config.places().unwrap().is_none());
}

#[test]
fn flags_of_a_rule_are_shown_where_they_are_set() {
    let text = with("max_idle = \"20m\"", "quiet = true\nsensitive = true");
    let checked = read_with(&text, &[]).unwrap();
    assert!(checked.config.to_string().contains("signed-in, quiet, sensitive\n"), "{}", checked.config);
    let (rule, variable) = ("sensitive = true", "COUNTERFOIL__APPS__WIKI__RULES__1__SENSITIVE");
    let checked = read_with(&text.replace(rule, ""), &[(variable, "true")]).unwrap();
    assert!(checked.config.to_string().contains("signed-in, quiet, sensitive\n"), "{}", checked.config);
}

#[test]
fn what_may_not_be_meant_is_a_warning() {
    #[rustfmt::skip]
    let table: &[(&str, String, &str)] = &[
        ("everything is public", with("signed-in", "public").replace("max_idle = \"20m\"\n", ""),
            "counterfoil.toml:17: apps.wiki.rules[1].path: everybody may go everywhere that no rule before this one names"),
        ("browsers come from anywhere", with("127.0.0.1:9400", "0.0.0.0:9400"),
            "counterfoil.toml:3: listen.public: 0.0.0.0:9400 is not a loopback address, and speaks plain http: let your proxy alone reach it"),
        ("decisions for a network", format!("{}[danger]\nbeyond_loopback = [\"decision\"]", with("127.0.0.1:9401", "10.0.0.1:9401")),
            "counterfoil.toml:21: danger.beyond_loopback: the decision listener may be reached from other machines"),
        ("memory before a store that has all in memory", format!("{FILE}[near_cache]\nbound = \"5s\""),
            "counterfoil.toml:20: near_cache: does nothing: there is memory of its own only before a store that nodes share, redis:// or postgres://"),
        ("a limit that never comes first", with("\"20m\"", "\"2h\""),
            "counterfoil.toml:19: apps.wiki.rules[1].max_idle: 2h exceeds the policy's timeouts.idle (30m), which comes first"),
        ("one host for two apps", format!("{FILE}{}", SHOP.replace("shop.example", "wiki.example:8443")),
            "counterfoil.toml:21: apps.shop.origins: https://wiki.example:8443 shares its host with apps.wiki: browsers send each the other's cookies, \
             so whoever is signed in to one is signed in to both"),
    ];
    for (name, text, expected) in table {
        let warnings = read_with(text, &[]).unwrap_or_else(|error| panic!("{name}: {error}")).warnings;
        let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings, [*expected], "{name}");
    }
}

#[test]
fn the_files_we_hand_out_are_without_mistakes_and_their_sockets_are_the_listeners() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let manual = read("docs/gateway/operations.md");
    let in_manual = manual.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    for text in [read("packaging/systemd/counterfoil.toml").as_str(), in_manual] {
        let checked = read_with(text, &[]).unwrap_or_else(|error| panic!("{error}"));
        assert!(checked.warnings.is_empty(), "{:?}", checked.warnings);
        assert_eq!(checked.config.listen, Listen::default());
    }
    let unit = read("packaging/systemd/counterfoil.socket");
    let sockets: Vec<_> = unit.lines().filter_map(|line| line.strip_prefix("ListenStream=")).collect();
    assert_eq!(sockets, Listen::default().named().map(|(_, address)| address.to_string()));
}
