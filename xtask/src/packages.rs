//! What the tests need of the system's own packages, installed where it is missing and where that may be done.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::invocation::Invocation;

/// A package of Debian's and what it provides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package {
    name: &'static str,
    /// The program that tells whether it is there.
    program: &'static str,
    /// The same where `/usr/sbin` is not on the path; or nothing new.
    elsewhere: &'static str,
    /// What has it tell its version.
    version: &'static str,
    /// Where another than the system's own may be named.
    variable: &'static str,
}

/// The browser of the browser's cases.
pub(crate) const CHROMIUM: Package = Package {
    name: "chromium",
    program: "chromium",
    elsewhere: "chromium",
    version: "--version",
    variable: "CHROMIUM_BIN",
};

/// Two of the proxies that the gateway stands behind; [`crate::wheels`] has the others.
pub(crate) const NGINX: Package =
    Package { name: "nginx", program: "nginx", elsewhere: "/usr/sbin/nginx", version: "-v", variable: "NGINX_BIN" };
pub(crate) const HAPROXY: Package = Package {
    name: "haproxy",
    program: "haproxy",
    elsewhere: "/usr/sbin/haproxy",
    version: "-v",
    variable: "HAPROXY_BIN",
};

/// A store that many nodes share.
pub(crate) const REDIS: Package = Package {
    name: "redis-server",
    program: "redis-server",
    elsewhere: "redis-server",
    version: "--version",
    variable: "REDIS_BIN",
};

/// Another one. Its programs lie beside the path, in a folder for each version. A cluster of the system's own that comes with
/// it, or that installing starts, is never looked at.
pub(crate) const POSTGRES: Package = Package {
    name: "postgresql",
    program: "dpkg",
    elsewhere: "dpkg",
    version: "--status postgresql",
    variable: "POSTGRES_BIN_DIR",
};

/// What reads alert rules, and tries them. A server that comes with it, or that installing starts, is never looked at.
pub(crate) const PROMETHEUS: Package = Package {
    name: "prometheus",
    program: "promtool",
    elsewhere: "promtool",
    version: "--version",
    variable: "PROMTOOL_BIN",
};

/// What looks at TLS as strangers do.
pub(crate) const TESTSSL: Package = Package {
    name: "testssl.sh",
    program: "testssl",
    elsewhere: "testssl.sh",
    version: "--version",
    variable: "TESTSSL_BIN",
};

/// What runs the example apps in other languages; Python is there for [`crate::wheels`] anyway.
pub(crate) const PHP: Package =
    Package { name: "php-cli", program: "php", elsewhere: "php", version: "--version", variable: "PHP_BIN" };
pub(crate) const GO: Package = Package {
    name: "golang-go",
    program: "go",
    elsewhere: "/usr/lib/go/bin/go",
    version: "version",
    variable: "GO_BIN",
};
pub(crate) const NPM: Package =
    Package { name: "npm", program: "npm", elsewhere: "npm", version: "--version", variable: "NPM_BIN" };

/// An application of the retrofit's, with what it needs of PHP.
pub(crate) const DOKUWIKI: Package = Package {
    name: "dokuwiki",
    // It has no program of its own.
    program: "dpkg-query",
    elsewhere: "dpkg-query",
    version: "--show dokuwiki",
    variable: "DOKUWIKI_PHP",
};

/// Two more for the audited applications, with what they need of PHP and a database.
pub(crate) const PHPMYADMIN: Package =
    Package { name: "phpmyadmin", version: "--status phpmyadmin", variable: "PHPMYADMIN_PHP", ..PHP_MYSQL };
pub(crate) const WORDPRESS: Package =
    Package { name: "wordpress", version: "--status wordpress", variable: "WORDPRESS_PHP", ..PHP_MYSQL };
