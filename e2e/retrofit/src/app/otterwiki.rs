//! An Otter Wiki from the Python package index: Flask with Flask-Login, pages in git.

use std::fs;
use std::path::Path;
use std::process::Command;

use counterfoil_browser::devtools::DevToolsError;
use counterfoil_browser::tab::Tab;
use serde_json::json;

use super::{Program, SENTENCE, password};
use crate::stage::{Stage, attach, click, fill_in, installed, output, until_text};
use crate::verdict::{Failure, Shown, promise};

#[derive(Debug)]
pub(crate) struct OtterWiki;

impl Program for OtterWiki {
    const NAME: &'static str = "flask";
    const TABLE: &'static str = r#"
app_cookies = ["session"]
[[apps.app.rules]]
path = "/-/logout"
access = "signed-in"
changes_state = "always"
[[apps.app.rules]]
path = "/*/draft"
access = "signed-in"
changes_state = "always"
[[apps.app.rules]]
path = "/*"
access = "signed-in"
"#;
    const PAGE: &'static str = "/";
    const MARK: &'static str = "/-/logout";
    const SOCKET: Option<&'static str> = None;
    const LINKS: &'static [&'static str] = &["/-/logout", "/home/draft", "/home/draft?content=written-from-elsewhere"];
    const FORM: (&'static str, &'static [(&'static str, &'static str)]) =
        ("/home/draft", &[("content", super::MARKER)]);
    const OWN_WRITE: &'static str = "fetch('/home/draft', { method: 'POST', body: new URLSearchParams({ content: 'MARKER' }), \
         headers: { 'X-CSRFToken': document.querySelector('input[name=csrf_token]').value } })";

    fn session_cookie(_: &str) -> String {
        "session".to_owned()
    }

    fn version() -> Result<String, Failure> {
        let python = installed("otterwiki", "python")?;
        let script = "from importlib.metadata import version as v; print(f'{v(\"otterwiki\")}, Flask-Login {v(\"flask-login\")}')";
        output(Command::new(python).arg("-c").arg(script), "python")
    }

    fn prepare(folder: &Path, port: u16) -> Result<Command, Failure> {
        let pages = folder.join("pages");
        fs::create_dir_all(&pages)?;
        output(Command::new("git").args(["init", "--quiet", "--initial-branch=main"]).arg(&pages), "git")?;
        let (at, settings) = (folder.display(), folder.join("settings.cfg"));
        let text = format!(
            "REPOSITORY = '{at}/pages'\nSQLALCHEMY_DATABASE_URI = 'sqlite:///{at}/wiki.sqlite'\n\
             SECRET_KEY = 'only for the time of this run'\nREAD_ACCESS = 'REGISTERED'\nWRITE_ACCESS = 'REGISTERED'\n\
             ATTACHMENT_ACCESS = 'REGISTERED'\nEMAIL_NEEDS_CONFIRMATION = False\n"
        );
        fs::write(&settings, text)?;
        let accounts = format!(
            "from datetime import datetime\nfrom otterwiki.server import app, db\nfrom otterwiki.models import User\n\
             from werkzeug.security import generate_password_hash as hashed\n\
             with app.app_context():\n    for name, password in [('ada', '{}'), ('grace', '{}')]:\n        \
             db.session.add(User(name=name, email=name + '@wiki.example', password_hash=hashed(password), is_approved=True, \
             email_confirmed=True, first_seen=datetime.now(), last_seen=datetime.now()))\n    db.session.commit()\n",
            password("ada"),
            password("grace")
        );
        let python = installed("otterwiki", "python")?;
        output(Command::new(python).env("OTTERWIKI_SETTINGS", &settings).arg("-c").arg(accounts), "python")?;
        let mut flask = Command::new(installed("otterwiki", "flask")?);
        flask.env("OTTERWIKI_SETTINGS", &settings);
        flask.args(["--app", "otterwiki.server", "run", "--host", "127.0.0.1", "--port", &port.to_string()]);
        Ok(flask)
    }

    async fn sign_in(stage: &Stage, tab: &Tab, name: &str) -> Result<(), Failure> {
        tab.go(&stage.at("/-/login")).await?;
        let email = format!("{name}@wiki.example");
        fill_in(tab, "form[action='/-/login']", &[("email", &email), ("password", &password(name))]).await?;
        Ok(())
    }

    async fn who(stage: &Stage, tab: &Tab) -> Result<String, DevToolsError> {
        tab.go(&stage.at("/-/settings")).await?;
        tab.read("(document.querySelector('form[action=\"/-/settings\"] input#name') || {}).value || ''").await
    }

    async fn read(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at(Self::PAGE)).await?;
        let text = tab.text().await?;
        promise("a page is read", text.contains("Otter Wiki"), || text)?;
        let landed = tab.go(&stage.at("/-/index")).await?;
        promise("and the index of pages", landed.status == 200, || landed.url.clone())?;
        Ok("a page, and the index".to_owned())
    }

    async fn write(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at("/ideas/edit")).await?;
        until_text(tab, ".cm-content", "").await?;
        tab.run("document.querySelector('.cm-content').focus()").await?;
        tab.call("Input.insertText", json!({ "text": SENTENCE })).await?;
        fill_in(tab, "#saveform", &[("commit", "an idea")]).await?;
        let text = tab.text().await?;
        promise("a page is written", text.contains(SENTENCE), || text)?;
        let kept = fs::read_to_string(stage.folder().join("pages/ideas.md")).unwrap_or_default();
        promise("and kept", kept.contains(SENTENCE), || kept)?;
        Ok("a new page".to_owned())
    }

    async fn upload(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at("/ideas/attachments")).await?;
        let file = stage.file("plan.txt", "a plan of 24 wheels")?;
        attach(tab, "#file-upload", &file).await?;
        click(tab, "form[action='/ideas/attachments'] input[type=submit]").await?;
        let text = tab.text().await?;
        promise("a file is uploaded", text.contains("plan.txt"), || text)?;
        let answer = tab.ask("GET", "/ideas/a/plan.txt", "").await?;
        promise("and can be had", answer.text.contains("24 wheels"), || answer.text)?;
        Ok("a file, and had back".to_owned())
    }

    async fn search(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at("/-/search")).await?;
        fill_in(tab, "form.form-inline[action='/-/search']", &[("query", "algebraic")]).await?;
        let text = tab.text().await?;
        promise("what was written is found", text.contains("Ideas") || text.contains("ideas"), || text)?;
        Ok("what was written a moment ago".to_owned())
    }

    async fn second_tab(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at("/ideas")).await?;
        let text = tab.text().await?;
        promise("a second tab is signed in and sees the same", text.contains(SENTENCE), || text)?;
        Ok("the page written in the first".to_owned())
    }
}
