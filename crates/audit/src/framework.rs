//! The framework that responses speak of: for the words of fixes, so a guess is worse than none.

#[cfg(test)]
mod tests;

use crate::cookie::SetCookie;
use crate::exchange::Exchange;
use crate::html::Page;
use crate::outcome::Framework;

/// Whose responses these are, where they say so clearly and do not contradict each other.
pub fn told_by(exchanges: &[&Exchange]) -> Option<Framework> {
    let said: Vec<_> = SIGNS.iter().filter(|sign| exchanges.iter().any(|exchange| sign.is_on(exchange))).collect();
    let of =
        |framework: Framework| -> u32 { said.iter().filter(|sign| sign.of == framework).map(|sign| sign.points).sum() };
    let likely: Vec<_> = ORDER.iter().copied().filter(|framework| of(*framework) >= ENOUGH).collect();
    match likely.as_slice() {
        [] => None,
        [one] => Some(*one),
        // What is built on PHP or stands behind nginx says so too.
        [first, rest @ ..] => rest.iter().all(|other| is_below(*first, *other)).then_some(*first),
    }
}

/// Something that speaks of a framework.
struct Sign {
    of: Framework,
    /// Four are enough.
    points: u32,
    what: What,
}

enum What {
    /// A header field whose value begins so.
    Header(&'static str, &'static str),
    /// A cookie whose name, without a prefix, is or begins so.
    Cookie(&'static str),
    /// One whose name is or begins so, and whose value is of that form.
    CookieLike(&'static str, fn(&str) -> bool),
    /// A form field of that name.
    Field(&'static str),
    /// A `meta` element of that name.
    Meta(&'static str),
}

impl Sign {
    fn is_on(&self, exchange: &Exchange) -> bool {
        match &self.what {
            What::Header(name, begin) => exchange.answer.all(name).any(|value| {
                value.get(..begin.len()).is_some_and(|front| front.eq_ignore_ascii_case(begin.as_bytes()))
            }),
            What::Cookie(name) => cookies(exchange).any(|cookie| is_named(&cookie.name, name)),
            What::CookieLike(name, fits) => {
                cookies(exchange).any(|cookie| is_named(&cookie.name, name) && fits(cookie.value.trim_matches('"')))
            }
            What::Field(name) => {
                contains(exchange, name)
                    && crate::html::forms(&exchange.answer.text())
                        .iter()
                        .flat_map(|form| &form.fields)
                        .any(|field| field.name == *name)
            }
            What::Meta(name) => contains(exchange, name) && Page::read(&exchange.answer.text()).meta(name).is_some(),
        }
    }
}

fn cookies(exchange: &Exchange) -> impl Iterator<Item = SetCookie> {
    exchange.answer.all("set-cookie").filter_map(|line| SetCookie::read(line).ok())
}

/// A star stands for the rest.
fn is_named(name: &str, known: &str) -> bool {
    let bare = ["__Host-", "__Secure-"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    match known.split_once('*') {
        Some((begin, end)) => bare.len() > begin.len() + end.len() && bare.starts_with(begin) && bare.ends_with(end),
        None => bare == known || name == known,
    }
}

fn contains(exchange: &Exchange, word: &str) -> bool {
    exchange.answer.body.windows(word.len()).any(|window| window == word.as_bytes())
}

fn is_below(framework: Framework, other: Framework) -> bool {
    other == Framework::Nginx || (framework, other) == (Framework::Laravel, Framework::Php)
}

/// `payload.time.signature`, the payload as JSON, perhaps compressed.
fn is_signed_by_flask(value: &str) -> bool {
    let bare = value.strip_prefix('.').unwrap_or(value);
    let parts: Vec<_> = bare.split('.').collect();
    match parts.as_slice() {
        [payload, time, signature] => {
            let is_json = value.starts_with('.') || payload.starts_with("eyJ") || *payload == "e30";
            is_json && (5..=8).contains(&time.len()) && signature.len() == 27
        }
        _ => false,
    }
}

/// Encrypted with a vector and a tag, as JSON in base64.
fn is_sealed_by_laravel(value: &str) -> bool {
    value.starts_with("eyJpdiI6")
}

/// `s:` and an id with a signature, percent-encoded.
fn is_signed_by_express(value: &str) -> bool {
    value.starts_with("s%3A") && value.contains('.')
}

/// Three parts between double hyphens: text, vector, tag; or text and signature.
fn is_sealed_by_rails(value: &str) -> bool {
    (2..=3).contains(&value.split("--").count())
}

const ENOUGH: u32 = 4;

/// What says more about a site comes first.
const ORDER: &[Framework] = &[
    Framework::Counterfoil,
    Framework::Laravel,
    Framework::Django,
    Framework::Flask,
    Framework::Rails,
    Framework::Spring,
    Framework::AspNet,
    Framework::Express,
    Framework::Php,
    Framework::Nginx,
];

#[rustfmt::skip]
const SIGNS: &[Sign] = {
    use Framework::{AspNet, Counterfoil, Django, Express, Flask, Laravel, Nginx, Php, Rails, Spring};
    use What::{Cookie, CookieLike, Field, Header, Meta};
    &[
        Sign { of: Express, points: 4, what: Header("x-powered-by", "Express") },
        Sign { of: Express, points: 4, what: CookieLike("connect.sid", is_signed_by_express) },
        Sign { of: Express, points: 2, what: CookieLike("*", is_signed_by_express) },
        Sign { of: Django,  points: 4, what: Field("csrfmiddlewaretoken") },
        Sign { of: Django,  points: 2, what: Cookie("csrftoken") },
        Sign { of: Django,  points: 2, what: Cookie("sessionid") },
        Sign { of: Flask,   points: 4, what: CookieLike("session", is_signed_by_flask) },
        Sign { of: Flask,   points: 2, what: CookieLike("*", is_signed_by_flask) },
        Sign { of: Flask,   points: 2, what: Header("server", "Werkzeug") },
        Sign { of: Rails,   points: 2, what: CookieLike("_*_session", is_sealed_by_rails) },
        Sign { of: Rails,   points: 2, what: Header("x-runtime", "0.") },
        Sign { of: Rails,   points: 2, what: Field("authenticity_token") },
        Sign { of: Rails,   points: 2, what: Meta("csrf-param") },
        Sign { of: Laravel, points: 4, what: CookieLike("laravel_session", is_sealed_by_laravel) },
        Sign { of: Laravel, points: 2, what: CookieLike("*_session", is_sealed_by_laravel) },
        Sign { of: Laravel, points: 2, what: CookieLike("XSRF-TOKEN", is_sealed_by_laravel) },
        Sign { of: Spring,  points: 2, what: Cookie("JSESSIONID") },
        Sign { of: Spring,  points: 2, what: Header("cache-control", "no-cache, no-store, max-age=0, must-revalidate") },
        Sign { of: Spring,  points: 2, what: Field("_csrf") },
        Sign { of: AspNet,  points: 4, what: Cookie(".AspNetCore.*") },
        Sign { of: AspNet,  points: 4, what: Cookie("ASP.NET_SessionId") },
        Sign { of: AspNet,  points: 4, what: Header("x-aspnet-version", "") },
        Sign { of: AspNet,  points: 4, what: Header("x-powered-by", "ASP.NET") },
        Sign { of: AspNet,  points: 4, what: Field("__RequestVerificationToken") },
        Sign { of: Php,     points: 4, what: Cookie("PHPSESSID") },
        Sign { of: Php,     points: 4, what: Header("x-powered-by", "PHP/") },
        Sign { of: Nginx,   points: 4, what: Header("server", "nginx") },
        // Its names tell nothing by themselves; two of them together are nobody else's.
        Sign { of: Counterfoil, points: 2, what: Cookie("__Host-Http-id") },
        Sign { of: Counterfoil, points: 2, what: Cookie("__Host-Http-an") },
        Sign { of: Counterfoil, points: 2, what: Cookie("__Host-Http-el") },
        Sign { of: Counterfoil, points: 2, what: Cookie("dev-id") },
        Sign { of: Counterfoil, points: 2, what: Cookie("dev-an") },
        Sign { of: Counterfoil, points: 2, what: Cookie("dev-el") },
    ]
};
