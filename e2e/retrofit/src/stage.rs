//! One application behind the gateway and a real proxy, and the browsers of whoever comes to it.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use counterfoil_browser::devtools::{DevTools, DevToolsError};
use counterfoil_browser::form::fill;
use counterfoil_browser::jar::Cookie;
use counterfoil_browser::tab::{Landed, Opened, Person, Tab};
use counterfoil_browser::waiting::until;
use counterfoil_proxies::house::{House, Over, Plan, at};
use counterfoil_proxies::kind::Kind;
use counterfoil_proxies::process::{Process, listening};
use counterfoil_proxies::server::{Answer, Says, Server};
use counterfoil_proxies::site::free_port;
use counterfoil_proxies::tls::Tls;
use counterfoil_proxies::wire::Message;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{MARKER, Program};
use crate::verdict::{Failure, promise};

/// All of it. Dropping it ends every process but the browser.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) house: House,
    /// Another site.
    pub(crate) elsewhere: Server,
    /// Tabs, for a look at them when something fails.
    pub(crate) opened: Opened,
    devtools: DevTools,
    folder: TempDir,
    _proxy: Process,
    _app: Process,
}

/// Somebody with a browser of their own, and what they are called.
#[derive(Debug)]
pub(crate) struct Someone {
    pub(crate) name: &'static str,
    pub(crate) person: Person,
    pub(crate) tab: Tab,
}

impl Stage {
    /// Starts application, gateway and proxy. Waits for each, so it belongs onto a thread that may.
    ///
    /// # Errors
    /// What could not be started.
    pub(crate) fn open<P: Program>(
        kind: Kind,
        counterfoil: &Path,
        tls: &Tls,
        elsewhere: Server,
        devtools: DevTools,
    ) -> Result<Self, Failure> {
        let (folder, port) = (tempfile::tempdir()?, free_port()?);
        let log = fs::File::create(folder.path().join(LOG))?;
        let mut command = P::prepare(folder.path(), port)?;
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut app = Process::start(command, P::NAME.into())?;
        let printed = || fs::read_to_string(folder.path().join(LOG)).unwrap_or_default();
        listening(at(port), &mut app, P::NAME, printed)?;
        let plan = Plan {
            kind,
            counterfoil,
            over: Over::Https(tls),
            upstream: at(port),
            rules: P::TABLE,
            people: &["ada", "grace", "mallory"],
        };
        let house = House::open(plan)?;
        let proxy = house.ready()?;
        Ok(Self { house, elsewhere, opened: Opened::default(), devtools, folder, _proxy: proxy, _app: app })
    }

    /// An address on the site.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.house.origin)
    }

    /// Where the application keeps what it keeps.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A browser with an empty jar.
    pub(crate) async fn someone(&self, name: &'static str) -> Result<Someone, DevToolsError> {
        let person = Person::stranger(&self.devtools, self.opened.clone()).await?;
        let tab = person.tab().await?;
        Ok(Someone { name, person, tab })
    }

    /// A file on the disk of whoever uploads it.
    pub(crate) fn file(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let folder = self.folder().join("to-upload");
        fs::create_dir_all(&folder)?;
        let path = folder.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Waits until a file of the application's says this.
    pub(crate) async fn until_file(&self, path: &Path, text: &str) -> Result<(), Failure> {
        let look = || async { Ok(fs::read_to_string(path).ok().filter(|kept| kept.contains(text)).map(drop)) };
        until(&format!("{} to say {text}", path.display()), look).await
    }

    /// Whether what was sent from elsewhere is anywhere in what the application keeps.
    pub(crate) fn keeps_marker(&self) -> io::Result<bool> {
        mentions(self.folder(), MARKER.as_bytes())
    }

    /// A request as it is, with these cookies.
    pub(crate) async fn raw(
        self: &std::sync::Arc<Self>,
        target: &str,
        cookies: &[&Cookie],
        lines: &str,
    ) -> Result<Message, Failure> {
        let jar: Vec<_> = cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value.reveal())).collect();
        let jar = if jar.is_empty() { String::new() } else { format!("Cookie: {}\r\n", jar.join("; ")) };
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: {}\r\nAccept: text/html\r\n{jar}{lines}\r\n", self.house.host);
        let stage = std::sync::Arc::clone(self);
        Ok(tokio::task::spawn_blocking(move || stage.house.ask(request.as_bytes())).await??)
    }

    /// Puts a page on the other site and goes there.
    pub(crate) async fn go_elsewhere(&self, tab: &Tab, page: &str) -> Result<(), Failure> {
        let page = format!("<!doctype html><title>elsewhere</title>{page}");
        self.elsewhere.says(Says::Answer(Answer::new(200).with("Content-Type", "text/html").saying(&page)));
        tab.go(ELSEWHERE).await?;
        Ok(())
    }

    /// The gateway's sign-in page, from wherever it is asked for; where it leads.
    pub(crate) async fn pass_the_gate(&self, tab: &Tab, name: &str) -> Result<Landed, Failure> {
        let landed = tab
            .follow(&fill("/.session/login", &[("username", name), ("password", self.house.password(name))]))
            .await?;
        promise("a right password signs in", !landed.path().starts_with("/.session/"), || landed.url.clone())?;
        Ok(landed)
    }
}

