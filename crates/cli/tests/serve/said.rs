//! What it says when it starts, or does not.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::running::{Gateway, configured, counterfoil, get};

#[test]
fn without_a_file_it_runs_keeps_its_secrets_and_says_what_it_protects_and_what_to_do_next() {
    let home = tempfile::tempdir().unwrap();
    let mut command = counterfoil(home.path(), &["serve", "--origin", "https://wiki.example", "--proxy", "caddy"]);
    for listener in ["PUBLIC", "DECISION", "HEALTH"] {
        command.env(format!("COUNTERFOIL__LISTEN__{listener}"), "127.0.0.1:0");
    }
    let gateway = Gateway::start(command);
    let data = home.path().join("counterfoil/gateway");
    for said in [
        "app app: https://wiki.example\n",
        "/*                       signed-in\n",
        "anything else            denied\n",
        "apps.app.upstream is `http://127.0.0.1:3000`\n",
        "counterfoil user add NAME --data ",
        "counterfoil proxy-config caddy --origin https://wiki.example --upstream http://127.0.0.1:3000/\n",
        data.to_str().unwrap(),
    ] {
        assert!(gateway.banner.contains(said), "{said} in\n{}", gateway.banner);
    }
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join("keys"))), (0o700, 0o600));
    assert!(get(gateway.at("health"), "/healthz").starts_with("HTTP/1.1 200"));
    assert!(get(gateway.at("health"), "/readyz").ends_with("ready\n"));
    let metrics = get(gateway.at("health"), "/metrics");
    assert!(
        metrics.contains("counterfoil_sessions{assurance=\"authenticated\"} 0\n") && metrics.ends_with("# EOF\n"),
        "{metrics}"
    );
    for inner in ["public", "decision"] {
        let answer = get(gateway.at(inner), "/metrics");
        assert!(answer.starts_with("HTTP/1.1 4") && !answer.contains("counterfoil_"), "{inner}: {answer}");
    }
    let (code, log) = gateway.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("stopping: what is under way is answered first"), "{log}");
}

/// Arguments, variables, the exit status, and a part of what is said.
type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], i32, &'a str);

#[test]
fn what_is_wrong_is_said_with_the_status_of_its_kind() {
    let (home, file) = configured();
    let file = file.to_str().unwrap();
    let said = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = counterfoil(home.path(), arguments).envs(variables.iter().copied()).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let held = TcpListener::bind(taken).unwrap();
    let taken = taken.to_string();
    #[rustfmt::skip]
    let table: &[Row<'_>] = &[
        (&["config", "check", "--config", file], &[], 0, "app wiki: https://wiki.example\n"),
        (&["config", "check"], &[("COUNTERFOIL_CONFIG", file)], 0, "app wiki: https://wiki.example\n"),
        (&["config", "check"], &[], 0, "app app: http://127.0.0.1:8080\n"),
        (&["config", "check", "--config", file], &[("COUNTERFOIL__LISTEN__PUBLIC", "0.0.0.0:80")], 0, "warning: COUNTERFOIL__LISTEN__PUBLIC: listen.public: "),
        (&["config", "check", "--config", file], &[("COUNTERFOIL__APPS__WIKI__PROXY", "ngnix")], 2, "error: COUNTERFOIL__APPS__WIKI__PROXY: apps.wiki.proxy: "),
        (&["config", "check", "--config", "/nowhere.toml"], &[], 1, "error: /nowhere.toml: cannot be read: No such file"),
        (&["serve", "--config", file], &[("COUNTERFOIL__APPS__WIKI__PROXY", "ngnix")], 2, "error: COUNTERFOIL__APPS__WIKI__PROXY: apps.wiki.proxy: "),
        (&["serve", "--config", file], &[("COUNTERFOIL__LISTEN__PUBLIC", &taken)], 1, "cannot listen there: Address already in use"),
        (&["serve", "--config", file, "--origin", "https://a.example"], &[], 2, "cannot be used with"),
        (&["serve", "--proxy", "iis"], &[], 2, "error: --proxy: apps.app.proxy: `iis` is none of nginx, "),
    ];
    for (arguments, variables, code, expected) in table {
        let (found, text) = said(arguments, variables);
        assert_eq!(found, *code, "{arguments:?} {variables:?}: {text}");
        assert!(text.contains(expected), "{arguments:?} {variables:?}: {text}");
    }
    drop(held);
}
