//! What was measured on: as much as a reader needs to judge the figures, and nothing that names the machine.

use std::fmt;
use std::fs;
use std::process::Command;
use std::time::SystemTime;

/// The machine, as the system describes it.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Cores that this process may use.
    pub cores: usize,
    /// Memory in GiB.
    pub memory: u64,
    /// The processor's model.
    pub model: String,
    /// The compiler.
    pub compiler: String,
    /// How many programs were running or waiting in the minute before.
    pub load: String,
    /// Year, month and day.
    pub date: String,
}

impl Machine {
    /// Looks.
    pub fn look() -> Self {
        let rustc = Command::new("rustc").arg("--version").output().ok();
        let compiler = rustc.and_then(|output| String::from_utf8(output.stdout).ok());
        let load = read("/proc/loadavg");
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory: memory(&read("/proc/meminfo")).unwrap_or_default(),
            model: model(&read("/proc/cpuinfo")).unwrap_or("unknown").to_owned(),
            compiler: compiler.unwrap_or_default().trim().to_owned(),
            load: load.split(' ').next().unwrap_or("unknown").to_owned(),
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string().chars().take(10).collect(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, memory, model, compiler, load, date } = self;
        write!(out, "on {date}: {cores} cores, {memory} GiB of memory, {model}; {compiler}; ")?;
        write!(out, "load of the machine in the minute before: {load}")
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// `MemTotal:       24576000 kB`, to the nearest GiB.
fn memory(text: &str) -> Option<u64> {
    let kilobytes: u64 = value(text, "MemTotal")?.split(' ').next()?.parse().ok()?;
    Some((kilobytes + (1 << 19)) >> 20)
}

fn model(text: &str) -> Option<&str> {
    value(text, "model name")
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_tables_are_read() {
        assert_eq!(memory("MemTotal:       24578136 kB\nMemFree: 1 kB\n"), Some(23));
        assert_eq!(model("processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\n"), Some("Some CPU @ 2.00GHz"));
        assert_eq!(memory(""), None);
    }
}