pub(crate) const PHP_MYSQL: Package = Package {
    name: "php-mysql",
    program: "dpkg",
    elsewhere: "dpkg",
    version: "--status php-mysql",
    // Whoever names another PHP answers for what is in it.
    variable: "PHP_BIN",
};
pub(crate) const MARIADB: Package = Package {
    name: "mariadb-server",
    program: "mariadbd",
    elsewhere: "/usr/sbin/mariadbd",
    version: "--version",
    variable: "MARIADB_BIN",
};

/// By whose rights a package is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rights {
    /// We are root.
    Root,
    /// We may become root without being asked for a password.
    Sudo,
}

impl Package {
    /// Makes sure the program is there. One that is there is taken as it is, whatever its version.
    pub(crate) fn install(self) -> io::Result<bool> {
        if std::env::var_os(self.variable).is_some_and(|named| PathBuf::from(named).exists()) {
            println!("{} is named by {}", self.program, self.variable);
            return Ok(true);
        }
        let places = [self.program, self.elsewhere];
        if let Some(version) = places.iter().find_map(|place| says(&Invocation::program(*place, self.version))) {
            println!("{}: already there", version.lines().next().unwrap_or_default().trim());
            return Ok(true);
        }
        let Some(rights) = rights() else {
            eprintln!("{}", self.by_hand());
            return Ok(false);
        };
        // Lists may be old or absent. If they cannot be had, the installation says what is missing.
        let _ = apt_get(rights, "update --quiet=2").run()?;
        self.installation(rights).run()
    }

    /// The program: the one that is named, else the system's.
    pub(crate) fn program(self) -> String {
        std::env::var(self.variable).unwrap_or_else(|_| self.program.to_owned())
    }

    /// The command that installs it.
    pub(crate) fn installation(self, rights: Rights) -> Invocation {
        apt_get(rights, "install --yes --quiet --no-install-recommends").arguments([self.name])
    }

    fn by_hand(self) -> String {
        format!(
            "{name} is missing, and this command cannot install it: it is neither root on a Debian nor may it become so \
             without a password.\nEither install it, on Debian by `{command}` as root, or name yours in {variable}.",
            name = self.name,
            command = self.installation(Rights::Root),
            variable = self.variable,
        )
    }
}

/// None where there is no apt-get, or no right to use it.
fn rights() -> Option<Rights> {
    says(&Invocation::program("apt-get", "--version"))?;
    if says(&Invocation::program("id", "-u"))?.trim() == "0" {
        return Some(Rights::Root);
    }
    says(&Invocation::program("sudo", "-n true")).map(|_| Rights::Sudo)
}

fn apt_get(rights: Rights, words: &str) -> Invocation {
    let apt_get = match rights {
        Rights::Root => Invocation::program("apt-get", words),
        Rights::Sudo => Invocation::program("sudo", "-n apt-get").arguments(words.split_whitespace()),
    };
    apt_get.environment("DEBIAN_FRONTEND", "noninteractive")
}

/// What a program prints, if there is such a program and it succeeds.
pub(crate) fn says(invocation: &Invocation) -> Option<String> {
    let heard = invocation.run_within(Duration::from_mins(1)).ok().flatten()?;
    heard.succeeded.then_some(heard.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_shown_as_one_would_type_it() {
        let command = |rights| CHROMIUM.installation(rights).to_string();
        let rest = "apt-get install --yes --quiet --no-install-recommends chromium";
        assert_eq!(command(Rights::Root), format!("DEBIAN_FRONTEND=noninteractive {rest}"));
        assert_eq!(command(Rights::Sudo), format!("DEBIAN_FRONTEND=noninteractive sudo -n {rest}"));
    }

    #[test]
    fn who_has_no_right_to_install_is_told_package_command_and_way_round() {
        let text = CHROMIUM.by_hand();
        for part in ["chromium is missing", "apt-get install", "CHROMIUM_BIN", "root"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_says_nothing() {
        assert_eq!(says(&Invocation::program("no-such-program-anywhere", "--version")), None);
        assert_eq!(says(&Invocation::program("false", "")), None);
    }
}
