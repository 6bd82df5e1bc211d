//! The second factor, from setting it up to doing without it again.

use counterfoil::{LimitSettings, Limiter};
use counterfoil_gateway::accounts::AccountChange;
use totp_rs::Totp;

use crate::browser::{Browser, Gate, named, password};

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Codes of steps that were not used: each is later than the one before.
struct App {
    totp: Totp,
    steps: std::ops::Range<u64>,
}

impl App {
    fn code(&mut self) -> String {
        let step = self.steps.next().expect("three codes are right at any time");
        self.totp.generate(step * 30).to_string()
    }
}

/// Sets one up. The codes of the step before, this one and the next are right, so there are three to use.
async fn enrolled(ada: &mut Browser) -> App {
    let offer = ada.post("/.session/totp/begin", &[]).await.json();
    let totp = Totp::from_url(offer["address"].as_str().unwrap()).unwrap();
    let step = now() / 30;
    let mut app = App { totp, steps: step - 1..step + 2 };
    let reply = ada.post("/.session/totp/confirm", &[("code", &app.code())]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    app
}

#[tokio::test]
async fn it_is_set_up_with_a_picture_or_by_typing_and_asked_for_from_then_on() {
    let gate = Gate::open();
    let (mut ada, mut elsewhere) = (gate.stepped_up("ada").await, gate.signed_in("ada").await);
    let begun = ada.fill_in("/.session/totp", "/.session/totp/begin", &[]).await;
    assert_eq!(begun.seen(), (303, "/.session/totp".to_owned()));
    let page = ada.open("/.session/totp").await;
    assert!(page.body.contains(r#"src="/.session/totp/qr.svg""#), "{}", page.body);
    let address = page.body.split_once("otpauth://").unwrap().1.split('"').next().unwrap().replace("&#38;", "&");
    let totp = Totp::from_url(format!("otpauth://{address}")).unwrap();
    assert_eq!((totp.issuer(), totp.account_name()), (Some("wiki.example"), "ada"));
    let picture = ada.get("/.session/totp/qr.svg").await;
    assert!(picture.body.starts_with("<svg") && picture.header("cache-control") == "no-store");

    let wrong = ada.fill_in("/.session/totp", "/.session/totp/confirm", &[("code", "00000")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("That code is not right") && wrong.body.contains("qr.svg"), "it may be tried again");
    let code = totp.generate(now()).to_string();
    let done = ada.fill_in("/.session/totp", "/.session/totp/confirm", &[("code", &code)]).await;
    assert!(done.header("location").starts_with("/.session/totp"), "{done:?}");
    assert!(ada.open(done.header("location")).await.body.contains("Your second factor is set up."));
    assert_eq!(elsewhere.get("/.session/me").await.json()["signed_in"], false, "the others are over");
    assert_eq!(ada.get("/.session/totp/qr.svg").await.status, 404, "shown no more");

    let mut anew = gate.browser();
    let right = password("ada");
    let fields = [("username", "ada"), ("password", right.as_str())];
    let half = anew.fill_in("/.session/login?next=%2Fpage", "/.session/login", &fields).await;
    assert_eq!(half.seen(), (303, "/.session/login/code?next=%2Fpage".to_owned()));
    assert_eq!(anew.get("/.session/me").await.json()["signed_in"], false);
    let used = anew.fill_in("/.session/login/code?next=%2Fpage", "/.session/login/code", &[("code", &code)]).await;
    assert_eq!(used.status, 401, "a code is good for one use");
    let next = totp.generate(now() + 30).to_string();
    let inside = anew.fill_in("/.session/login/code?next=%2Fpage", "/.session/login/code", &[("code", &next)]).await;
    assert_eq!(inside.seen(), (303, "/page".to_owned()));
    assert_eq!(anew.get("/.session/me").await.json()["factors"], serde_json::json!(["pwd", "otp"]));
}

#[tokio::test]
async fn a_step_up_takes_the_code_as_well() {
    let gate = Gate::open();
    let mut ada = gate.stepped_up("ada").await;
    let mut app = enrolled(&mut ada).await;
    let mut anew = gate.browser();
    assert_eq!(anew.sign_in("ada").await.json()["wanted"], "otp");
    assert_eq!(anew.post("/.session/login/code", &[("code", &app.code())]).await.status, 200);
    let right = password("ada");
    assert_eq!(anew.post("/.session/step-up", &[("password", &right)]).await.status, 401);
    assert!(anew.open("/.session/step-up").await.body.contains(r#"autocomplete="one-time-code""#));
    let fields = [("password", right.as_str()), ("code", &app.code())];
    assert_eq!(anew.post("/.session/step-up", &fields).await.json()["assurance"], "elevated");
    assert_eq!(anew.post("/.session/totp/begin", &[]).await.status, 409, "there is one");
    assert_eq!(anew.post("/.session/totp/remove", &[]).await.status, 200);
    assert_eq!(gate.browser().sign_in("ada").await.json()["signed_in"], true);
}

#[tokio::test]
async fn codes_are_tried_five_times() {
    let gate = Gate::with(Limiter::at_a_standstill(LimitSettings::default()));
    let mut ada = gate.stepped_up("ada").await;
    let mut app = enrolled(&mut ada).await;
    let mut anew = gate.browser();
    anew.address = [192, 0, 2, 9];
    assert_eq!(anew.sign_in("ada").await.status, 202);
    // The one that confirmed it was right, and does not count.
    for _ in 0..5 {
        assert_eq!(anew.post("/.session/login/code", &[("code", "000000x")]).await.status, 401);
    }
    let refused = anew.post("/.session/login/code", &[("code", &app.code())]).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "300"));
}

#[tokio::test]
async fn codes_are_tried_five_times_to_step_up_as_well() {
    let gate = Gate::with(Limiter::at_a_standstill(LimitSettings::default()));
    let mut ada = gate.stepped_up("ada").await;
    let mut app = enrolled(&mut ada).await;
    let (right, mut address) = (password("ada"), 10);
    // In one session, wherever it is.
    let mut step_up = async |code: &str| {
        address += 1;
        ada.address = [192, 0, 2, address];
        ada.post("/.session/step-up", &[("password", &right), ("code", code)]).await.status.as_u16()
    };
    for _ in 0..5 {
        assert_eq!(step_up("000000x").await, 401);
    }
    assert_eq!(step_up(&app.code()).await, 429);
}

#[tokio::test]
async fn an_operator_who_removes_it_overtakes_a_sign_in_that_waits_for_its_code() {
    let gate = Gate::open();
    let mut ada = gate.stepped_up("ada").await;
    let mut app = enrolled(&mut ada).await;
    let mut waiting = gate.browser();
    assert_eq!(waiting.sign_in("ada").await.status, 202);
    let told = Some((&named("ada"), AccountChange::MfaChanged));
    gate.folder().change(told, |book| book.remove_totp(&named("ada"))).unwrap();
    assert_eq!(gate.settle().await, 1);
    assert_eq!(ada.get("/.session/me").await.json()["signed_in"], false);
    let reply = waiting.post("/.session/login/code", &[("code", &app.code())]).await;
    assert!([401, 409].contains(&reply.status.as_u16()), "{reply:?}");
    assert_eq!(gate.browser().sign_in("ada").await.json()["signed_in"], true);
}
