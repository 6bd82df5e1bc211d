//! Other session middleware behind the same route: which, and what starts it.

use std::path::Path;
use std::process::Command;

/// One contender, beside the bare server of its own runtime.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// As it stands in the table.
    pub name: &'static str,
    runtime: Runtime,
    program: &'static str,
    bare: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runtime {
    /// A program that was built.
    Native,
    /// What follows is for Node.
    Node,
}

/// Ours first.
#[rustfmt::skip]
pub const PEERS: [Peer; 4] = [
    Peer { name: "Counterfoil", runtime: Runtime::Native, program: "target/dist/sessions", bare: BARE },
    Peer { name: "tower-sessions 0.15", runtime: Runtime::Native, program: "target/peers/dist/tower-sessions", bare: BARE },
    Peer { name: "axum_session 0.22", runtime: Runtime::Native, program: "target/peers/dist/axum-session", bare: BARE },
    Peer { name: "express-session 1.19 (Node)", runtime: Runtime::Node, program: EXPRESS, bare: BARE_EXPRESS },
];

impl Peer {
    /// Why it cannot be measured here, if it cannot.
    pub fn missing(&self, workspace: &Path) -> Option<&'static str> {
        match self.runtime {
            Runtime::Native if !workspace.join(self.program).exists() => Some("not built"),
            Runtime::Node if !runs("node") => Some("no Node"),
            Runtime::Node if !workspace.join(EXPRESS_MODULES).exists() => Some("its packages are not installed"),
            Runtime::Native | Runtime::Node => None,
        }
    }

    /// What starts its server.
    pub fn server(&self, workspace: &Path) -> Command {
        self.start(workspace, self.program)
    }

    /// What starts the bare server of the same runtime.
    pub fn bare(&self, workspace: &Path) -> Command {
        self.start(workspace, self.bare)
    }

    fn start(&self, workspace: &Path, words: &str) -> Command {
        let mut words = words.split(' ');
        let program = workspace.join(words.next().unwrap_or_default());
        let mut command = match self.runtime {
            Runtime::Native => Command::new(program),
            Runtime::Node => {
                let mut node = Command::new("node");
                node.env("NODE_ENV", "production").arg(program);
                node
            }
        };
        command.args(words);
        command
    }
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

const BARE: &str = "target/dist/bare";
const EXPRESS: &str = "benches/peers/express/server.js";
const BARE_EXPRESS: &str = "benches/peers/express/server.js --bare";
const EXPRESS_MODULES: &str = "benches/peers/express/node_modules";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_said_to_be_missing() {
        let nowhere = Path::new("/nowhere");
        assert!(PEERS.iter().all(|peer| peer.missing(nowhere).is_some()));
    }

    #[test]
    fn node_is_given_the_script_and_its_words() {
        let express = PEERS.iter().find(|peer| peer.runtime == Runtime::Node).unwrap();
        let bare = express.bare(Path::new("/srv"));
        let words: Vec<_> = bare.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!((bare.get_program().to_str(), words.len()), (Some("node"), 2));
        assert_eq!(words, ["/srv/benches/peers/express/server.js", "--bare"]);
    }
}
