//! Sessions that are bound to a key of the browser (W3C DBSC): three sites that differ in where they believe too much.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::desk::{Desk, Manner, PLAIN, SOUND};
use crate::house::{House, Session, now, random};
use crate::jwt::{Jwt, unbase64};
use crate::web::{Ask, Reply};

/// What a vulnerable twin does wrongly.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lax {
    /// Nothing.
    Never,
    /// Any challenge registers a key, or none; and the other cookie is enough.
    Door,
    /// A challenge registers one key after another; the short-lived cookie is not what was promised, and lives for a day.
    Keys,
    /// Proofs are good for ever, by whoever signs them, or nobody.
    Proofs,
}

pub(super) fn answer(house: &House, ask: &Ask, lax: Lax) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-ring", ..PLAIN } };
    let lock = Lock { desk, lax: if house.flawed { lax } else { Lax::Never } };
    let signed_in = desk.me().map(|(session, _)| session);
    match (ask.on(), signed_in) {
        (("POST", "/login"), _) => lock.offering(desk.usual()),
        (("POST", "/key"), Some(session)) => lock.register(&session),
        (("POST", "/key/again"), _) => lock.refresh(),
        (("GET", "/"), Some(session)) if !lock.opens(&session) => desk.stranger().status(401),
        (("POST", "/notes"), Some(session)) if !lock.opens(&session) => Reply::no(401, "Where is your key?"),
        _ => desk.usual(),
    }
}

/// One request at a site with locks.
struct Lock<'a> {
    desk: Desk<'a>,
    lax: Lax,
}

impl Lock<'_> {
    /// Whoever just came in may bind the session, once and within minutes.
    fn offering(&self, reply: Reply) -> Reply {
        let line = reply.headers.iter().find(|(name, _)| name == "Set-Cookie").map(|(_, line)| line.as_str());
        let id = line.and_then(|line| line.split_once('=')?.1.split(';').next());
        match id.filter(|_| reply.status == 303) {
            Some(id) => {
                let challenge = random();
                self.desk.house.put(&format!("asked {id}"), &format!("{challenge} {}", now().as_secs()));
                let offer = format!("(ES256);path=\"/key\";challenge=\"{challenge}\"");
                reply.header("Secure-Session-Registration", &offer)
            }
            None => reply,
        }
    }

    fn register(&self, session: &Session) -> Reply {
        let (house, id) = (self.desk.house, session.id.as_str());
        let asked = house.look(&format!("asked {id}")).unwrap_or_default();
        let (challenge, at) = asked.split_once(' ').unwrap_or_default();
        let timely = at.parse().is_ok_and(|at: u64| now().as_secs() < at + 300);
        let Some(proof) = self.proof() else { return Reply::no(403, "There is no proof.") };
        let key = proof.head.get("jwk").and_then(point);
        let answered = self.lax == Lax::Door || (timely && proof.says("jti") == Some(challenge));
        let first = self.lax == Lax::Keys || house.look(&format!("key {id}")).is_none();
        match key.filter(|key| answered && first && is_signed(&proof, key)) {
            Some(_) => {
                let (name, jwk) = (random(), proof.head.get("jwk").map(Value::to_string).unwrap_or_default());
                house.put(&format!("key {id}"), &jwk);
                house.put(&format!("lock {name}"), id);
                if self.lax != Lax::Keys {
                    house.take(&format!("asked {id}"));
                }
                self.instructions(&name, id)
            }
            None => Reply::no(403, "That is no answer."),
        }
    }

    fn refresh(&self) -> Reply {
        let house = self.desk.house;
        let name = self.desk.ask.header("sec-secure-session-id").unwrap_or_default().trim_matches('"').to_owned();
        let session = house.look(&format!("lock {name}")).and_then(|id| house.find(&id));
        let Some(session) = session.filter(|session| session.user.is_some()) else {
            return Reply::json(&json!({ "session_identifier": name, "continue": false }));
        };
        let asked = house.look(&format!("next {name}"));
        let right = self.proof().is_some_and(|proof| self.holds(&session, &proof, asked.as_deref()));
        if right { self.instructions(&name, &session.id) } else { self.challenged(Reply::no(403, "Sign this."), &name) }
    }

    fn holds(&self, session: &Session, proof: &Jwt, asked: Option<&str>) -> bool {
        let registered = self.desk.house.look(&format!("key {}", session.id));
        let registered =
            registered.and_then(|text| serde_json::from_str(&text).ok()).and_then(|jwk: Value| point(&jwk));
        if self.lax == Lax::Proofs {
            let brought = proof.head.get("jwk").and_then(point).or(registered);
            return proof.algorithm() == "none" || brought.is_some_and(|key| is_signed(proof, &key));
        }
        proof.says("jti").is_some_and(|answer| Some(answer) == asked)
            && registered.is_some_and(|key| is_signed(proof, &key))
    }

    /// What browsers are told, with a cookie that lives for minutes.
    fn instructions(&self, name: &str, id: &str) -> Reply {
        let life = if self.lax == Lax::Keys { 86_400 } else { 600 };
        let site = if self.lax == Lax::Keys { "; Path=/; Secure; HttpOnly; SameSite=Strict" } else { SOUND };
        let value = random();
        self.desk.house.put(&format!("bound {value}"), &format!("{id} {}", now().as_secs() + life));
        let told = json!({
            "session_identifier": name,
            "refresh_url": "/key/again",
            "scope": { "include_site": false },
            "credentials": [{ "type": "cookie", "name": BOUND, "attributes": SOUND.trim_start_matches("; ") }],
        });
        self.challenged(Reply::json(&told).cookie(format!("{BOUND}={value}{site}; Max-Age={life}")), name)
    }

    fn challenged(&self, reply: Reply, name: &str) -> Reply {
        let challenge = random();
        self.desk.house.put(&format!("next {name}"), &challenge);
        reply.header("Secure-Session-Challenge", &format!("\"{challenge}\";id=\"{name}\""))
    }

    /// Whether a session without a key comes, or one with its bound cookie.
    fn opens(&self, session: &Session) -> bool {
        let house = self.desk.house;
        if self.lax == Lax::Door || house.look(&format!("key {}", session.id)).is_none() {
            return true;
        }
        let bound = self.desk.ask.cookie(BOUND).and_then(|value| house.look(&format!("bound {value}")));
        let fits = |text: String| {
            let (id, until) = text.split_once(' ')?;
            Some(id == session.id && now().as_secs() < until.parse().ok()?)
        };
        bound.and_then(fits).unwrap_or(false)
    }

    fn proof(&self) -> Option<Jwt> {
        let sent = self.desk.ask.header("secure-session-response")?.trim_matches('"');
        Jwt::read(sent).filter(|proof| proof.head.get("typ").and_then(Value::as_str) == Some("dbsc+jwt"))
    }
}

/// A public key, as the primitive takes it.
fn point(jwk: &Value) -> Option<Vec<u8>> {
    let coordinate = |name: &str| unbase64(jwk.get(name)?.as_str()?);
    Some([vec![4], coordinate("x")?, coordinate("y")?].concat())
}

fn is_signed(proof: &Jwt, key: &[u8]) -> bool {
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key);
    proof.algorithm() == "ES256" && key.verify(proof.input.as_bytes(), &proof.signature).is_ok()
}

const BOUND: &str = "__Host-bound";
