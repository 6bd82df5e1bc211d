//! What the programs under test log is kept, and looked through at the end: nothing in it may let anybody in, or say where
//! somebody is.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where logs are kept.
pub(crate) const FOLDER: &str = "target/overheard";

/// The program of this folder, in a wrapper that keeps what it logs, at its most talkative.
pub(crate) fn listening(programs: &str) -> String {
    format!("{FOLDER}/{}/counterfoil", programs.trim_start_matches("target/"))
}

/// The same folder, for programs that run elsewhere.
pub(crate) fn kept() -> String {
    std::env::current_dir().unwrap_or_default().join(FOLDER).display().to_string()
}

/// Empties the folder of logs, and puts the wrapper of this tree's program there.
pub(crate) fn begin(programs: &str) -> io::Result<bool> {
    let here = std::env::current_dir()?;
    let (logs, wrapper) = (here.join(FOLDER), here.join(listening(programs)));
    match fs::remove_dir_all(&logs) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(wrapper.parent().unwrap_or(&logs))?;
    fs::write(&wrapper, script(&here.join(programs).join("counterfoil"), &logs))?;
    fs::set_permissions(&wrapper, Permissions::from_mode(0o755))?;
    Ok(true)
}

/// A log that is a file of its own is kept by another name for it, which is no slower; of a pipe, and of what is the caller's too, a
/// copy is made.
fn script(program: &Path, logs: &Path) -> String {
    let (program, logs) = (program.display(), logs.display());
    format!(
        "#!/bin/bash\n\
         # Written by cargo xtask test.\n\
         if [[ $1 == serve || $1 == demo ]]; then\n\
         \x20 export COUNTERFOIL_LOG={LEVEL}\n\
         \x20 if [[ /proc/$$/fd/2 -ef /proc/$PPID/fd/2 ]] || ! ln -L /proc/$$/fd/2 '{logs}'/$$.log 2>/dev/null; then\n\
         \x20   exec 2> >(exec tee -a '{logs}'/$$.log >&2)\n\
         \x20 fi\n\
         fi\n\
         exec '{program}' \"$@\"\n"
    )
}

/// Looks through all that was kept. `false`, and where it stands, if something of it may not be told.
pub(crate) fn look() -> io::Result<bool> {
    let logs = logs(Path::new(FOLDER))?;
    let (mut lines, mut found) = (0_usize, String::new());
    for log in &logs {
        for (number, line) in BufReader::new(fs::File::open(log)?).split(b'\n').enumerate() {
            let line = line?;
            lines += 1;
            if let Some(what) = tells(&String::from_utf8_lossy(&line)) {
                // Not the line itself: it may be shown to more people than the log.
                let _ = writeln!(found, "{}:{}: {what}", log.display(), number + 1);
            }
        }
    }
    println!("{lines} lines in {} logs", logs.len());
    if lines < LEAST {
        eprintln!("fewer than {LEAST} lines were kept: nobody listened");
    }
    eprint!("{found}");
    Ok(found.is_empty() && lines >= LEAST)
}

fn logs(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// What a line tells that it may not.
fn tells(line: &str) -> Option<&'static str> {
    if line.split(|c: char| !is_base64url(c)).any(|word| word.len() >= LONG) {
        return Some("something as long and as random as a token, a signature or a key");
    }
    if PASSWORDS.iter().any(|password| line.contains(password)) {
        return Some("a password or a secret of the tests");
    }
    ADDRESSES.iter().any(|address| names(line, address)).then_some("an address")
}

/// Whether the address of somebody stands there, and not that of a listener or a network.
fn names(line: &str, address: &str) -> bool {
    let before_a_client = |(at, found): (usize, &str)| {
        let (before, after) = (line[..at].chars().next_back(), line[at + found.len()..].chars().next());
        let is_a_beginning = address.ends_with(['.', ':']);
        // Where somebody who is told of events was configured to be.
        let is_reached = line[..at].ends_with("host=Some(\"");
        !is_reached
            && !before.is_some_and(|c| c.is_ascii_digit() || c == '.' || c == '[')
            && (is_a_beginning || !matches!(after, Some(':' | '/' | ']')))
    };
    line.match_indices(address).any(before_a_client)
}

