//! One Set-Cookie line, read as section 5.6 of RFC 6265bis says user agents do, with what was odd about it.

use super::date;

/// What a Set-Cookie line says. Whether it is kept is for [`Jar`](super::Jar) to say.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetCookie {
    /// May be empty.
    pub name: String,
    /// With its quotes, where it has any.
    pub value: String,
    /// In lower case, without a leading dot; empty where the attribute is.
    pub domain: Option<String>,
    /// As it is written; what does not begin with `/` counts as none.
    pub path: Option<String>,
    /// Seconds since 1970.
    pub expires: Option<i64>,
    /// In seconds.
    pub max_age: Option<i64>,
    /// Only over TLS.
    pub secure: bool,
    /// Not for scripts.
    pub http_only: bool,
    /// A jar of its own below every other site.
    pub partitioned: bool,
    /// Whether other sites may cause it to be sent, where it is said.
    pub same_site: Option<SameSite>,
    /// What different clients read differently.
    pub oddities: Vec<Oddity>,
}

/// Whether other sites may cause a cookie to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// When somebody follows a link.
    Lax,
    /// Always.
    None,
}

/// What a name demands of its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// `__Secure-`
    Secure,
    /// `__Host-`
    Host,
    /// `__Http-`
    Http,
    /// `__Host-Http-`
    HostHttp,
}

/// Why browsers keep nothing of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Somewhere in it.
    #[error("it holds the control character {0:#04x}")]
    ControlCharacter(u8),
    /// Neither name nor value.
    #[error("it has neither name nor value")]
    Empty,
    /// Together.
    #[error("name and value have {0} bytes; browsers keep 4096")]
    TooLarge(usize),
    /// A server would take it for a cookie with that prefix.
    #[error("it has no name, and its value begins like a name with a prefix")]
    NamelessPrefix,
}