impl Someone {
    /// Signs in twice: at the gateway, and at the application.
    pub(crate) async fn signs_in<P: Program>(&self, stage: &Stage) -> Result<(), Failure> {
        let landed = self.tab.go(&stage.at(P::PAGE)).await?;
        promise("a stranger is sent to sign in", landed.path().starts_with("/.session/login?next="), || {
            landed.url.clone()
        })?;
        stage.pass_the_gate(&self.tab, self.name).await?;
        P::sign_in(stage, &self.tab, self.name).await?;
        let who = P::who(stage, &self.tab).await?;
        promise("and is then known to the application", P::is(self.name, &who), || format!("it shows {who:?}"))
    }

    /// By the gateway's own button.
    pub(crate) async fn signs_out(&self, stage: &Stage) -> Result<(), Failure> {
        self.tab.go(&stage.at("/.session/logout")).await?;
        self.tab.follow(&fill("/.session/logout", &[])).await?;
        let text = self.tab.text().await?;
        promise("signing out is confirmed", text.contains("signed out"), || text)
    }

    /// The gateway's cookie, and all others.
    pub(crate) async fn cookies(&self) -> Result<(Vec<Cookie>, Vec<Cookie>), DevToolsError> {
        Ok(self.person.jar().await?.into_iter().partition(|cookie| cookie.name.starts_with("__Host-")))
    }
}

/// Fills in a form and sends it by its button, as a person does.
pub(crate) async fn fill_in(tab: &Tab, form: &str, fields: &[(&str, &str)]) -> Result<Landed, Failure> {
    let mut script = format!("const form = document.querySelector({});", json!(form));
    for (name, value) in fields {
        script.extend(["form.elements[", &json!(name).to_string(), "].value = ", &json!(value).to_string(), ";"]);
    }
    script += "form.requestSubmit(form.querySelector('[type=submit]'));";
    Ok(tab.follow(&format!("{{ {script} }}")).await?)
}

/// Clicks, and waits for the page that leads to.
pub(crate) async fn click(tab: &Tab, what: &str) -> Result<Landed, Failure> {
    Ok(tab.follow(&format!("document.querySelector({}).click()", json!(what))).await?)
}

/// Chooses a file in a form.
pub(crate) async fn attach(tab: &Tab, input: &str, file: &Path) -> Result<(), Failure> {
    let found = tab
        .call("Runtime.evaluate", json!({ "expression": format!("document.querySelector({})", json!(input)) }))
        .await?;
    let object = found.pointer("/result/objectId").cloned().unwrap_or(Value::Null);
    tab.call("DOM.setFileInputFiles", json!({ "objectId": object, "files": [file] })).await?;
    Ok(())
}

/// Waits until elements that a selector means say this together, and what they then say.
pub(crate) async fn until_text(tab: &Tab, selector: &str, text: &str) -> Result<String, Failure> {
    let script = format!(
        "(all => all.length ? all.map(one => one.innerText || one.textContent).join('\\n') : null)([...document.querySelectorAll({})])",
        json!(selector)
    );
    let look = || async {
        let said = tab.run(&script).await?;
        Ok::<_, Failure>(said.as_str().filter(|said| said.contains(text)).map(str::to_owned))
    };
    until(&format!("{selector} to say {text:?}"), look).await
}

/// A program of an environment that `cargo xtask retrofit` makes.
pub(crate) fn installed(environment: &str, program: &str) -> Result<PathBuf, Failure> {
    let path = Path::new("target/retrofit").join(environment).join("bin").join(program);
    // Not canonical: Python finds its environment by the name it is called by.
    let path = std::path::absolute(&path)?;
    if path.exists() { Ok(path) } else { Err(Failure::Missing(path)) }
}

/// What a program prints, if it succeeds.
pub(crate) fn output(command: &mut Command, program: &'static str) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(Failure::Preparation { program, said: text(&output.stderr) })
    }
}

/// Whether any file below a folder has these bytes in it.
fn mentions(folder: &Path, text: &[u8]) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = match entry.file_type()? {
            kind if kind.is_dir() => mentions(&entry.path(), text)?,
            // One may go while we look.
            kind if kind.is_file() && entry.file_name() != LOG => {
                fs::read(entry.path()).is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text))
            }
            _ => false,
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Which address leads to the other site; names below localhost are this machine's, and nothing leads beyond it.
pub(crate) fn resolver_rules(elsewhere: SocketAddr) -> String {
    format!(
        "MAP elsewhere.test:80 {elsewhere}, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1"
    )
}

/// Another site.
const ELSEWHERE: &str = "http://elsewhere.test/";
/// What the application printed, in its folder.
const LOG: &str = "printed.log";
