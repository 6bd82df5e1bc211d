//! Our own auditor, over an app that knows nothing of sessions, behind the gateway behind a proxy.

use std::{path::Path, process::Output, sync::Arc};

use counterfoil_proxies::tls::AUTHORITY;
use serde_json::Value;
use tokio::process::Command;

use crate::{
    verdict::{Failure, Shown, promise},
    world::Stage,
};

pub(super) async fn nothing_above_informational(stage: Arc<Stage>) -> Shown {
    let folder = tempfile::tempdir()?;
    let (profile, report) = (folder.path().join("app.toml"), folder.path().join("report.json"));
    let passwords = ["ada", "grace"].map(|name| stage.house.password(name).to_owned());
    let text =
        PROFILE.replace("SITE", &stage.house.origin).replace("ADA", &passwords[0]).replace("GRACE", &passwords[1]);
    std::fs::write(&profile, text)?;
    let done = run(&stage, &profile, &report).await?;
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    promise("nothing above informational is found", done.status.success(), || said)?;
    let report: Value = serde_json::from_slice(&std::fs::read(&report)?).map_err(std::io::Error::other)?;
    let verdict = |rule: &str| {
        let findings = report.pointer("/findings").and_then(Value::as_array);
        let of = findings.into_iter().flatten().find(|one| one.pointer("/rule").is_some_and(|id| id == rule));
        of.map(|one| {
            format!("{} ({})", one["verdict"].as_str().unwrap_or_default(), one["seen"].as_str().unwrap_or_default())
        })
    };
    for rule in PROVEN {
        let verdict = verdict(rule).unwrap_or_default();
        promise("what is not found was looked for", verdict.starts_with("sound"), || format!("{rule}: {verdict}"))?;
    }
    Ok(format!("{} rules proven to hold, nothing above informational", PROVEN.len()))
}

/// Tokens are sampled at the demo instead: the gateway lets nobody sign in fifty times a minute.
async fn run(stage: &Stage, profile: &Path, report: &Path) -> Result<Output, Failure> {
    let mut command = Command::new(&stage.world.counterfoil);
    command.args([
        "audit",
        "--yes",
        "--fail-on",
        "low",
        "--skip",
        "tokens",
        "--format",
        "text",
        "--format",
        "json",
        "--profile",
    ]);
    command.arg(profile).arg("--ca").arg(stage.house.folder().join(AUTHORITY));
    command.arg("--out").arg(report.with_extension("txt")).arg("--out").arg(report);
    Ok(command.kill_on_drop(true).output().await?)
}

const PROFILE: &str = r#"
site = "SITE"

[sign_in]
page = "/.session/login"
form = { username = "{user}", password = "{password}" }

[account]
user = "ada"
password = "ADA"

[second_account]
user = "grace"
password = "GRACE"

[signed_in]
url = "/page"
marker = "You are {user}"

[sign_out]
page = "/.session/logout"

[[changes]]
page = "/page"
request = "POST /note"
form = { text = "{random}" }
read = "/notes"

[[raises]]
page = "/.session/step-up"
form = { password = "{password}" }
reaches = { url = "/admin/page", marker = "You are {user}" }

[sessions]
url = "/.session/devices"
each = "Last seen"
"#;

const PROVEN: [&str; 16] = [
    "cookie-not-secure",
    "cookie-not-httponly",
    "fixation-kept",
    "fixation-adopted",
    "fixation-url",
    "fixation-form",
    "rotation-raise-none",
    "rotation-raise-old-alive",
    "sign-out-no-effect",
    "sign-out-replay",
    "csrf-open",
    "csrf-origin-null",
    "csrf-origin-loose",
    "csrf-get-changes",
    "csrf-sign-in",
    "sessions-unseen",
];
