//! Berths by signed tokens in a cookie: four sites that differ in which tokens they believe.

use serde_json::json;

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::{House, Session, now, random};
use crate::jwt::{Jwt, signed};
use crate::web::{Ask, Reply};

/// What a vulnerable twin does wrongly.
#[derive(Clone, Copy)]
pub(super) struct Lax {
    /// Instead of a secret of its own.
    pub(super) secret: Option<&'static str>,
    /// Whether a token counts, beside being signed.
    pub(super) believes: fn(&Jwt) -> bool,
    /// Whether expired and ended tokens count.
    pub(super) forever: bool,
    /// Of a token on either twin, in seconds.
    pub(super) life: u64,
}

/// A secret out of a tutorial, and nothing that could end a token.
pub(super) const HARBOR: Lax = Lax { secret: Some("secret"), believes: |_| false, forever: true, life: 3600 };
/// A token may say that it is not signed.
pub(super) const MILL: Lax = Lax { secret: None, believes: unsigned, forever: false, life: 3600 };
/// Nobody looks at signatures.
pub(super) const KILN: Lax = Lax { secret: None, believes: |_| true, forever: false, life: 3600 };
/// Nobody looks at the date, which comes soon.
pub(super) const HOURGLASS: Lax = Lax { secret: None, believes: |_| false, forever: true, life: 15 };

fn unsigned(token: &Jwt) -> bool {
    token.algorithm().eq_ignore_ascii_case("none") && token.signature.is_empty()
}

/// A twin with its secret, and one request.
struct Berth<'a> {
    desk: Desk<'a>,
    lax: Lax,
    token: Option<Jwt>,
}

pub(super) fn answer(house: &House, ask: &Ask, lax: Lax) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-jwt", home: "/berths", hello: "Captain", ..PLAIN } };
    let mut berth = Berth { desk, lax, token: None };
    berth.token = ask.cookie("__Host-jwt").and_then(Jwt::read).filter(|token| berth.counts(token));
    let user = berth.says("sub");
    let user = if house.has(&user) { user } else { String::new() };
    let form = berth.says("form");
    let own_form = desk.token().is_some_and(|sent| !form.is_empty() && sent == form);
    match ask.on() {
        ("GET", "/berths") if !user.is_empty() => desk.home_of(&user, &form),
        ("GET", "/berths") => desk.stranger(),
        ("GET", "/login") if !form.is_empty() => desk.login_form("", &form),
        ("GET", "/login") => {
            let form = random();
            let token = berth.made("", &house.open(None).id, &form);
            desk.login_form("", &form).cookie(desk.set(&token))
        }
        ("POST", "/login") if own_form => match desk.credentials() {
            Some(user) => berth.enter(&user),
            _ => desk.login_form("Wrong name or password.", &form).status(401),
        },
        ("POST", "/logout") if own_form => {
            house.end(&berth.says("jti"));
            Reply::to("/berths").cookie(desk.unset())
        }
        ("POST", "/notes") if own_form && !user.is_empty() => desk.noted(&user, ask.field("text")),
        ("POST", _) => Reply::no(403, "The form is too old."),
        _ => desk.usual(),
    }
}

impl Berth<'_> {
    fn secret(&self) -> &str {
        match self.lax.secret.filter(|_| self.desk.house.flawed) {
            Some(known) => known,
            None => &self.desk.house.secret,
        }
    }

    fn counts(&self, token: &Jwt) -> bool {
        let house = self.desk.house;
        let is_live = || token.is_fresh() && house.find(token.says("jti").unwrap_or_default()).is_some();
        let believed = (house.flawed && (self.lax.believes)(token)) || token.is_signed(self.secret().as_bytes());
        // The hourglass forgets dates, not ends.
        let ended = self.lax.secret.is_none() && house.find(token.says("jti").unwrap_or_default()).is_none();
        believed && ((house.flawed && self.lax.forever && !ended) || is_live())
    }

    fn says(&self, claim: &str) -> String {
        self.token.as_ref().and_then(|token| token.says(claim)).unwrap_or_default().to_owned()
    }

    fn enter(&self, user: &str) -> Reply {
        let house = self.desk.house;
        house.end(&self.says("jti"));
        let id = random();
        house.save(&Session::new(id.clone(), Some(user)));
        Reply::to("/berths").cookie(self.desk.set(&self.made(user, &id, &random())))
    }

    fn made(&self, user: &str, id: &str, form: &str) -> String {
        let claims = json!({ "sub": user, "jti": id, "form": form, "exp": now().as_secs() + self.lax.life });
        signed(self.secret().as_bytes(), &claims)
    }
}
