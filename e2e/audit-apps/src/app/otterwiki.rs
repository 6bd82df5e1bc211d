//! Otter Wiki from the Python package index: Flask and Flask-Login, sessions in a signed cookie, pages in a git repository.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Application, password};
use crate::house::{Failure, Process, installed, output};
use crate::state::State;

#[derive(Debug)]
pub(super) struct OtterWiki;

impl Application for OtterWiki {
    fn profile(&self) -> &'static str {
        include_str!("../../profiles/otterwiki.toml")
    }

    /// Flask's `SESSION_COOKIE_NAME`, of which the settings say nothing.
    fn session(&self, _: u16) -> Vec<String> {
        vec!["session".to_owned()]
    }

    fn token(&self) -> Option<&'static str> {
        Some("csrf_token")
    }

    fn start(&self, folder: &Path, port: u16) -> Result<Vec<Process>, Failure> {
        let pages = folder.join("pages");
        fs::create_dir(&pages)?;
        output(Command::new("git").args(["init", "--quiet", "--initial-branch=main"]).arg(&pages), "git")?;
        let (at, settings) = (folder.display(), folder.join("settings.cfg"));
        let text = format!(
            "REPOSITORY = '{at}/pages'\nSQLALCHEMY_DATABASE_URI = 'sqlite:///{at}/wiki.sqlite'\n\
             SECRET_KEY = 'only for the time of this run'\nREAD_ACCESS = 'REGISTERED'\nWRITE_ACCESS = 'REGISTERED'\n\
             ATTACHMENT_ACCESS = 'REGISTERED'\nEMAIL_NEEDS_CONFIRMATION = False\n"
        );
        fs::write(&settings, text)?;
        let people: Vec<_> = ["ada", "grace"].map(|name| format!("('{name}', '{}')", password(name))).into();
        let accounts = format!(
            "from datetime import datetime\nfrom otterwiki.server import app, db\nfrom otterwiki.models import User\n\
             from werkzeug.security import generate_password_hash as hashed\n\
             with app.app_context():\n    for name, word in [{}]:\n        \
             db.session.add(User(name=name, email=name + '@wiki.example', password_hash=hashed(word), is_admin=True, is_approved=True, \
             email_confirmed=True, first_seen=datetime.now(), last_seen=datetime.now()))\n    db.session.commit()\n",
            people.join(", ")
        );
        output(python()?.env("OTTERWIKI_SETTINGS", &settings).arg("-c").arg(accounts), "python")?;
        let mut flask = Command::new(installed("retrofit/otterwiki/bin/flask")?);
        flask.env("OTTERWIKI_SETTINGS", &settings);
        flask.args(["--app", "otterwiki.server", "run", "--host", "127.0.0.1", "--port", &port.to_string()]);
        Ok(vec![Process::listening(flask, "flask", folder, port)?])
    }

    /// But the name that the profile changes, and what signing in and a changed password leave.
    fn state(&self, folder: &Path) -> Result<State, Failure> {
        let script = "import sqlite3\n\
             d = sqlite3.connect('wiki.sqlite')\n\
             but = ('name', 'password_hash', 'last_seen')\n\
             for (t,) in list(d.execute(\"select name from sqlite_master where type = 'table'\")):\n    \
             c = [r[1] for r in d.execute(f'pragma table_info({t})') if t != 'user' or r[1] not in but]\n    \
             for r in d.execute(f'select {\",\".join(c)} from {t}'): print(t, r)";
        let rows = State::of_lines(&output(python()?.current_dir(folder).args(["-c", script]), "python")?);
        Ok(rows.and(State::of_files(&folder.join("pages"), &["/.git/"])?))
    }

    fn keeps(&self, folder: &Path, word: &str) -> Result<bool, Failure> {
        let script = "import sqlite3, sys\nq = 'select count(*) from user where name = ?'\n\
             print(sqlite3.connect('wiki.sqlite').execute(q, [sys.argv[1]]).fetchone()[0])";
        Ok(output(python()?.current_dir(folder).args(["-c", script, word]), "python")? != "0")
    }

    /// All of it is in the cookie.
    fn holds(&self, _: &Path, _: &str) -> Result<Option<bool>, Failure> {
        Ok(None)
    }
}

fn python() -> Result<Command, Failure> {
    installed("retrofit/otterwiki/bin/python").map(Command::new)
}
