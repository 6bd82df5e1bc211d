//! What is printed at start: where, who, what was assumed, and what to try.

use std::net::SocketAddr;
use std::path::Path;

use counterfoil::origin::Origin;
use counterfoil_serve::Certificate;

use crate::{
    accounts::SEEDED,
    app::App,
    options::{Mode, Transport},
};

/// What there is for whoever runs the demo.
#[derive(Debug, Clone, Copy, Default)]
pub struct Operator<'a> {
    /// The folder in which somebody answers `counterfoil sessions` and `counterfoil events`.
    pub folder: Option<&'a Path>,
    /// Where metrics are.
    pub metrics: Option<SocketAddr>,
}

/// The text for standard output. Its first line is `listening on URL` with the port that was really taken.
pub fn banner(app: &App, listener: &Origin, certificate: Option<&Certificate>, operator: Operator<'_>) -> String {
    let accounts = SEEDED.map(|(name, password)| format!("  {name:<6} {password}")).join("\n");
    let assumed = assumptions(app, certificate).join("\n  - ");
    let operate = operator.folder.map(|folder| {
        let folder = folder.display();
        format!(
            "  counterfoil events tail --data {folder}         : what happens, as it happens\n  \
             counterfoil sessions list ada --data {folder}   : what an operator sees, and ends\n"
        )
    });
    let watch = operator.metrics.map(|address| format!("  http://{address}/metrics : for Prometheus\n"));
    let operate = operate.into_iter().chain(watch).collect::<String>();
    let home = app.origins().next().unwrap_or(listener);
    format!(
        "listening on {listener}\n\naccounts\n{accounts}\n\nassumed\n  - {assumed}\n\ntry\n  open {home} and sign in\n  \
         then {home}/try : steal your own session, and watch what happens\n{operate}\nctrl-c ends it\n"
    )
}

fn assumptions(app: &App, certificate: Option<&Certificate>) -> Vec<String> {
    let plan = &app.plan;
    let mut lines = Vec::new();
    if plan.mode == Mode::Test {
        lines.push(
            "TEST MODE: cheap password hash, no limit on sign-in attempts, times may be below their floors".to_owned(),
        );
    }
    let https = app.origins().all(Origin::is_https);
    lines.push(match (plan.transport, https) {
        (Transport::SelfMadeTls, _) => "https with a certificate nobody signed; browsers warn once".to_owned(),
        (Transport::Plain, true) => "a proxy in front speaks https; cookies are Secure".to_owned(),
        (Transport::Plain, false) => {
            "plain http on loopback: cookies without Secure, named dev-*; --https shows the real ones".to_owned()
        }
    });
    if let Some(certificate) = certificate {
        lines.push(format!("certificate SHA-256 {}", certificate.fingerprint()));
    }
    if let Some(time) = app.site.engine().policy().limits().remember_for {
        let time = humantime::format_duration(time);
        lines.push(format!("who asks to be kept known is greeted for {time}; --remember-for says otherwise"));
    }
    lines.push(app.kept.clone());
    lines.push("accounts, balances and second factors begin anew with each start".to_owned());
    let origins = app.origins().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    lines.push(format!("requests that change something come from {origins}; --origin says otherwise"));
    lines.push(if plan.trusted_proxies.is_empty() {
        "no proxy is trusted: forwarded headers are ignored".to_owned()
    } else {
        let networks = plan.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        format!("forwarded headers are believed from {networks}")
    });
    lines
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use clap::{Args as _, Command, FromArgMatches as _};
    use counterfoil::PolicySettings;

    use super::*;
    use crate::options::{DemoArgs, Plan};

    fn banner_of(line: &str, operated: bool) -> String {
        let command = DemoArgs::augment_args(Command::new("demo").no_binary_name(true));
        let arguments = DemoArgs::from_arg_matches(&command.get_matches_from(line.split_whitespace())).unwrap();
        let plan = Plan::try_from(arguments).unwrap();
        let bound = std::net::SocketAddr::new(plan.listen.ip(), 49_152);
        let origins = plan.origins(bound).unwrap();
        let listener = plan.own_origin(bound).unwrap();
        let certificate =
            (plan.transport == Transport::SelfMadeTls).then(|| Certificate::self_made(&origins, SystemTime::now()));
        let policy = crate::policy::policy(&plan, &origins, PolicySettings::default()).unwrap();
        let app = App::new(plan, policy).unwrap();
        let operator = Operator { folder: Some(Path::new("/data")), metrics: Some(([127, 0, 0, 1], 9_090).into()) };
        let operator = if operated { operator } else { Operator::default() };
        banner(&app, &listener, certificate.transpose().unwrap().as_ref(), operator)
    }

    #[test]
    fn the_banner_says_where_who_and_what_was_assumed() {
        #[rustfmt::skip]
        let table = [
            ("",  ["listening on http://127.0.0.1:49152\n", "ada    ada-demo-1", "grace  grace-demo-1", "without Secure", "no proxy"]),
            ("--https", ["listening on https://127.0.0.1:49152\n", "SHA-256 ", "browsers warn", "https://localhost:49152", "/try"]),
            ("--test-mode --trusted-proxy ::1", ["listening on ", "TEST MODE", "believed from ::1/128", "memory only", "ctrl-c"]),
            ("--origin https://demo.example.org", ["listening on http://127.0.0.1:49152\n", "cookies are Secure",
                "open https://demo.example.org and", "change something come from https://demo.example.org;", "ends with this process"]),
        ];
        for (line, expected) in table {
            let text = banner_of(line, false);
            for part in expected {
                assert!(text.contains(part), "{line}: {part} in\n{text}");
            }
            assert!(text.starts_with("listening on "));
            assert_eq!(text.contains("TEST MODE"), line.contains("--test-mode"));
            assert!(!text.contains("counterfoil sessions"), "nobody would answer");
        }
        let text = banner_of("", true);
        assert!(
            text.contains("counterfoil sessions list ada --data /data ")
                && text.contains("\n  http://127.0.0.1:9090/metrics ")
        );
    }
}
