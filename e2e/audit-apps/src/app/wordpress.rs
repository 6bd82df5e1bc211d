//! `WordPress` as Debian packages it, on a `MariaDB` of its own: a signed cookie, and its hash among the account's rows.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::{Application, mariadb, package, password, php};
use crate::house::{Failure, Process, output};
use crate::state::State;

#[derive(Debug)]
pub(super) struct WordPress;

impl Application for WordPress {
    fn profile(&self) -> &'static str {
        include_str!("../../profiles/wordpress.toml")
    }

    /// `AUTH_COOKIE`, as `wp_cookie_constants` names it after the site's address.
    fn session(&self, port: u16) -> Vec<String> {
        let script = format!("echo 'wordpress_' . md5('http://127.0.0.1:{port}');");
        output(Command::new(php()).arg("-r").arg(script), "php").into_iter().collect()
    }

    fn token(&self) -> Option<&'static str> {
        Some("_wpnonce")
    }

    fn start(&self, folder: &Path, port: u16) -> Result<Vec<Process>, Failure> {
        let package = package("WORDPRESS_PHP", "/usr/share/wordpress")?;
        let (database, database_port) = mariadb::start(folder)?;
        let create = "CREATE DATABASE blog; CREATE USER blog@'%' IDENTIFIED BY 'blog'; GRANT ALL ON blog.* TO blog@'%'";
        mariadb::ask(folder, create)?;
        let site = folder.join("site");
        fs::create_dir(&site)?;
        for entry in fs::read_dir(package)? {
            let entry = entry?;
            if entry.file_name() != "wp-config.php" {
                symlink(entry.path(), site.join(entry.file_name()))?;
            }
        }
        let at = site.display();
        fs::write(site.join("wp-config.php"), settings(&format!("{at}"), port, database_port))?;
        // It would look for its settings where its files are, which are but linked here.
        fs::write(folder.join("where.php"), format!("<?php define('ABSPATH', '{at}/');\n"))?;
        let prepended = format!("auto_prepend_file={}/where.php", folder.display());
        let install = format!(
            "define('ABSPATH', '{at}/'); define('WP_INSTALLING', true); require '{at}/wp-load.php';\n\
             require_once ABSPATH . 'wp-admin/includes/upgrade.php';\n\
             wp_install('Notes', 'ada', 'ada@blog.example', true, '', '{}');\n\
             wp_create_user('grace', '{}', 'grace@blog.example');",
            password("ada"),
            password("grace")
        );
        output(Command::new(php()).args(["-d", "display_errors=0", "-r", &install]), "php")?;
        let mut server = Command::new(php());
        server.args(["-d", "display_errors=0", "-d", &prepended]);
        server.arg("-S").arg(format!("127.0.0.1:{port}")).arg("-t").arg(&site);
        Ok(vec![Process::listening(server, "php", folder, port)?, database])
    }

    /// But sessions, what the profile changes, and what passes of itself.
    fn state(&self, folder: &Path) -> Result<State, Failure> {
        let queries = [
            "SELECT ID, user_login, user_email, user_status, display_name FROM blog.wp_users",
            "SELECT user_id, meta_key, meta_value FROM blog.wp_usermeta WHERE meta_key NOT IN ('session_tokens', 'first_name')",
            "SELECT option_name, option_value FROM blog.wp_options WHERE option_name NOT LIKE '%\\_transient\\_%' \
             AND option_name NOT IN ('cron', 'rewrite_rules')",
            "SELECT ID, post_content, post_status FROM blog.wp_posts",
            "SELECT comment_ID, comment_content FROM blog.wp_comments",
        ];
        queries
            .iter()
            .try_fold(State::default(), |state, query| Ok(state.and(State::of_lines(&mariadb::ask(folder, query)?))))
    }

    fn keeps(&self, folder: &Path, word: &str) -> Result<bool, Failure> {
        let query = format!("SELECT COUNT(*) FROM blog.wp_usermeta WHERE meta_value = '{word}'");
        Ok(mariadb::ask(folder, &query)? != "0")
    }

    /// The third part of the cookie is the session; its hash is stored.
    fn holds(&self, folder: &Path, value: &str) -> Result<Option<bool>, Failure> {
        let token = value.replace("%7C", "|").split('|').nth(2).unwrap_or_default().replace('\'', "");
        let query = format!(
            "SELECT COUNT(*) FROM blog.wp_usermeta WHERE meta_key = 'session_tokens' AND \
             meta_value LIKE CONCAT('%', SHA2('{token}', 256), '%')"
        );
        Ok(Some(mariadb::ask(folder, &query)? != "0"))
    }
}

fn settings(at: &str, port: u16, database_port: u16) -> String {
    let keys = ["AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE"].map(|name| {
        format!("define('{name}_KEY', 'key of {name} for this run');\ndefine('{name}_SALT', 'salt of {name} for this run');\n")
    });
    format!(
        "<?php\ndefine('DB_NAME', 'blog');\ndefine('DB_USER', 'blog');\ndefine('DB_PASSWORD', 'blog');\n\
         define('DB_HOST', '127.0.0.1:{database_port}');\ndefine('DB_CHARSET', 'utf8mb4');\ndefine('DB_COLLATE', '');\n\
         define('WP_HOME', 'http://127.0.0.1:{port}');\ndefine('WP_SITEURL', WP_HOME);\n\
         define('DISABLE_WP_CRON', true);\ndefine('AUTOMATIC_UPDATER_DISABLED', true);\n\
         define('WP_HTTP_BLOCK_EXTERNAL', true);\ndefine('WP_CONTENT_DIR', '{at}/wp-content');\n{}\
         $table_prefix = 'wp_';\nrequire_once ABSPATH . 'wp-settings.php';\n",
        keys.concat()
    )
}
