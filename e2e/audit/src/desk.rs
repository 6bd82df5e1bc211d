//! The usual site, sound in every part: pages, sign-in, sign-out, notes. A site of the corpus answers some requests
//! itself, wrongly or in its own way, and leaves the rest to this.

use crate::house::{House, Session};
use crate::web::{Ask, Reply};

/// What differs between sites without being right or wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// The name of the session cookie.
    pub(crate) cookie: &'static str,
    /// Its attributes.
    pub(crate) attributes: &'static str,
    /// The page that says who is signed in.
    pub(crate) home: &'static str,
    /// The sign-in form, and where it goes.
    pub(crate) login: &'static str,
    /// Its fields.
    pub(crate) user: &'static str,
    /// Its fields.
    pub(crate) password: &'static str,
    /// The field of every form that holds the token.
    pub(crate) token: &'static str,
    /// Where the sign-out form goes.
    pub(crate) sign_out: &'static str,
    /// The words before the name of who is signed in.
    pub(crate) hello: &'static str,
}

/// As most sites are.
pub(crate) const PLAIN: Manner = Manner {
    cookie: "__Host-sid",
    attributes: SOUND,
    home: "/",
    login: "/login",
    user: "user",
    password: "password",
    token: "csrf",
    sign_out: "/logout",
    hello: "Signed in as",
};

/// Everything a session cookie should say.
pub(crate) const SOUND: &str = "; Path=/; Secure; HttpOnly; SameSite=Lax";

/// One request at a usual site.
#[derive(Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(crate) house: &'a House,
    pub(crate) ask: &'a Ask,
    pub(crate) manner: Manner,
}

