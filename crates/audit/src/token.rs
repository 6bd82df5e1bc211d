//! What a token is, as far as it tells: its kind, what it says of somebody, and by whose word.

pub mod forge;
pub mod jwt;
pub mod secrets;
mod shape;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use self::shape::structure;

/// What is known of a token from looking at it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Structure {
    /// Whose make it is.
    pub kind: Kind,
    /// What is said to prove it.
    pub seal: Seal,
    /// What it says, where that can be read.
    pub claims: Option<Value>,
}

/// Makes of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A signed JSON web token.
    Jwt,
    /// An encrypted JSON web token.
    Jwe,
    /// Of Django's signing: `payload:time:signature`.
    Django,
    /// Of itsdangerous, as Flask has it: `payload.time.signature`.
    Flask,
    /// `data--signature`, as Rails and Rack have it.
    RailsSigned,
    /// `data--vector--tag`, as Rails has it.
    RailsEncrypted,
    /// `s:value.signature`, as Express has it.
    ExpressSigned,
    /// JSON of vector, value and MAC, as Laravel has it.
    Laravel,
    /// Of ASP.NET's data protection.
    AspNet,
    /// Fernet.
    Fernet,
    /// PASETO.
    Paseto,
    /// A UUID of that version.
    Uuid(u8),
    /// A ULID.
    Ulid,
    /// An object id of `MongoDB`.
    ObjectId,
    /// JSON, encoded or bare.
    Json,
    /// Fields as in a query.
    Query,
    /// What PHP's `serialize` writes.
    PhpSerialized,
    /// What Python's `pickle` writes.
    Pickle,
    /// A number, such as a time.
    Number,
    /// Hexadecimal digits.
    Hex,
    /// Base 64 of bytes that say nothing.
    Base64,
    /// Nothing else.
    Opaque,
}

/// What proves a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seal {
    /// Nothing: whoever holds it can change it.
    None,
    /// A signature or MAC.
    Signed,
    /// Encryption that shows changes.
    Encrypted,
    /// It says nothing; that it is known proves it.
    Reference,
}

/// A time in a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeField {
    /// Where among the claims, as a JSON pointer.
    pub path: String,
    /// In seconds since 1970, whatever unit it is in.
    pub seconds: u64,
    /// How many of its units make a second.
    pub per_second: u64,
}

impl Structure {
    /// Names of claims that tell more than for whom the token is: how somebody is reached or called, what they may, secrets.
    /// An id or the name of the account is what a token is for, and so are times and the fields of standards.
    pub fn tells(&self, user: &str) -> Vec<String> {
        let mut told = Vec::new();
        if let Some(claims) = &self.claims {
            walk(claims, "", &mut |path, value| {
                let name = path.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or_default();
                let text = value.as_str().unwrap_or_default();
                let is_address = text.contains('@') && text.contains('.');
                let is_account = text.eq_ignore_ascii_case(user);
                let says = !value.is_null() && value.as_str() != Some("");
                if is_address || (says && !is_account && is_telling(name)) {
                    told.push(path.trim_start_matches('/').replace('/', "."));
                }
            });
        }
        told
    }

    /// Times it holds, around `now` in seconds since 1970.
    pub fn times(&self, now: u64) -> Vec<TimeField> {
        let mut times = Vec::new();
        if let Some(claims) = &self.claims {
            walk(claims, "", &mut |path, value| {
                let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
                times.extend(number.and_then(|number| time(path, number, now)));
            });
        }
        times
    }
}

/// The claims with the value at a JSON pointer replaced.
pub fn replaced(claims: &Value, path: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    if let Some(place) = claims.pointer_mut(path) {
        *place = value;
    }
    claims
}

/// The claims with every text that is `from` turned into `to`; none where there is no such text.
pub fn renamed(claims: &Value, from: &str, to: &str) -> Option<Value> {
    let mut paths = Vec::new();
    walk(claims, "", &mut |path, value| {
        if value.as_str().is_some_and(|text| text == from) {
            paths.push(path.to_owned());
        }
    });
    let change = |claims, path: &String| replaced(&claims, path, Value::String(to.to_owned()));
    (!paths.is_empty()).then(|| paths.iter().fold(claims.clone(), change))
}

/// A number within ten years of now, in seconds, milliseconds or microseconds.
fn time(path: &str, number: f64, now: u64) -> Option<TimeField> {
    [1_u64, 1_000, 1_000_000].into_iter().find_map(|per_second| {
        let seconds = number / crate::predict::real(per_second);
        let near = (seconds - crate::predict::real(now)).abs() < TEN_YEARS;
        let seconds = near.then(|| format!("{seconds:.0}").parse().ok()).flatten()?;
        Some(TimeField { path: path.to_owned(), seconds, per_second })
    })
}

fn walk(value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                walk(value, &format!("{path}/{name}"), visit);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                walk(value, &format!("{path}/{at}"), visit);
            }
        }
        other => visit(path, other),
    }
}

/// By its words, as in `isAdmin`, `is_admin` and `is-admin`.
fn is_telling(name: &str) -> bool {
    let mut words = vec![String::new()];
    let mut before = false;
    for letter in name.chars() {
        let new = !letter.is_alphanumeric() || (letter.is_uppercase() && before);
        if new {
            words.push(String::new());
        }
        if let Some(last) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            last.extend(letter.to_lowercase());
        }
        before = letter.is_lowercase();
    }
    let whole = words.concat();
    let is = |word: &&str| words.iter().any(|one| one == word);
    !OF_THE_TOKEN.iter().any(|part| whole.contains(part))
        && (TELLING.iter().any(is) || TELLING_TOGETHER.iter().any(|part| whole.contains(part)))
}

/// Words in names of claims about a person, what they may, and what nobody should hold.
const TELLING: [&str; 36] = [
    "email",
    "mail",
    "name",
    "firstname",
    "lastname",
    "fullname",
    "displayname",
    "surname",
    "nickname",
    "phone",
    "mobile",
    "address",
    "street",
    "birth",
    "birthday",
    "birthdate",
    "dob",
    "gender",
    "ip",
    "role",
    "roles",
    "admin",
    "superuser",
    "staff",
    "group",
    "groups",
    "permission",
    "permissions",
    "privileges",
    "plan",
    "balance",
    "password",
    "passwd",
    "pwd",
    "secret",
    "internal",
];
const TELLING_TOGETHER: [&str; 6] = ["isadmin", "apikey", "accesstoken", "refreshtoken", "privatekey", "passwordhash"];
/// The name of the account, and what protects forms.
const OF_THE_TOKEN: [&str; 5] = ["username", "loginname", "accountname", "csrf", "xsrf"];
const TEN_YEARS: f64 = 10.0 * 365.25 * 86_400.0;
