//! `JupyterLab` from the Python package index: one person's server, shared here by two; cells run over a `WebSocket`.

use std::fs;
use std::path::Path;
use std::process::Command;

use counterfoil_browser::devtools::DevToolsError;
use counterfoil_browser::tab::Tab;
use serde_json::{Value, json};

use super::{Program, SENTENCE, password};
use crate::stage::{Stage, fill_in, installed, output, until_text};
use crate::verdict::{Failure, Shown};

#[derive(Debug)]
pub(crate) struct JupyterLab;

impl Program for JupyterLab {
    const NAME: &'static str = "jupyter";
    const TABLE: &'static str = r#"
app_cookies = ["username-*", "_xsrf"]
[[apps.app.rules]]
path = "/logout"
access = "signed-in"
changes_state = "always"
[[apps.app.rules]]
path = "/login"
access = "signed-in"
[[apps.app.rules]]
path = "/api/kernels"
access = "signed-in"
quiet = true
[[apps.app.rules]]
path = "/api/sessions"
access = "signed-in"
quiet = true
[[apps.app.rules]]
path = "/*"
access = "signed-in"
changes_state = "with-query"
"#;
    const PAGE: &'static str = "/lab";
    const MARK: &'static str = "jupyter-config-data";
    const SOCKET: Option<&'static str> = Some("/api/events/subscribe");
    const LINKS: &'static [&'static str] = &["/logout"];
    const FORM: (&'static str, &'static [(&'static str, &'static str)]) =
        ("/api/contents/", &[("type", "file"), ("ext", super::MARKER)]);
    const OWN_WRITE: &'static str = "fetch('/api/contents/MARKER.txt', { method: 'PUT', body: JSON.stringify({ type: 'file', \
         format: 'text', content: 'MARKER' }), headers: { 'X-XSRFToken': document.cookie.match(/_xsrf=([^;]*)/)[1] } })";

    fn session_cookie(host: &str) -> String {
        format!("username-{}", host.replace(['.', ':'], "-"))
    }

    fn version() -> Result<String, Failure> {
        let python = installed("jupyterlab", "python")?;
        let script = "from importlib.metadata import version as v; print(f'{v(\"jupyterlab\")}, jupyter-server {v(\"jupyter-server\")}')";
        output(Command::new(python).arg("-c").arg(script), "python")
    }

    fn prepare(folder: &Path, port: u16) -> Result<Command, Failure> {
        for name in ["home", "work"] {
            fs::create_dir_all(folder.join(name))?;
        }
        fs::write(folder.join("work/engine.md"), "# Notes on the engine\n")?;
        let script = "import sys; from jupyter_server.auth import passwd; print(passwd(sys.argv[1]))";
        let python = installed("jupyterlab", "python")?;
        let hash = output(Command::new(python).arg("-c").arg(script).arg(password("both")), "python")?;
        // Behind a proxy: the name browsers use, and the scheme it tells.
        let settings = format!(
            "c.PasswordIdentityProvider.hashed_password = '{hash}'\nc.IdentityProvider.token = ''\n\
             c.ServerApp.local_hostnames = ['localhost', 'app.localhost']\nc.ServerApp.trust_xheaders = True\n\
             c.ServerApp.root_dir = '{}'\nc.ServerApp.terminals_enabled = False\n",
            folder.join("work").display()
        );
        fs::write(folder.join("jupyter_server_config.py"), settings)?;
        let mut jupyter = Command::new(installed("jupyterlab", "jupyter-lab")?);
        let places = [
            ("HOME", "home"),
            ("JUPYTER_CONFIG_DIR", "."),
            ("JUPYTER_DATA_DIR", "home"),
            ("JUPYTER_RUNTIME_DIR", "home"),
        ];
        jupyter.envs(places.map(|(name, place)| (name, folder.join(place))));
        jupyter.args([
            "--no-browser",
            "--allow-root",
            "--ip=127.0.0.1",
            "--ServerApp.port_retries=0",
            &format!("--port={port}"),
        ]);
        jupyter.args([
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
        ]);
        Ok(jupyter)
    }

    async fn sign_in(stage: &Stage, tab: &Tab, _: &str) -> Result<(), Failure> {
        tab.go(&stage.at("/login?next=%2Flab")).await?;
        fill_in(tab, "form[action^='/login']", &[("password", &password("both"))]).await?;
        Ok(())
    }

    /// People have no names there: each sign-in is given one.
    async fn who(stage: &Stage, tab: &Tab) -> Result<String, DevToolsError> {
        tab.go(&stage.at("/api/me")).await?;
        let me: Value = serde_json::from_str(&tab.text().await?).unwrap_or_default();
        Ok(me.pointer("/identity/username").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    fn is(_: &str, shown: &str) -> bool {
        !shown.is_empty()
    }

    async fn read(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at("/lab/tree/engine.md")).await?;
        until_text(tab, ".jp-FileEditor .cm-content", "Notes on the engine").await?;
        Ok("a file, in its editor".to_owned())
    }

    /// Over the kernel's `WebSocket`, through the chain.
    async fn write(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at(Self::PAGE)).await?;
        until_text(tab, ".jp-LauncherCard[data-category=Notebook]", "Python").await?;
        tab.run("document.querySelector('.jp-LauncherCard[data-category=Notebook]').click()").await?;
        // Not before the kernel is there: a cell that is run too early is passed over without a word.
        until_text(tab, ".jp-Toolbar-kernelName, .jp-KernelName", "Python 3").await?;
        until_text(tab, "#jp-main-statusbar", "| Idle").await?;
        until_text(tab, ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell .cm-content", "").await?;
        tab.run("document.querySelector('.jp-CodeCell .cm-content').focus()").await?;
        tab.call("Input.insertText", json!({ "text": format!("print('{SENTENCE}', 6 * 7)") })).await?;
        // Shift and Enter: runs the cell.
        for kind in ["rawKeyDown", "keyUp"] {
            let key =
                json!({ "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": 8 });
            tab.call("Input.dispatchKeyEvent", key).await?;
        }
        let shown = until_text(tab, ".jp-OutputArea-output", &format!("{SENTENCE} 42")).await?;
        tab.run("document.querySelector('[data-command=\"docmanager:save\"]').click()").await?;
        // It asks for a name the first time.
        until_text(tab, ".jp-Dialog .jp-mod-accept", "").await?;
        tab.run("document.querySelector('.jp-Dialog .jp-mod-accept').click()").await?;
        let kept = stage.folder().join("work/Untitled.ipynb");
        stage.until_file(&kept, SENTENCE).await?;
        Ok(format!("a notebook, its cell run: {}", shown.trim()))
    }

    async fn upload(stage: &Stage, tab: &Tab) -> Shown {
        let file = stage.file("plan.txt", "a plan of 24 wheels")?;
        tab.call("Page.setInterceptFileChooserDialog", json!({ "enabled": true })).await?;
        let mark = tab.mark();
        tab.run("document.querySelector('.jp-id-upload jp-button, .jp-id-upload button').click()").await?;
        let opened = |events: &[counterfoil_browser::devtools::Event]| {
            let event = events.iter().find(|event| event.name == "Page.fileChooserOpened")?;
            event.body.get("backendNodeId").cloned()
        };
        let node = tab.wait(mark, "the dialogue for files", opened).await?;
        tab.call("DOM.setFileInputFiles", json!({ "backendNodeId": node, "files": [file] })).await?;
        until_text(tab, ".jp-DirListing-content", "plan.txt").await?;
        stage.until_file(&stage.folder().join("work/plan.txt"), "24 wheels").await?;
        Ok("a file, shown in the list".to_owned())
    }

    async fn search(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at("/lab/tree/Untitled.ipynb?reset")).await?;
        until_text(tab, ".jp-OutputArea-output", SENTENCE).await?;
        tab.run("document.querySelector('.jp-CodeCell .cm-content').focus()").await?;
        for kind in ["rawKeyDown", "keyUp"] {
            let key = json!({ "type": kind, "key": "f", "code": "KeyF", "windowsVirtualKeyCode": 70, "modifiers": 2 });
            tab.call("Input.dispatchKeyEvent", key).await?;
        }
        until_text(tab, ".jp-DocumentSearch-overlay", "").await?;
        tab.run("document.querySelector('.jp-DocumentSearch-input').focus()").await?;
        tab.call("Input.insertText", json!({ "text": "algebraic" })).await?;
        let found = until_text(tab, ".jp-DocumentSearch-index-counter", "1/").await?;
        Ok(format!("in the notebook, match {}", found.trim()))
    }

    async fn second_tab(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at("/lab/tree/Untitled.ipynb?reset")).await?;
        let shown = until_text(tab, ".jp-OutputArea-output", SENTENCE).await?;
        Ok(format!("the same notebook: {}", shown.trim()))
    }
}
