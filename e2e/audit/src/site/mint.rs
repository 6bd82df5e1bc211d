//! Coins, by sites that differ in nothing but how they make an id.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use md5::{Digest as _, Md5};

use crate::desk::{Desk, Manner, PLAIN};
use crate::house::{House, Session, hex, now, random, random_bytes};
use crate::web::{Ask, Reply};

/// How a site makes an id, for somebody or for nobody yet.
pub(super) type Make = fn(&House, &str) -> String;

pub(super) fn answer(house: &House, ask: &Ask, make: Make) -> Reply {
    let desk = Desk { house, ask, manner: Manner { cookie: "__Host-coin", ..PLAIN } };
    if !house.flawed {
        return desk.usual();
    }
    let open = |user: Option<&str>| {
        let session = Session::new(make(house, user.unwrap_or_default()), user);
        house.save(&session);
        session
    };
    match (ask.on(), desk.session()) {
        (("GET", "/login"), None) => {
            let session = open(None);
            desk.login_form("", &session.csrf).cookie(desk.set(&session.id))
        }
        (("POST", "/login"), Some(session)) if desk.has_token(&session) => match desk.credentials() {
            Some(user) => {
                house.end(&session.id);
                Reply::to("/").cookie(desk.set(&open(Some(&user)).id))
            }
            None => desk.login_page("Wrong name or password.").status(401),
        },
        _ => desk.usual(),
    }
}

/// The next number.
pub(super) fn counter(house: &House, _user: &str) -> String {
    house.number().to_string()
}

/// The next number, hidden from the eye.
pub(super) fn hashed_counter(house: &House, _user: &str) -> String {
    md5(&house.number().to_string())
}

/// The time in milliseconds, which no two sessions share.
pub(super) fn time(house: &House, _user: &str) -> String {
    std::thread::sleep(std::time::Duration::from_millis(2));
    house.number();
    now().as_millis().to_string()
}

/// The user and the time in seconds.
pub(super) fn user_and_time(_house: &House, user: &str) -> String {
    if user.is_empty() {
        return random();
    }
    hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{user}{}", now().as_secs()).as_bytes()).as_ref())
}

/// A UUID of time and machine.
pub(super) fn uuid(house: &House, _user: &str) -> String {
    let ticks = now().as_nanos() / 100 + 0x01B2_1DD2_1381_4000 + u128::from(house.number() % 10);
    let (low, middle, high) = (ticks & 0xffff_ffff, (ticks >> 32) & 0xffff, (ticks >> 48) & 0xfff);
    format!("{low:08x}-{middle:04x}-1{high:03x}-9a3c-0242ac110002")
}

/// Four numbers of a linear congruential generator.
pub(super) fn congruential(house: &House, _user: &str) -> String {
    let index = (house.number() - 1000) * 4;
    let mut state = seed(house);
    (0..index).for_each(|_| state = congruent(state));
    let words: Vec<_> = (0..4)
        .map(|_| {
            state = congruent(state);
            format!("{state:08x}")
        })
        .collect();
    words.concat()
}

/// The one of *Numerical Recipes*.
pub(crate) fn congruent(state: u32) -> u32 {
    state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)
}

/// Four numbers of a Mersenne Twister.
pub(super) fn twister(house: &House, _user: &str) -> String {
    let index = usize::try_from((house.number() - 1000) * 4).unwrap_or(0);
    twisted(seed(house), index + 4).iter().skip(index).map(|word| format!("{word:08x}")).collect::<Vec<_>>().concat()
}

/// The first outputs of MT19937.
pub(crate) fn twisted(seed: u32, count: usize) -> Vec<u32> {
    let mut all = vec![seed];
    for index in 1..624_u32 {
        let last = all.last().copied().unwrap_or(0);
        all.push(1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(index));
    }
    let at = |all: &[u32], index: usize| all.get(index).copied().unwrap_or(0);
    for index in 0..count {
        let mixed = (at(&all, index) & 0x8000_0000) | (at(&all, index + 1) & 0x7fff_ffff);
        let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
        all.push(at(&all, index + 397) ^ (mixed >> 1) ^ odd);
    }
    let tempered = |word: &u32| {
        let word = word ^ (word >> 11);
        let word = word ^ ((word << 7) & 0x9d2c_5680);
        let word = word ^ ((word << 15) & 0xefc6_0000);
        word ^ (word >> 18)
    };
    all.iter().skip(624).map(tempered).collect()
}

/// When the site was started, as beginners seed.
fn seed(house: &House) -> u32 {
    u32::try_from(house.born & 0xffff_ffff).unwrap_or(0)
}

/// Random, but three bytes of it.
pub(super) fn truncated(_house: &House, _user: &str) -> String {
    hex(&random_bytes::<3>())
}

/// The same at each sign-in.
pub(super) fn fixed(_house: &House, user: &str) -> String {
    if user.is_empty() { random() } else { md5(&format!("{user}:coin")) }
}

/// As it is used where nobody thought.
pub(crate) fn md5(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twister_is_the_published_one() {
        let first = twisted(5489, 10_000);
        assert_eq!((first[0], first[9_999]), (3_499_211_612, 4_123_659_995));
    }
}
