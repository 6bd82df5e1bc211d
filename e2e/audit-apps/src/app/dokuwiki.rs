//! `DokuWiki` as Debian packages it: PHP, sessions in files, accounts and pages as text.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Application, package, password, php};
use crate::house::{Failure, Process, output};
use crate::state::State;

#[derive(Debug)]
pub(super) struct DokuWiki;

impl Application for DokuWiki {
    fn profile(&self) -> &'static str {
        include_str!("../../profiles/dokuwiki.toml")
    }

    /// `DOKU_SESSION_NAME`, and `DOKU_COOKIE` with the account: sealed with a key that the session's id is part of.
    fn session(&self, port: u16) -> Vec<String> {
        vec!["DokuWiki".to_owned(), cookie(port)]
    }

    fn token(&self) -> Option<&'static str> {
        Some("sectok")
    }

    fn start(&self, folder: &Path, port: u16) -> Result<Vec<Process>, Failure> {
        let data = folder.join("data");
        for name in
            ["attic", "cache", "index", "locks", "log", "media", "media_attic", "media_meta", "meta", "tmp", "pages"]
        {
            fs::create_dir_all(data.join(name))?;
        }
        fs::create_dir_all(folder.join("conf"))?;
        fs::create_dir_all(folder.join("sessions"))?;
        fs::write(data.join("pages/start.txt"), "====== Start ======\nThe first page.\n")?;
        let at = folder.display();
        // Where its own settings are: the one thing its package takes from outside.
        let place = format!("<?php define('DOKU_CONF', '{at}/conf/'); define('DOKU_FARM', 'default');\n");
        fs::write(folder.join("where.php"), place)?;
        let settings = format!(
            "<?php\n$conf['title'] = 'Wiki';\n$conf['useacl'] = 1;\n$conf['superuser'] = '@admin';\n$conf['userewrite'] = 2;\n\
             $conf['disableactions'] = 'register';\n$conf['savedir'] = '{at}/data';\n"
        );
        fs::write(folder.join("conf/local.php"), settings)?;
        fs::write(folder.join("conf/acl.auth.php"), "# <?php exit()?>\n*\t@ALL\t1\n*\t@user\t16\n")?;
        fs::write(folder.join("conf/users.auth.php"), users()?)?;
        let mut php = Command::new(php());
        php.arg("-d").arg(format!("auto_prepend_file={at}/where.php"));
        php.arg("-d").arg(format!("session.save_path={at}/sessions"));
        php.arg("-S").arg(format!("127.0.0.1:{port}")).arg("-t").arg(package("DOKUWIKI_PHP", "/usr/share/dokuwiki")?);
        Ok(vec![Process::listening(php, "php", folder, port)?])
    }

    /// But sessions, caches, and the accounts' lines, of which the profile changes name and password.
    fn state(&self, folder: &Path) -> Result<State, Failure> {
        let passing =
            ["/sessions/", "/data/cache/", "/data/log/", "/data/tmp/", "/data/index/", "/conf/users.auth.php"];
        Ok(State::of_files(folder, &[&passing[..], &["/data/meta/", "/data/locks/"]].concat())?)
    }

    fn keeps(&self, folder: &Path, word: &str) -> Result<bool, Failure> {
        Ok(fs::read_to_string(folder.join("conf/users.auth.php"))?.contains(word))
    }

    fn holds(&self, folder: &Path, value: &str) -> Result<Option<bool>, Failure> {
        Ok(Some(folder.join("sessions").join(format!("sess_{value}")).exists()))
    }
}

/// `'DW' . md5(DOKU_REL . $port)`, as its source makes the name.
fn cookie(port: u16) -> String {
    let script = format!("echo 'DW' . md5('/' . '{port}');");
    output(Command::new(php()).arg("-r").arg(script), "php").unwrap_or_default()
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
