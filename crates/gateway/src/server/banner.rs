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
    let listening = listening.iter().map(|(name, address)| {
        let address = address.map_or_else(|| "?".to_owned(), |address| address.to_string());
        format!("listening on http://{address} ({name})\n")
    });
    let mut parts: Vec<_> = listening.collect();
    parts.push(format!("\nprotects\n{}", indented(&checked.config.to_string())));
    if !checked.assumed.is_empty() {
        let assumed: Vec<_> = checked.assumed.iter().map(|(key, value)| format!("{key} is {value}\n")).collect();
        parts.push(format!("\nassumed\n{}", indented(&assumed.concat())));
    }
    parts.push(format!("\nnext\n{}", indented(&next(checked, file.map(PathBuf::as_path)))));
    parts.concat()
}

fn next(checked: &Checked, file: Option<&Path>) -> String {
    let config = &checked.config;
    let data = config.data.display();
    let mut lines = vec![format!("counterfoil user add NAME --data {data}")];
    for app in &config.apps {
        let from = if let Some(file) = file {
            format!(" --app {} --config {}", app.name, file.display())
        } else {
            let origins = app.policy.public_origins().iter().map(|origin| format!(" --origin {origin}"));
            let upstream = app.upstream.iter().map(|upstream| format!(" --upstream {upstream}"));
            origins.chain(upstream).collect()
        };
        lines.push(format!("counterfoil proxy-config {}{from}", app.proxy.as_str()));
    }
    if file.is_none() {
        lines.push("counterfoil serve --help    origin, upstream and proxy of your own, or a file".to_owned());
    }
    lines.push("ctrl-c ends it; SIGHUP reads the configuration again\n".to_owned());
    lines.join("\n")
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") });
    lines.collect::<Vec<_>>().concat()
}
