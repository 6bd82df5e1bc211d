//! A profile as it is written, and what is wrong with one.

use std::str::FromStr;

use http::Method;
use url::Url;

use super::written::{
    Written, WrittenAccount, WrittenChange, WrittenKind, WrittenMarker, WrittenSessions, WrittenSignIn, WrittenSocket,
    WrittenStep, WrittenTokens,
};
use super::{
    Account, Change, Limits, Marker, Pending, PendingKind, Profile, Raise, Screen, Script, SessionsPage, SignIn,
    Socket, Step, Tokens,
};

/// What is wrong with a profile: where, and what to write there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Not TOML, or a key that is unknown, missing or of another type.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A `request` that is none.
    #[error("{key}: {value:?} is no request; write a method and a path, such as \"POST /login\"")]
    Request {
        /// Where in the profile.
        key: String,
        /// What is there.
        value: String,
    },
    /// A path that is none, or a place that is not the site's.
    #[error("{key}: {value:?} is no path of the site; write it as it is after the host, such as \"/account\"")]
    Path {
        /// Where in the profile.
        key: String,
        /// What is there.
        value: String,
    },
    /// A site that is none.
    #[error("site: {0:?} is no address of a site; write scheme and host, such as \"https://app.example.org\"")]
    Site(String),
    /// Neither page nor request.
    #[error("{0}: neither `page` nor `request` says what to send")]
    Empty(String),
    /// Words that are everywhere prove nothing.
    #[error("{0}: empty words are on every page and prove nothing")]
    NoMarker(String),
    /// A change nobody can see.
    #[error("{0}: no value of `form` or `json` holds {{random}}, so nobody could see whether the change was made")]
    Unseen(String),
    /// Both bodies.
    #[error("{0}: `form` and `json` cannot both be the body; leave one out")]
    TwoBodies(String),
    /// What only a sign-in by script has, elsewhere.
    #[error("{0}: `browser` and `submit` are for [sign_in], where a browser signs in")]
    NoScript(String),
    /// What a browser does not need to be told, or cannot be.
    #[error("{0}: with `browser = true`, say `page`, and in `form` what is filled in; the page's scripts do the rest")]
    OnlyScript(String),
    /// A header field that is none.
    #[error("{key}: {name:?} cannot be sent as a header field")]
    Header {
        /// Where in the profile.
        key: String,
        /// What is there.
        name: String,
    },
}

impl FromStr for Profile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        toml::from_str::<Written>(text)?.checked()
    }
}

impl Written {
    fn checked(self) -> Result<Profile, ProfileError> {
        let mut changes = Vec::new();
        for (index, change) in self.changes.into_iter().enumerate() {
            changes.push(change.checked(&format!("changes[{index}]"))?);
        }
        let mut raises = Vec::new();
        for (index, mut raise) in self.raises.into_iter().enumerate() {
            let key = format!("raises[{index}]");
            let step = raise.step().checked(&key)?;
            raises.push(Raise { step, reaches: raise.reaches.checked(&format!("{key}.reaches"))? });
        }
        let mut pending = Vec::new();
        for (index, one) in self.pending.into_iter().enumerate() {
            let key = format!("pending[{index}].steps");
            let kind = match one.kind {
                WrittenKind::SecondFactor => PendingKind::SecondFactor,
                WrittenKind::Reset => PendingKind::Reset,
            };
            pending.push(Pending { kind, steps: steps(one.steps, &key)? });
        }
        let anonymous = self.anonymous.map(|words| words.marker);
        if anonymous.as_ref().is_some_and(|words| words.trim().is_empty()) {
            return Err(ProfileError::NoMarker("anonymous.marker".to_owned()));
        }
        Ok(Profile {
            site: site(&self.site)?,
            sign_in: self.sign_in.sign_in()?,
            account: self.account.into(),
            second_account: self.second_account.map(Account::from),
            signed_in: self.signed_in.checked("signed_in")?,
            anonymous,
            sign_out: self.sign_out.map(|step| step.checked("sign_out")).transpose()?,
            changes,
            raises,
            password_change: self.password_change.map(|one| one.checked("password_change")).transpose()?,
            sessions: self.sessions.map(WrittenSessions::checked).transpose()?,
            tokens: self.tokens.map(WrittenTokens::checked).transpose()?,
            slow: self.slow.map(|step| step.checked("slow")).transpose()?,
            socket: self.socket.map(WrittenSocket::checked).transpose()?,
            pending,
            limits: Limits {
                idle_seconds: self.limits.idle_seconds,
                absolute_seconds: self.limits.absolute_seconds,
                sessions: self.limits.sessions,
            },
            plain_http: self.plain_http.as_deref().map(site).transpose()?,
            token_field: self.token_field,
        })
    }
}

impl WrittenSignIn {
    fn sign_in(mut self) -> Result<SignIn, ProfileError> {
        if !self.browser {
            return Ok(SignIn { steps: self.checked("sign_in")?, script: None });
        }
        let page = self.page.take();
        let first = self.first().screen("sign_in")?;
        let page = page.ok_or_else(|| ProfileError::OnlyScript("sign_in".to_owned()))?;
        let mut screens = vec![first];
        for (index, step) in self.then.into_iter().enumerate() {
            screens.push(step.screen(&format!("sign_in.then[{index}]"))?);
        }
        Ok(SignIn { steps: Vec::new(), script: Some(Script { page: path(page, "sign_in.page")?, screens }) })
    }

