//! `DokuWiki` as Debian packages it: PHP, sessions in files, pages as text.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use counterfoil_browser::devtools::DevToolsError;
use counterfoil_browser::tab::Tab;

use super::{Program, SENTENCE, password};
use crate::stage::{Stage, attach, fill_in, output, until_text};
use crate::verdict::{Failure, Shown, promise};

#[derive(Debug)]
pub(crate) struct DokuWiki;

impl Program for DokuWiki {
    const NAME: &'static str = "php";
    const TABLE: &'static str = r#"
app_cookies = ["DokuWiki", "DW*"]
[[apps.app.rules]]
path = "/*"
access = "signed-in"
changes_state = "with-query"
"#;
    const PAGE: &'static str = "/doku.php/start";
    const MARK: &'static str = "Logged in as";
    const SOCKET: Option<&'static str> = None;
    const LINKS: &'static [&'static str] = &["/doku.php/start?do=login&u=grace&p=grace-of-the-application-1"];
    const FORM: (&'static str, &'static [(&'static str, &'static str)]) = (
        "/lib/exe/ajax.php",
        &[("call", "lock"), ("id", "start"), ("prefix", ""), ("suffix", ""), ("date", ""), ("wikitext", super::MARKER)],
    );
    const OWN_WRITE: &'static str = "fetch('/lib/exe/ajax.php', { method: 'POST', body: new URLSearchParams({ call: \
         'lock', id: 'start', prefix: '', suffix: '', date: '', wikitext: 'MARKER' }) })";

    fn session_cookie(_: &str) -> String {
        "DokuWiki".to_owned()
    }

    fn version() -> Result<String, Failure> {
        let path = package().join("VERSION");
        Ok(fs::read_to_string(&path).map_err(|_| Failure::Missing(path))?.trim().to_owned())
    }

    fn prepare(folder: &Path, port: u16) -> Result<Command, Failure> {
        let data = folder.join("data");
        for name in ["attic", "cache", "index", "locks", "log", "media", "media_attic", "media_meta", "meta", "tmp"] {
            fs::create_dir_all(data.join(name))?;
        }
        fs::create_dir_all(data.join("pages"))?;
        fs::create_dir_all(folder.join("conf"))?;
        fs::create_dir_all(folder.join("sessions"))?;
        fs::write(data.join("pages/start.txt"), "====== Start ======\nThe first page. More at [[ideas]].\n")?;
        let at = folder.display();
        // Where its own settings are: the one thing its package takes from outside.
        fs::write(
            folder.join("where.php"),
            format!("<?php define('DOKU_CONF', '{at}/conf/'); define('DOKU_FARM', 'default');\n"),
        )?;
        let settings = format!(
            "<?php\n$conf['title'] = 'Wiki';\n$conf['useacl'] = 1;\n$conf['superuser'] = '@admin';\n$conf['userewrite'] = 2;\n\
             $conf['disableactions'] = 'register';\n$conf['savedir'] = '{at}/data';\n"
        );
        fs::write(folder.join("conf/local.php"), settings)?;
        fs::write(folder.join("conf/acl.auth.php"), "# <?php exit()?>\n*\t@ALL\t0\n*\t@user\t16\n")?;
        fs::write(folder.join("conf/users.auth.php"), users()?)?;
        let mut php = Command::new(php());
        // One process: workers of its own would outlive it.
        php.arg("-d").arg(format!("auto_prepend_file={at}/where.php"));
        php.arg("-d").arg(format!("session.save_path={at}/sessions"));
        php.arg("-S").arg(format!("127.0.0.1:{port}")).arg("-t").arg(package());
        Ok(php)
    }

    async fn sign_in(stage: &Stage, tab: &Tab, name: &str) -> Result<(), Failure> {
        tab.go(&stage.at("/doku.php/start?do=login")).await?;
        fill_in(tab, "#dw__login", &[("u", name), ("p", &password(name))]).await?;
        Ok(())
    }

    async fn who(stage: &Stage, tab: &Tab) -> Result<String, DevToolsError> {
        tab.go(&stage.at(Self::PAGE)).await?;
        tab.read("(document.querySelector('li.user') || {}).innerText || ''").await
    }

    async fn read(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at(Self::PAGE)).await?;
        let text = tab.text().await?;
        promise("a page is read", text.contains("The first page."), || text)?;
        let landed = tab.follow("document.querySelector('a.wikilink2').click()").await?;
        promise("a link within leads on", landed.path().contains("ideas"), || landed.url.clone())?;
        Ok("a page, and a link to another".to_owned())
    }

    async fn write(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at("/doku.php/ideas?do=edit")).await?;
        fill_in(tab, "#dw__editform", &[("wikitext", SENTENCE)]).await?;
        let text = tab.text().await?;
        promise("a page is written", text.contains(SENTENCE), || text)?;
        let kept = fs::read_to_string(stage.folder().join("data/pages/ideas.txt")).unwrap_or_default();
        promise("and kept", kept.contains(SENTENCE), || kept)?;
        Ok("a new page".to_owned())
    }

    async fn upload(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at("/lib/exe/mediamanager.php")).await?;
        let file = stage.file("plan.pdf", "%PDF-1.4 a plan of 24 wheels")?;
        // The page's script puts its own in the place of a plain form.
        until_text(tab, ".qq-upload-button", "").await?;
        attach(tab, ".qq-upload-button input[type=file]", &file).await?;
        until_text(tab, ".qq-upload-list li", "").await?;
        tab.run("document.querySelector('#mediamanager__upload_button').click()").await?;
        stage.until_file(&stage.folder().join("data/media/plan.pdf"), "24 wheels").await?;
        tab.reload().await?;
        let text = tab.text().await?;
        promise("a file is uploaded", text.contains("plan.pdf"), || text)?;
        let answer = tab.ask("GET", "/lib/exe/fetch.php?media=plan.pdf", "").await?;
        promise("and can be had", answer.text.contains("24 wheels"), || answer.text)?;
        Ok("a file, and had back".to_owned())
    }

    async fn search(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at(Self::PAGE)).await?;
        fill_in(tab, "#dw__search", &[("q", "algebraic")]).await?;
        let text = tab.text().await?;
        promise("what was written is found", text.contains("ideas"), || text)?;
        Ok("what was written a moment ago".to_owned())
    }

    async fn second_tab(stage: &Stage, tab: &Tab) -> Shown {
        tab.go(&stage.at("/doku.php/ideas")).await?;
        let text = tab.text().await?;
        promise("a second tab is signed in and sees the same", text.contains(SENTENCE), || text)?;
        Ok("the page written in the first".to_owned())
    }
}

/// Its file of accounts, with hashes that PHP makes.
fn users() -> Result<String, Failure> {
    let mut file = "# <?php exit()?>\n".to_owned();
    for name in ["ada", "grace"] {
        let hash = format!("echo password_hash('{}', PASSWORD_BCRYPT);", password(name));
        let hash = output(Command::new(php()).arg("-r").arg(hash), "php")?;
        file.extend([name, ":", &hash, ":", name, " the user:", name, "@wiki.example:user\n"]);
    }
    Ok(file)
}

fn php() -> std::ffi::OsString {
    std::env::var_os("PHP_BIN").unwrap_or_else(|| "php".into())
}

/// Where Debian's package puts it, or where the `doku.php` is that is named.
fn package() -> PathBuf {
    let named = std::env::var_os("DOKUWIKI_PHP").map(PathBuf::from);
    named.as_deref().and_then(Path::parent).unwrap_or(Path::new("/usr/share/dokuwiki")).to_owned()
}