const fn is_base64url(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// The secret part of a token alone is longer; public ids and hashes of users are shorter.
const LONG: usize = 48;
/// All that Counterfoil itself says; of what libraries say, not each frame of a connection.
const LEVEL: &str = "debug,h2=info,hyper=info,hyper_util=info,rustls=info";
/// As tests have them, and beginnings of what is always secret.
const PASSWORDS: [&str; 5] = ["-demo-1", "not-the-password", "long-password", "cfoil1_", "whsec_"];
/// Of whoever connects to what is tested, and those that tests say they have (RFC 5737, RFC 3849).
const ADDRESSES: [&str; 6] = ["127.0.0.1", "::1", "192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"];
/// Of all suites together: a program that serves says more than ten by itself.
const LEAST: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_told_is_found_and_what_may_is_not() {
        let secret = "a".repeat(48);
        let rows = [
            (format!("token={secret}"), true),
            (format!("{secret}.{secret}"), true),
            (format!("token={}", &secret[1..]), false),
            ("cookie: __Host-Http-id=cfoil1_k1_AAAA".to_owned(), true),
            ("password=ada-demo-1".to_owned(), true),
            ("client=127.0.0.1".to_owned(), true),
            ("client=\"203.0.113.9\" asked".to_owned(), true),
            ("client=2001:db8::7".to_owned(), true),
            ("from ::1".to_owned(), true),
            ("Http::connect; host=Some(\"127.0.0.1\"), port=Some(Port(43813))".to_owned(), false),
            ("listening on 127.0.0.1:9400".to_owned(), false),
            ("listening on [::1]:9400, trusts 127.0.0.1/32 and 10.127.0.0.1".to_owned(), false),
            ("session=ses_AAECAwQFBgcICQoLDA0ODxAR user=Pb0Nnb7Yv7o2bGsqVNSo8Q".to_owned(), false),
            ("evt_018bcfe5687b5f3a9c1e7d2b4a6f8091 crates/counterfoil/src/engine/mod.rs".to_owned(), false),
        ];
        for (line, is_found) in rows {
            assert_eq!(tells(&line).is_some(), is_found, "{line}: {:?}", tells(&line));
        }
    }

    #[test]
    fn the_wrapper_keeps_what_is_logged_and_is_the_program_for_all_else() {
        let folder = tempfile::tempdir().unwrap();
        let (program, wrapper) = (folder.path().join("counterfoil"), folder.path().join("wrapper"));
        fs::write(&program, "#!/bin/bash\necho \"$COUNTERFOIL_LOG $*\"\necho said >&2\nexit 7\n").unwrap();
        fs::write(&wrapper, script(&program, folder.path())).unwrap();
        for file in [&program, &wrapper] {
            fs::set_permissions(file, Permissions::from_mode(0o755)).unwrap();
        }
        let run = |words: &[&str]| {
            let output =
                std::process::Command::new(&wrapper).args(words).env("COUNTERFOIL_LOG", "error").output().unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            (output.status.code(), text(output.stdout), text(output.stderr))
        };
        let kept =
            || logs(folder.path()).unwrap().iter().map(|log| fs::read_to_string(log).unwrap()).collect::<String>();
        assert_eq!(run(&["config", "check"]), (Some(7), "error config check\n".to_owned(), "said\n".to_owned()));
        assert_eq!(kept(), "");
        assert_eq!(run(&["serve", "--x", "a b"]), (Some(7), format!("{LEVEL} serve --x a b\n"), "said\n".to_owned()));
        assert_eq!(kept(), "said\n");
        let file = fs::File::create(folder.path().join("own")).unwrap();
        let status = std::process::Command::new(&wrapper).arg("demo").stderr(file).status().unwrap();
        assert_eq!((status.code(), kept()), (Some(7), "said\nsaid\n".to_owned()));
    }
}
