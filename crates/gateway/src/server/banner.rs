//! What is printed at start: where it listens, what it protects, what it assumed, and what to do next.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::config::Checked;

/// The text for standard output.
pub(super) fn banner(
    checked: &Checked,
    file: Option<&PathBuf>,
    listening: &[(&'static str, Option<SocketAddr>)],
) -> String {
    let mut text = String::new();
    for (name, address) in listening {
        let address = address.map_or_else(|| "?".to_owned(), |address| address.to_string());
        text += &format!("listening on http://{address} ({name})\n");
    }
    text += &format!("\nprotects\n{}", indented(&checked.config.to_string()));
    if !checked.assumed.is_empty() {
        let assumed = checked.assumed.iter().map(|(key, value)| format!("{key} is {value}\n")).collect::<String>();
        text += &format!("\nassumed\n{}", indented(&assumed));
    }
    text + &format!("\nnext\n{}", indented(&next(checked, file.map(PathBuf::as_path))))
}

fn next(checked: &Checked, file: Option<&Path>) -> String {
    let config = &checked.config;
    let data = config.data.display();
    let mut text = format!("counterfoil user add NAME --data {data}\n");
    for app in &config.apps {
        let from = match file {
            Some(file) => format!(" --app {} --config {}", app.name, file.display()),
            None => {
                let origins = app.policy.public_origins().iter().map(|origin| format!(" --origin {origin}"));
                let upstream = app.upstream.iter().map(|upstream| format!(" --upstream {upstream}"));
                origins.chain(upstream).collect()
            }
        };
        text += &format!("counterfoil proxy-config {}{from}\n", app.proxy.as_str());
    }
    if file.is_none() {
        text += "counterfoil serve --help    origin, upstream and proxy of your own, or a file\n";
    }
    text + "ctrl-c ends it; SIGHUP reads the configuration again\n"
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}
