//! One call of another program: how it is run, listened to, and shown so that a person can repeat it.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A program, its arguments and what it is told by its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invocation {
    program: Cow<'static, str>,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

/// How a call ended, and what it printed where somebody listened.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) succeeded: bool,
    pub(crate) text: String,
}

impl Invocation {
    /// A cargo command, split at spaces.
    pub(crate) fn cargo(words: &str) -> Self {
        Self::program("cargo", words)
    }

    pub(crate) fn program(program: impl Into<Cow<'static, str>>, words: &str) -> Self {
        let arguments = words.split_whitespace().map(str::to_owned).collect();
        Self { program: program.into(), arguments, environment: Vec::new() }
    }

    pub(crate) fn arguments(mut self, more: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments.extend(more.into_iter().map(Into::into));
        self
    }

    pub(crate) fn environment(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Runs it in the foreground, terminal and all.
    pub(crate) fn run(&self) -> io::Result<bool> {
        Ok(self.command().status()?.success())
    }

    /// Runs it with its output shown and heard. It gets no input.
    pub(crate) fn run_heard(&self) -> io::Result<Heard> {
        let mut child = self.piped()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (from_out, from_err) = thread::scope(|scope| {
            let out = scope.spawn(|| echo(out, io::stdout()));
            let err = scope.spawn(|| echo(err, io::stderr()));
            (out.join().unwrap_or_default(), err.join().unwrap_or_default())
        });
        Ok(Heard { succeeded: child.wait()?.success(), text: from_out + &from_err })
    }

    /// Runs it unseen, for no longer than `patience`; `None` if it took longer.
    pub(crate) fn run_within(&self, patience: Duration) -> io::Result<Option<Heard>> {
        let mut child = self.piped()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let listeners = [thread::spawn(|| echo(out, io::sink())), thread::spawn(|| echo(err, io::sink()))];
        let Some(status) = wait(&mut child, patience)? else {
            return Ok(None);
        };
        let text = listeners.map(|listener| listener.join().unwrap_or_default()).concat();
        Ok(Some(Heard { succeeded: status.success(), text }))
    }

    fn piped(&self) -> io::Result<Child> {
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn()
    }

    fn command(&self) -> Command {
        let program = match self.program.as_ref() {
            // The cargo that runs us, so that the same toolchain is used throughout.
            "cargo" => std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")),
            other => OsString::from(other),
        };
        let mut command = Command::new(program);
        command.args(&self.arguments).envs(self.environment.iter().cloned());
        command
    }
}

/// Waits with an end; a child that is too slow is killed.
fn wait(child: &mut Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Passes lines on as they come, and keeps them. What cannot be passed on is kept all the same.
fn echo(from: Option<impl Read>, mut to: impl Write) -> String {
    let mut kept = String::new();
    let Some(from) = from else { return kept };
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let _ = to.write_all(&line).and_then(|()| to.flush());
        kept.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    kept
}

/// As a person would type it.
impl fmt::Display for Invocation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(out, "{name}={} ", quoted(value))?;
        }
        out.write_str(&self.program)?;
        for argument in &self.arguments {
            write!(out, " {}", quoted(argument))?;
        }
        Ok(())
    }
}

fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=./:,@+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_typed() {
        let invocation = Invocation::cargo("doc --no-deps").environment("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(invocation.to_string(), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
        let odd = Invocation::program("echo", "").arguments(["it's", ""]);
        assert_eq!(odd.to_string(), r"echo 'it'\''s' ''");
    }

    #[test]
    fn what_a_program_prints_is_heard_with_its_exit_status() {
        let heard = Invocation::program("sh", "-c").arguments(["echo one; echo two >&2; exit 3"]).run_heard().unwrap();
        assert_eq!((heard.text.as_str(), heard.succeeded), ("one\ntwo\n", false));
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let slow = Invocation::program("sleep", "60");
        let began = Instant::now();
        assert!(slow.run_within(Duration::from_millis(50)).unwrap().is_none());
        assert!(began.elapsed() < Duration::from_secs(30));
        let quick = Invocation::program("echo", "done");
        assert_eq!(quick.run_within(Duration::from_secs(30)).unwrap().unwrap().text, "done\n");
    }
}
