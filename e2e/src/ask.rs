//! The requests of the demo's contract that the races send.

use std::{fmt::Write as _, time::Duration};

use http::Method;

/// A request without its cookies.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) form: String,
    /// `application/json`, or `text/html` where the page with its form is wanted.
    pub(crate) accept: &'static str,
    /// How long the server was asked to work before it answers.
    pub(crate) hold: Duration,
}

/// One of the demo's accounts, with the password it has now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    pub(crate) username: &'static str,
    pub(crate) password: &'static str,
}

/// The two accounts the demo starts with.
pub(crate) const ACCOUNTS: [Account; 2] =
    [Account { username: "ada", password: "ada-demo-1" }, Account { username: "grace", password: "grace-demo-1" }];

impl Ask {
    pub(crate) fn me() -> Self {
        Self::get("/me".to_owned(), Duration::ZERO)
    }

    pub(crate) fn counter() -> Self {
        Self::get("/counter".to_owned(), Duration::ZERO)
    }

    pub(crate) fn slow(hold: Duration) -> Self {
        Self::get(format!("/slow?ms={}", hold.as_millis()), hold)
    }

    pub(crate) fn home_page() -> Self {
        Self { accept: "text/html", ..Self::get("/".to_owned(), Duration::ZERO) }
    }

    pub(crate) fn log_in(account: Account) -> Self {
        Self::post("/login".to_owned(), &[("username", account.username), ("password", account.password)])
    }

    pub(crate) fn log_out() -> Self {
        Self::post("/logout".to_owned(), &[])
    }

    pub(crate) fn count_up() -> Self {
        Self::post("/counter".to_owned(), &[])
    }

    pub(crate) fn note(key: &str, value: &str) -> Self {
        Self::post("/note".to_owned(), &[("key", key), ("value", value)])
    }

    pub(crate) fn slow_note(hold: Duration, key: &str, value: &str) -> Self {
        let target = format!("/slow-note?ms={}", hold.as_millis());
        Self { hold, ..Self::post(target, &[("key", key), ("value", value)]) }
    }

    pub(crate) fn change_password(current: &str, new: &str, csrf_token: Option<&str>) -> Self {
        let mut fields = vec![("current", current), ("new", new)];
        fields.extend(csrf_token.map(|token| ("csrf_token", token)));
        Self::post("/password".to_owned(), &fields)
    }

    fn get(target: String, hold: Duration) -> Self {
        Self { method: Method::GET, target, form: String::new(), accept: "application/json", hold }
    }

    fn post(target: String, fields: &[(&str, &str)]) -> Self {
        Self { method: Method::POST, form: encode(fields), ..Self::get(target, Duration::ZERO) }
    }
}

/// `application/x-www-form-urlencoded`.
fn encode(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_escaped() {
        assert_eq!(encode(&[("a", "x y&z=ü"), ("b-c", "1.2_3")]), "a=x%20y%26z%3D%C3%BC&b-c=1.2_3");
    }
}
