//! What an operator does to an account reaches its sessions.

use counterfoil::Moment;
use counterfoil::accounts::{Cost, Hasher, Password};
use counterfoil_gateway::accounts::AccountChange;

use crate::browser::{Gate, named, password};

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_stays_out_until_it_is_enabled() {
    let gate = Gate::open();
    let (mut ada, mut grace) = (gate.signed_in("ada").await, gate.signed_in("grace").await);
    let told = Some((&named("ada"), AccountChange::AccountDisabled));
    gate.folder().change(told, |book| book.disable(&named("ada"), Moment::EPOCH)).unwrap();
    assert_eq!(gate.settle().await, 1);
    assert_eq!(ada.get("/.session/me").await.json()["signed_in"], false);
    assert_eq!(grace.get("/.session/me").await.json()["signed_in"], true);
    assert_eq!(gate.browser().sign_in("ada").await.status, 401);
    gate.folder().change(None, |book| book.enable(&named("ada"))).unwrap();
    assert_eq!(gate.settle().await, 0);
    assert_eq!(gate.browser().sign_in("ada").await.status, 200);
}

#[tokio::test]
async fn a_reset_password_ends_every_session_and_while_the_store_is_down_its_note_waits() {
    let gate = Gate::open();
    let mut ada = gate.signed_in("ada").await;
    let hash = Hasher::new(Cost::Test).unwrap().hash_now(&Password::new("another long password")).unwrap();
    let told = Some((&named("ada"), AccountChange::PasswordReset));
    gate.folder().change(told, |book| book.set_password(&named("ada"), hash, Moment::EPOCH)).unwrap();
    gate.store_fails(true);
    assert!(counterfoil_gateway::accounts::settle(&gate.accounts, &gate.gateway).await.is_err());
    gate.store_fails(false);
    assert_eq!(ada.get("/.session/me").await.json()["signed_in"], true, "not told yet");
    assert_eq!(gate.settle().await, 1);
    assert_eq!(ada.get("/.session/me").await.json()["signed_in"], false);
    assert_eq!(gate.browser().sign_in("ada").await.status, 401);
    let fields = [("username", "ada"), ("password", "another long password")];
    assert_eq!(gate.browser().post("/.session/login", &fields).await.status, 200);
    assert_ne!(password("ada"), "another long password");
}
