//! `JupyterLab` from the Python package index: one person's server, one password, sessions in a signed cookie.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Application, password};
use crate::house::{Failure, Process, installed, output};
use crate::state::State;

#[derive(Debug)]
pub(super) struct JupyterLab;

impl Application for JupyterLab {
    fn profile(&self) -> &'static str {
        include_str!("../../profiles/jupyterlab.toml")
    }

    /// `IdentityProvider.cookie_name`, of which the settings say nothing: made of the host.
    fn session(&self, port: u16) -> Vec<String> {
        vec![format!("username-127-0-0-1-{port}")]
    }

    fn token(&self) -> Option<&'static str> {
        Some("_xsrf")
    }

    fn start(&self, folder: &Path, port: u16) -> Result<Vec<Process>, Failure> {
        for name in ["home", "work"] {
            fs::create_dir_all(folder.join(name))?;
        }
        fs::write(folder.join("work/engine.md"), "# Notes on the engine\n")?;
        let script = "import sys; from jupyter_server.auth import passwd; print(passwd(sys.argv[1]))";
        let python = installed("retrofit/jupyterlab/bin/python")?;
        let hash = output(Command::new(python).arg("-c").arg(script).arg(password("both")), "python")?;
        let settings = format!(
            "c.PasswordIdentityProvider.hashed_password = '{hash}'\nc.IdentityProvider.token = ''\n\
             c.ServerApp.root_dir = '{}'\nc.ServerApp.terminals_enabled = False\n",
            folder.join("work").display()
        );
        fs::write(folder.join("jupyter_server_config.py"), settings)?;
        let mut jupyter = Command::new(installed("retrofit/jupyterlab/bin/jupyter-lab")?);
        let places = [
            ("HOME", "home"),
            ("JUPYTER_CONFIG_DIR", "."),
            ("JUPYTER_DATA_DIR", "home"),
            ("JUPYTER_RUNTIME_DIR", "home"),
        ];
        jupyter.envs(places.map(|(name, place)| (name, folder.join(place))));
        jupyter.args(["--no-browser", "--allow-root", "--ip=127.0.0.1", "--ServerApp.port_retries=0"]);
        jupyter.args(["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]);
        jupyter.args(["--LabApp.extension_manager=readonly", &format!("--port={port}")]);
        Ok(vec![Process::listening(jupyter, "jupyter", folder, port)?])
    }

    /// The person's files, but for the note that the profile declares.
    fn state(&self, folder: &Path) -> Result<State, Failure> {
        Ok(State::of_files(&folder.join("work"), &["/note.txt", "/.ipynb_checkpoints"])?)
    }

    fn keeps(&self, folder: &Path, word: &str) -> Result<bool, Failure> {
        let mut notes = Vec::new();
        for entry in fs::read_dir(folder.join("work"))? {
            // Not only the note: what makes another file is a change too.
            notes.push(fs::read_to_string(entry?.path()).unwrap_or_default());
        }
        Ok(notes.iter().any(|text| text.contains(word)))
    }

    /// All of it is in the cookie.
    fn holds(&self, _: &Path, _: &str) -> Result<Option<bool>, Failure> {
        Ok(None)
    }
}
