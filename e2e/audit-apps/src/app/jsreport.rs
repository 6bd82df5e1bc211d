//! `jsreport` from npm: Express and Passport, sessions in a sealed cookie, data in files.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::{Application, password};
use crate::house::{Failure, Process};
use crate::state::State;

#[derive(Debug)]
pub(super) struct JsReport;

impl Application for JsReport {
    fn profile(&self) -> &'static str {
        include_str!("../../profiles/jsreport.toml")
    }

    /// As its extension for authentication names it.
    fn session(&self, _: u16) -> Vec<String> {
        vec!["session".to_owned()]
    }

    fn token(&self) -> Option<&'static str> {
        None
    }

    fn start(&self, folder: &Path, port: u16) -> Result<Vec<Process>, Failure> {
        let modules = std::path::absolute("e2e/audit-apps/npm")?;
        if !modules.join("node_modules").exists() {
            return Err(Failure::Missing(modules.join("node_modules")));
        }
        let mut node = Command::new("node");
        node.arg(modules.join("server.js")).arg(port.to_string()).arg(folder);
        node.args(["ada", "grace"].map(|name| format!("{name}={}", password(name))));
        let node = Process::listening(node, "node", folder, port)?;
        // It listens before the accounts are there.
        let last = folder.join("data/grace/config.json");
        let end = Instant::now() + Duration::from_secs(30);
        while !last.exists() && Instant::now() < end {
            thread::sleep(Duration::from_millis(50));
        }
        Ok(vec![node])
    }

    /// The accounts without their passwords; folders are the declared change.
    fn state(&self, folder: &Path) -> Result<State, Failure> {
        let mut lines = String::new();
        for entry in fs::read_dir(folder.join("data"))? {
            let text = fs::read_to_string(entry?.path().join("config.json")).unwrap_or_default();
            let kept: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let word = |name| kept.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
            if word("$entitySet") != "folders" {
                lines.extend([word("$entitySet"), " ", word("name"), "\n"]);
            }
        }
        Ok(State::of_lines(&lines))
    }

    fn keeps(&self, folder: &Path, word: &str) -> Result<bool, Failure> {
        Ok(folder.join("data").join(word).exists())
    }

    /// All of it is in the cookie.
    fn holds(&self, _: &Path, _: &str) -> Result<Option<bool>, Failure> {
        Ok(None)
    }
}
