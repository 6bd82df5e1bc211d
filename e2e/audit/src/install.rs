//! Brings what twins in other languages need, and rivals where asked for, into `target/audit`; PHP comes from Debian.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::Failure;
use crate::foreign::{apps, installed, is_installed};

/// Installs what is missing.
pub(crate) fn run(rivals: bool) -> Result<ExitCode, Failure> {
    let target = installed();
    std::fs::create_dir_all(&target)?;
    python(&target.join("venv"), &apps().join("requirements.txt"))?;
    npm(&target.join("express"), &apps().join("express"))?;
    if !is_installed("php") {
        debian("php-cli")?;
    }
    if rivals {
        let folder = target.join("rivals");
        package(&folder.join("wapiti"), "wapiti3==3.2.3")?;
        package(&folder.join("xsrfprobe"), "xsrfprobe==3.0.0")?;
        let scan = apps().join("../../journeys/observatory");
        npm(&folder.join("observatory"), &scan)?;
        std::fs::copy(scan.join("scan.mjs"), folder.join("observatory/scan.mjs"))?;
        debian("testssl.sh")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn python(venv: &Path, wanted: &Path) -> Result<(), Failure> {
    if !venv.join("bin/python").is_file() {
        done(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    }
    done(Command::new(venv.join("bin/pip")).args(["install", "--quiet", "--requirement"]).arg(wanted))
}

fn package(venv: &Path, wanted: &str) -> Result<(), Failure> {
    if !venv.join("bin/python").is_file() {
        done(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    }
    done(Command::new(venv.join("bin/pip")).args(["install", "--quiet", wanted]))
}

fn npm(folder: &Path, source: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(source.join(file), folder.join(file))?;
    }
    done(Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder))
}

fn debian(package: &str) -> Result<(), Failure> {
    done(Command::new("apt-get").args(["install", "--yes", "--no-install-recommends", package]))
}

fn done(command: &mut Command) -> Result<(), Failure> {
    let program = command.get_program().display().to_string();
    let status = command.status().map_err(|error| Failure::Start(program.clone(), error))?;
    if status.success() { Ok(()) } else { Err(Failure::Install(program)) }
}
