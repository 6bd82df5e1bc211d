//! A second factor: set up in the browser, asked for at the next sign-in, each code good for one use.

use std::{sync::Arc, time::SystemTime};

use aws_lc_rs::hmac;
use counterfoil_browser::{form::fill, tab::Tab};

use crate::{
    verdict::{Failure, Shown, promise},
    world::{COOKIE, Stage, credentials, seen},
};

pub(super) async fn from_set_up_to_sign_in(stage: Arc<Stage>) -> Shown {
    let (person, tab) = stage.member("ada").await?;
    let password = stage.house.password("ada");
    tab.go(&stage.at("/.session/step-up?next=%2F.session%2Ftotp")).await?;
    let landed = tab.follow(&fill("/.session/step-up", &[("password", password)])).await?;
    promise("a step-up leads to the second factor", landed.path() == "/.session/totp", || seen(&landed))?;
    tab.follow("document.querySelector('form[action$=\"/begin\"]').submit()").await?;
    let secret = tab.read("document.querySelector('.secret').innerText").await?;
    let drawn = tab.run("document.querySelector('.qr').naturalWidth > 0").await?;
    promise("the picture is shown", drawn.as_bool() == Some(true), || "it is not".to_owned())?;
    confirm(&tab, &secret).await?;

    let (other, there) = stage.stranger().await?;
    there.go(&stage.at("/page")).await?;
    let landed = there.follow(&credentials("ada", password)).await?;
    promise("a password alone does not sign in", landed.path().starts_with("/.session/login/code"), || seen(&landed))?;
    promise("a password alone does not sign in", other.cookie(COOKIE).await?.is_none(), || "it does".to_owned())?;
    let landed = enter(&there, "000000").await?;
    promise("a wrong code does not sign in", landed.starts_with("/.session/login/code"), || landed.clone())?;
    let used = code(&secret, 0);
    let landed = enter(&there, &used).await?;
    promise("a right code signs in, and leads back", landed == "/page", || landed.clone())?;
    let who = stage.who(&there).await?;
    promise("the app sees who it is", who.as_deref() == Some("ada"), || format!("{who:?}"))?;

    let (_, again) = stage.stranger().await?;
    again.go(&stage.at("/page")).await?;
    again.follow(&credentials("ada", password)).await?;
    let landed = enter(&again, &used).await?;
    promise("a code is good for one use", landed.starts_with("/.session/login/code"), || landed.clone())?;
    person.leave().await?;
    Ok("set up, asked for, each code good for one use".to_owned())
}

/// With the code of a step behind, which is taken; that leaves this one for the sign-in, whenever it is.
async fn confirm(tab: &Tab, secret: &str) -> Result<(), Failure> {
    let mut text = String::new();
    // Once more where a step ended on the way: then the code was two behind.
    for _ in 0..2 {
        let began = step();
        tab.follow(&fill("/.session/totp/confirm", &[("code", &code(secret, -1))])).await?;
        text = tab.text().await?;
        if text.contains(SET_UP) || step() == began {
            break;
        }
    }
    promise("a second factor is set up with its code", text.contains(SET_UP), || text.clone())
}

const SET_UP: &str = "takes your password and a code";

/// Where that led.
async fn enter(tab: &Tab, code: &str) -> Result<String, Failure> {
    Ok(tab.follow(&fill("/.session/login/code", &[("code", code)])).await?.path().to_owned())
}

/// The code an authenticator shows so many steps from now (RFC 6238).
fn code(secret: &str, steps: i64) -> String {
    let step = step().saturating_add_signed(steps);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &base32(secret));
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let from = usize::from(tag.last().copied().unwrap_or_default() & 15);
    let word = tag.iter().skip(from).take(4).fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

/// The step of now.
fn step() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() / 30)
}

/// RFC 4648, section 6, as people copy it: spaces are no part of it.
fn base32(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut word) = (Vec::new(), 0, 0_u32);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => continue,
        };
        (word, bits) = ((word << 5 | u32::from(value)) & 0xffff, bits + 5);
        if bits >= 8 {
            bits -= 8;
            bytes.extend((word >> bits).to_be_bytes().last());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_as_they_are_shown() {
        assert_eq!(base32("MZXW 6YTB OI"), b"foobar");
        assert_eq!(base32("GEZDGNBVGY3TQOJQ"), b"1234567890");
    }
}