impl Desk<'_> {
    /// The answer of a site without flaws.
    pub(crate) fn usual(&self) -> Reply {
        let manner = &self.manner;
        match self.ask.on() {
            ("GET" | "HEAD", path) if path == manner.home => self.home(),
            ("GET" | "HEAD", "/") => Reply::to(manner.home),
            ("GET" | "HEAD", path) if path == manner.login => self.login_page(""),
            ("POST", path) if path == manner.login => self.sign_in(),
            ("POST", path) if path == manner.sign_out => self.sign_out(),
            ("POST", "/notes") => self.add_note(),
            ("POST", "/account/close") => self.close_account(),
            ("GET", "/newsletter/leave") => {
                self.house.harmed();
                Reply::page("Gone", "<p>You will get no more letters.</p>")
            }
            _ => Reply::no(404, "There is nothing here."),
        }
    }

    /// The session of the cookie, signed in or not.
    pub(crate) fn session(&self) -> Option<Session> {
        self.house.find(self.ask.cookie(self.manner.cookie)?)
    }

    /// The session of the cookie and who is signed in with it.
    pub(crate) fn me(&self) -> Option<(Session, String)> {
        let session = self.session()?;
        let user = session.user.clone()?;
        Some((session, user))
    }

    /// Who is signed in, or that nobody is.
    pub(crate) fn home(&self) -> Reply {
        match self.me() {
            Some((session, user)) => self.home_of(&user, &session.csrf),
            None => self.stranger(),
        }
    }

    /// The page of whoever is signed in, whatever made the site believe that.
    pub(crate) fn home_of(&self, user: &str, csrf: &str) -> Reply {
        let Manner { token, sign_out, hello, .. } = self.manner;
        let hidden = format!("<input type=\"hidden\" name=\"{token}\" value=\"{csrf}\">");
        let notes: Vec<_> = self.house.notes(user).iter().map(|note| format!("<li>{}</li>\n", escaped(note))).collect();
        let notes = notes.concat();
        Reply::page(
            "Home",
            &format!(
                "<p>{hello} {user}.</p>\n<ul>\n{notes}</ul>\n\
                 <form method=\"post\" action=\"/notes\">{hidden}<input name=\"text\"><button>Add note</button></form>\n\
                 <form method=\"post\" action=\"{sign_out}\">{hidden}<button>Sign out</button></form>\n\
                 <form method=\"post\" action=\"/account/close\">{hidden}<button>Close my account</button></form>\n\
                 <p><a href=\"/newsletter/leave\">No more letters</a></p>"
            ),
        )
    }

    /// What a stranger sees.
    pub(crate) fn stranger(&self) -> Reply {
        Reply::page("Welcome", &format!("<p>Nobody is signed in. <a href=\"{}\">Sign in</a></p>", self.manner.login))
    }

    /// The sign-in form, with a session of nobody that holds its token.
    pub(crate) fn login_page(&self, said: &str) -> Reply {
        let known = self.session();
        let session = known.clone().unwrap_or_else(|| self.house.open(None));
        let page = self.login_form(said, &session.csrf);
        if known.is_some() { page } else { page.cookie(self.set(&session.id)) }
    }

    /// The sign-in form.
    pub(crate) fn login_form(&self, said: &str, csrf: &str) -> Reply {
        let Manner { login, user, password, token, .. } = self.manner;
        Reply::page(
            "Sign in",
            &format!(
                "<p>{said}</p><form method=\"post\" action=\"{login}\">\
                 <input type=\"hidden\" name=\"{token}\" value=\"{csrf}\">\
                 <input name=\"{user}\" autocomplete=\"username\"><input type=\"password\" name=\"{password}\">\
                 <button>Sign in</button></form>"
            ),
        )
    }

    /// In, with a session of its own, and the one from before is gone.
    pub(crate) fn sign_in(&self) -> Reply {
        if !self.session().is_some_and(|session| self.has_token(&session)) {
            return Reply::no(403, "The form is too old. Please load it again.");
        }
        match self.credentials() {
            Some(user) => self.enter(&user),
            None => self.login_page("Wrong name or password.").status(401),
        }
    }

    /// Who the form's name and password are.
    pub(crate) fn credentials(&self) -> Option<String> {
        let user = self.ask.field(self.manner.user)?;
        self.house.knows(&user, &self.ask.field(self.manner.password)?).then_some(user)
    }

    /// A new session for somebody, instead of the one that was sent.
    pub(crate) fn enter(&self, user: &str) -> Reply {
        if let Some(session) = self.session() {
            self.house.end(&session.id);
        }
        let session = self.house.open(Some(user));
        Reply::to(self.manner.home).cookie(self.set(&session.id))
    }

    /// Out.
    pub(crate) fn sign_out(&self) -> Reply {
        match self.session() {
            Some(session) if self.has_token(&session) => {
                self.house.end(&session.id);
                Reply::to(self.manner.home).cookie(self.unset())
            }
            Some(_) => Reply::no(403, "The form is too old. Please load it again."),
            None => Reply::to(self.manner.home),
        }
    }

    /// Adds the form's note.
    pub(crate) fn add_note(&self) -> Reply {
        match self.me() {
            Some((session, user)) if self.has_token(&session) => self.noted(&user, self.ask.field("text")),
            Some(_) => Reply::no(403, "The form is too old. Please load it again."),
            None => Reply::to(self.manner.login),
        }
    }

    /// Notes what was written.
    pub(crate) fn noted(&self, user: &str, text: Option<String>) -> Reply {
        match text {
            Some(text) => {
                self.house.note(user, &text);
                Reply::to(self.manner.home)
            }
            None => Reply::no(400, "There is no text."),
        }
    }

    /// Whether the form holds the session's token.
    pub(crate) fn has_token(&self, session: &Session) -> bool {
        self.token().is_some_and(|token| token == session.csrf)
    }

    /// The form's token, or the header's.
    pub(crate) fn token(&self) -> Option<String> {
        self.ask.field(self.manner.token).or_else(|| self.ask.header("x-csrf-token").map(str::to_owned))
    }

    /// The line that sets the session cookie.
    pub(crate) fn set(&self, value: &str) -> String {
        format!("{}={value}{}", self.manner.cookie, self.manner.attributes)
    }

    /// The line that removes it.
    pub(crate) fn unset(&self) -> String {
        let attributes = self.manner.attributes.split("; Max-Age").next().unwrap_or_default();
        format!("{}={attributes}; Max-Age=0", self.manner.cookie)
    }

    fn close_account(&self) -> Reply {
        if !self.session().is_some_and(|session| session.user.is_some() && self.has_token(&session)) {
            return Reply::no(403, "The form is too old. Please load it again.");
        }
        self.house.harmed();
        Reply::page("Closed", "<p>A pity.</p>")
    }
}

/// Text that is safe in HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
