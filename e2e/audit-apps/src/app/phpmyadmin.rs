//! `phpMyAdmin` as Debian packages it, before a `MariaDB` of its own: sessions in files, credentials in sealed cookies.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Application, mariadb, package, password, php};
use crate::house::{Failure, Process};
use crate::state::State;

#[derive(Debug)]
pub(super) struct PhpMyAdmin;

impl Application for PhpMyAdmin {
    fn profile(&self) -> &'static str {
        include_str!("../../profiles/phpmyadmin.toml")
    }

    /// The session has the key of the password's cookie, and beside it is the cookie of the name.
    fn session(&self, _: u16) -> Vec<String> {
        ["phpMyAdmin", "pmaUser-1", "pmaAuth-1"].map(str::to_owned).into()
    }

    fn token(&self) -> Option<&'static str> {
        Some("token")
    }

    fn start(&self, folder: &Path, port: u16) -> Result<Vec<Process>, Failure> {
        let package = package("PHPMYADMIN_PHP", "/usr/share/phpmyadmin")?;
        let (database, database_port) = mariadb::start(folder)?;
        mariadb::ask(folder, "CREATE DATABASE notes; CREATE TABLE notes.note (words VARCHAR(200))")?;
        for name in ["ada", "grace"] {
            let word = password(name);
            let create = format!("CREATE USER {name}@'%' IDENTIFIED BY '{word}'; GRANT ALL ON notes.* TO {name}@'%'");
            mariadb::ask(folder, &create)?;
        }
        for name in ["sessions", "tmp"] {
            fs::create_dir(folder.join(name))?;
        }
        let at = folder.display();
        let settings = format!(
            "<?php\n$cfg['blowfish_secret'] = 'only-for-the-time-of-this-run-32';\n$cfg['TempDir'] = '{at}/tmp';\n\
             $cfg['Servers'][1] = ['auth_type' => 'cookie', 'host' => '127.0.0.1', 'port' => '{database_port}'];\n\
             $cfg['VersionCheck'] = false;\n$cfg['SendErrorReports'] = 'never';\n"
        );
        fs::write(folder.join("config.inc.php"), settings)?;
        // Where its own settings are: the one thing its package takes from outside.
        fs::write(folder.join("where.php"), format!("<?php define('CONFIG_FILE', '{at}/config.inc.php');\n"))?;
        let mut server = Command::new(php());
        server.args(["-d", "display_errors=0", "-d"]).arg(format!("auto_prepend_file={at}/where.php"));
        server.arg("-d").arg(format!("session.save_path={at}/sessions"));
        server.arg("-S").arg(format!("127.0.0.1:{port}")).arg("-t").arg(package);
        Ok(vec![Process::listening(server, "php", folder, port)?, database])
    }

    /// Databases, tables and accounts; the rows of the table are the declared change.
    fn state(&self, folder: &Path) -> Result<State, Failure> {
        let tables = "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2";
        let accounts = "SELECT user, host, password FROM mysql.user";
        let lines = [tables, accounts].map(|query| mariadb::ask(folder, query));
        let [tables, accounts] = lines;
        Ok(State::of_lines(&(tables? + "\n" + &accounts?)))
    }

    fn keeps(&self, folder: &Path, word: &str) -> Result<bool, Failure> {
        let query = format!("SELECT COUNT(*) FROM notes.note WHERE words = '{word}'");
        Ok(mariadb::ask(folder, &query)? != "0")
    }

    fn holds(&self, folder: &Path, value: &str) -> Result<Option<bool>, Failure> {
        Ok(Some(folder.join("sessions").join(format!("sess_{value}")).exists()))
    }
}