/// What different clients read differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Oddity {
    /// Some drop it, some send the value alone.
    #[error("it has no name")]
    NoName,
    /// What is not UTF-8 in it is replaced here.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// Not of a token.
    #[error("its name holds {0:?}")]
    NameCharacter(char),
    /// Not allowed in a value.
    #[error("its value holds {0:?}")]
    ValueCharacter(char),
    /// One that browsers ignore.
    #[error("its attribute {0:?} is unknown")]
    Unknown(String),
    /// The last counts; for other clients, the first.
    #[error("its attribute {0} is there more than once")]
    Duplicate(&'static str),
    /// Ignored.
    #[error("its attribute {0} has more than 1024 bytes and is ignored")]
    LongAttribute(String),
    /// Ignored.
    #[error("its Expires is no date")]
    BadExpires,
    /// Ignored.
    #[error("its Max-Age is no number")]
    BadMaxAge,
    /// Ignored; other clients may take it for a path.
    #[error("its Path does not begin with a slash")]
    BadPath,
    /// Taken as none.
    #[error("its Domain is empty")]
    EmptyDomain,
    /// Taken as none.
    #[error("its SameSite is {0:?}")]
    UnknownSameSite(String),
    /// What `Secure=false` means is not what it says.
    #[error("its attribute {0} has a value, which is ignored")]
    FlagWithValue(&'static str),
}

impl SetCookie {
    /// Reads what follows `Set-Cookie:`.
    ///
    /// # Errors
    /// [`Refused`] where browsers keep nothing of it.
    pub fn read(line: &[u8]) -> Result<Self, Refused> {
        if let Some(control) = line.iter().find(|byte| byte.is_ascii_control() && **byte != b'\t') {
            return Err(Refused::ControlCharacter(*control));
        }
        let mut parts = line.split(|byte| *byte == b';');
        let pair = parts.next().unwrap_or_default();
        let equals = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = match equals.and_then(|at| pair.split_at_checked(at)) {
            Some((name, value)) => (trimmed(name), trimmed(value.get(1..).unwrap_or_default())),
            None => (&[][..], trimmed(pair)),
        };
        let mut cookie = Self::of(name, value)?;
        let mut seen = Vec::new();
        for part in parts.map(trimmed).filter(|part| !part.is_empty()) {
            cookie.attribute(&String::from_utf8_lossy(part), &mut seen);
        }
        Ok(cookie)
    }

    /// What its name demands; the case of a prefix does not matter.
    pub fn prefix(&self) -> Option<Prefix> {
        Prefix::of(&self.name)
    }

    fn of(name: &[u8], value: &[u8]) -> Result<Self, Refused> {
        match name.len() + value.len() {
            0 => return Err(Refused::Empty),
            size if size > MOST => return Err(Refused::TooLarge(size)),
            _ => {}
        }
        let utf8 = std::str::from_utf8(name).is_ok() && std::str::from_utf8(value).is_ok();
        let (name, value) = (String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned());
        if name.is_empty() && Prefix::of(&value).is_some() {
            return Err(Refused::NamelessPrefix);
        }
        let mut oddities = odd_in_pair(&name, &value);
        if !utf8 {
            oddities.push(Oddity::NotUtf8);
        }
        Ok(Self {
            name,
            value,
            domain: None,
            path: None,
            expires: None,
            max_age: None,
            secure: false,
            http_only: false,
            partitioned: false,
            same_site: None,
            oddities,
        })
    }

    fn attribute(&mut self, part: &str, seen: &mut Vec<&'static str>) {
        let (key, value) = part.split_once('=').map_or((part, None), |(key, value)| (key, Some(value)));
        let (key, text) = (key.trim_matches(BLANKS), value.unwrap_or_default().trim_matches(BLANKS));
        let known = ATTRIBUTES.iter().find(|name| name.eq_ignore_ascii_case(key)).copied();
        if text.len() > MOST_OF_ATTRIBUTE {
            return self.oddities.push(Oddity::LongAttribute(known.unwrap_or("of an unknown name").to_owned()));
        }
        let Some(known) = known else {
            return self.oddities.push(Oddity::Unknown(key.to_owned()));
        };
        if seen.contains(&known) {
            self.oddities.push(Oddity::Duplicate(known));
        }
        seen.push(known);
        if value.is_some() && matches!(known, "Secure" | "HttpOnly" | "Partitioned") {
            self.oddities.push(Oddity::FlagWithValue(known));
        }
        match known {
            "Expires" => self.set_expires(text),
            "Max-Age" => self.set_max_age(text),
            "Domain" => self.set_domain(text),
            "Path" => self.set_path(text),
            "Secure" => self.secure = true,
            "HttpOnly" => self.http_only = true,
            "Partitioned" => self.partitioned = true,
            "SameSite" => self.set_same_site(text),
            // Chromium's alone: which cookies it forgets first.
            _ => {}
        }
    }

    fn set_domain(&mut self, text: &str) {
        if text.is_empty() {
            self.oddities.push(Oddity::EmptyDomain);
        }
        self.domain = Some(text.strip_prefix('.').unwrap_or(text).to_ascii_lowercase());
    }

    fn set_path(&mut self, text: &str) {
        if !text.starts_with('/') {
            self.oddities.push(Oddity::BadPath);
        }
        self.path = Some(text.to_owned());
    }

    fn set_expires(&mut self, text: &str) {
        match date::read(text) {
            Some(at) => self.expires = Some(at),
            None => self.oddities.push(Oddity::BadExpires),
        }
    }

    /// Numbers beyond what fits are as large as can be.
    fn set_max_age(&mut self, text: &str) {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            self.oddities.push(Oddity::BadMaxAge);
            return;
        }
        let size = digits.parse().unwrap_or(i64::MAX);
        self.max_age = Some(if text.starts_with('-') { -size } else { size });
    }

    fn set_same_site(&mut self, text: &str) {
        self.same_site = match text.to_ascii_lowercase().as_str() {
            "strict" => Some(SameSite::Strict),
            "lax" => Some(SameSite::Lax),
            "none" => Some(SameSite::None),
            _ => {
                self.oddities.push(Oddity::UnknownSameSite(text.to_owned()));
                None
            }
        };
    }
}

impl Prefix {
    fn of(name: &str) -> Option<Self> {
        let begins = |with: &str| name.get(..with.len()).is_some_and(|front| front.eq_ignore_ascii_case(with));
        PREFIXES.iter().find(|(with, _)| begins(with)).map(|(_, prefix)| *prefix)
    }
}

impl std::fmt::Debug for SetCookie {
    /// Without the value: it is a secret.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SetCookie({}, value redacted)", self.name)
    }
}

fn odd_in_pair(name: &str, value: &str) -> Vec<Oddity> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let odd_name = name.chars().find(|one| !is_token(*one)).map(Oddity::NameCharacter);
    let odd_value = inner.chars().find(|one| !is_plain(*one)).map(Oddity::ValueCharacter);
    name.is_empty().then_some(Oddity::NoName).into_iter().chain(odd_name).chain(odd_value).collect()
}

fn is_token(one: char) -> bool {
    one.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(one)
}

fn is_plain(one: char) -> bool {
    one.is_ascii_graphic() && !matches!(one, '"' | ',' | ';' | '\\')
}

fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

const BLANKS: [char; 2] = [' ', '\t'];

/// Of name and value together.
pub(super) const MOST: usize = 4096;
/// Of an attribute's value.
const MOST_OF_ATTRIBUTE: usize = 1024;
const ATTRIBUTES: [&str; 9] =
    ["Expires", "Max-Age", "Domain", "Path", "Secure", "HttpOnly", "SameSite", "Partitioned", "Priority"];
/// The longer first: `__Host-` begins it.
const PREFIXES: [(&str, Prefix); 4] = [
    ("__Host-Http-", Prefix::HostHttp),
    ("__Host-", Prefix::Host),
    ("__Http-", Prefix::Http),
    ("__Secure-", Prefix::Secure),
];
