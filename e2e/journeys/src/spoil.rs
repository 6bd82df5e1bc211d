//! Mistakes in the chain, each of which a case has to find out.

use std::{fs, io, path::Path};

use counterfoil_proxies::kind::Kind;

/// One mistake.
#[derive(Debug)]
pub(crate) struct Spoil {
    /// What is wrong.
    pub(crate) what: &'static str,
    /// The case that has to find it, behind this proxy.
    pub(crate) case: &'static str,
    pub(crate) kind: Kind,
    /// In the proxy's configuration.
    edits: &'static [(&'static str, &'static str)],
    /// In the gateway's.
    pub(crate) policy: &'static str,
}

impl Spoil {
    /// Makes the mistake in what was written into `folder`.
    ///
    /// # Errors
    /// If what is to be wrong is not there any more.
    pub(crate) fn apply(&self, folder: &Path) -> io::Result<()> {
        for (right, wrong) in self.edits {
            let mut found = false;
            for entry in fs::read_dir(folder)?.flatten().filter(|entry| entry.path().is_file()) {
                let Ok(text) = fs::read_to_string(entry.path()) else { continue };
                if text.contains(right) {
                    found = true;
                    fs::write(entry.path(), text.replace(right, wrong))?;
                }
            }
            if !found {
                return Err(io::Error::other(format!("the configuration has no {right:?} to spoil")));
            }
        }
        Ok(())
    }
}

const fn nginx(case: &'static str, what: &'static str, edits: &'static [(&'static str, &'static str)]) -> Spoil {
    Spoil { what, case, kind: Kind::Nginx, edits, policy: "" }
}

const fn caddy(case: &'static str, what: &'static str, edits: &'static [(&'static str, &'static str)]) -> Spoil {
    Spoil { kind: Kind::Caddy, ..nginx(case, what, edits) }
}

const fn policy(case: &'static str, what: &'static str, policy: &'static str) -> Spoil {
    Spoil { policy, ..nginx(case, what, &[]) }
}

/// All of them.
#[rustfmt::skip]
pub(crate) static ALL: [Spoil; 11] = [
    nginx("there-and-back", "the way back forgets the query",       &[("X-Counterfoil-Target $request_uri", "X-Counterfoil-Target $uri")]),
    nginx("there-and-back", "everything is open",                   &[("auth_request /.counterfoil-decision;", "auth_request off;")]),
    nginx("cookie",         "the app gets our cookie",              &[("Cookie $counterfoil_app_cookie", "Cookie $http_cookie")]),
    nginx("renewal",        "new cookies do not come back",         &[("add_header Set-Cookie $counterfoil_app_set_cookie always;", "")]),
    caddy("renewal",        "new cookies do not come back",         &[("header +Set-Cookie {rp.header.Set-Cookie}", "")]),
    nginx("live",           "sockets are not passed on",            &[("proxy_set_header Upgrade $http_upgrade;", "")]),
    nginx("pages",          "a policy of its own on our pages",     &[("location ^~ /.session/ {", "location ^~ /.session/ { add_header Content-Security-Policy \"default-src 'none'\";")]),
    nginx("sign-out",       "our pages are kept in caches",         &[("location ^~ /.session/ {", "location ^~ /.session/ { proxy_hide_header Cache-Control; add_header Cache-Control \"private, max-age=600\";")]),
    nginx("sign-out",       "pages of the app are kept in caches",  &[("location / {", "location / { proxy_hide_header Cache-Control; add_header Cache-Control \"private, max-age=600\";")]),
    caddy("step-up",        "the step-up page is the app's",        &[("path /.session/* /.well-known", "path /.session/login /.session/style.css /.well-known")]),
    policy("password",      "a new password ends nothing",          "[policy.triggers]\npassword_changed = \"rotate\"\n[policy.danger]\nweak_reactions = true\n"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_for_a_case_there_is() {
        for spoil in &ALL {
            assert!(crate::case::ALL.iter().any(|case| case.name == spoil.case), "{}", spoil.what);
        }
    }
}