    fn checked(mut self, key: &str) -> Result<Vec<Step>, ProfileError> {
        if self.browser {
            return Err(ProfileError::NoScript(key.to_owned()));
        }
        let mut all = vec![self.first().checked(key)?];
        all.extend(steps(self.then, &format!("{key}.then"))?);
        Ok(all)
    }

    fn first(&mut self) -> WrittenStep {
        WrittenStep { submit: self.submit.take(), ..self.step() }
    }
}

impl WrittenStep {
    /// As a browser is told it.
    fn screen(self, key: &str) -> Result<Screen, ProfileError> {
        let told = self.page.is_some() || self.request.is_some() || self.json.is_some() || !self.headers.is_empty();
        if told || self.form.is_empty() {
            return Err(ProfileError::OnlyScript(key.to_owned()));
        }
        Ok(Screen { form: self.form, submit: self.submit })
    }

    fn checked(self, key: &str) -> Result<Step, ProfileError> {
        if self.submit.is_some() {
            return Err(ProfileError::NoScript(key.to_owned()));
        }
        if self.page.is_none() && self.request.is_none() {
            return Err(ProfileError::Empty(key.to_owned()));
        }
        if !self.form.is_empty() && self.json.is_some() {
            return Err(ProfileError::TwoBodies(key.to_owned()));
        }
        for (name, value) in &self.headers {
            let sendable = http::HeaderName::from_bytes(name.as_bytes()).is_ok() && !value.contains(['\r', '\n', '\0']);
            if !sendable {
                return Err(ProfileError::Header { key: format!("{key}.headers"), name: name.clone() });
            }
        }
        Ok(Step {
            page: self.page.map(|value| path(value, &format!("{key}.page"))).transpose()?,
            request: self.request.map(|value| request(&value, &format!("{key}.request"))).transpose()?,
            form: self.form,
            json: self.json,
            headers: self.headers,
        })
    }
}

impl WrittenChange {
    fn checked(mut self, key: &str) -> Result<Change, ProfileError> {
        let step = self.step().checked(key)?;
        let seen = step.form.values().any(|value| value.contains(RANDOM))
            || step.json.as_ref().is_some_and(|body| body.to_string().contains(RANDOM));
        if !seen {
            return Err(ProfileError::Unseen(key.to_owned()));
        }
        Ok(Change { step, read: path(self.read, &format!("{key}.read"))? })
    }
}

impl WrittenMarker {
    fn checked(self, key: &str) -> Result<Marker, ProfileError> {
        if self.marker.trim().is_empty() {
            return Err(ProfileError::NoMarker(format!("{key}.marker")));
        }
        Ok(Marker { url: path(self.url, &format!("{key}.url"))?, marker: self.marker })
    }
}

impl WrittenSessions {
    fn checked(self) -> Result<SessionsPage, ProfileError> {
        if self.each.as_ref().is_some_and(|words| words.trim().is_empty()) {
            return Err(ProfileError::NoMarker("sessions.each".to_owned()));
        }
        Ok(SessionsPage { url: path(self.url, "sessions.url")?, each: self.each })
    }
}

impl WrittenTokens {
    fn checked(self) -> Result<Tokens, ProfileError> {
        let refresh = self.refresh.map(|step| step.checked("tokens.refresh")).transpose()?;
        Ok(Tokens { access_field: self.access_field, refresh_field: self.refresh_field, refresh })
    }
}

impl WrittenSocket {
    fn checked(self) -> Result<Socket, ProfileError> {
        Ok(Socket { url: path(self.url, "socket.url")?, send: self.send, expects: self.expects })
    }
}

impl From<WrittenAccount> for Account {
    fn from(written: WrittenAccount) -> Self {
        Self { user: written.user, password: written.password }
    }
}

fn steps(written: Vec<WrittenStep>, key: &str) -> Result<Vec<Step>, ProfileError> {
    written.into_iter().enumerate().map(|(index, step)| step.checked(&format!("{key}[{index}]"))).collect()
}

fn site(value: &str) -> Result<Url, ProfileError> {
    let wrong = || ProfileError::Site(value.to_owned());
    let url = Url::parse(value).map_err(|_| wrong())?;
    let whole = matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty();
    if whole { Ok(url) } else { Err(wrong()) }
}

fn request(value: &str, key: &str) -> Result<(Method, String), ProfileError> {
    let wrong = || ProfileError::Request { key: key.to_owned(), value: value.to_owned() };
    let (method, target) = value.split_once(' ').ok_or_else(wrong)?;
    let named = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let method = Method::from_bytes(method.as_bytes()).ok().filter(|_| named).ok_or_else(wrong)?;
    Ok((method, path(target.trim().to_owned(), key)?))
}

fn path(value: String, key: &str) -> Result<String, ProfileError> {
    let below = value.starts_with('/') && !value.starts_with("//") && !value.contains(char::is_control);
    if below { Ok(value) } else { Err(ProfileError::Path { key: key.to_owned(), value }) }
}

const RANDOM: &str = "{random}";
