//! `#[derive(SessionData)]`: each field is one key.

use axum::Router;
use axum::routing::post;
use counterfoil::data::{DataError, Fields, Key, SessionData};
use counterfoil::testing::{Browser, Site};
use counterfoil::{Error, Session};
use counterfoil_core::data::Payload;

use crate::app::app;

#[derive(SessionData, Debug, Default, PartialEq, Eq)]
struct Shop {
    cart: Vec<u32>,
    #[session(portable)]
    theme: String,
    r#type: Option<u8>,
}

#[derive(SessionData, Debug, Default, PartialEq, Eq)]
#[session(prefix = "wizard.v2")]
pub(crate) struct Wizard {
    pub(crate) step: u8,
}

/// Another version of [`Shop`], with a key the other does not know, and another idea of the cart.
#[derive(SessionData, Debug, Default, PartialEq, Eq)]
#[session(prefix = "shop")]
struct NewShop {
    coupon: Option<String>,
}

#[derive(SessionData, Debug, Default)]
#[session(prefix = "shop")]
struct OddShop {
    cart: String,
}

fn fields_of(data: &impl SessionData) -> Fields {
    let mut fields = Fields::default();
    for (name, field) in data.write().unwrap() {
        fields.apply(name, Some(field));
    }
    fields
}

#[test]
fn a_key_is_the_prefix_and_the_field() {
    assert_eq!([Shop::CART.name(), Shop::THEME.name(), Shop::TYPE.name()], ["shop.cart", "shop.theme", "shop.type"]);
    assert_eq!(Wizard::STEP.name(), "wizard.v2.step");
}

#[test]
fn what_was_written_reads_back() {
    let shop = Shop { cart: vec![1, 2], theme: "dark".into(), r#type: Some(3) };
    let sealed = fields_of(&shop).seal();
    assert_eq!(Shop::read(&Fields::open(&sealed).unwrap()).unwrap(), shop);
}

#[test]
fn a_key_that_is_not_there_has_its_default() {
    assert_eq!(Shop::read(&Fields::open(&Payload::default()).unwrap()).unwrap(), Shop::default());
}

#[test]
fn only_fields_marked_as_portable_are() {
    let fields = fields_of(&Shop::default());
    let portable: Vec<&str> = fields.iter().filter(|(_, field)| field.portable).map(|(name, _)| name).collect();
    assert_eq!(portable, ["shop.theme"]);
}

#[test]
fn a_key_that_cannot_be_decoded_is_an_error_not_absence() {
    let shop = Shop { cart: vec![1], ..Shop::default() };
    let error = OddShop::read(&fields_of(&shop)).unwrap_err();
    assert!(matches!(&error, DataError::Decode { key, .. } if &**key == "shop.cart"));
    assert_eq!(error.to_string(), "session key `shop.cart` holds something else than expected");
}

/// An application with several kinds of data in one session.
fn shop(site: &Site) -> Router {
    Router::new()
        .route("/cart", post(async |session: Session<Shop>| changed(session, |shop| shop.cart.push(7)).await))
        .route("/step", post(async |session: Session<Wizard>| changed(session, |wizard| wizard.step += 1).await))
        .route(
            "/coupon",
            post(async |session: Session<NewShop>| changed(session, |shop| shop.coupon = Some("x".into())).await),
        )
        .route("/odd", post(async |session: Session<OddShop>| changed(session, |shop| shop.cart.push('!')).await))
        .route("/theme", post(async |session: Session<Shop>| session.set(Shop::THEME, &"dark".to_owned())))
        .layer(site.sessions().public())
        .merge(app_without_theme(site))
}

fn app_without_theme(site: &Site) -> Router {
    Router::new().nest("/app", app(site))
}

async fn changed<T: SessionData + std::fmt::Debug>(
    session: Session<T>,
    change: impl FnMut(&mut T) + Send,
) -> Result<String, Error> {
    session.update(change).await?;
    Ok(format!("{:?}", session.read().await?))
}

async fn post_to(browser: &Browser, path: &str) -> String {
    browser.post_form(path, &[]).await.text().to_owned()
}

#[tokio::test]
async fn several_kinds_of_data_share_one_session() {
    let site = Site::new();
    let visitor = site.browser(&shop(&site));
    assert_eq!(post_to(&visitor, "/cart").await, r#"Shop { cart: [7], theme: "", type: None }"#);
    assert_eq!(post_to(&visitor, "/step").await, "Wizard { step: 1 }");
    assert_eq!(post_to(&visitor, "/cart").await, r#"Shop { cart: [7, 7], theme: "", type: None }"#);
    assert_eq!(post_to(&visitor, "/step").await, "Wizard { step: 2 }");
    assert_eq!(site.records(), 1);
}

#[tokio::test]
async fn keys_of_another_version_survive() {
    let site = Site::new();
    let visitor = site.browser(&shop(&site));
    post_to(&visitor, "/cart").await;
    assert_eq!(post_to(&visitor, "/coupon").await, r#"NewShop { coupon: Some("x") }"#);
    assert_eq!(post_to(&visitor, "/cart").await, r#"Shop { cart: [7, 7], theme: "", type: None }"#);
    assert_eq!(post_to(&visitor, "/coupon").await, r#"NewShop { coupon: Some("x") }"#);
}

#[tokio::test]
async fn a_handler_that_cannot_read_its_key_changes_nothing() {
    let site = Site::new();
    let visitor = site.browser(&shop(&site));
    post_to(&visitor, "/cart").await;
    assert_eq!(visitor.post_form("/odd", &[]).await.status().as_u16(), 500);
    assert_eq!(post_to(&visitor, "/cart").await, r#"Shop { cart: [7, 7], theme: "", type: None }"#);
}

#[tokio::test]
async fn sign_in_carries_over_what_is_portable_and_nothing_else() {
    let site = Site::new();
    let visitor = site.browser(&shop(&site));
    post_to(&visitor, "/cart").await;
    assert!(visitor.post_form("/theme", &[]).await.status().is_success());
    assert!(visitor.post_form("/app/login", &[("user", "ada")]).await.status().is_redirection());
    assert_eq!(post_to(&visitor, "/cart").await, r#"Shop { cart: [7], theme: "dark", type: None }"#);
    // From one subject to another, nothing.
    assert!(visitor.post_form("/app/login", &[("user", "grace")]).await.status().is_redirection());
    assert_eq!(post_to(&visitor, "/cart").await, r#"Shop { cart: [7], theme: "", type: None }"#);
}

#[test]
fn a_key_may_be_written_by_hand() {
    const THEME: Key<String> = Key::new("shop.theme").portable();
    let fields = fields_of(&Shop { theme: "dark".into(), ..Shop::default() });
    assert_eq!(THEME.decode(&fields).unwrap(), Some("dark".into()));
}
