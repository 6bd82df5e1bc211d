//! The doctor, tried out: it passes the generated configuration of every proxy, and says what is wrong with a spoiled one.

mod spoils;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use counterfoil_proxies::house::{House, Over, Plan};
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::server::{Answer, Says, Server};
use counterfoil_proxies::site::{FILE, RULES};
use counterfoil_proxies::verdict::{Failure, Shown, promise};

use self::spoils::Spoil;
pub(crate) use self::spoils::of;

/// A gateway behind a proxy, for the doctor to look at.
#[derive(Debug)]
pub(crate) struct Patient {
    pub(super) house: House,
    /// The proxy's configuration as it was written.
    written: Vec<(String, String)>,
    pub(super) app: Server,
}

impl Patient {
    /// Starts a gateway, and has it write its proxy's configuration.
    ///
    /// # Errors
    /// What could not be started.
    pub(crate) fn admit(kind: Kind, counterfoil: &Path) -> Result<Self, Failure> {
        let app = Server::open(Says::Answer(Answer::new(200).saying("the app")))?;
        let (over, upstream) = (Over::Http, app.address);
        let house = House::open(Plan { kind, counterfoil, over, upstream, rules: RULES, people: &["ada"] })?;
        let mut written = Vec::new();
        for entry in fs::read_dir(house.folder())?.flatten().filter(|entry| entry.path().is_file()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != FILE && entry.path().extension().is_none_or(|kind| kind != "log") {
                written.push((name, fs::read_to_string(entry.path())?));
            }
        }
        Ok(Self { house, written, app })
    }

    /// Has the doctor look at the configuration as it was written.
    pub(crate) fn is_well(&self) -> Shown {
        let said = self.examined(&[])?;
        promise("no false alarm", said.status == Some(0), || said.text.clone())?;
        Ok(said.text.lines().last().unwrap_or_default().to_owned())
    }

    /// Has the doctor look at a spoiled one.
    pub(crate) fn is_ill(&self, spoil: &Spoil) -> Shown {
        let said = self.examined(spoil.edits)?;
        let failed: Vec<_> = said.text.split("\nFAIL  ").skip(1).collect();
        let named = failed.iter().any(|failure| failure.starts_with(spoil.promise));
        promise("the doctor names the broken promise", named && said.status == Some(1), || said.text.clone())?;
        let fixes = failed.iter().find(|failure| failure.starts_with(spoil.promise)).copied().unwrap_or_default();
        let fix = fixes.split_whitespace().collect::<Vec<_>>().join(" ");
        promise("and the fix", fix.contains(spoil.fix), || said.text.clone())?;
        Ok(format!("{} broken", failed.len()))
    }

    fn examined(&self, edits: &[(&str, &str)]) -> Result<Said, Failure> {
        for (name, text) in &self.written {
            let mut text = text.clone();
            for (old, new) in edits {
                text = text.replace(old, new);
            }
            fs::write(self.house.folder().join(name), text)?;
        }
        let all: String = self.written.iter().map(|(_, text)| text.as_str()).collect();
        for (old, _) in edits {
            promise("what is spoiled is there", all.contains(old), || (*old).to_owned())?;
        }
        let _proxy = self.house.proxy()?;
        let mut said = Said::default();
        // A port may be open before the routes behind it are known.
        for _ in 0..5 {
            let mut doctor = self.house.command();
            doctor.args(["doctor", &self.house.origin, "--data", "data", "--connect", &self.house.address.to_string()]);
            let output = doctor.output().map_err(|error| Failure::Start("counterfoil".into(), error))?;
            let text = [output.stdout, output.stderr].concat();
            said = Said { status: output.status.code(), text: format!("\n{}", String::from_utf8_lossy(&text)) };
            if said.text.contains(" kept, ") {
                break;
            }
            thread::sleep(Duration::from_millis(300));
        }
        Ok(said)
    }
}

/// What the doctor printed, and how it ended.
#[derive(Debug, Default)]
struct Said {
    status: Option<i32>,
    text: String,
}
